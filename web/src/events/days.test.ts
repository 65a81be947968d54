import { expect, test, vi } from "vitest";

import type { EventRow } from "../worker/protocol.ts";
import { byDay, heading } from "./days.ts";

vi.stubGlobal("navigator", { languages: ["en-GB"] });

const berlin = "Europe/Berlin";
const us = (iso: string) => Date.parse(iso) * 1000;

function row(key: string, iso: string | null): EventRow {
  return { key, event: null, camera: null, time: iso === null ? null : us(iso), reviewed: false, objects: [] };
}

const keys = (rows: EventRow[], zone = berlin) => byDay(rows, zone).map((d) => [d.day, d.rows.map((r) => r.key).join("")]);

test("a day ends at the home's midnight, not at UTC's", () => {
  const rows = [row("a", "2026-03-02T00:10:00Z"), row("b", "2026-03-01T23:00:00Z"), row("c", "2026-03-01T22:59:59Z")];
  expect(keys(rows)).toEqual([
    ["2026-03-02", "ab"],
    ["2026-03-01", "c"],
  ]);
  expect(keys(rows, "UTC")).toEqual([
    ["2026-03-02", "a"],
    ["2026-03-01", "bc"],
  ]);
});

test("days of 23 and 25 hours hold what happened in them", () => {
  const spring = [row("a", "2026-03-29T22:00:00Z"), row("b", "2026-03-29T21:59:59Z"), row("c", "2026-03-28T23:00:00Z"), row("d", "2026-03-28T22:59:59Z")];
  expect(keys(spring)).toEqual([
    ["2026-03-30", "a"],
    ["2026-03-29", "bc"],
    ["2026-03-28", "d"],
  ]);
  const autumn = [row("a", "2026-10-25T23:00:00Z"), row("b", "2026-10-25T22:59:59Z"), row("c", "2026-10-24T22:00:00Z"), row("d", "2026-10-24T21:59:59Z")];
  expect(keys(autumn)).toEqual([
    ["2026-10-26", "a"],
    ["2026-10-25", "bc"],
    ["2026-10-24", "d"],
  ]);
});

test("a row without a verified time stays beside its neighbour", () => {
  expect(keys([row("x", null), row("a", "2026-03-02T10:00:00Z"), row("y", null), row("b", "2026-03-01T10:00:00Z"), row("z", null)])).toEqual([
    ["2026-03-02", "xay"],
    ["2026-03-01", "bz"],
  ]);
  expect(keys([row("x", null)])).toEqual([["", "x"]]);
});

test("a day is there once, however the list is mixed", () => {
  expect(keys([row("a", "2026-03-02T10:00:00Z"), row("b", "2026-03-01T10:00:00Z"), row("c", "2026-03-02T09:00:00Z")])).toEqual([
    ["2026-03-02", "ac"],
    ["2026-03-01", "b"],
  ]);
});

test("marks lie where the clock was", () => {
  const [day] = byDay([row("a", "2026-03-02T11:00:00Z"), row("x", null), row("b", "2026-03-02T05:00:00Z")], berlin);
  expect(day?.marks).toEqual([0.5, 0.25]);
});

test.each([
  ["2026-11-23", "2026-11-23T22:59:00Z", "Today", "Monday, 23 November"],
  ["2026-11-22", "2026-11-23T22:59:00Z", "Yesterday", "Sunday, 22 November"],
  ["2026-11-23", "2026-11-23T23:00:00Z", "Yesterday", "Monday, 23 November"],
  ["2026-11-21", "2026-11-23T22:59:00Z", "Saturday", "21 November"],
  ["2025-11-21", "2026-11-23T22:59:00Z", "Friday", "21 November 2025"],
  // 24 hours before these two nights is not the day before
  ["2026-10-25", "2026-10-26T22:30:00Z", "Yesterday", "Sunday, 25 October"],
  ["2026-03-28", "2026-03-29T21:30:00Z", "Yesterday", "Saturday, 28 March"],
  ["", "2026-03-29T21:30:00Z", "Without a time", ""],
])("%s at %s is called %s", (day, now, name, date) => expect(heading(day, us(now), berlin)).toEqual({ name, date }));
