// The screens with a stand-in for the worker (src/dev): states that a real house is
// seldom in, at every width and in both lights.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound as audible } from "./house/axe.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { alive, countAlive, drag, expectFirstScreen, expectNoSideways } from "./house/look.ts";
import { areSound, type Screen } from "./house/screens.ts";
import { openStage, type Stage } from "./house/stage.ts";

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  stage = await openStage(inject("built"));
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
});

keepPictures();

const arrive = () => Visitor.arrive(browser, stage.origin, { colorScheme: "light", reducedMotion: "reduce" });

async function visit(what: string, before?: (page: Page) => Promise<unknown>): Promise<Visitor> {
  const v = await arrive();
  await before?.(v.page);
  await v.page.goto(`${stage.page}${what}`);
  return v;
}

const focused = (page: Page) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset["event"] ?? "");

async function sound(v: Visitor): Promise<void> {
  await audible(v, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  await expectNoSideways(v.page);
  v.blameless();
}

const nav = (screen: string) => `nav a[href="/${screen}"]`;
const page = [nav("cameras"), "[data-camera] a >> nth=0"];
const live = [nav("live")];
const watched = [...live, "[data-camera] a >> nth=0"];
const add = [nav("cameras"), `text=${words.cameras.newCamera}`];

const screens: Screen[] = [
  ["events", "", "[data-state=opened]"],
  ["the player", "", "video", ["[data-event] >> nth=2"]],
  ["full quality on its way", "?is=slowly", `text=${words.player.full.cancel}`, ["[data-event] >> nth=2", `text=${words.player.full.full}`]],
  ["full quality that home has no more", "?is=gone", `text=${words.player.full.still}`, ["[data-event] >> nth=2", `text=${words.player.full.full}`]],
  ["full quality while home is away", "?is=away", `text=${words.player.full.away}`, ["[data-event] >> nth=2"]],
  ["several clips of one incident", "?is=long", `[aria-label="${words.player.part(3, 3)}"]`, [`text=${words.events.parts(3, "")}`]],
  ["a clip that this browser cannot play", "?is=h265", `text=${words.player.saveClip}`, ["[data-event] >> nth=2"]],
  ["all cameras live", "", "[data-live=true]", [...live, `text=${words.live.all}`]],
  ["arranging the cameras", "?is=states", `text=${words.live.arrangeSays}`, [...live, `text=${words.live.arrange}`]],
  ["a camera that is watched", "", "[data-live=true]", watched],
  ["a camera that is watched late", "?is=live-late", `text=${words.live.behind("8 s")}`, watched],
  ["a camera whose agent is away", "?is=live-away", `text=${words.live.waits.away}`, watched],
  ["a camera whose video this browser cannot play", "?is=live-h265", `text=${words.live.fell.h265}`, watched],
  ["a camera whose video this browser cannot play, without a small picture", "?is=live-h265,live-alone", `text=${words.live.fell.stills}`, watched],
  ["a camera without a small picture on a slow line", "?is=live-late,live-alone", `text=${words.live.fell.missing}`, watched],
  ["the timeline", "", "[data-here=recorded]", [nav("timeline")]],
  ["the timeline while the home is away", "?is=away", "[data-unknown=away]", [nav("timeline")]],
  ["cameras", "?is=asks", `text=${words.cameras.asks}`, [nav("cameras")]],
  ["adding an agent", "", "code", [nav("cameras"), `text=${words.join.add}`]],
  ["cameras in every state", "?is=states", "[data-standing=frozen]", [nav("cameras")]],
  ["cameras that nothing verified is known of", "?is=untold", `text=${words.cameras.refusedConditions(1)}`, [nav("cameras")]],
  ["the events while cameras do not record", "?is=states", `text=${words.strip.look}`],
  ["another device", "?is=states", "dialog input", [nav("cameras"), `text=${words.standing.act.accept}`]],
  ["a camera's page", "?is=drawn", ".corner", [...page, `text=${words.drawing.edit}`]],
  ["a camera whose password is wrong", "?is=states", "[type=password]", [nav("cameras"), `text=${words.standing.act.password}`]],
  ["adding a camera", "?is=states", ".device", [...add, `text=${words.adding.discover}`]],
  ["the home", "", `text=${words.settings.keySave}`, [nav("home")]],
  ["deleting a home", "", `text=${words.ending.never}`, [nav("home"), `button:has-text("${words.ending.go}")`]],
  ["deleting what was recorded", "", `text=${words.erase.saved}`, [nav("home"), `button:has-text("${words.erase.go}")`]],
  ["a home that has nearly used its room", "?is=quota-soon", `text=${words.retention.soon(82)}`],
  ["a home that is full, and has not said how long", "?is=quota-full,unasked", `text=${words.retention.ask}`, [nav("home")]],
  ["footage that was lost", "?is=footage-lost", "[data-agent] .bad", [nav("cameras")]],
  ["no event yet", "?is=quiet", `text=${words.events.empty.title}`],
  ["no camera yet", "?is=empty", `text=${words.events.noCameras.title}`],
  ["no home, and a worker that knows of no accounts", "?is=new,before", `text=${words.none.title}`],
  ["set-up", "?is=new#setup=abcdefgh", `text=${words.setup.go}`, [`text=${words.signUp.later}`]],
  ["set-up at work", "?is=new#setup=abcdefgh&join=abcdefgh", "[data-state=doing]"],
  ["a used link", "?is=new,used#setup=abcdefgh&join=abcdefgh", `text=${words.setup.used.title}`],
  ["a home already", "#setup=abcdefgh", `text=${words.setup.already.title}`],
  ["a link for an agent", "#join=abcdefgh", "code"],
  ["a fork", "?is=fork", `text=${words.stopped.fork.title}`],
  ["offline", "?is=offline", `text=${words.tryNow}`],
];

areSound(screens, { phone: 360, arrive, address: (at) => `${stage.page}${at}`, judge: sound });

test("events are sought by what the camera saw, by keyboard alone, and an empty result says so", async () => {
  const v = await visit("");
  const { page } = v;
  await page.waitForSelector("[data-state=opened]");
  const w = words.events.seen;
  const choice = page.getByLabel(w.filter);
  const choose = async (key: string, saw: string | null) => {
    await choice.focus();
    await page.keyboard.press(key);
    await expect.poll(() => new URL(page.url()).searchParams.get("saw")).toBe(saw);
  };
  await choice.waitFor();
  await choose("P", "person");
  // Every card says so, and all that are like it have come from behind the first page.
  const said = () => page.locator("[data-event]").evaluateAll((cards) => cards.map((c) => /person/i.test(c.querySelector(".saw")?.textContent ?? "")));
  await expect.poll(async () => (await said()).every(Boolean)).toBe(true);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect.poll(async () => (await said()).length, { timeout: 20_000 }).toBeGreaterThan(10);
  expect((await said()).every(Boolean)).toBe(true);
  expect(await page.locator("[data-event] .saw").first().textContent()).toMatch(/^(Doorbell, person|Person)/);
  await sound(v);
  // A camera that says nothing has none of it.
  const cameras = page.getByRole("group", { name: words.events.filter });
  await cameras.getByRole("button", { name: "Garage" }).click();
  await page.getByText(w.none(w.one.person, "Garage", "")).waitFor({ timeout: 20_000 });
  await sound(v);
  await choose("M", "motion");
  await page.waitForSelector("[data-event]");
  expect(await page.locator("[data-event] .saw").count()).toBe(0);
  await choose("Home", null);
  await v.leave();
});

test("events are chosen by camera and day, and stay chosen while one is open", async () => {
  const v = await visit("");
  const { page } = v;
  await page.waitForSelector("[data-state=opened]");
  const group = page.getByRole("group", { name: words.events.filter });
  const name = (await group.getByRole("button").nth(1).textContent())!;
  await group.getByRole("button", { name }).click();
  expect(new URL(page.url()).searchParams.get("camera")).toMatch(/^[a-z2-7]{26}$/);
  const cameras = () => page.locator("[data-event] .camera").allTextContents().then((all) => [...new Set(all)]);
  await expect.poll(cameras).toEqual([name]);
  const day = await page.evaluate(() => new Intl.DateTimeFormat("sv").format(Date.now() - 48 * 3_600_000));
  await page.getByLabel(words.events.day).fill(day);
  await expect.poll(() => new URL(page.url()).searchParams.get("day")).toBe(day);
  await expect.poll(() => page.locator("section h2").count()).toBe(1);
  await expect.poll(cameras).toEqual([name]);
  await page.keyboard.press("Escape");
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press("j");
  const event = await focused(page);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog video");
  expect(page.url()).toContain(`/events/${event}?camera=`);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await expect.poll(() => focused(page)).toBe(event);
  expect(new URL(page.url()).searchParams.get("day")).toBe(day);
  await sound(v);
  await page.getByRole("button", { name: words.events.anyDay }).click();
  await group.getByRole("button", { name: words.events.all }).click();
  expect(new URL(page.url()).search).toBe("");
  await expect.poll(async () => (await cameras()).length).toBeGreaterThan(2);
  v.blameless();
  await v.leave();
});

test("what goes on over several clips is one card, and its clips are in the player", async () => {
  const v = await visit("?is=long");
  const { page } = v;
  const card = page.locator("[data-event]", { hasText: words.events.parts(3, "") });
  await card.waitFor();
  expect(await card.count()).toBe(1);
  await card.click();
  const parts = page.getByRole("navigation", { name: words.player.parts }).getByRole("button");
  expect(await parts.count()).toBe(3);
  const first = page.url();
  await parts.nth(1).click();
  expect(page.url()).not.toBe(first);
  expect(await parts.nth(1).getAttribute("aria-current")).toBe("true");
  await page.waitForSelector("dialog video");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await expect.poll(() => focused(page)).toBe(await card.getAttribute("data-event"));
  await v.leave();
});

test("what could not be verified is words, and never a picture", async () => {
  const v = await visit("");
  await v.page.waitForSelector('[data-word="corrupt"]');
  for (const [word, says] of Object.entries(words.refusal.word)) {
    const card = v.page.locator("[data-event]", { has: v.page.locator(`[data-word="${word}"]`) }).first();
    await card.scrollIntoViewIfNeeded();
    await card.waitFor();
    expect(await card.textContent()).toContain(words.refusal.picture);
    expect(await card.textContent()).toContain(says);
    expect(await card.locator("img, video").count()).toBe(0);
    expect(await card.locator(".lock").count()).toBe(0);
  }
  await v.leave();
});

test("the keyboard goes everywhere, and the focus comes back", async () => {
  const v = await visit("");
  const { page } = v;
  await page.waitForSelector("[data-state=opened]");
  const all = await page.locator("[data-event]").evaluateAll((cards) => cards.map((c) => (c as HTMLElement).dataset["event"]));
  await page.keyboard.press("j");
  expect(await focused(page)).toBe(all[0]);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  expect(await focused(page)).toBe(all[2]);
  await page.keyboard.press("ArrowDown");
  const below = all.indexOf(await focused(page));
  expect(below).toBeGreaterThan(3);
  await page.keyboard.press("ArrowUp");
  expect(await focused(page)).toBe(all[2]);

  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog video");
  expect(new URL(page.url()).pathname).toBe(`/events/${all[2]}`);
  await page.evaluate(() => ((document.querySelector("video") as HTMLElement).dataset["first"] = "yes"));
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector<HTMLVideoElement>("video:not([data-first])")?.paused === false);
  expect(await page.locator("video").count()).toBe(1); // another element, and only that
  const muted = () => page.locator("video").evaluate((x) => (x as HTMLVideoElement).muted);
  expect(await muted()).toBe(true); // until somebody asks for sound
  await page.keyboard.press("m");
  expect(await muted()).toBe(false);
  await page.keyboard.press("m");
  expect(await muted()).toBe(true);
  await page.keyboard.press(" ");
  await expect.poll(() => page.locator("video").evaluate((x) => (x as HTMLVideoElement).paused)).toBe(true);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await expect.poll(() => focused(page)).toBe(all[3]);

  await page.keyboard.press("?");
  await page.waitForSelector("dialog kbd");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await expect.poll(() => focused(page)).toBe(all[3]);
  v.blameless();
  await v.leave();
});

