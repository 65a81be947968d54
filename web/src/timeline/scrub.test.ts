// Where somebody is in a day: a finger stays within what has been, days turn, keys step,
// and what plays goes on from where somebody went.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CameraID } from "../worker/protocol.ts";
import { Scrub } from "./scrub.svelte.ts";

const second = 1_000_000;
const hour = 3600 * second;
const utc = (text: string) => Date.parse(`${text}Z`) * 1000;
const [a, b] = ["a", "b"] as unknown as [CameraID, CameraID];
let now: number;
let scrub: Scrub;

beforeEach(() => {
  vi.useFakeTimers();
  now = utc("2026-11-26T15:00");
  scrub = new Scrub(() => "Europe/Berlin", () => now);
});

describe("a finger", () => {
  it("is where it is in what is seen, and never in what is to come", () => {
    scrub.drag(a, 0.25);
    expect(scrub.at).toBe(utc("2026-11-26T05:00"));
    expect([scrub.camera, scrub.dragging, scrub.playing]).toEqual([a, true, null]);
    scrub.drag(a, 0.9);
    expect(scrub.at).toBe(now);
    scrub.zoom(24, utc("2026-11-26T05:30"));
    scrub.drag(a, 0.5);
    expect(Math.abs(scrub.at - utc("2026-11-26T05:30"))).toBeLessThan(hour);
  });

  it("that is lifted has it play there, and one that slipped has not", () => {
    scrub.drag(a, 0.25);
    scrub.release(true);
    expect(scrub.playing).toBeNull();
    scrub.drag(b, 0.5);
    scrub.release(false);
    expect(scrub.playing).toEqual({ camera: b, from: utc("2026-11-26T11:00") });
  });
});

describe("a day", () => {
  it("turns to the one before and back, and not beyond today", () => {
    scrub.drag(a, 0.25);
    scrub.release(false);
    scrub.turn(-1);
    expect([scrub.calendar.day, scrub.at, scrub.playing]).toEqual(["2026-11-25", utc("2026-11-25T11:00"), null]);
    scrub.turn(1);
    scrub.turn(1);
    expect([scrub.calendar.day, scrub.at]).toEqual(["2026-11-26", now]);
    scrub.go("2031-01-01");
    expect(scrub.calendar.day).toBe("2026-11-26");
  });

  it("of 25 hours is seen whole", () => {
    scrub.go("2026-10-25");
    expect(scrub.view.until - scrub.view.from).toBe(25 * hour);
    expect(scrub.isWhole).toBe(true);
  });
});

describe("keys", () => {
  const press = (key: string) => scrub.key(key, [a, b], [utc("2026-11-26T08:00"), utc("2026-11-26T12:00")]);

  it("step through time, events, cameras and days", () => {
    scrub.to(utc("2026-11-26T10:00"));
    for (const [key, at] of [["ArrowLeft", "09:59:50"], ["ArrowRight", "10:00:00"], ["ArrowUp", "10:00:01"], ["ArrowDown", "10:00:00"], ["]", "12:00:00"], ["]", "12:00:00"], ["[", "08:00:00"], ["[", "08:00:00"]] as const) {
      expect(press(key)).toBe(true);
      expect(scrub.at, key).toBe(utc(`2026-11-26T${at}`));
    }
    for (const [key, camera] of [["j", a], ["j", b], ["j", b], ["k", a]] as const) {
      press(key);
      expect(scrub.camera).toBe(camera);
    }
    press("PageUp");
    expect(scrub.calendar.day).toBe("2026-11-25");
    for (const key of ["Enter", "x", "toString"]) expect(press(key), key).toBe(false);
  });

  it("move what is seen no more than it takes", () => {
    scrub.to(utc("2026-11-26T10:00"));
    for (let i = 0; i < 30; i++) press("+");
    expect(scrub.view.until - scrub.view.from).toBe(60 * second);
    for (let i = 0; i < 12; i++) press("ArrowRight");
    expect(scrub.at < scrub.view.until && scrub.at > scrub.view.from).toBe(true);
    press("0");
    expect(scrub.isWhole).toBe(true);
  });

  it("have it play on once they rest", () => {
    scrub.choose(a);
    scrub.play();
    press("ArrowLeft");
    press("ArrowLeft");
    expect(scrub.playing).toBeNull();
    vi.advanceTimersByTime(1000);
    expect(scrub.playing).toEqual({ camera: a, from: now - 20 * second });
    press("j");
    expect(scrub.playing).toEqual({ camera: b, from: now - 20 * second });
  });
});

describe("a part", () => {
  it("is between two places, whichever was said first, of one camera", () => {
    scrub.camera = a;
    scrub.to(utc("2026-11-26T10:00"));
    scrub.mark();
    expect(scrub.chosen).toEqual({ camera: a, from: scrub.at, until: null });
    scrub.mark();
    expect(scrub.chosen?.until).toBeNull();
    scrub.to(utc("2026-11-26T09:00"));
    scrub.mark();
    expect(scrub.chosen).toEqual({ camera: a, from: utc("2026-11-26T09:00"), until: utc("2026-11-26T10:00") });
    scrub.camera = b;
    scrub.mark();
    expect(scrub.chosen).toEqual({ camera: b, from: utc("2026-11-26T09:00"), until: null });
    scrub.turn(-1);
    expect(scrub.chosen).toBeNull();
  });
});

describe("what plays", () => {
  it("moves the time, and what is seen with it, unless a finger does", () => {
    scrub.choose(a);
    scrub.play();
    scrub.played(now - 5 * second);
    expect(scrub.at).toBe(now - 5 * second);
    scrub.drag(a, 0.5);
    scrub.played(now);
    expect(scrub.at).toBe(utc("2026-11-26T11:00"));
    scrub.live();
    expect([scrub.past, scrub.playing, scrub.at]).toEqual([false, null, now]);
  });
});
