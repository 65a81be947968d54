// How long it takes from the first moving picture at a camera to the thumbnail on the
// page, by stage: a demo house and a page in Chromium, EVENTS thumbnails (default 20).
// The agent's times are of its monotonic clock, the page's of its wall clock; the log
// lines carry both, which is how they are joined. CHROMIUM names the browser.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const wanted = Number(process.env.EVENTS ?? 20);
const patience = 240_000; // the slowest of the painted scenes brings an event in 18 s
const folder = mkdtempSync(join(tmpdir(), "latchkey-stages-"));
const program = join(import.meta.dirname, "../../latchkey");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Starts the house and resolves with the address that it prints. */
function start() {
  const house = spawn(program, ["demo", "--debug", "--listen", "127.0.0.1:0", "--dir", join(folder, "demo")], { stdio: ["ignore", "pipe", "ignore"] });
  const address = new Promise((resolve, reject) => {
    let text = "";
    house.stdout.on("data", (d) => ((text += d), text.includes("\n") && resolve(text.trim())));
    house.on("exit", (code) => reject(new Error(`latchkey demo ended with ${code}`)));
  });
  return { house, address };
}

/** What the agent's log says of each event's thumbnail, in milliseconds since 1970. */
function agentStages() {
  const events = new Map();
  for (const line of readFileSync(join(folder, "demo/agent.log"), "utf8").split("\n")) {
    if (!line.includes('"stage"')) continue;
    const l = JSON.parse(line);
    if (l.kind !== "thumbnail") continue;
    const wall = Date.parse(l.time.slice(0, 23) + "Z") + Number(l.time.slice(23, -1).padEnd(3, "0").slice(0, 3)) / 1000 - l.at / 1000;
    const e = events.get(l.event) ?? {};
    if (l.stage === "sealed") Object.assign(e, { moving: wall + l.moving / 1000, received: wall + l.received / 1000, decided: wall + l.decided / 1000, still: wall + l.still / 1000, sealed: wall + l.at / 1000 });
    if (l.stage === "acknowledged") e.acknowledged = wall + l.at / 1000;
    events.set(l.event, e);
  }
  return events;
}

const stages = [
  ["moving", "received", "the first moving picture has arrived whole and decoded"],
  ["received", "decided", "it is decided that something moves"],
  ["decided", "still", "the best picture so far is chosen and made a JPEG"],
  ["still", "sealed", "sealed, signed and durable in the spool"],
  ["sealed", "acknowledged", "uploaded, durable and indexed at the server"],
  ["acknowledged", "notified", "the page has been told"],
  ["notified", "listed", "the list has been fetched and verified"],
  ["listed", "fetched", "the thumbnail has been fetched"],
  ["fetched", "opened", "compared, verified, opened"],
  ["moving", "opened", "altogether"],
];

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

function table(events) {
  console.log(`\nFirst moving picture to thumbnail opened in the browser, ${events.length} events, milliseconds\n`);
  console.log("   p50    p95   stage");
  for (const [from, to, what] of stages) {
    const took = events.map((e) => e[to] - e[from]).sort((a, b) => a - b);
    const cell = (q) => quantile(took, q).toFixed(0).padStart(6);
    if (to === "opened" && from === "moving") console.log("-".repeat(72));
    console.log(`${cell(0.5)} ${cell(0.95)}   ${what}`);
  }
}

const { house, address } = start();
let browser;
try {
  const page = await address;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
  const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await tab.goto(page);
  const opened = () => tab.evaluate(() => performance.getEntriesByName("latchkey thumbnail").map((e) => e.detail));
  const end = Date.now() + patience;
  let seen = [];
  while (seen.length < wanted && Date.now() < end) {
    await tab.waitForTimeout(1000);
    seen = await opened();
    if (process.stderr.isTTY) process.stderr.write(`\r${seen.length} of ${wanted} events `);
  }
  const agent = agentStages();
  // What was recorded before the page listened was not told to it: it has no time of notice.
  const events = seen.map((e) => ({ ...agent.get(e.event), ...e })).filter((e) => e.notified && e.acknowledged);
  if (events.length < Math.min(wanted, 5)) throw new Error(`only ${events.length} of ${seen.length} events could be followed from end to end`);
  table(events);
} finally {
  await browser?.close();
  const gone = new Promise((resolve) => house.on("exit", resolve));
  if (house.exitCode === null && house.kill("SIGINT")) await gone;
  rmSync(folder, { recursive: true, force: true });
}
