// A newcomer's demonstration: one command, one address, and a house with pictures in
// it; and one Ctrl-C after which nothing is left.

import { mkdtempSync, mkdirSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { environment, freePort, listing } from "./house/house.ts";
import { distance, shows, until } from "./house/look.ts";
import { descendants, endAll, living, Process } from "./house/process.ts";

const built = inject("built");
const cameras = ["Front door", "Garden", "Driveway"];

let folder: string;
let port: number;
let demo: Process;
let browser: Browser;
let newcomer: Visitor;
let link: string;

keepPictures();

beforeAll(async () => {
  folder = mkdtempSync(join(built.folder, "demo-"));
  mkdirSync(join(folder, "here"));
  port = await freePort();
  browser = await startBrowser();
  demo = new Process({ name: "demo", command: built.latchkey, args: ["demo", "--listen", `127.0.0.1:${port}`], cwd: join(folder, "here"), env: environment(folder, built.latchkey) });
  [link] = await demo.line(/^\s*http:\/\/localhost:\d+\/#\S+$/, { within: 60_000 });
  link = link.trim();
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

test("one address is printed, with both secrets in its fragment", () => {
  expect(demo.lines.filter((l) => /https?:\/\/localhost/.test(l.text)).length).toBe(1);
  expect(link).toMatch(new RegExp(`^http://localhost:${port}/#setup=[^&]+&join=[^&]+$`));
});

test("the address fills with verified pictures by itself", async () => {
  newcomer = await Visitor.arrive(browser, `http://localhost:${port}`);
  const { page } = newcomer;
  const begun = Date.now();
  await page.goto(link);
  expect(page.url()).not.toContain("#");
  await until(page, "a first picture", (all) => all.find((c) => shows(c.picture)));
  const seconds = (Date.now() - begun) / 1000;
  console.log(`measured: from the address to the first picture ${seconds.toFixed(1)} s`);
  expect(seconds).toBeLessThan(60);
});

test("all three cameras are in, and each shows another scene", async () => {
  const seen = await until(newcomer.page, "a picture of each camera", (all) => {
    const of = cameras.map((name) => all.find((c) => c.camera === name && shows(c.picture))?.picture);
    return of.every((p) => p !== undefined) && of.map((p) => p!);
  });
  expect(distance(seen[0]!, seen[1]!)).toBeGreaterThan(25);
  expect(distance(seen[0]!, seen[2]!)).toBeGreaterThan(25);
  expect(distance(seen[1]!, seen[2]!)).toBeGreaterThan(25);
  const { page } = newcomer;
  await page.getByRole("link", { name: words.nav.cameras }).click();
  await expect.poll(() => page.locator(".list .name").allTextContents()).toEqual(expect.arrayContaining(cameras));
  await page.getByRole("link", { name: words.nav.events }).click();
});

test("a click plays the clip in parts, from anywhere, and Esc leaves it", async () => {
  const { page } = newcomer;
  const parts: number[] = [];
  page.context().on("response", (r) => void (/\/clip\//.test(r.url()) && parts.push(r.status())));
  const event = await until(page, "an event whose clip has come", (all) => all.find((c) => shows(c.picture) && c.whole)?.event);
  await page.locator(`[data-event="${event}"]`).click();
  await expectPlays(newcomer);
  const there = await page.evaluate(async () => {
    const video = document.querySelector("video")!;
    video.pause();
    const there = new Promise((go) => video.addEventListener("seeked", go, { once: true }));
    video.currentTime = video.duration - 1;
    await there;
    return video.duration - video.currentTime;
  });
  expect(there).toBeLessThan(1.5);
  expect(parts.length).toBeGreaterThan(0);
  expect(parts.filter((status) => status !== 206)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "hidden" });
  expect(new URL(page.url()).pathname).toBe("/");
});

async function expectPlays({ page }: Visitor): Promise<void> {
  const state = () => page.evaluate(() => {
    const v = document.querySelector("video");
    return { time: v?.currentTime ?? 0, width: v?.videoWidth ?? 0, duration: v?.duration ?? 0 };
  });
  await expect.poll(async () => (await state()).width, { timeout: 20_000 }).toBeGreaterThan(0);
  const { time, duration } = await state();
  expect(duration).toBeGreaterThan(2);
  await expect.poll(async () => (await state()).time, { timeout: 10_000 }).not.toBe(time);
}

test("the keyboard walks, opens and comes back", async () => {
  const { page } = newcomer;
  const focused = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset["event"] ?? "");
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press("j");
  const first = await focused();
  expect(first).not.toBe("");
  await page.keyboard.press("j");
  const second = await focused();
  expect(second).not.toBe(first);
  await page.keyboard.press("k");
  expect(await focused()).toBe(first);
  await page.keyboard.press("Enter");
  await page.locator("dialog[open]").waitFor();
  expect(new URL(page.url()).pathname).toBe(`/events/${first}`);
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "hidden" });
  await expect.poll(focused).toBe(first);
});

test("an event is deleted once it is said what that means, and does not come back", async () => {
  const { page } = newcomer;
  const event = await until(page, "an event to delete", (all) => all.find((c) => shows(c.picture) && c.whole)?.event);
  await page.locator(`[data-event="${event}"]`).click();
  const player = page.locator("dialog[open]");
  await player.getByRole("button", { name: words.erase.event, exact: true }).click();
  await player.getByText(words.erase.eventSays).waitFor();
  expect(await page.locator(`[data-event="${event}"]`).count()).toBe(1);
  await player.getByRole("button", { name: words.erase.eventSure }).click();
  await player.waitFor({ state: "hidden" });
  const gone = () => page.locator(`[data-event="${event}"]`).count();
  await expect.poll(gone).toBe(0);
  await page.reload();
  await until(page, "the others after a reload", (all) => all.filter((c) => shows(c.picture)).length >= 1);
  expect(await gone()).toBe(0);
  await page.goto(`http://localhost:${port}/home`);
  await page.getByText(/^At the server: /).waitFor();
  await page.goto(`http://localhost:${port}/`);
});

test("a reload shows the home again, without the link", async () => {
  const { page } = newcomer;
  await page.reload();
  await until(page, "the pictures after a reload", (all) => all.filter((c) => shows(c.picture)).length >= 2);
  expect(page.url()).not.toContain("#");
});

test("the link works once", async () => {
  const stranger = await Visitor.arrive(browser, `http://localhost:${port}`);
  await stranger.page.goto(link);
  await stranger.page.getByText(words.setup.used.title).waitFor();
  expect(await stranger.page.locator("[data-event]").count()).toBe(0);
  stranger.blameless();
  await stranger.leave();
});

test("Ctrl-C ends everything and leaves nothing behind", async () => {
  newcomer.blameless();
  await newcomer.leave();
  const children = descendants(demo.pid);
  expect(children.length).toBeGreaterThan(2); // there is something to be ended
  expect(await demo.stop({ signal: "SIGINT" })).toBe(0);
  expect(demo.group()).toEqual([]);
  expect(living().filter((p) => children.some((c) => c.pid === p.pid && c.command === p.command))).toEqual([]);
  expect(listing(join(folder, "home"))).toEqual([]);
  expect(listing(join(folder, "tmp"))).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(["here", "home", "tmp"]);
  expect(readdirSync(join(folder, "here"))).toEqual([".demo"]);
  await expect(connects(port)).resolves.toBe(false);
});

function connects(to: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
