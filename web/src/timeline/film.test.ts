// What was recorded on its way into a video element: asked for group after group, put
// where it belongs, with what is missing said. The element is one that a test has in hand.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeBuffer } from "../watch/standin.ts";
import type { Pieces, Result } from "../worker/protocol.ts";
import { Film } from "./film.ts";

const second = 1_000_000;
const from = 1000 * second;

class FakeVideo extends EventTarget {
  src = "";
  currentTime = 0;
  disableRemotePlayback = false;
  paused = true;
  buffer: FakeBuffer | null = null;
  get buffered(): TimeRanges {
    return this.buffer?.buffered ?? { length: 0, start: () => 0, end: () => 0 };
  }
  play = async () => void (this.paused = false);
  pause = () => void (this.paused = true);
  removeAttribute = () => void (this.src = "");
  load = () => undefined;
  requestVideoFrameCallback = (shown: () => void) => shown();
}

let video: FakeVideo;
let buffer: FakeBuffer;
let asked: [number, number][];
let answers: Result<Pieces>[];
let told: string[];
let now: number;
let film: Film;

beforeEach(() => {
  vi.useFakeTimers();
  [video, buffer, asked, answers, told, now] = [new FakeVideo(), new FakeBuffer(), [], [], [], 10_000 * second];
  class Source extends EventTarget {
    static isTypeSupported = (type: string) => type.startsWith("video/mp4");
    constructor() {
      super();
      setTimeout(() => this.dispatchEvent(new Event("sourceopen")), 1);
    }
    addSourceBuffer = () => (video.buffer = buffer);
  }
  vi.stubGlobal("MediaSource", Source);
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:film");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
});

