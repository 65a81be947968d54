// How soon a day of eight cameras answers a drag from filmstrips that are there already:
// from the move to the moment at which every picture on the screen is that of the place,
// in Chromium, with the page's own timeline and worker. CHROMIUM names the browser.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { svelte, vitePreprocess } from "@sveltejs/vite-plugin-svelte";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const moves = 200;
const folder = mkdtempSync(join(tmpdir(), "latchkey-timeline-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const plugins = [svelte({ configFile: false, preprocess: vitePreprocess(), compilerOptions: { runes: true } })];
const how = { root: join(import.meta.dirname, "timeline"), configFile: false, logLevel: "error", plugins, worker: { format: "es" }, build: { outDir: join(folder, "dist"), target: "es2022", modulePreload: { polyfill: false } } };

let server;
let browser;
try {
  await build(how);
  server = await preview({ ...how, preview: { host: "127.0.0.1", port: 0 } });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  await page.goto(`http://localhost:${server.httpServer.address().port}/`);
  await page.waitForFunction(() => "drag" in window);
  const { took, bytes } = await page.evaluate((n) => window.drag(n), moves);
  const sorted = took.sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(moves - 1, Math.floor(moves * part))].toFixed(0).padStart(5);
  console.log(`\nA day of 8 cameras, dragged over: from the move to all pictures of that time (9 on the screen, ${(bytes / 1000).toFixed(0)} KB each), ${moves} moves, aim 100 ms\n`);
  console.log(`p50 ${at(0.5)} ms   p95 ${at(0.95)} ms   p99 ${at(0.99)} ms   the slowest ${at(1)} ms`);
} finally {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
}
