// How late live view is: from when a picture is painted at a camera to when a browser
// shows it, and from when somebody asks for a camera to its first picture. The camera
// burns its clock into each picture, and it is read back from the screen. If
// LATCHKEY_BENCH_GO2RTC names the program, go2rtc shows the same camera in the same
// browser by its own page, by MSE and by WebRTC, one after the other. Nothing is sealed
// there, and there is no server between the camera's machine and the page.
//
// The machine is both ends: on a busy one believe the ratios.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { startBrowser } from "../e2e/house/browser.ts";
import { type Camera, Cloud, environment, freePort, Household, scene, Street } from "../e2e/house/house.ts";
import { goTo } from "../e2e/house/people.ts";
import { endAll, Process } from "../e2e/house/process.ts";
import { lookAtVideos, type Seen, spread, takeSeen } from "../e2e/house/strip.ts";
import { words } from "../src/words.ts";

const built = inject("built");
const rival = process.env["LATCHKEY_BENCH_GO2RTC"];
const name = "Haustür";
const pictures = 150;
const joins = 10;
const patience = 60_000;

interface Spread {
  readonly p50: number;
  readonly p95: number;
}

interface Row {
  readonly what: string;
  readonly late: Spread;
  /** Milliseconds to the first picture: of the very first who asks, and of those who come when the stream is there; null if that was not measured. */
  readonly first: (Spread & { readonly cold: number }) | null;
}
const rows: Row[] = [];

let browser: Browser;
let house: Household;
let camera: Camera;

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "bench-live-"));
  browser = await startBrowser("--autoplay-policy=no-user-gesture-required");
  const painted = Street.paint(built, [{ scene: scene.frontDoor, user: "door", password: "pw-door", strip: true }]);
  const cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
  house = await Household.found(cloud, browser, join(folder, "house"), built.latchkey, "Haus am Deich");
  camera = (await painted).cameras[0]!;
  await house.addAgent();
  await house.addCamera(name, camera);
  await house.run();
  await house.acceptCameras(name);
  await lookAtVideos(house.owner.page);
});

afterAll(async () => {
  await browser?.close();
  endAll();
  const cell = (n: number | undefined) => (n?.toFixed(0) ?? "").padStart(6);
  const ours = (sound: boolean) => rows.find((r) => r.what.startsWith("Latchkey") && sounds(r) === sound)!.late.p50;
  const table = rows.map((r) => `${cell(r.late.p50)} ${cell(r.late.p95)}   ${cell(r.first?.p50)} ${cell(r.first?.p95)} ${cell(r.first?.cold)}   ${(ours(sounds(r)) / r.late.p50).toFixed(2)}   ${r.what}`);
  console.log(["", `Live view, milliseconds; ${pictures} pictures, ${joins} who come`, "", "painted to shown   asked to first: of a stream", "   p50    p95   that is there      not   of it", ...table].join("\n"));
});

const sounds = (r: Row) => r.what.endsWith("sound");

/** So many pictures, from now on. */
async function see(page: Page, least: number): Promise<Seen[]> {
  await takeSeen(page);
  const all: Seen[] = [];
  await expect.poll(async () => all.push(...(await takeSeen(page)).seen), { timeout: patience }).toBeGreaterThanOrEqual(least);
  return all;
}

/** How late pictures are, once the player has settled. */
async function late(page: Page): Promise<Spread> {
  await see(page, pictures / 2);
  const seen = await see(page, pictures);
  expect([...new Set(seen.map((s) => s.scene))]).toEqual([scene.frontDoor]);
  return spread(seen.map((s) => s.shown - s.painted));
}

/** Milliseconds from when a page was asked to when it showed something, again and again. */
async function firsts(page: Page, ask: () => Promise<number>): Promise<Row["first"]> {
  const took: number[] = [];
  for (let i = 0; i <= joins; i++) {
    const asked = await ask();
    let first: Seen | undefined;
    await expect.poll(async () => (first ??= (await takeSeen(page)).seen.find((s) => s.shown >= asked)), { timeout: patience }).toBeDefined();
    took.push(first!.shown - asked);
  }
  return { ...spread(took.slice(1)), cold: took[0]! };
}

/** Goes to the camera's page, and says when that was asked for. */
async function open(page: Page): Promise<number> {
  await goTo(page, "live");
  const link = page.locator("[data-camera]").getByRole("link", { name, exact: true });
  await link.waitFor();
  await takeSeen(page);
  return link.evaluate((a: HTMLElement) => {
    const at = Date.now();
    a.click();
    return at;
  });
}

test("Latchkey", async () => {
  const { page } = house.owner;
  const first = await firsts(page, () => open(page));
  rows.push({ what: "Latchkey", late: await late(page), first });
  await page.getByRole("button", { name: words.live.soundOn }).click();
  await page.waitForFunction(() => (document.querySelector("video") as HTMLVideoElement & { webkitAudioDecodedByteCount: number }).webkitAudioDecodedByteCount > 0);
  rows.push({ what: "Latchkey, with sound", late: await late(page), first: null });
});

test.runIf(rival)("go2rtc", async () => {
  const folder = join(built.folder, "bench-go2rtc");
  mkdirSync(folder);
  const [api, rtc] = [await freePort(), await freePort()];
  const url = camera.main.replace("rtsp://", `rtsp://${camera.user}:${camera.password}@`);
  const config = { api: { listen: `127.0.0.1:${api}` }, rtsp: { listen: "" }, webrtc: { listen: `127.0.0.1:${rtc}`, filters: { loopback: true } }, streams: { pictures: `${url}#media=video`, both: url } };
  writeFileSync(join(folder, "go2rtc.yaml"), JSON.stringify(config)); // which is YAML
  const other = new Process({ name: "go2rtc", command: rival!, args: ["-config", join(folder, "go2rtc.yaml")], cwd: folder, env: environment(folder, rival!) });
  const origin = `http://127.0.0.1:${api}`;
  await expect.poll(() => fetch(`${origin}/api`).then((r) => r.ok, () => false), { timeout: patience }).toBe(true);
  const page = await browser.newPage();
  await lookAtVideos(page);
  for (const [mode, stream, what] of [["mse", "pictures", "go2rtc, MSE"], ["webrtc", "pictures", "go2rtc, WebRTC"], ["mse", "both", "go2rtc, MSE, with sound"], ["webrtc", "both", "go2rtc, WebRTC, with sound"]] as const) {
    const ask = async () => {
      await page.goto("about:blank");
      const at = Date.now();
      await page.goto(`${origin}/stream.html?src=${stream}&mode=${mode}`, { waitUntil: "commit" });
      return at;
    };
    const first = await firsts(page, ask);
    rows.push({ what, late: await late(page), first });
  }
  await other.stop();
});
