import { expect, test } from "vitest";

import { refusalSays } from "./refusal.ts";

test.each([
  ["misroute", null, "It belongs somewhere else. This was reported."],
  ["misroute", "unconfirmed", "It belongs somewhere else. This was reported."],
  ["misroute", "confirmed", "It belongs somewhere else. This was reported, and the server confirms it."],
  ["misroute", "not-sent", "It belongs somewhere else. It could not be reported: the server did not answer."],
  ["corrupt", "unconfirmed", "It is damaged: what came does not open. This was reported."],
  ["unknown-key", null, "It was sealed for a key that this browser does not hold."],
] as const)("%s, %s", (word, reported, says) => expect(refusalSays(word, reported)).toBe(says));
