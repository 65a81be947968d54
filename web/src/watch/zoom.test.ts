import { expect, it } from "vitest";

import { moved, whole, zoomed } from "./zoom.ts";

it("keeps what is pointed at where it is, and the frame filled", () => {
  const close = zoomed(whole, 2, 0.25, 0.5);
  expect(close).toEqual({ scale: 2, x: -0.25, y: -0.5 });
  // The place that was pointed at: x + scale * 0.25.
  expect(close.x + close.scale * 0.25).toBeCloseTo(0.25);
  expect(moved(close, 5, -5)).toEqual({ scale: 2, x: 0, y: -1 });
  expect(zoomed(close, 0.1)).toEqual(whole);
  expect(zoomed(whole, 100).scale).toBe(8);
});
