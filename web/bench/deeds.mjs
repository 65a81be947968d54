// How long a browser takes to verify and fold a chain of 1,000 deeds: in Chromium, with
// the code of the page. CHROMIUM names the browser.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const deeds = 1000;
const times = 9;
const folder = mkdtempSync(join(tmpdir(), "latchkey-deeds-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const how = { root: join(import.meta.dirname, "page"), configFile: false, logLevel: "error", build: { outDir: join(folder, "dist"), target: "es2022", modulePreload: { polyfill: false } } };

let server;
let browser;
try {
  await build(how);
  server = await preview({ ...how, preview: { host: "127.0.0.1", port: 0 } });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.httpServer.address().port}/`);
  await page.waitForFunction(() => "fold" in window);
  const took = (await page.evaluate(([n, t]) => window.fold(n, t), [deeds, times])).sort((a, b) => a - b);
  const median = took[Math.floor(took.length / 2)];
  console.log(`Browser   ${median.toFixed(0).padStart(5)} ms   ${((median * 1000) / deeds).toFixed(0).padStart(5)} µs for each deed`);
} finally {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
}
