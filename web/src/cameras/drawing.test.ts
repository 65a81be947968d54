import { describe, expect, test } from "vitest";

import type { Point } from "../worker/protocol.ts";
import { edge, fewest, halfway, inside, most, movedBy, newShape, stepOf, withoutPoint, withPointAfter, withPointAt } from "./polygon.ts";
import { Sketch } from "./sketch.svelte.ts";

const square: Point[] = [
  [1000, 1000],
  [3000, 1000],
  [3000, 3000],
  [1000, 3000],
];

describe("a shape", () => {
  test("stays in the picture", () => {
    expect(inside([-5, 10_000.4])).toEqual([0, edge]);
    expect(withPointAt(square, 1, [20_000, -1])[1]).toEqual([edge, 0]);
    expect(movedBy(square, -5000, 20_000)).toEqual([
      [0, 8000],
      [2000, 8000],
      [2000, 10_000],
      [0, 10_000],
    ]);
  });

  test("gets a corner halfway to the next, at the end too", () => {
    expect(halfway(square, 0)).toEqual([2000, 1000]);
    expect(withPointAfter(square, 3)).toEqual([...square, [1000, 2000]]);
    expect(withPointAfter(square, 0, [2000, 500]).slice(0, 3)).toEqual([[1000, 1000], [2000, 500], [3000, 1000]]);
  });

  test("has never fewer or more corners than a document may have", () => {
    let points = [...square];
    for (let i = 0; i < 5; i++) points = withoutPoint(points, 0);
    expect(points).toHaveLength(fewest);
    for (let i = 0; i < 50; i++) points = withPointAfter(points, 0);
    expect(points).toHaveLength(most);
  });

  test("is new in the middle, and the next one beside it", () => {
    const all = Array.from({ length: 16 }, (_, i) => newShape(i));
    for (const shape of all) for (const [x, y] of shape) expect(x >= 0 && x <= edge && y >= 0 && y <= edge).toBe(true);
    expect(all[0]).not.toEqual(all[1]);
  });

  test("moves by arrows, further with Shift", () => {
    expect([stepOf("ArrowLeft", false), stepOf("ArrowDown", true), stepOf("a", true)]).toEqual([[-100, 0], [0, 500], null]);
  });
});

describe("a sketch", () => {
  const drawn = { zones: [{ name: "Path", points: square }], masks: [{ points: square }] };

  test("begins with what the settings say and gives it back", () => {
    const s = new Sketch(drawn);
    expect(s.drawn).toEqual(drawn);
    expect(s.canUndo).toBe(false);
  });

  test("takes every step back", () => {
    const s = new Sketch(drawn);
    s.add("mask");
    expect([s.chosen, s.shapes.length, s.shapes[2]?.kind]).toEqual([2, 3, "mask"]);
    s.movePoint(2, 0, [0, 0]);
    s.addPoint(2, 0);
    s.removePoint(2, 3);
    s.rename(0, "Way");
    s.remove(0);
    expect(s.drawn.zones).toEqual([]);
    for (let i = 0; i < 6; i++) s.undo();
    expect([s.drawn, s.canUndo, s.chosen]).toEqual([drawn, false, -1]);
    s.undo();
    expect(s.drawn).toEqual(drawn);
  });

  test("takes a drag back as a whole, and a drag that went nowhere is no step", () => {
    const s = new Sketch(drawn);
    s.take();
    s.drop();
    expect(s.canUndo).toBe(false);
    s.take();
    for (let i = 0; i < 20; i++) s.movePoint(0, 0, [i * 10, i * 10]);
    s.undo(); // not in the middle of it
    expect(s.shapes[0]?.points[0]).toEqual([190, 190]);
    s.drop();
    s.undo();
    expect([s.drawn, s.canUndo]).toEqual([drawn, false]);
  });

  test("what changes nothing is no step", () => {
    const s = new Sketch(drawn);
    s.moveBy(0, 0, 0);
    s.movePoint(0, 0, [1000, 1000]);
    expect(s.canUndo).toBe(false);
  });

  test("has at most sixteen of each", () => {
    const s = new Sketch({ zones: [], masks: [] });
    for (let i = 0; i < 20; i++) {
      s.add("zone");
      s.add("mask");
    }
    expect([s.drawn.zones.length, s.drawn.masks.length, s.mayAdd("zone")]).toEqual([16, 16, false]);
    expect(new Set(s.drawn.zones.map((z) => z.name)).size).toBe(16);
  });
});
