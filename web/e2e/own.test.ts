// A camera of one's own, by commands and clicks alone: no test hand helps. And then an
// ordinary life: the server goes away and comes back, the session ends, the window is
// narrow.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { Cloud, Household, scene, Street } from "./house/house.ts";
import { cards, expectNoSideways, shows, until } from "./house/look.ts";
import { keyFile } from "./house/owner.ts";
import { endAll } from "./house/process.ts";
import { kinds, lookIn, lookInFolder, lookInMemory, text } from "./house/scan.ts";
import { Passersby } from "./house/secrets.ts";

const built = inject("built");

// Odd enough to be found wherever they turn up.
const password = "Xyl0phon-Kaktus/77%";
const user = "zuschauer";
const camera = "Gartenpforte Ost 4711";
const home = "Haus Eulenspiegel 815";

/** The files in a folder and below. */
const filesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder, { withFileTypes: true, recursive: true }).filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name)) : []);

let browser: Browser;
let street: Street;
let cloud: Cloud;
let house: Household;
let passersby: Passersby;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "own-"));
  browser = await startBrowser();
  street = await Street.paint(built, [{ scene: scene.driveway, user, password }]);
  passersby = new Passersby();
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

describe("from nothing to a picture", () => {
  test("a set-up link makes a home", async () => {
    house = await Household.found(cloud, browser, join(cloud.folder, "../house"), built.latchkey, home);
    expect(house.owner.page.url()).not.toContain("#");
    await sound(house.owner);
  });

  test("a copied command lets an agent in", async () => {
    await house.addAgent();
    await house.owner.page.getByText(words.cameras.emptyCameras.title).waitFor();
    await sound(house.owner);
  });

  test("a camera is described, asked for, and taken in by a click", async () => {
    await house.addCamera(camera, street.cameras[0]!);
    await house.run({ debug: true });
    await house.acceptCameras(camera);
  });

  test("what moves is on the page, under the camera's name", async () => {
    const { page } = house.owner;
    const event = await until(page, "a picture", (all) => all.find((c) => c.camera === camera && shows(c.picture))?.event);
    await until(page, "its clip", (all) => all.find((c) => c.event === event && c.whole));
    await sound(house.owner);
    await page.locator(`[data-event="${event}"]`).click();
    await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await sound(house.owner);
  });

  test("the clip is saved as one video, and in full quality once that has come from home", async () => {
    const { page } = house.owner;
    const width = () => page.evaluate(() => document.querySelector("video")?.videoWidth ?? 0);
    expect(await width()).toBe(320);
    const cloud = await savedVideo(page, join(house.folder, "cloud.mp4"));
    await page.getByRole("button", { name: words.player.full.full }).click();
    await expect.poll(width, { timeout: 30_000 }).toBe(640);
    await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.5);
    await sound(house.owner);
    const full = await savedVideo(page, join(house.folder, "full.mp4"));
    expect([cloud.width, full.width]).toEqual([320, 640]);
    expect(full.lasts).toBeGreaterThan(cloud.lasts - 2);
    for (const { lasts, created } of [cloud, full]) {
      expect(lasts).toBeGreaterThan(2);
      expect(Math.abs(created - cloud.created)).toBeLessThan(3_000); // groups are taken whole
      expect(Date.now() - created).toBeLessThan(600_000);
    }
    await page.getByRole("button", { name: words.player.full.full }).click();
    await expect.poll(width).toBe(320);
  });

  test("the saved clip and the key file open without a server", async () => {
    const { page } = house.owner;
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words.player.save }).click()]);
    await download.saveAs(join(house.folder, "saved.latchkey"));
    await page.keyboard.press("Escape");
    const key = await keyFile(house);
    expect(await house.type(`latchkey open saved.latchkey --key '${key.path}' -o saved.mp4`), house.log).toBe(0);
    expect(readFileSync(join(house.folder, "saved.mp4")).subarray(4, 8).toString()).toBe("ftyp");
  });
});

/** What another program says of the video that is saved. */
async function savedVideo(page: Page, path: string): Promise<{ width: number; lasts: number; created: number }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words.player.file }).click()]);
  expect(download.suggestedFilename()).toMatch(/ \d{4}-\d\d-\d\d \d\d-\d\d-\d\d\.mp4$/);
  await download.saveAs(path);
  // It plays to its end, and from its middle, without a complaint.
  for (const from of ["0", "2"]) expect(execFileSync("ffmpeg", ["-v", "warning", "-xerror", "-ss", from, "-i", path, "-f", "null", "-"], { stdio: "pipe" }).toString()).toBe("");
  const { format, streams } = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-of", "json", "-show_format", "-show_streams", path]).toString()) as { format: { duration: string; tags: Record<string, string> }; streams: { width?: number }[] };
  return { width: streams[0]!.width!, lasts: Number(format.duration), created: Date.parse(format.tags["creation_time"]!) };
}

