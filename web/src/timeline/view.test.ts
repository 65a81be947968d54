// Zooming and dragging: what is under the finger stays there, and nothing leaves the day.

import { describe, expect, it } from "vitest";
import { closest, drawn, holding, moved, outline, placeOf, showing, timeAt, zoomed } from "./view.ts";

const minute = 60e6;
const day = { from: 1000 * minute, until: 1000 * minute + 1500 * minute };
const length = (v: { from: number; until: number }) => v.until - v.from;

describe("zooming", () => {
  it("leaves what is under the finger where it is", () => {
    for (const place of [0, 0.2, 0.5, 0.99]) {
      let view = day;
      const at = timeAt(view, place);
      for (let i = 0; i < 5; i++) {
        view = zoomed(view, 1.5, at, day);
        expect(Math.abs(placeOf(view, at) - place)).toBeLessThan(1e-6);
      }
      expect(length(view)).toBeLessThan(length(day) / 7);
    }
  });

  it("goes from the day to a minute and back, and no farther", () => {
    let view = day;
    for (let i = 0; i < 50; i++) view = zoomed(view, 1.5, day.until - 1, day);
    expect(length(view)).toBe(closest);
    expect(view.until).toBe(day.until);
    for (let i = 0; i < 50; i++) view = zoomed(view, 1 / 1.5, view.from, day);
    expect(view).toEqual(day);
  });

  it("of a time out of sight begins at the edge", () => {
    const view = { from: day.from + 600 * minute, until: day.from + 660 * minute };
    const closer = zoomed(view, 2, day.from, day);
    expect(placeOf(closer, day.from)).toBe(0);
  });
});

describe("moving", () => {
  it("stays within the day, as long as it was", () => {
    const view = { from: day.from + 10 * minute, until: day.from + 70 * minute };
    expect(moved(view, 0.5, day)).toEqual({ from: view.from + 30 * minute, until: view.until + 30 * minute });
    expect(moved(view, -3, day)).toEqual({ from: day.from, until: day.from + 60 * minute });
    expect(moved(view, 90, day)).toEqual({ from: day.until - 60 * minute, until: day.until });
    expect(moved(day, 0.3, day)).toEqual(day);
  });

  it("shows a time with as little as it takes", () => {
    const view = { from: day.from + 600 * minute, until: day.from + 700 * minute };
    expect(showing(view, view.from + 50 * minute, day)).toBe(view);
    expect(placeOf(showing(view, view.until - minute, day), view.until - minute)).toBeCloseTo(0.95);
    const far = day.from + 100 * minute;
    expect(placeOf(showing(view, far, day), far)).toBeCloseTo(0.5);
    expect(showing(view, day.from, day).from).toBe(day.from);
  });
});

describe("what is drawn", () => {
  const view = { from: 0, until: 1000 };
  it("is what lies in the view, cut at its edges", () => {
    const all = [{ from: -50, until: 0 }, { from: -50, until: 100 }, { from: 400, until: 500 }, { from: 950, until: 2000 }, { from: 1000, until: 1001 }];
    expect(drawn(all, view, 0.01).map(({ left, width }) => [left, Math.round(width * 1000)])).toEqual([[0, 100], [0.4, 100], [0.95, 50]]);
  });

  it("is never more than can be seen, and shows the smallest", () => {
    const all = Array.from({ length: 10_000 }, (_, i) => ({ from: i / 10, until: i / 10 + 0.01 }));
    const parts = drawn(all, view, 0.005);
    expect(parts.length).toBeLessThanOrEqual(200);
    expect(drawn([{ from: 500, until: 500.001 }], view, 0.005)[0]!.width).toBeCloseTo(0.005);
  });

  it("puts no two of another kind together", () => {
    const all = [{ from: 0, until: 1, loss: false }, { from: 1, until: 2, loss: true }, { from: 2, until: 3, loss: true }];
    expect(drawn(all, view, 0.01, (a, b) => a.loss === b.loss).map((d) => d.of.loss)).toEqual([false, true]);
  });

  it("is found under the finger", () => {
    const all = [{ from: 0, until: 10 }, { from: 20, until: 30 }];
    expect([holding(all, 0), holding(all, 10), holding(all, 29)]).toEqual([all[0], null, all[1]]);
  });
});

describe("motion", () => {
  it("is a hill over the minutes", () => {
    expect(outline(new Uint8Array([0, 255, 255, 100, 0]))).toBe("M1 255V0H3V155H4V255Z");
    expect(outline(new Uint8Array([7]))).toBe("M0 255V248H1V255Z");
    expect(outline(new Uint8Array(5))).toBe("");
  });
});
