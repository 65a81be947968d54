import { expect, test } from "vitest";

import { boundsOf } from "./retention.ts";

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
