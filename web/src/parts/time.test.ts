import { describe, expect, it, test, vi } from "vitest";

import { clock, date, dayAfter, dayBefore, dayBounds, dayOf, isRepeated, isZone, moment, partOfDay, wall, weekday, zones } from "./time.ts";

vi.stubGlobal("navigator", { languages: ["de-DE", "en-GB"] });

const us = (iso: string) => Date.parse(iso) * 1000;
const berlin = "Europe/Berlin";

describe("the day is the home's", () => {
  test.each([
    ["2026-03-01T22:59:59Z", berlin, "2026-03-01"],
    ["2026-03-01T23:00:00Z", berlin, "2026-03-02"],
    ["2026-07-01T22:00:00Z", berlin, "2026-07-02"],
    ["2026-03-02T04:59:59Z", "America/New_York", "2026-03-01"],
    ["2026-03-01T10:00:00Z", "Pacific/Auckland", "2026-03-01"],
    ["2026-03-01T11:00:00Z", "Pacific/Auckland", "2026-03-02"],
    ["2026-12-31T23:59:59.999999Z", "UTC", "2026-12-31"],
  ])("%s in %s is %s", (at, zone, day) => expect(dayOf(us(at), zone)).toBe(day));

  test("midnight is hour 0 and not 24", () => expect(wall(us("2026-03-01T23:00:00Z"), berlin).hour).toBe(0));
});

describe("the day before goes by the calendar", () => {
  test.each([
    ["2026-03-01", "2026-02-28"],
    ["2024-03-01", "2024-02-29"],
    ["2026-01-01", "2025-12-31"],
    ["2026-03-30", "2026-03-29"],
    ["2026-10-26", "2026-10-25"],
  ])("%s follows %s", (day, before) => expect(dayBefore(day)).toBe(before));
});

describe("days with 23 and 25 hours", () => {
  test("an hour is left out in spring", () => {
    expect(wall(us("2026-03-29T00:59:59Z"), berlin).hour).toBe(1);
    expect(wall(us("2026-03-29T01:00:00Z"), berlin).hour).toBe(3);
    expect(dayOf(us("2026-03-29T21:59:59Z"), berlin)).toBe("2026-03-29");
    expect(dayOf(us("2026-03-29T22:00:00Z"), berlin)).toBe("2026-03-30");
  });

  test.each([
    ["2026-10-24T23:59:59Z", false],
    ["2026-10-25T00:00:00Z", true],
    ["2026-10-25T00:59:59Z", true],
    ["2026-10-25T01:00:00Z", true],
    ["2026-10-25T01:59:59Z", true],
    ["2026-10-25T02:00:00Z", false],
    ["2026-03-29T01:30:00Z", false],
    ["2026-03-29T00:30:00Z", false],
  ])("at %s the clock of Berlin repeats itself: %s", (at, repeated) => expect(isRepeated(us(at), berlin)).toBe(repeated));

  test("the two hours of the same name are told apart", () => {
    const first = clock(us("2026-10-25T00:30:00Z"), berlin);
    const second = clock(us("2026-10-25T01:30:00Z"), berlin);
    expect(first).toContain("UTC+2");
    expect(second).toContain("UTC+1");
    expect(first.replace("UTC+2", "")).toBe(second.replace("UTC+1", ""));
  });

  test("half an hour is repeated on Lord Howe", () => {
    expect(clock(us("2026-04-04T14:45:00Z"), "Australia/Lord_Howe")).toContain("UTC+11");
    expect(clock(us("2026-04-04T15:15:00Z"), "Australia/Lord_Howe")).toContain("UTC+10:30");
    expect(isRepeated(us("2026-04-04T15:30:00Z"), "Australia/Lord_Howe")).toBe(false);
  });
});

test("the place in the day is that of a clock's face", () => {
  expect(partOfDay(us("2026-03-01T23:00:00Z"), berlin)).toBe(0);
  expect(partOfDay(us("2026-03-02T11:00:00Z"), berlin)).toBe(0.5);
  expect(partOfDay(us("2026-03-29T10:00:00Z"), berlin)).toBe(0.5);
});

test("words for days and moments", () => {
  expect(weekday("2026-03-29")).toBe("Sunday");
  expect(date("2026-03-29", "2026-11-23")).toBe("29 March");
  expect(date("2025-03-29", "2026-11-23")).toBe("29 March 2025");
  expect(moment(us("2026-03-29T10:02:07Z"), berlin)).toBe("Sunday 29 March 2026, 12:02:07");
});

test("zones", () => {
  expect(isZone(berlin)).toBe(true);
  expect(isZone("Mars/Olympus")).toBe(false);
  expect(isZone("")).toBe(false);
  expect(zones("UTC")).toContain("UTC");
  expect(zones("Mars/Olympus")).not.toContain("Mars/Olympus");
});

describe("the bounds of a day", () => {
  it.each([
    ["of 24 hours", "2026-11-26", "Europe/Berlin", "2026-11-25T23:00:00Z", "2026-11-26T23:00:00Z"],
    ["of 23", "2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["of 25", "2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    ["of 24 and a half", "2026-04-05", "Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"],
    ["whose midnight is left out", "2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"],
    ["that has midnight twice", "2026-11-01", "America/Havana", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
    ["that is left out", "2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"],
    ["the furthest ahead", "2026-11-26", "Pacific/Kiritimati", "2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z"],
    ["the furthest behind", "2026-11-26", "Pacific/Pago_Pago", "2026-11-26T11:00:00Z", "2026-11-27T11:00:00Z"],
  ])("%s, %s in %s", (_, day, zone, from, to) => {
    const bounds = dayBounds(day, zone);
    const text = (at: number) => new Date(at / 1000).toISOString().replace(".000", "");
    expect([text(bounds.from), text(bounds.to)]).toEqual([from, to]);
    if (bounds.from < bounds.to) expect([dayOf(bounds.from - 1, zone) < day, dayOf(bounds.from, zone), dayOf(bounds.to - 1, zone), dayOf(bounds.to, zone)]).toEqual([true, day, day, dayAfter(day)]);
  });
});
