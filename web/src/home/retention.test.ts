import { expect, test } from "vitest";

import { boundsOf, fullness } from "./retention.ts";

test.each([
  ["30", "", { days: 30, bytes: 0 }],
  [" ", " 500 ", { days: 0, bytes: 500e9 }],
  ["", "", { days: 0, bytes: 0 }],
  ["36500", "1000000", { days: 36_500, bytes: 1e15 }],
  ["36501", "", null],
  ["", "1000001", null],
  ["0", "", null],
  ["-1", "", null],
  ["1.5", "", null],
  ["1e3", "", null],
  ["ten", "", null],
])("%j days and %j gigabytes", (days, gigabytes, bounds) => expect(boundsOf(days, gigabytes)).toEqual(bounds));

test.each([
  [0, 0, "room"],
  [5e12, 0, "room"],
  [79, 100, "room"],
  [80, 100, "soon"],
  [98, 100, "soon"],
  [99, 100, "full"],
  [120, 100, "full"],
])("%d of %d is %s", (bytes, most, is) => expect(fullness({ bytes, most })).toBe(is));
