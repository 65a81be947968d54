// Cameras as their owner handles them in the page: real server, real agents, painted
// cameras.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser } from "./house/browser.ts";
import { Cloud, Household, scene, Street } from "./house/house.ts";
import { endAll } from "./house/process.ts";
import { lookIn, lookInFolder, text } from "./house/scan.ts";

const built = inject("built");

const user = "betrachterin";
const passwords = ["Quitten-Gelee/33%", "Sanddorn#Likör 12"] as const;
const wrong = "Fehlgriff-77%";
const [garden, drive] = ["Garten hinten 901", "Einfahrt 902"] as const;
const a = words.adding;
const c = words.camera;

let browser: Browser;
let street: Street;
let cloud: Cloud;
let house: Household;
let second: Household;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "cameras-"));
  browser = await startBrowser();
  const painted = Street.paint(built, [
    { scene: scene.garden, user, password: passwords[0] },
    { scene: scene.driveway, user, password: passwords[1] },
  ]);
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
  house = await Household.found(cloud, browser, join(folder, "house"), built.latchkey, "Haus Kameraprobe");
  second = house.another(join(folder, "shed"));
  await house.addAgent();
  await house.run();
  street = await painted;
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

/** The row of a camera on the page of all cameras. */
function row(camera: string): Locator {
  return house.owner.page.locator("[data-camera]", { has: house.owner.page.locator(".name", { hasText: camera }) });
}

/** Waits until it stands so with a camera. */
async function stands(camera: string, as: string): Promise<void> {
  await row(camera).locator(`[data-standing="${as}"]`).waitFor({ timeout: 60_000 });
}

async function goToCameras(): Promise<void> {
  await house.owner.page.getByRole("navigation").getByRole("link", { name: words.nav.cameras }).click();
  await house.owner.page.getByRole("heading", { level: 1, name: words.cameras.title }).waitFor();
}

async function openCamera(camera: string): Promise<void> {
  await goToCameras();
  await row(camera).getByRole("link").click();
  await house.owner.page.getByRole("heading", { level: 1, name: camera }).waitFor();
}

/** Types where a camera is and lets the agent look at it. */
async function look(address: string, password: string): Promise<void> {
  const { page } = house.owner;
  await page.getByLabel(a.address, { exact: true }).fill(address);
  await page.getByLabel(a.user, { exact: true }).fill(user);
  await page.getByLabel(a.password, { exact: true }).fill(password);
  await page.getByRole("button", { name: a.look, exact: true }).click();
}

/** Says yes to what was found, and looks at all cameras. */
async function take(name: string): Promise<void> {
  const { page } = house.owner;
  await page.getByLabel(a.name, { exact: true }).fill(name);
  await page.getByRole("button", { name: a.place }).click();
  await page.getByRole("heading", { name: a.done(name) }).waitFor();
  await page.getByRole("link", { name: words.cameras.back }).last().click();
}

describe("a camera is added in the page", () => {
  test("a wrong password is said, and asked for again", async () => {
    const { page } = house.owner;
    await goToCameras();
    await page.getByRole("link", { name: words.cameras.newCamera }).click();
    await look(street.cameras[0]!.main, wrong);
    await page.locator("#camera-password[aria-invalid]").waitFor({ timeout: 30_000 });
    expect(await page.getByRole("alert").textContent()).toMatch(/password/i);
    expect(await page.getByLabel(a.password, { exact: true }).inputValue()).toBe("");
    await sound(house.owner);
  });

  test("the right one shows what the camera offers, with a picture", async () => {
    const { page } = house.owner;
    await look(street.cameras[0]!.main, passwords[0]);
    await page.getByRole("heading", { name: a.report }).waitFor({ timeout: 75_000 });
    const main = page.locator("[data-role=main]");
    expect(await main.textContent()).toContain("H.264");
    await main.locator("img").waitFor();
    await sound(house.owner);
  });

  test("named, it is in the home and recording", async () => {
    await take(garden);
    await stands(garden, "recording");
    expect(await row(garden).textContent()).toMatch(/since \d\d:\d\d.*H\.264/s);
    await sound(house.owner);
  });
});