afterEach(() => {
  film.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const none: Result<Pieces> = { ok: true, type: "", init: new Uint8Array(0), pieces: [], more: false, group: 0, offset: 0 };
const piece = (sequence: number, time: number, bytes = 5, more: Partial<Pieces["pieces"][0]> = {}): Pieces["pieces"][0] => ({ sequence, time, lasts: 2 * second, key: true, motion: 0, damaged: false, offset: 0, of: bytes, bytes: new Uint8Array(bytes), ...more });
const reply = (pieces: Pieces["pieces"], next?: [number, number]): Result<Pieces> => ({ ok: true, type: "video/mp4", init: new Uint8Array(1), pieces, more: next !== undefined, group: next?.[0] ?? 0, offset: next?.[1] ?? 0 });

function start(...first: Result<Pieces>[]): void {
  answers = first;
  const ask = async (group: number, offset: number) => {
    asked.push([group, offset]);
    await new Promise((come) => setTimeout(come, 1));
    return answers.shift() ?? none;
  };
  film = new Film(video as unknown as HTMLVideoElement, from, ask, {
    shown: () => told.push("shown"),
    skipped: (us) => told.push(`skipped ${us / second}`),
    damaged: () => told.push("damaged"),
    end: (any) => told.push(`end ${any}`),
    failed: (why) => told.push(why === "unplayable" ? why : why.trouble),
  }, () => now);
}

async function begin(...first: Result<Pieces>[]): Promise<void> {
  start(...first);
  await pass();
}

/** Lets time go by, and the buffer do what it was asked for. */
async function pass(ms = 500): Promise<void> {
  for (let i = 0; i < ms; i += 50) {
    await vi.advanceTimersByTimeAsync(50);
    buffer.settle();
  }
}

it("begins in the group that holds the time, and goes on group after group", async () => {
  buffer.ranges = [[0, 4]];
  await begin(reply([piece(7, from - second), piece(8, from + second, 6)], [9, 0]), reply([piece(9, from + 3 * second, 7)]));
  expect(asked.slice(0, 2)).toEqual([[0, 0], [9, 0]]);
  expect(buffer.did).toEqual(["1", "5", "6", "7"]);
  expect([video.currentTime, video.paused, told[0]]).toEqual([1, false, "shown"]);
  expect(film.at).toBe(from);
});

it("puts the parts of a group together without beginning anew between them", async () => {
  await begin(reply([piece(7, from, 5, { of: 8 })], [7, 5]), reply([piece(7, from, 3, { offset: 5, of: 8 })]));
  expect(asked.slice(0, 2)).toEqual([[0, 0], [7, 5]]);
  expect(buffer.did).toEqual(["1", "5", "3"]);
});

it("asks for no more than is soon shown", async () => {
  buffer.ranges = [[0, 60]];
  await begin(reply([piece(7, from)], [8, 0]));
  expect(asked).toHaveLength(1);
  [video.currentTime, buffer.ranges] = [55, [[50, 60]]];
  await pass();
  expect(asked[1]).toEqual([8, 0]);
});

it("passes over what was not recorded, and says how much is missing", async () => {
  buffer.ranges = [[0, 4], [9, 60]];
  await begin(reply([piece(7, from)], [8, 0]));
  video.currentTime = 3.95;
  await pass();
  expect(video.currentTime).toBeCloseTo(9.01);
  expect(told).toEqual(["shown", "skipped 5"]);
});

it("that begins behind a gap says so", async () => {
  buffer.ranges = [[0, 60]];
  await begin(reply([piece(7, from + 30 * second)], [8, 0]));
  expect([told, video.currentTime]).toEqual([["skipped 30", "shown"], 0]);
});

it("shows nothing of a group that does not verify", async () => {
  await begin(reply([piece(7, from, 0, { damaged: true })], [8, 0]), reply([piece(8, from + 2 * second)]));
  expect(told[0]).toBe("damaged");
  expect(buffer.did).toEqual(["1", "5"]);
});

it("ends where nothing was recorded any more, and waits where something will be", async () => {
  await begin(none);
  expect([told, asked.length]).toEqual([["end false"], 1]);
  film.close();
  [asked, told, now] = [[], [], from + 5 * second];
  await begin(none);
  expect(told).toEqual([]);
  await pass(5000);
  expect(asked.length).toBeGreaterThan(1);
  expect(asked.length).toBeLessThan(5);
});

it("says what it cannot play, and whose fault it is", async () => {
  await begin({ ...reply([piece(7, from)]), type: "video/other" } as Result<Pieces>);
  expect([told, video.src]).toEqual([["unplayable"], ""]);
  told = [];
  await begin({ ok: false, trouble: "away" });
  expect(told).toEqual(["away"]);
});

it("leaves nothing in the element, and asks nothing, when it is closed", async () => {
  buffer.ranges = [[0, 2]];
  await begin(reply([piece(7, from)], [8, 0]));
  film.close();
  const before = asked.length;
  await pass(5000);
  expect([asked.length, video.src, video.paused]).toEqual([before, "", true]);
});

it("touches an element no more that another film may have, once it is closed", async () => {
  // Closed while it asks, while the element opens, and once more afterwards.
  for (const ms of [0, 1]) {
    start(reply([piece(7, from)]));
    await vi.advanceTimersByTimeAsync(ms);
    film.close();
    await pass();
    expect([video.src, video.buffer, told]).toEqual(["", null, []]);
  }
  video.src = "blob:another";
  film.close();
  expect(video.src).toBe("blob:another");
});

it("waits for what passes by itself, if it plays, and tells what does not", async () => {
  buffer.ranges = [[0, 2]];
  for (const why of [{ trouble: "offline" }, { trouble: "busy", retryAfterMs: 1 }, { trouble: "away" }] as const) {
    [told, asked] = [[], []];
    await begin(reply([piece(7, from)], [8, 0]), { ok: false, ...why });
    expect([told, asked]).toEqual([["shown"], [[0, 0], [8, 0]]]);
    await pass(2500);
    expect(asked[2]).toEqual([8, 0]);
    film.close();
  }
  told = [];
  await begin(reply([piece(7, from)], [8, 0]), { ok: false, trouble: "signed-out" });
  expect(told).toEqual(["shown", "signed-out"]);
});

it("asks for what follows the last that there was, and says at its end that there was something", async () => {
  now = from + 5 * second;
  await begin(reply([piece(7, from)]));
  await pass(3000);
  expect(asked[1]).toEqual([8, 0]);
  film.close();
  [asked, now] = [[], 10_000 * second];
  await begin(reply([piece(7, from)]));
  expect(told.at(-1)).toBe("end true");
});

it("does not take what is damaged and has no number for the last", async () => {
  now = from + 5 * second;
  await begin(reply([piece(0, from, 0, { damaged: true })]));
  await pass(3000);
  expect(asked[1]).toEqual([0, 0]);
});

it("begins a track anew where the pictures are coded differently", async () => {
  const other = (type: string, init: number): Result<Pieces> => ({ ...reply([piece(8, from + 2 * second)], [9, 0]), type, init: new Uint8Array(init) }) as Result<Pieces>;
  await begin(reply([piece(7, from)], [8, 0]), other("video/mp4", 2), other("video/mp4; b", 2));
  expect(buffer.did).toEqual(["1", "5", "2", "5", "type video/mp4; b", "2", "5"]);
});

it("begins in no part of a group but its first", async () => {
  const large = 5 << 20;
  const part = (sequence: number, offset: number) => reply([piece(sequence, from, large, { offset, of: 3 * large })], [sequence, offset + large]);
  vi.spyOn(buffer, "settle").mockReturnValue(undefined);
  await begin(part(7, 0), part(7, large), part(7, 2 * large), part(8, 0));
  vi.mocked(buffer.settle).mockRestore();
  await pass();
  // Too much waited: all of it was let go of, up to where a decoder can begin.
  expect(buffer.did).toEqual(["1", `${large}`, `${large}`]);
});