test("a live picture is looked at closely by keys, wheel and double click, and another camera is another element", async () => {
  const v = await visit("");
  const { page } = v;
  await page.locator(live[0]!).click();
  await page.locator("[data-camera] a").first().click();
  await page.waitForSelector("[data-live=true]");
  const at = () => page.locator(".stage .frame").evaluate((f) => (f as HTMLElement).style.transform);
  await page.keyboard.press("+");
  await page.keyboard.press("ArrowLeft");
  expect(await at()).toBe("translate(-2.5%, -12.5%) scale(1.25)");
  await page.locator(".stage").hover();
  await page.mouse.wheel(0, -100);
  await expect.poll(at).toContain("scale(1.5625)");
  await page.locator(".stage").dblclick();
  expect(await at()).toBe("translate(0%, 0%) scale(1)");
  expect(await page.getByRole("button", { name: words.live.wider }).isDisabled()).toBe(true);
  await page.evaluate(() => (document.querySelector("video")!.dataset["first"] = "yes"));
  await page.getByRole("link", { name: words.live.back }).click();
  await page.waitForSelector("video", { state: "detached" });
  await page.locator("[data-camera] a").nth(1).click();
  await page.waitForSelector("video:not([data-first])");
  v.blameless();
  await v.leave();
});

test("cameras stay where somebody has put them, in this browser", async () => {
  const v = await visit("");
  const { page } = v;
  const shown = () => page.locator("[data-camera] a").allTextContents();
  await page.locator(live[0]!).click();
  await page.getByRole("button", { name: words.live.arrange }).click();
  const [a, b, c] = await shown();
  await page.getByRole("button", { name: words.live.later(a!) }).click();
  await expect.poll(shown).toEqual([b, a, c]);
  expect(await page.getByRole("button", { name: words.live.earlier(b!) }).isDisabled()).toBe(true);
  await page.goto(`${stage.page}?again`);
  await page.locator(live[0]!).click();
  await expect.poll(shown).toEqual([b, a, c]);
  v.blameless();
  await v.leave();
});

