// Runs every vector in Chromium twice, with the browser's own X-Wing and with the
// fallback, and the keep against its IndexedDB. The browser is the system's:
// CHROMIUM names another one than /usr/bin/chromium.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { build } from "vite";

const here = import.meta.dirname;
const root = join(here, "../..");
const folder = mkdtempSync(join(tmpdir(), "latchkey-vectors-"));

function vectors(format) {
  return ["go", "ts"].flatMap((language) => {
    const dir = join(root, format, "testdata/vectors", language);
    return readdirSync(dir).filter((f) => f.endsWith(".json")).map((f) => JSON.parse(readFileSync(join(dir, f), "utf8")));
  });
}

const everything = JSON.stringify({
  homes: JSON.parse(readFileSync(join(root, "sealed/testdata/homes.json"), "utf8")),
  objects: vectors("sealed"),
  deeds: vectors("deed"),
  settings: vectors("settings"),
  letters: vectors("letter"),
  live: vectors("live"),
  accounts: vectors("account"),
});

const types = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json" };

async function serve(dist) {
  const server = createServer((q, a) => {
    const path = new URL(q.url, "http://x").pathname;
    if (path === "/favicon.ico") return a.writeHead(204).end();
    a.setHeader("Content-Type", types[extname(path)] ?? "text/html");
    a.setHeader("Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
    if (path === "/everything.json") return a.end(everything);
    try {
      a.end(readFileSync(join(dist, path === "/" ? "index.html" : path)));
    } catch {
      a.writeHead(404).end();
    }
  });
  await new Promise((up) => server.listen(0, "127.0.0.1", up));
  return server;
}

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
let failed = 0;
let passed = 0;
const say = (ok, text) => {
  ok ? passed++ : failed++;
  console.log(`${ok ? "ok  " : "FAIL"} ${text}`);
};

try {
  const dist = join(folder, "dist");
  await build({ root: join(here, "page"), configFile: false, logLevel: "error", base: "/", build: { outDir: dist, emptyOutDir: true, target: "es2022", modulePreload: { polyfill: false } } });
  const server = await serve(dist);
  const browser = await chromium.launchPersistentContext(join(folder, "profile"), { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (e) => say(false, `the page threw: ${e.message}`));
    await page.goto(`http://localhost:${server.address().port}/`);
    await page.waitForFunction(() => "run" in window);
    for (const which of ["native", "fallback"]) {
      const run = await page.evaluate((w) => window.run(w), which);
      for (const f of run.failures) say(false, `${which}: ${f.name}: got ${f.got}, want ${f.want}`);
      say(run.native, `${which}: this Chromium has X-Wing of its own`);
      say(run.passed >= 1500 && run.failures.length === 0, `${which}: ${run.passed} vectors in ${Math.round(run.milliseconds)} ms`);
    }
    const keep = await page.evaluate(() => window.checkKeep());
    say(keep === "", `keep: ${keep || "keeps secrets wrapped, and what is seen only rises"}`);
  } finally {
    await browser.close();
    server.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
