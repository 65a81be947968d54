import { expect, test, vi } from "vitest";

vi.stubGlobal("navigator", { languages: ["en-GB"] });

import { Edit } from "./edit.svelte.ts";
import { fileOf } from "./save.ts";
import { decimal, size } from "./size.ts";
import { when } from "./time.ts";

test("what was not typed follows, what was typed stays, and a change elsewhere is known", () => {
  let home = "Door";
  const name = new Edit(() => home);
  expect([name.value, name.changed, name.elsewhere]).toEqual(["Door", false, false]);
  home = "Back door";
  expect(name.value).toBe("Back door");
  name.value = "Garden";
  expect([name.value, name.changed, name.elsewhere]).toEqual(["Garden", true, false]);
  home = "Side door";
  expect([name.value, name.changed, name.elsewhere]).toEqual(["Garden", true, true]);
  // Somebody has made the same change: nothing is left to save.
  home = "Garden";
  expect([name.changed, name.elsewhere]).toEqual([false, false]);
  home = "Side door";
  name.discard();
  expect([name.value, name.changed]).toEqual(["Side door", false]);
});

test("typing it back is no change", () => {
  const list = new Edit(() => [1, 2]);
  list.value = [1];
  list.value = [1, 2];
  expect(list.changed).toBe(false);
});

test.each([
  [0, "0 byte"],
  [940, "940 byte"],
  [3_240_000, "3.2 MB"],
  [118.4e9, "118 GB"],
  [2e15, "2,000 TB"],
])("%i bytes are %s", (bytes, says) => expect(size(bytes)).toBe(says));

test("a number has one place after the point at most", () => expect([14.98, 7.5, 0.44].map(decimal)).toEqual(["15", "7.5", "0.4"]));

const us = (iso: string) => Date.parse(iso) * 1000;
const now = us("2026-03-29T10:00:00Z"); // the Sunday on which Berlin's summer time begins
test.each([
  ["2026-03-29T09:02:00Z", "11:02"],
  ["2026-03-28T22:30:00Z", "yesterday, 23:30"],
  ["2026-03-30T05:00:00Z", "tomorrow, 07:00"],
  ["2026-04-02T05:00:00Z", "Thursday, 07:00"],
  ["2026-03-25T06:00:00Z", "25 March, 07:00"],
  ["2026-04-06T05:00:00Z", "6 April, 07:00"],
  ["2025-12-31T23:30:00Z", "1 January, 00:30"],
  ["2025-12-31T22:30:00Z", "31 December 2025, 23:30"],
])("%s is said as %s", (at, says) => expect(when(us(at), now, "Europe/Berlin")).toBe(says));

test("a saved clip is called after its camera and the home's time", () => {
  expect(fileOf("Front door", us("2026-03-29T10:02:07Z"), "Europe/Berlin")).toBe("Front door 2026-03-29 12-02-07.mp4");
  expect(fileOf('a/b:c"?', null, "UTC")).toBe("a-b-c-- .mp4");
});
