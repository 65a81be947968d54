import { describe, expect, test } from "vitest";

import type { Hours } from "../worker/protocol.ts";
import { daysSay, hoursFit, hoursSay, offAt } from "./schedule.ts";

const berlin = "Europe/Berlin";
const us = (iso: string) => Date.parse(iso) * 1000;
const iso = (at: number | null) => (at === null ? null : new Date(at / 1000).toISOString().slice(0, 16));
const at = (hours: Hours[], when: string, zone = berlin) => {
  const { off, until } = offAt({ off: false, offWhen: hours }, us(when), zone);
  return [off, iso(until)];
};

const work: Hours = { days: [1, 2, 3, 4, 5], from: "07:00", to: "17:00" };
const night: Hours = { days: [5], from: "22:00", to: "06:30" };

describe("off by hours, on the clock of the home", () => {
  test.each([
    // A Thursday in winter: Berlin is an hour ahead.
    ["2026-01-15T05:59:59Z", false, "2026-01-15T06:00"],
    ["2026-01-15T06:00:00Z", true, "2026-01-15T16:00"],
    ["2026-01-15T15:59:59Z", true, "2026-01-15T16:00"],
    ["2026-01-15T16:00:00Z", false, "2026-01-16T06:00"],
    // Friday evening: the next time is on Monday.
    ["2026-01-16T18:00:00Z", false, "2026-01-19T06:00"],
    // In summer the same hours are others of UTC.
    ["2026-07-15T05:00:00Z", true, "2026-07-15T15:00"],
  ])("at %s it is off: %s, until %s", (when, off, until) => expect(at([work], when)).toEqual([off, until]));

  test.each([
    ["2026-01-16T20:59:00Z", false, "2026-01-16T21:00"],
    ["2026-01-16T21:00:00Z", true, "2026-01-17T05:30"],
    ["2026-01-17T05:29:00Z", true, "2026-01-17T05:30"],
    ["2026-01-17T05:30:00Z", false, "2026-01-23T21:00"],
    ["2026-01-17T21:30:00Z", false, "2026-01-23T21:00"],
  ])("over midnight, at %s: %s until %s", (when, off, until) => expect(at([night], when)).toEqual([off, until]));

  test("a begin in the hour that is left out is when the clock jumps over it", () => {
    const hours = [{ days: [7], from: "02:30", to: "05:00" }];
    expect(at(hours, "2026-03-29T00:50:00Z")).toEqual([false, "2026-03-29T01:00"]);
    expect(at(hours, "2026-03-29T01:00:00Z")).toEqual([true, "2026-03-29T03:00"]);
  });

  test("an end in the hour that comes twice: the camera is off again when it comes back", () => {
    const hours = [{ days: [7], from: "01:00", to: "02:30" }];
    expect(at(hours, "2026-10-25T00:10:00Z")).toEqual([true, "2026-10-25T00:30"]);
    expect(at(hours, "2026-10-25T00:40:00Z")).toEqual([false, "2026-10-25T01:00"]);
    expect(at(hours, "2026-10-25T01:10:00Z")).toEqual([true, "2026-10-25T01:30"]);
  });

  test("hours that touch are one time", () => {
    const hours = [work, { days: [1, 2, 3, 4, 5], from: "17:00", to: "19:00" }];
    expect(at(hours, "2026-01-15T08:00:00Z")).toEqual([true, "2026-01-15T18:00"]);
  });

  test("always off by hours has no end", () => {
    expect(at([{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "00:00" }], "2026-01-15T08:00:00Z")).toEqual([true, null]);
  });

  test("by hand it is off until a hand switches it on", () => {
    expect(offAt({ off: true, offWhen: [work] }, us("2026-01-17T12:00:00Z"), berlin)).toEqual({ off: true, byHand: true, until: null });
    expect(offAt({ off: false, offWhen: [] }, us("2026-01-17T12:00:00Z"), berlin)).toEqual({ off: false, byHand: false, until: null });
  });
});

test.each([
  [[1, 2, 3, 4, 5], "Monday to Friday"],
  [[7, 6], "Saturday and Sunday"],
  [[1, 2, 3, 4, 5, 6, 7], "every day"],
  [[3], "Wednesday"],
  [[1, 3, 5], "Monday, Wednesday and Friday"],
  [[1, 2, 3, 6], "Monday to Wednesday and Saturday"],
  [[1, 2, 4, 5, 6, 7], "Monday, Tuesday and Thursday to Sunday"],
  [[], ""],
])("%j is %s", (days, says) => expect(daysSay(days)).toBe(says));

test.each([
  [work, "Off Monday to Friday, 07:00–17:00."],
  [night, "Off Friday, 22:00–06:30 the next day."],
  [{ days: [6, 7], from: "00:00", to: "00:00" }, "Off Saturday and Sunday, all day."],
  [{ days: [6], from: "07:00", to: "07:00" }, "Off Saturday, from 07:00 for 24 hours."],
  [{ days: [], from: "07:00", to: "08:00" }, "No day chosen yet."],
])("%j: %s", (hours, says) => expect(hoursSay(hours)).toBe(says));

test("hours need a day and two times", () => {
  expect([work, { ...work, days: [] }, { ...work, from: "" }, { ...work, to: "24:00" }].map(hoursFit)).toEqual([true, false, false, false]);
});