test.each([[390, 844], [360, 640], [844, 390], [640, 360]])("on a phone of %i by %i the timeline's picture and first lane are seen at once, and stay where they are under a finger", async (width, height) => {
  const v = await visit("");
  const { page } = v;
  await page.setViewportSize({ width, height });
  await page.locator(nav("timeline")).click();
  await page.waitForSelector("[data-here=recorded]");
  const [, lane] = await expectFirstScreen(page, ".past .picture", "[data-lane] .lane");
  const stays = async () => expect(await page.locator("[data-lane] .lane").first().boundingBox()).toEqual(lane);
  await drag(page, { x: lane.x + lane.width * 0.9, y: lane.y + 20 }, { x: lane.x + 20, y: lane.y + 20 }, stays);
  await page.locator("[data-playing=true]").waitFor();
  await stays();
  await sound(v);
  await v.leave();
});

test("a clip is silent until somebody asks for its sound, and the next one then is not", async () => {
  const v = await visit("?is=sound");
  const { page } = v;
  await page.locator("[data-event]").nth(2).click();
  await page.waitForSelector("video");
  const muted = () => page.locator("video").evaluate((x) => (x as HTMLVideoElement).muted);
  expect(await muted()).toBe(true);
  await page.getByRole("button", { name: words.player.soundOn }).click();
  await expect.poll(muted).toBe(false);
  await sound(v);
  await page.evaluate(() => ((document.querySelector("video") as HTMLElement).dataset["first"] = "yes"));
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector("video:not([data-first])");
  expect(await muted()).toBe(false);
  await page.getByRole("button", { name: words.player.soundOff }).click();
  await expect.poll(muted).toBe(true);
  v.blameless();
  await v.leave();
});

