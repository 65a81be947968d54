import { expect, test } from "vitest";

import { words } from "../words.ts";
import { firedSays } from "./fire.svelte.ts";

const now = 1e15;
const hours = (n: number) => now - n * 3600e6;

test.each([
  [14, hours(24), "With this, it would have fired 14 times in the last 24 hours."],
  [1, hours(23.9), "With this, it would have fired 1 time in the last 24 hours."],
  [0, hours(3.51), "With this, it would have fired 0 times in the last 3 h 30 min."],
  [2, hours(0.1), "With this, it would have fired 2 times in the last 6 min."],
  [0, hours(0.01), words.camera.wouldFireNone],
  [0, 0, words.camera.wouldFireNone],
])("%i times since %i", (times, since, says) => expect(firedSays(times, since, now)).toBe(says));
