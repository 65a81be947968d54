// What it takes from a set-up link to an unlocked home: what a person does, and how long
// the machine makes them wait when they do it without a pause. By passkey and by
// passphrase, RUNS times each (default 5), in Chromium. CHROMIUM names the browser.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const runs = Number(process.env.RUNS ?? 5);
const folder = mkdtempSync(join(tmpdir(), "latchkey-signup-"));
const program = join(import.meta.dirname, "../../latchkey");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const data = ["--data", join(folder, "data")];

/** Starts a server without mail and resolves with its origin. */
function start() {
  const server = spawn(program, ["server", ...data, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  const origin = new Promise((resolve, reject) => {
    let text = "";
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (d) => ((text += d), /(http:\/\/localhost:\d+)\/#setup/.test(text) && resolve(RegExp.$1)));
    server.on("exit", (code) => reject(new Error(`latchkey server ended with ${code}:\n${text}`)));
  });
  return { server, origin };
}

function setupLink(origin) {
  const made = spawnSync(program, ["server", "setup-link", ...data, "--origin", origin], { encoding: "utf8" });
  return /http:\/\/localhost:\d+\/#setup=\S+/.exec(made.stdout + made.stderr)[0];
}

/** Somebody who does at once what each screen asks for, and counts. */
async function signUp(browser, link, by) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable", { enableUI: false });
  await devtools.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true } });
  const did = { screens: 0, clicks: 0, fields: 0, ms: 0 };
  const screen = (heading) => (did.screens++, page.getByRole("heading", { name: heading }).waitFor());
  const click = (name) => (did.clicks++, page.getByRole("button", { name, exact: true }).click());
  const type = (label, text) => (did.fields++, page.getByLabel(label, { exact: true }).fill(text));
  const began = performance.now();
  await page.goto(link);
  await screen("Make your account");
  await type("Your e-mail address", `${crypto.randomUUID()}@example.org`);
  await click("Continue");
  await screen("How do you want to unlock your keys?");
  if (by === "passkey") await click("Use a passkey");
  else {
    await click("Use a passphrase instead");
    await type("Passphrase", "Teekanne quietscht unter Fallobst");
    await click("Use this passphrase");
  }
  await screen("Your recovery code");
  const code = (await page.getByLabel("Recovery code, seven groups").getByRole("listitem").allTextContents()).map((text) => text.slice(1).trim());
  await click("I have written it down");
  await screen("Let us see that you have it");
  for (const label of await page.locator("label", { hasText: /^Group \d$/ }).allTextContents()) await type(label, code[Number(label.at(-1)) - 1]);
  await click("Finish");
  await screen("Your account is made");
  await click("Continue");
  await screen("Make this home yours");
  await click("Make this home mine");
  await page.getByRole("link", { name: "Events" }).waitFor();
  did.ms = performance.now() - began;
  await context.close();
  return did;
}

/** How long Argon2id takes in this browser, with the code of the page. */
async function argon2id(browser) {
  const how = { root: join(import.meta.dirname, "page"), configFile: false, logLevel: "error", build: { outDir: join(folder, "dist"), target: "es2022", modulePreload: { polyfill: false } } };
  await build(how);
  const server = await preview({ ...how, preview: { host: "127.0.0.1", port: 0 } });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.httpServer.address().port}/`);
    await page.waitForFunction(() => "stretch" in window);
    return median(await page.evaluate((n) => window.stretch(n), runs));
  } finally {
    await server.close();
  }
}

function median(all) {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
}

const { server, origin } = start();
let browser;
try {
  const at = await origin;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
  console.log(`\nFrom a set-up link to an unlocked home, medians of ${runs}\n`);
  console.log("             screens  clicks  fields  seconds");
  for (const by of ["passkey", "passphrase"]) {
    const all = [];
    for (let i = 0; i < runs; i++) all.push(await signUp(browser, setupLink(at), by));
    const { screens, clicks, fields } = all[0];
    console.log(`${by.padEnd(12)} ${String(screens).padStart(7)} ${String(clicks).padStart(7)} ${String(fields).padStart(7)} ${(median(all.map((d) => d.ms)) / 1000).toFixed(2).padStart(8)}`);
  }
  console.log(`Argon2id, once for a passphrase: ${((await argon2id(browser)) / 1000).toFixed(2)} s`);
} finally {
  await browser?.close();
  const gone = new Promise((resolve) => server.on("exit", resolve));
  if (server.exitCode === null && server.kill("SIGINT")) await gone;
  rmSync(folder, { recursive: true, force: true });
}