test("what is out of sight is out of memory", async () => {
  const v = await visit("", countAlive);
  const { page } = v;
  await page.waitForSelector("[data-state=opened]");
  await page.locator("[data-event]").nth(2).click();
  await page.waitForSelector("dialog video");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  const shown = () => page.locator("[data-event] img").count();
  await expect.poll(async () => (await alive(page)) - (await shown())).toBe(0);
  for (let i = 0; i < 12; i++) {
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForTimeout(300);
  }
  expect(await page.locator("[data-event]").count()).toBeGreaterThan(150);
  await expect.poll(() => alive(page)).toBeLessThan(60);
  await page.locator(nav("cameras")).click();
  await expect.poll(() => alive(page)).toBe(0);
  v.blameless();
  await v.leave();
});

test("nothing moves under the finger when something new comes", async () => {
  const v = await visit("?is=once");
  const { page } = v;
  await page.waitForSelector("[data-state=opened]");
  await page.evaluate(() => scrollTo(0, 700));
  const card = page.locator("[data-event]").nth(9);
  const [event, before] = [await card.getAttribute("data-event"), await card.boundingBox()];
  const pill = page.getByRole("button", { name: words.events.freshLabel(3) });
  await pill.waitFor();
  expect(await page.locator(`[data-event="${event}"]`).boundingBox()).toEqual(before);
  await pill.click();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
  expect(await page.locator("[data-event]").nth(12).getAttribute("data-event")).toBe(event);
  v.blameless();
  await v.leave();
});