describe("what is wanted of it", () => {
  test("a mask is drawn on the live picture, counted at once, and kept", async () => {
    const { page } = house.owner;
    await openCamera(garden);
    await page.locator(".canvas img").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: words.drawing.addMask }).click();
    await page.locator(".corner").first().focus();
    await page.keyboard.press("Shift+ArrowLeft");
    const drawn = await page.locator("polygon.mask").getAttribute("points");
    const fire = page.locator(".fire");
    await expect.poll(() => fire.textContent(), { timeout: 30_000 }).toMatch(/it would have fired|not watched this camera long enough/);
    await sound(house.owner);
    await page.locator("form", { has: page.locator(".canvas") }).getByRole("button", { name: words.cameras.save, exact: true }).click();
    await page.getByText(words.cameras.saved).waitFor();
    await page.reload();
    expect(await page.locator("polygon.mask").getAttribute("points")).toBe(drawn);
  });

  test("switched off it is off, and switched on it records", async () => {
    const { page } = house.owner;
    await page.getByRole("button", { name: c.offNow }).click();
    await page.getByText(words.standing.offByHand).waitFor({ timeout: 30_000 });
    await goToCameras();
    await stands(garden, "off");
    await house.goToEvents();
    await page.getByRole("region", { name: words.strip.title }).locator("[data-standing=off]").waitFor();
    await sound(house.owner);
    await goToCameras();
    await row(garden).getByRole("button", { name: words.standing.act.on }).click();
    await stands(garden, "recording");
  });

  test("a password that is wrong is said with what to do, and put right", async () => {
    const { page } = house.owner;
    const change = async (password: string) => {
      await page.getByLabel(c.newPassword).fill(password);
      await page.locator("form", { has: page.getByLabel(c.newPassword) }).getByRole("button", { name: words.cameras.save, exact: true }).click();
      await page.getByText(c.changed).waitFor();
    };
    await openCamera(garden);
    await page.getByRole("button", { name: c.describe }).click();
    expect(await page.getByLabel(c.main).inputValue()).toBe(street.cameras[0]!.main);
    expect(await page.getByLabel(a.user, { exact: true }).inputValue()).toBe(user);
    await change(`${wrong} II`);
    await goToCameras();
    await stands(garden, "wrong-password");
    await sound(house.owner);
    await row(garden).getByRole("button", { name: words.standing.act.password }).click();
    await change(passwords[0]);
    await goToCameras();
    await stands(garden, "recording");
  });
});

describe("a second agent", () => {
  test("joins by a copied command", async () => {
    await second.addAgent();
    await second.addCamera(drive, street.cameras[1]!);
    await second.run();
    await expect.poll(() => house.owner.page.locator("[data-agent] .up").count(), { timeout: 60_000 }).toBe(2);
  });

  test("has a camera of its own, and the page says whose is whose", async () => {
    const { page } = house.owner;
    await second.acceptCameras(drive);
    await goToCameras();
    await stands(drive, "recording");
    const name = (await page.locator("[data-agent] .name").nth(1).textContent())!;
    expect(await row(drive).textContent()).toContain(words.cameras.through(name));
    expect(await row(garden).textContent()).not.toContain(words.cameras.through(name));
    expect(await page.locator("[data-agent]").nth(1).textContent()).toContain(words.agents.cameras(drive));
    await sound(house.owner);
  });

  test("when it is gone its camera is said to be, and the other records on", async () => {
    await second.agent.stop();
    await stands(drive, "away");
    await stands(garden, "recording");
    await sound(house.owner);
  });
});

describe("nobody on the way has read it", () => {
  const needles = () => [...passwords, wrong, garden, drive, user].flatMap((word) => text("secret", word));

  test("neither the server's disk and log nor anything that passed holds a password, a user or a name", () => {
    expect(lookInFolder(cloud.folder, needles())).toEqual([]);
    expect(lookIn(Buffer.from(cloud.log), "server's log", needles())).toEqual([]);
    expect(needles().flatMap((n) => cloud.wire.with(n.bytes))).toEqual([]);
  });

  test("nor do the agents' logs hold a password", () => {
    const secret = [...passwords, wrong].flatMap((word) => text("password", word));
    expect(lookIn(Buffer.from(house.log + second.log), "agents' logs", secret)).toEqual([]);
  });

  test("control: what does pass in clear is found", () => {
    expect(text("path", "/commands").flatMap((n) => cloud.wire.with(n.bytes)).length).toBeGreaterThan(0);
  });

  test("all along, the page broke none of its own rules", () => house.owner.blameless());
});
