import { expect, test } from "vitest";

import { actOf } from "./player.ts";
import { stepOf, walk } from "./walk.ts";

// Two days in a grid of three: 0 1 2 / 3 4, and after a heading 5 6 7 / 8.
const grid = [0, 0, 0, 1, 1, 3, 3, 3, 4].map((line, i, all) => ({ top: line * 200, left: all.slice(0, i).filter((l) => l === line).length * 300 }));

test.each([
  [-1, "next", 0],
  [0, "next", 1],
  [2, "next", 3],
  [8, "next", -1],
  [0, "previous", -1],
  [3, "previous", 2],
  [0, "down", 3],
  [1, "down", 4],
  [2, "down", 4],
  [4, "down", 6],
  [7, "down", 8],
  [8, "down", -1],
  [8, "up", 5],
  [7, "up", 4],
  [5, "up", 3],
  [1, "up", -1],
] as const)("from card %i %s is card %i", (at, to, want) => expect(walk(grid, at, to)).toBe(want));

test("there is nowhere to go without cards", () => expect(walk([], -1, "next")).toBe(-1));

test("keys of the list", () => {
  expect([stepOf("j"), stepOf("k"), stepOf("ArrowDown"), stepOf("ArrowRight"), stepOf("x")]).toEqual(["next", "previous", "down", "next", null]);
});

const key = (key: string, more = {}) => ({ key, metaKey: false, ctrlKey: false, altKey: false, ...more });

test.each([
  ["ArrowLeft", "newer"],
  ["ArrowRight", "older"],
  [" ", "play"],
  ["f", "full"],
  ["m", "mute"],
  ["Escape", null],
  ["toString", null],
])("in the player %s is %s", (name, want) => expect(actOf(key(name), false)).toBe(want));

test("the browser's own keys stay the browser's", () => {
  expect(actOf(key("f", { ctrlKey: true }), false)).toBe(null);
  expect(actOf(key("m", { metaKey: true }), false)).toBe(null);
  expect(actOf(key(" "), true)).toBe(null);
  expect(actOf(key("ArrowLeft"), true)).toBe("newer");
});
