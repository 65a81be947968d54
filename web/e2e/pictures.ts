// The pictures of the documentation: of the demonstration as it runs, and, where a camera
// must have something wrong with it, of the page with the stand-in for its worker.

import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

import { createServer } from "vite";
import { afterAll, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { startBrowser, Visitor } from "./house/browser.ts";
import { root } from "./house/build.ts";
import { environment, freePort } from "./house/house.ts";
import { shows, until } from "./house/look.ts";
import { endAll, Process } from "./house/process.ts";

const built = inject("built");
const to = (name: string) => join(root, "docs/pictures", name);

afterAll(endAll);

test("pictures of the demonstration", async () => {
  const folder = mkdtempSync(join(built.folder, "pictures-"));
  mkdirSync(to(""), { recursive: true });
  const port = await freePort();
  const demo = new Process({ name: "demo", command: built.latchkey, args: ["demo", "--listen", `127.0.0.1:${port}`], cwd: folder, env: environment(folder, built.latchkey) });
  const [link] = await demo.line(/http:\/\/localhost:\d+\/#\S+/, { within: 60_000 });
  const browser = await startBrowser();
  const { page } = await Visitor.arrive(browser, `http://localhost:${port}`, { viewport: { width: 1440, height: 900 }, colorScheme: "light", timezoneId: Intl.DateTimeFormat().resolvedOptions().timeZone });
  await page.goto(link);

  await until(page, "eleven whole events", (all) => all.length >= 11 && all.slice(0, 11).every((c) => shows(c.picture) && c.whole), 240_000);
  await page.screenshot({ path: to("events.png") });

  const door = await until(page, "somebody at the door", (all) => all.find((c) => c.camera === "Front door" && c.whole)?.event);
  await page.locator(`[data-event="${door}"]`).click();
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
  await page.evaluate(async () => {
    const video = document.querySelector("video")!;
    video.pause();
    const there = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
    video.currentTime = 0.5 * video.duration;
    await there;
  });
  await page.screenshot({ path: to("player.png") });
  await browser.close();
  await demo.stop();
});

test("pictures of cameras, of what one offers, and of people", async () => {
  const vite = await createServer({ root: join(root, "web"), logLevel: "silent", server: { host: "127.0.0.1", port: 0, strictPort: false } });
  await vite.listen();
  const { origin } = new URL(vite.resolvedUrls!.local[0]!);
  const browser = await startBrowser();
  const { page } = await Visitor.arrive(browser, origin, { viewport: { width: 1100, height: 1000 }, colorScheme: "light" });
  await page.goto(`${origin}/src/dev/index.html?is=states`);
  await page.getByRole("link", { name: words.nav.cameras }).click();
  await page.locator("[data-standing=frozen]").waitFor();
  await page.screenshot({ path: to("cameras.png") });

  await page.getByRole("link", { name: words.cameras.newCamera }).click();
  await page.getByLabel(words.adding.address).fill("192.168.1.64");
  await page.getByRole("button", { name: words.adding.look }).click();
  await page.getByRole("heading", { name: words.adding.report }).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("img")].filter((i) => i.naturalWidth > 0).length === 2);
  await page.screenshot({ path: to("found.png") });

  await page.goto(`${origin}/src/dev/index.html`);
  await page.getByRole("link", { name: words.nav.people }).click();
  await page.locator("[data-person]").last().waitFor();
  await page.screenshot({ path: to("people.png") });
  await page.getByRole("link", { name: words.people.invite }).click();
  await page.getByLabel(words.inviting.name).fill("Nora");
  await page.getByRole("button", { name: words.inviting.go }).click();
  await page.getByRole("heading", { name: words.inviting.compareTitle }).waitFor();
  await page.setViewportSize({ width: 1100, height: 560 });
  await page.screenshot({ path: to("compare.png") });

  await page.setViewportSize({ width: 1100, height: 1000 });
  await page.getByRole("link", { name: words.nav.home }).click();
  await page.getByRole("link", { name: words.trust.open }).click();
  await page.getByRole("heading", { name: words.trust.state }).waitFor();
  await page.screenshot({ path: to("trust.png") });
  await browser.close();
  await vite.close();
});
