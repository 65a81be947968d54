import { expect, it } from "vitest";

import { Steady } from "./steady.ts";

it("goes on when one of its clocks stands still, and never back", () => {
  let [wall, going] = [1_000_000, 500];
  const clock = new Steady(() => wall, () => going);
  const began = clock.now();
  wall += 40;
  going += 40;
  expect(clock.now() - began).toBe(40);
  wall += 3600_000; // the machine slept, and the browser's clock with it
  expect(clock.now() - began).toBe(3600_040);
  wall -= 7200_000; // somebody sets the wall clock back
  going += 10;
  expect(clock.now() - began).toBe(3600_050);
  going -= 5; // and this clock is not to be trusted either
  wall -= 5;
  expect(clock.now() - began).toBe(3600_050);
});
