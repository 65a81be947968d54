// Shapes drawn on a camera's picture. A point is in ten-thousandths of the picture's
// width and height, so that it means the same in the main stream and in the sub.

import type { Point } from "../worker/protocol.ts";

/** The edge of the picture. */
export const edge = 10_000;
/** A shape has at least and at most so many points (docs/deed.md, "Settings"). */
export const fewest = 3;
export const most = 32;

const between = (n: number, low: number, high: number) => Math.min(high, Math.max(low, Math.round(n)));

/** The nearest point of the picture. */
export function inside([x, y]: Point): Point {
  return [between(x, 0, edge), between(y, 0, edge)];
}

/** The shape with one point elsewhere. */
export function withPointAt(points: readonly Point[], index: number, to: Point): Point[] {
  return points.map((p, i) => (i === index ? inside(to) : p));
}

/** The shape with one point more, after the given one: halfway to the next if no place is named. */
export function withPointAfter(points: readonly Point[], index: number, at?: Point): Point[] {
  if (points.length >= most) return [...points];
  return [...points.slice(0, index + 1), inside(at ?? halfway(points, index)), ...points.slice(index + 1)];
}

/** The shape without a point; one with the fewest stays as it is. */
export function withoutPoint(points: readonly Point[], index: number): Point[] {
  return points.length <= fewest ? [...points] : points.filter((_, i) => i !== index);
}

/** The middle of the side that begins at that point. */
export function halfway(points: readonly Point[], index: number): Point {
  const [ax, ay] = points[index] ?? [0, 0];
  const [bx, by] = points[(index + 1) % points.length] ?? [0, 0];
  return inside([(ax + bx) / 2, (ay + by) / 2]);
}

/** The whole shape moved, as far as the picture goes; it keeps its form. */
export function movedBy(points: readonly Point[], dx: number, dy: number): Point[] {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const byX = between(dx, -Math.min(...xs), edge - Math.max(...xs));
  const byY = between(dy, -Math.min(...ys), edge - Math.max(...ys));
  return points.map(([x, y]) => [x + byX, y + byY]);
}

/** A new shape: four corners around the middle, the next one a little aside, so that none hides another. */
export function newShape(before: number): Point[] {
  const aside = (before % 5) * 600;
  const [left, top, right, bottom] = [2800 + aside, 2800 + aside, 6200 + aside, 6200 + aside];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/** The step of an arrow key, or null for any other. */
export function stepOf(key: string, far: boolean): Point | null {
  const by = far ? 500 : 100;
  if (key === "ArrowLeft") return [-by, 0];
  if (key === "ArrowRight") return [by, 0];
  if (key === "ArrowUp") return [0, -by];
  return key === "ArrowDown" ? [0, by] : null;
}

/** Points as SVG has them. */
export function svgPoints(points: readonly Point[]): string {
  return points.map((p) => p.join(",")).join(" ");
}

/** Whether the two say the same. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