test("at the top new events come in by themselves", async () => {
  const v = await visit("?is=once");
  await v.page.waitForSelector("[data-state=opened]");
  const first = await v.page.locator("[data-event]").first().getAttribute("data-event");
  await expect.poll(() => v.page.locator("[data-event]").nth(3).getAttribute("data-event"), { timeout: 10_000 }).toBe(first);
  await v.leave();
});

test("offline, what is here stays and the page says since when", async () => {
  const v = await visit("?is=offline");
  await v.page.getByText(/Cannot reach the server since \d\d:\d\d/).waitFor();
  expect(await v.page.locator("[data-state=opened]").count()).toBeGreaterThan(3);
  await v.page.getByText(/Trying again in \d+ s/).waitFor();
  await v.leave();
});

test("a set-up link leaves the address bar at once, and makes a home by itself if an agent waits", async () => {
  const v = await visit("?is=new#setup=abcdefgh&join=ijklmnop");
  expect(v.page.url()).not.toContain("#");
  await v.page.getByText(words.setup.steps.agent).waitFor();
  await v.page.getByText("Front door, Garden").waitFor();
  await v.page.getByText(words.events.empty.title).waitFor();
  expect(await v.page.locator("header").textContent()).toContain(words.defaultHome);
  v.blameless();
  await v.leave();
});

test.each<[string, () => void, string]>([
  ["too old", () => Object.defineProperty(SubtleCrypto.prototype, "importKey", { value: () => Promise.reject(new Error("no")) }), words.setup.old.lacks.ed25519],
  ["not on a secure address", () => Object.defineProperty(window, "isSecureContext", { value: false }), words.setup.insecure.title],
])("a browser that is %s makes no keys", async (_, broken, says) => {
  const v = await visit("?is=new#setup=abcdefgh", (page) => page.addInitScript(broken));
  await v.page.getByText(says).waitFor();
  expect(await v.page.locator("form").count()).toBe(0);
  await sound(v);
  await v.leave();
});

test("a camera is added from its address to its place, with a password that is typed once", async () => {
  const v = await visit("?is=states");
  const { page } = v;
  for (const step of add) await page.locator(step).first().click();
  const w = words.adding;
  await page.getByLabel(w.address).fill("192.168.1.64");
  await page.getByLabel(w.password).fill("wrong");
  await page.getByRole("button", { name: w.look }).click();
  await page.getByText("so that it does not lock the account").waitFor();
  expect(await page.getByLabel(w.password).inputValue()).toBe("");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("camera-password");
  await sound(v);
  await page.keyboard.type("right");
  await page.keyboard.press("Enter");
  await page.getByText(w.report).waitFor();
  await expect.poll(() => page.locator(".still img").count()).toBe(2);
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await sound(v);
  }
  const chosen = () => page.locator("[data-role]").evaluateAll((all) => all.map((s) => (s as HTMLElement).dataset["role"]));
  expect(await chosen()).toEqual(["main", "sub", "other"]);
  await page.getByRole("button", { name: w.swap }).click();
  expect(await chosen()).toEqual(["sub", "main", "other"]);
  await page.getByRole("button", { name: w.place }).click();
  await page.getByText(words.settings.nameRule).waitFor();
  await page.getByLabel(w.name).fill("Greenhouse");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: w.done("Greenhouse") }).waitFor();
  await sound(v);
  await page.getByRole("link", { name: words.cameras.back }).last().click();
  await page.locator("[data-camera]", { hasText: "Greenhouse" }).locator("[data-standing=recording]").waitFor();
  v.blameless();
  await v.leave();
});

test("looking at a camera can be stopped", async () => {
  const v = await visit("?is=slowly");
  const { page } = v;
  for (const step of add) await page.locator(step).first().click();
  await page.getByLabel(words.adding.address).fill("192.168.1.64");
  await page.keyboard.press("Enter");
  await page.locator("li img").waitFor(); // what has come so far
  await sound(v);
  await page.getByRole("button", { name: words.adding.stop }).click();
  expect(await page.getByLabel(words.adding.address).inputValue()).toBe("192.168.1.64");
  await v.leave();
});

