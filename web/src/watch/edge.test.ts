import { expect, it } from "vitest";

import { Edge, roomFor } from "./edge.ts";

it("hurries while it is behind, and jumps when it is far behind", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  expect(edge.step(0.1, 2000)).toEqual({ rate: 1 });
  expect(edge.step(0.3, 2000)).toEqual({ rate: 1.08 });
  expect(edge.step(1, 2000)).toEqual({ rate: 1.25 });
  expect(edge.step(9, 2000)).toEqual({ jump: roomFor.pictures });
});

it("makes up whole for what it begins to make up for", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  const rate = (over: number) => edge.step(roomFor.pictures + over, 2000);
  expect(rate(0.07), "little enough to leave").toEqual({ rate: 1 });
  expect(rate(0.09)).toEqual({ rate: 1.08 });
  expect(rate(0.01)).toEqual({ rate: 1.08 });
  expect(rate(-0.01)).toEqual({ rate: 1 });
  expect(rate(0.07), "it has ended").toEqual({ rate: 1 });
  expect(rate(0.6)).toEqual({ rate: 1.25 });
  expect(rate(0.05)).toEqual({ rate: 1.08 });
  expect(rate(9)).toHaveProperty("jump");
  expect(rate(0.05), "a jump leaves nothing to make up for").toEqual({ rate: 1 });
});

it("jumps to the end of what comes at once in the beginning, and not at every beat", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  expect(edge.step(1, 10)).toEqual({ jump: roomFor.pictures });
  expect(edge.step(1, 110)).toEqual({ rate: 1.25 });
  expect(edge.step(1, 420)).toEqual({ jump: roomFor.pictures });
  expect(edge.step(1, 1600)).toEqual({ rate: 1.25 });
});

it("takes more room when it runs dry, up to a second, and gives it back while it is calm", () => {
  const edge = new Edge(roomFor.pictures, false, 0);
  edge.dry(1000);
  expect(edge.room, "it has only begun").toBe(roomFor.pictures);
  edge.dry(2000);
  expect(edge.room).toBeCloseTo(0.2);
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
  expect(edge.step(4, 0)).toEqual({ jump: 3 * roomFor.pictures });
  expect(edge.step(4, 1000)).toEqual({ rate: 1 });
  expect(edge.step(4, 6000)).toHaveProperty("jump");
});