describe("the camera's password", () => {
  test("is in no command line and no environment", () => {
    const seen = passersby.stop();
    expect(seen.some((line) => line.includes("agent add-camera"))).toBe(true); // it did look
    expect(seen.filter((line) => line.includes(password))).toEqual([]);
  });

  test("is in no log, not at the server, and in nothing that passed between browser, agent and server", () => {
    const needles = [...text("password", password), ...text("password", encodeURIComponent(password))];
    expect(lookIn(Buffer.from(house.log), "agent's log", needles)).toEqual([]);
    expect(lookIn(Buffer.from(cloud.log), "server's log", needles)).toEqual([]);
    expect(lookInFolder(cloud.folder, needles)).toEqual([]);
    expect(lookInMemory(cloud.server.pid, needles).found).toEqual([]);
    expect(needles.flatMap((n) => cloud.wire.with(n.bytes))).toEqual([]);
  });

  test("is in the agent's own folder, and nowhere else in the house", () => {
    const found = lookInFolder(house.folder, text("password", password));
    expect(found.length).toBeGreaterThan(0); // so this looks for the right thing
    expect(found.filter((f) => !f.where.startsWith(house.agentFolder))).toEqual([]);
  });
});

test("camera's and home's name are nowhere at the server, nor on the way to it", () => {
  const needles = [...text("camera", camera), ...text("home", home)];
  expect(lookInFolder(cloud.folder, needles)).toEqual([]);
  expect(lookIn(Buffer.from(cloud.log), "server's log", needles)).toEqual([]);
  expect(needles.flatMap((n) => cloud.wire.with(n.bytes))).toEqual([]);
  // The same search finds what does pass in clear.
  const { home: id } = JSON.parse(readFileSync(join(house.folder, "home.key"), "utf8")) as { home: string };
  expect(kinds(text("id", id).flatMap((n) => cloud.wire.with(n.bytes).map((p) => ({ kind: n.kind, where: p.what }))))).toEqual(["id"]);
});