test("zones and masks are drawn by pointer, by finger and by keyboard, and every step is taken back", async () => {
  const v = await visit("");
  const { page: p } = v;
  for (const step of page) await p.locator(step).first().click();
  const w = words.drawing;
  await p.locator(".canvas img").waitFor();
  await p.getByText(words.camera.wouldFire(14, words.camera.lastDay)).waitFor();
  await p.getByRole("button", { name: w.addMask }).click();
  expect(await p.locator(".corner").count()).toBe(4);
  await p.getByText(words.camera.wouldFire(13, words.camera.lastDay)).waitFor();
  const points = () => p.locator("polygon").last().getAttribute("points");
  const drawn = await points();

  // By keyboard: a corner moved, added and taken away.
  await p.locator(".corner").first().focus();
  await p.keyboard.press("ArrowLeft");
  await p.keyboard.press("Shift+ArrowUp");
  expect(await points()).toBe(drawn!.replace("2800,2800", "2700,2300"));
  await p.keyboard.press("+");
  expect(await p.locator(".corner").count()).toBe(5);
  expect(await p.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(w.point(2, 5, w.mask(1), 45, 26));
  await p.keyboard.press("Delete");
  expect(await p.locator(".corner").count()).toBe(4);
  for (let i = 0; i < 4; i++) await p.keyboard.press("Control+z");
  expect(await points()).toBe(drawn);

  // By pointer: a corner dragged out of the picture ends at its edge, a new one comes out of a side.
  const canvas = (await p.locator(".canvas").boundingBox())!;
  const middle = async (locator: string) => {
    const box = (await p.locator(locator).first().boundingBox())!;
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  await drag(p, await middle(".corner"), { x: canvas.x - 90, y: canvas.y - 40 });
  expect((await points())!.startsWith("0,0 ")).toBe(true);
  await drag(p, await middle(".middle"), { x: canvas.x + canvas.width / 2, y: canvas.y + 10 });
  expect(await p.locator(".corner").count()).toBe(5);
  await sound(v);
  await p.getByRole("button", { name: w.undo }).click();
  await p.getByRole("button", { name: w.undo }).click();
  expect(await points()).toBe(drawn);

  // By finger: the same, and the page stays where it is.
  const touch = await v.context.newCDPSession(p);
  const finger = (type: "touchStart" | "touchMove" | "touchEnd", at?: { x: number; y: number }) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [at] : [] });
  const from = await middle(".corner");
  const scrolled = await p.evaluate(() => scrollY);
  await finger("touchStart", from);
  for (let i = 1; i <= 5; i++) await finger("touchMove", { x: from.x - 20 * i, y: from.y + 12 * i });
  await finger("touchEnd");
  const to = (n: number, size: number) => Math.round((n / size) * 10_000);
  const [x, y] = (await points())!.split(/[ ,]/).map(Number);
  expect(Math.abs(x! - (2800 - to(100, canvas.width)))).toBeLessThan(40);
  expect(Math.abs(y! - (2800 + to(60, canvas.height)))).toBeLessThan(40);
  expect(await p.evaluate(() => scrollY)).toBe(scrolled);

  await p.getByRole("button", { name: words.cameras.save, exact: true }).nth(1).click();
  await p.getByText(words.cameras.saved).waitFor();
  v.blameless();
  await v.leave();
});

test("a camera is switched off and on, and off by hours, in plain sentences", async () => {
  const v = await visit("");
  const { page: p } = v;
  for (const step of page) await p.locator(step).first().click();
  const w = words.camera;
  await p.getByRole("button", { name: w.offNow }).click();
  await p.getByText(w.isOff).waitFor();
  await p.locator("[data-standing=off]").waitFor();
  await p.getByRole("button", { name: w.onNow }).click();
  await p.getByText(w.isOn, { exact: true }).waitFor();
  await p.getByRole("button", { name: w.addHours }).click();
  await p.getByText("Off Monday to Friday, 07:00–17:00.").last().waitFor();
  await p.getByRole("button", { name: "Friday", exact: true }).click();
  await p.getByLabel(w.from, { exact: true }).fill("22:00");
  await p.getByText("Off Monday to Thursday, 22:00–17:00 the next day.").last().waitFor();
  await sound(v);
  await p.getByRole("button", { name: words.cameras.save, exact: true }).nth(2).click();
  await p.getByText(words.cameras.saved).waitFor();
  v.blameless();
  await v.leave();
});
