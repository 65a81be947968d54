import { expect, it } from "vitest";

import { Edge, roomFor } from "./edge.ts";

it("hurries while it is behind, and jumps when it is far behind", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  expect(edge.step(roomFor.pictures, 2000)).toEqual({ rate: 1 });
  expect(edge.step(1, 2000)).toEqual({ rate: 1.25 });
  expect(edge.step(9, 2000)).toEqual({ jump: edge.landing });
});

it("makes up in one piece for what it never needed within a second, or never had", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  const rate = (over: number, now: number) => edge.step(roomFor.pictures + over, now);
  expect(rate(0, 2000)).toEqual({ rate: 1 });
  edge.low(roomFor.pictures + 0.08, 2500);
  expect(rate(0.4, 2900)).toEqual({ rate: 1 });
  expect(rate(0.4, 3000)).toEqual({ rate: 1.08 });
  expect(rate(0.4, 3950)).toEqual({ rate: 1.08 });
  expect(rate(0.4, 4050), "it is made up for, and measured anew").toEqual({ rate: 1 });
  edge.low(roomFor.pictures - 0.04, 4500);
  expect(rate(0.4, 5100), "too little").toEqual({ rate: 0.92 });
  expect(rate(0.02, 5650)).toEqual({ rate: 1 });
  expect(rate(0.4, 6700), "little enough to leave").toEqual({ rate: 1 });
});

/** Plays for half a minute what comes so far apart, and so unevenly, and says with how much in hand at the end. */
function play(apart: number, uneven: number, behind: number): { least: number; most: number; dry: number } {
  const edge = new Edge(roomFor.pictures, false, 0);
  const seen = { least: Number.POSITIVE_INFINITY, most: 0, dry: 0 };
  let [lead, rate, pictures] = [edge.landing + behind, 1, 0];
  for (let now = 1; now <= 30_000; now++) {
    lead = Math.max(lead - rate / 1000, 0);
    const settled = now > 10_000;
    if (lead === 0 && settled) seen.dry++;
    if (now >= pictures * apart + uneven * (0.5 + 0.5 * Math.sin(pictures * 2.4))) {
      edge.low(lead, now);
      if (settled) seen.least = Math.min(seen.least, lead);
      lead += apart / 1000;
      pictures++;
      if (settled) seen.most = Math.max(seen.most, lead);
    }
    if (now % 100 === 0) {
      const step = edge.step(lead, now);
      if ("jump" in step) lead = step.jump;
      else rate = step.rate;
    }
  }
  return seen;
}

it.each([
  [33, 0],
  [67, 0],
  [67, 30],
  [100, 20],
  [200, 0],
  [200, 40],
  [500, 0],
])("of pictures %d ms apart, up to %d late, it keeps little in hand, and enough", (apart, uneven) => {
  for (const behind of [0, 0.1, 0.3, 2, 20]) {
    const seen = play(apart, uneven, behind);
    expect(seen.dry).toBe(0);
    expect(seen.least).toBeGreaterThan(0.02);
    expect(seen.most).toBeLessThan(roomFor.pictures + 0.06 + (apart + uneven) / 1000);
  }
});

it("jumps to the end of what comes at once in the beginning, and not at every beat", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  expect(edge.step(1, 10)).toEqual({ jump: edge.landing });
  expect(edge.step(1, 110)).toEqual({ rate: 1.25 });
  expect(edge.step(1, 420)).toEqual({ jump: edge.landing });
  expect(edge.step(1, 1600)).toEqual({ rate: 1.25 });
});

it("takes more room when it runs dry, up to a second, and gives it back while it is calm", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  edge.dry(1000);
  expect(edge.room, "it has only begun").toBe(roomFor.pictures);
  edge.dry(2000);
  expect(edge.room).toBeCloseTo(roomFor.pictures + 0.08);
  for (let i = 0; i < 50; i++) edge.dry(5000);
  expect(edge.room).toBe(1);
  edge.step(1, 9_000);
  expect(edge.room).toBe(1);
  for (let at = 10_001; at < 3_000_000; at += 10_001) edge.step(1, at);
  expect(edge.room).toBe(roomFor.pictures);
});

it("never changes the rate where that costs a standstill, and jumps seldom", () => {
  const edge = new Edge(roomFor.pictures, true, 0);
  expect(edge.step(2, 0)).toEqual({ rate: 1 });
  expect(edge.step(4, 0)).toEqual({ jump: edge.landing });
  expect(edge.step(4, 1000)).toEqual({ rate: 1 });
  expect(edge.step(4, 6000)).toHaveProperty("jump");
});
