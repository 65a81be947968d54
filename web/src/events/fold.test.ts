import { expect, test } from "vitest";

import type { CameraID, EventID, EventRow } from "../worker/protocol.ts";
import { fold } from "./fold.ts";

const row = (n: number, camera = "door"): EventRow => ({ key: `e${n}`, event: `e${n}` as EventID, camera: camera as CameraID, time: n, reviewed: false, objects: [] });

/** What of those rows, newest first, becomes of one another, `said` being what each goes on from. */
function folded(rows: EventRow[], said: Record<string, string>): string[] {
  return fold(rows, (r) => (said[r.key] as EventID | undefined) ?? null).map(({ row, more }) => [row, ...more].map((r) => r.key.slice(1)).join("+"));
}

const five = [5, 4, 3, 2, 1].map((n) => row(n));

test("events that go on from one another are one, in the place of the first", () => {
  expect(folded(five, {})).toEqual(["5", "4", "3", "2", "1"]);
  expect(folded(five, { e4: "e2", e5: "e4" })).toEqual(["3", "2+4+5", "1"]);
  expect(folded(five, { e2: "e1", e5: "e3" })).toEqual(["4", "3+5", "1+2"]);
});

test("an event whose former is not here stands for itself", () => {
  expect(folded(five, { e4: "e0", e5: "e4" })).toEqual(["4+5", "3", "2", "1"]);
});

test("none goes on from another camera's, from a later one or from itself", () => {
  const rows = [row(3, "yard"), row(2), row(1)];
  expect(folded(rows, { e3: "e2" })).toEqual(["3", "2", "1"]);
  expect(folded(rows, { e1: "e2", e2: "e2" })).toEqual(["3", "2", "1"]);
  expect(folded(rows, { e1: "e2", e2: "e1" })).toEqual(["3", "1+2"]);
});
