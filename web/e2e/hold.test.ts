// Whoever runs the server stops what it hands out while a page is open: words stand in
// the place of pictures within seconds, the agent goes on recording, and the pictures
// come back by themselves.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser } from "./house/browser.ts";
import { Cloud, Household, scene, Street } from "./house/house.ts";
import { cards, expectNoSideways, shows, until } from "./house/look.ts";
import { endAll, Process } from "./house/process.ts";

const built = inject("built");
const camera = "Hoftor";
const tell = "We are looking into two reports.";

let browser: Browser;
let street: Street;
let cloud: Cloud;
let house: Household;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "hold-"));
  browser = await startBrowser();
  street = await Street.paint(built, [{ scene: scene.driveway, user: "viewer", password: "viewer" }]);
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
  house = await Household.found(cloud, browser, join(folder, "house"), built.latchkey, "Haus am Deich");
  await house.addAgent();
  await house.addCamera(camera, street.cameras[0]!);
  await house.run();
  await house.acceptCameras(camera);
  await until(house.owner.page, "a picture", (all) => all.find((c) => shows(c.picture)));
});

afterAll(async () => {
  await house?.stop();
  await street?.stop();
  await cloud?.stop();
  await browser?.close();
  endAll();
});

/** What the operator types beside the server. */
async function incident(...args: string[]): Promise<void> {
  const p = new Process({ name: "incident", command: built.latchkey, args: ["incident", ...args, "--data", cloud.data], cwd: cloud.folder, env: cloud.env });
  expect(await p.ended, p.log).toBe(0);
}

/** How many uploads the server has taken. */
async function uploads(): Promise<number> {
  const text = await (await fetch(cloud.metrics)).text();
  return Number(/^latchkey_uploads_total\{outcome="stored"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Words, and not a picture, on a page that is open. */
async function isHeld(says: string): Promise<void> {
  const { page } = house.owner;
  await page.getByRole("heading", { name: words.held.events }).waitFor({ timeout: 10_000 });
  await page.getByText(says).waitFor();
  expect(await cards(page)).toEqual([]);
  expect(await page.locator("img, video").count()).toBe(0);
  await sound(house.owner);
  await expectNoSideways(page);
}

describe("pictures and clips alone", () => {
  test("are put away by a page that shows one, and come back without a reload", async () => {
    const { page } = house.owner;
    const { event } = await until(page, "a whole event", (all) => all.find((c) => c.whole));
    await page.locator(`[data-event="${event}"]`).click();
    const plays = () => page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await plays();
    await page.evaluate(() => document.body.setAttribute("data-loaded", "once"));
    await incident("hold", "--route", "object", "--why", "pictures are crossed", "--tell", tell);
    await isHeld(words.held.title("route"));
    await incident("release", "--all", "--why", "they were not");
    await plays();
    await page.keyboard.press("Escape");
    await until(page, "the pictures", (all) => all.find((c) => c.event === event && c.whole && shows(c.picture)));
    expect(await page.locator("body").getAttribute("data-loaded")).toBe("once");
  });
});

describe("what an operator holds", () => {
  test("is gone from a page that is open, and words say so", async () => {
    const { page } = house.owner;
    await incident("hold", "--everything", "--why", "a secret reason", "--tell", tell);
    await isHeld(words.held.says(tell));
    expect(await page.content()).not.toContain("secret reason");
    const before = await uploads();
    await expect.poll(uploads, { timeout: 60_000 }).toBeGreaterThan(before); // recording goes on
  });

  test("is said to whoever comes now, too, and who is in the home can still be seen", async () => {
    const { page } = house.owner;
    await page.reload();
    await page.getByRole("heading", { name: words.held.events }).waitFor();
    await page.getByRole("link", { name: words.nav.cameras }).click();
    await page.getByRole("heading", { name: words.held.events }).waitFor();
    await page.getByRole("link", { name: words.nav.people }).click();
    await page.getByRole("heading", { name: words.people.title }).first().waitFor();
    await page.getByText(words.held.says(tell)).waitFor();
    await sound(house.owner);
    await house.goToEvents();
  });

  test("comes back by itself when it is released, with what was recorded meanwhile", async () => {
    const { page } = house.owner;
    await incident("release", "--all", "--why", "it was a drill");
    await until(page, "pictures again", (all) => all.find((c) => shows(c.picture)), 20_000);
    expect(await page.getByText(words.held.says(tell)).count()).toBe(0);
    expect(cloud.log).toMatch(/msg=held .*why="a secret reason"/);
    expect(cloud.log).toMatch(/msg=released .*why="it was a drill"/);
    house.owner.blameless();
  });
});