describe("an ordinary life", () => {
  test("the server stops: the page says so and since when, and comes back by itself", async () => {
    const { page } = house.owner;
    await cloud.server.stop();
    const note = page.locator(".note", { hasText: words.offline.showing });
    await note.waitFor({ timeout: 30_000 });
    expect(await note.textContent()).toMatch(/since \d?\d:\d\d/);
    expect((await cards(page)).some((c) => shows(c.picture))).toBe(true);
    await sound(house.owner);
    await cloud.run(built.latchkey);
    await note.waitFor({ state: "hidden", timeout: 45_000 });
  });

  test("the server is killed at once and started again: events go on, each of them once", async () => {
    const { page } = house.owner;
    const before = new Set((await cards(page)).map((c) => c.event));
    await cloud.server.stop({ signal: "SIGKILL" });
    await cloud.run(built.latchkey);
    await until(page, "two events after the restart", (all) => all.filter((c) => !before.has(c.event) && shows(c.picture)).length >= 2, 60_000);
    const events = (await cards(page)).map((c) => c.event);
    expect(events.length).toBe(new Set(events).size);
    for (const event of before) expect(events).toContain(event);
  });

  test("nothing is wider than a narrow window", async () => {
    const { page } = house.owner;
    await page.setViewportSize({ width: 360, height: 740 });
    for (const screen of [words.nav.cameras, words.nav.home, words.nav.events]) {
      await page.getByRole("link", { name: screen }).click();
      await page.getByRole("heading", { level: 1, name: screen }).waitFor({ state: "attached" });
      await expectNoSideways(page);
    }
    await page.locator("[data-event]").first().click();
    await page.locator("dialog[open]").waitFor();
    await expectNoSideways(page);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test("every screen is sound for those who do not see it, in both lights", async () => {
    const { page } = house.owner;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const screen of [words.nav.cameras, words.nav.home, words.nav.events]) {
        await page.getByRole("link", { name: screen }).click();
        await page.getByRole("heading", { level: 1, name: screen }).waitFor({ state: "attached" });
        await sound(house.owner);
      }
      await page.locator("[data-state=opened]").first().click();
      await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
      await sound(house.owner);
      await page.keyboard.press("Escape");
    }
  });

  test("a browser without keys is told so", async () => {
    const stranger = await Visitor.arrive(browser, cloud.origin);
    await stranger.page.goto(cloud.origin);
    await stranger.page.getByText(words.welcome.title).waitFor();
    await sound(stranger);
    stranger.blameless();
    await stranger.leave();
  });

  test("a link that nobody made is turned down in words", async () => {
    const stranger = await Visitor.arrive(browser, cloud.origin);
    await stranger.page.goto(`${cloud.origin}/#setup=${"A".repeat(26)}`);
    await stranger.page.getByRole("button", { name: words.signUp.later, exact: true }).click();
    await stranger.page.getByRole("button", { name: words.setup.go }).click();
    await stranger.page.getByText(words.setup.used.title).waitFor();
    await sound(stranger);
    stranger.blameless();
    await stranger.leave();
  });

  test("an event that is not there is said not to be", async () => {
    const { page } = house.owner;
    await page.goto(`${cloud.origin}/events/${"a".repeat(26)}`);
    await page.getByText(words.player.missing).waitFor();
    await page.keyboard.press("Escape");
  });

  test("signed out, the page shows nothing and says what to do", async () => {
    const { page } = house.owner;
    await page.getByRole("link", { name: words.nav.home }).click();
    await page.getByRole("button", { name: words.settings.leave }).click();
    await page.getByText(words.settings.left).waitFor();
    expect(await page.locator("img, [data-event]").count()).toBe(0);
    await sound(house.owner);
    await page.getByRole("button", { name: words.reload }).click();
    await house.goToEvents();
    await until(page, "the events again", (all) => all.find((c) => shows(c.picture)));
  });

  test("a day is deleted, here and at home, and nothing of another", async () => {
    const { page } = house.owner;
    await page.getByRole("link", { name: words.nav.home }).click();
    await page.getByText(words.retention.now(30, "")).waitFor(); // as every home is founded
    const segments = () => filesIn(join(house.agentFolder, "footage")).filter((f) => f.endsWith(".footage"));
    const kept = segments();
    expect(kept.length).toBeGreaterThan(0);
    const days = await page.evaluate(() => [0, 1].map((back) => new Date(Date.now() - back * 24 * 3600_000).toLocaleDateString("en-CA")));
    for (const day of [days[1]!, days[0]!]) {
      await page.getByLabel(words.erase.day, { exact: true }).fill(day);
      await page.getByRole("button", { name: words.erase.goDay }).click();
      await sound(house.owner);
      await page.locator(".sure button.danger").click();
      await page.getByText(words.erase.done).waitFor();
      if (day === days[1]) expect(kept.filter((f) => !segments().includes(f))).toEqual([]);
    }
    await expect.poll(() => segments().filter((f) => kept.includes(f)), { timeout: 60_000 }).toEqual([]);
  });

  test("the home is deleted: a name that is wrong does nothing, and then nothing of it is left", async () => {
    const { page } = house.owner;
    await page.getByRole("button", { name: words.ending.go }).click();
    const typed = page.getByLabel(words.ending.label);
    await typed.fill("another home");
    expect(await page.getByRole("button", { name: words.ending.sure }).isDisabled()).toBe(true);
    await typed.fill(home);
    await page.getByRole("button", { name: words.ending.sure }).click();
    await page.getByText(words.ending.done, { exact: true }).waitFor();
    await sound(house.owner);
    const left = () => [...filesIn(join(cloud.data, "blobs/objects")), ...filesIn(house.agentFolder).filter((f) => /\.footage$|footage\.key$|cameras\/./.test(f))];
    await expect.poll(left, { timeout: 60_000 }).toEqual([]);
    expect(lookInFolder(house.agentFolder, text("password", password))).toEqual([]);
    const status = async () => {
      await house.type("latchkey agent status");
      return house.said.at(-1)!.log;
    };
    await expect.poll(status, { timeout: 60_000 }).toContain("its home was deleted");
  });

  test("all along, the page broke none of its own rules and asked nobody else", () => {
    house.owner.blameless();
    expect(house.owner.asked.some((url) => url.startsWith(`${cloud.origin}/v1/objects/`))).toBe(true); // the worker's requests are seen too
  });

  test("control: a page that did would have been noticed", async () => {
    const stranger = await Visitor.arrive(browser, cloud.origin);
    await stranger.page.goto(cloud.origin);
    await stranger.page.getByText(words.welcome.title).waitFor();
    await stranger.page.evaluate(async () => {
      document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:9/elsewhere.png" }));
      await fetch("http://127.0.0.1:9/").catch(() => undefined);
    });
    await expect.poll(() => stranger.faults.join("\n")).toMatch(/img-src[^]*connect-src|connect-src[^]*img-src/);
    await expect(sound(stranger)).rejects.toThrow(/image-alt/);
    await stranger.leave();
  });
});
