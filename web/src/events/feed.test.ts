import { expect, test } from "vitest";

import { nextPart } from "./feed.ts";

const parts = Array.from({ length: 30 }, (_, i) => ({ start: 0.1 + 2 * i, end: 2.1 + 2 * i }));
const next = (time: number, there: number[] = []) => nextPart({ parts }, new Set(there), time);

test("what is about to be shown is fetched first, from wherever it is looked at", () => {
  expect([next(0), next(1.9), next(2), next(45.3)]).toEqual([0, 0, 1, 22]);
  expect(next(45.3, [22, 23, 25])).toBe(24);
});

test("no more is fetched than will be shown soon, and nothing twice", () => {
  expect(next(0, [0, 1, 2, 3, 4, 5, 6])).toBe(7);
  expect(next(0, [0, 1, 2, 3, 4, 5, 6, 7])).toBe(null);
  expect(next(59, [29])).toBe(null);
  expect(next(100)).toBe(29);
  expect(nextPart({ parts: [] }, new Set(), 0)).toBe(null);
});
