import { expect, test } from "vitest";

import { seenSays } from "./seen.ts";

const zone = "Europe/Berlin";
const now = Date.parse("2026-11-25T11:00:00Z") * 1000;

test.each([
  [now - 60e6, "here now"],
  [now - 3600e6, "last seen 11:00"],
  [now - 24 * 3600e6, "last seen yesterday, 12:00"],
  [0, "not seen yet"],
])("%d", (seen, says) => expect(seenSays(seen, now, zone, true)).toBe(says));

test("whoever is told of nobody's sessions is not told that somebody was never here", () => expect(seenSays(0, now, zone, false)).toBe(""));
