// What is drawn on a camera's picture while somebody draws it: zones and masks, one
// of them in hand, and every step back.

import { words } from "../words.ts";
import type { MotionSettings, Point } from "../worker/protocol.ts";
import { movedBy, newShape, same, withoutPoint, withPointAfter, withPointAt } from "./polygon.ts";

export interface Shape {
  kind: "zone" | "mask";
  /** Of a zone; a mask has none. */
  name: string;
  points: readonly Point[];
}

/** Zones and masks as the settings have them. */
export type Drawn = Pick<MotionSettings, "zones" | "masks">;

/** So many zones, and so many masks, a camera may have. */
const mostShapes = 16;
// Steps that can be taken back; a drag is one.
const steps = 200;

export class Sketch {
  #shapes = $state.raw<readonly Shape[]>([]);
  #past = $state.raw<readonly (readonly Shape[])[]>([]);
  /** The shape in hand, -1 for none. */
  chosen = $state(-1);
  #moving = false;

  constructor(drawn: Drawn) {
    this.#shapes = shapesOf(drawn);
  }

  get shapes(): readonly Shape[] {
    return this.#shapes;
  }

  get drawn(): Drawn {
    const of = (kind: Shape["kind"]) => this.#shapes.filter((s) => s.kind === kind);
    const points = (s: Shape) => s.points.map(([x, y]): Point => [x, y]);
    return { zones: of("zone").map((s) => ({ name: s.name.trim(), points: points(s) })), masks: of("mask").map((s) => ({ points: points(s) })) };
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  mayAdd(kind: Shape["kind"]): boolean {
    return this.#shapes.filter((s) => s.kind === kind).length < mostShapes;
  }

  /** Puts a new shape into the picture, in hand. */
  add(kind: Shape["kind"]): void {
    if (!this.mayAdd(kind)) return;
    const before = this.#shapes.filter((s) => s.kind === kind).length;
    this.#step([...this.#shapes, { kind, name: kind === "zone" ? words.drawing.newZone(before + 1) : "", points: newShape(this.#shapes.length) }]);
    this.chosen = this.#shapes.length - 1;
  }

  remove(shape: number): void {
    this.#step(this.#shapes.filter((_, i) => i !== shape));
    this.chosen = -1;
  }

  rename(shape: number, name: string): void {
    this.#step(this.#shapes.map((s, i) => (i === shape ? { ...s, name } : s)));
  }

  movePoint(shape: number, point: number, to: Point): void {
    this.#redraw(shape, (points) => withPointAt(points, point, to));
  }

  moveBy(shape: number, dx: number, dy: number): void {
    this.#redraw(shape, (points) => movedBy(points, dx, dy));
  }

  addPoint(shape: number, after: number, at?: Point): void {
    this.#redraw(shape, (points) => withPointAfter(points, after, at));
  }

  removePoint(shape: number, point: number): void {
    this.#redraw(shape, (points) => withoutPoint(points, point));
  }

  /** Everything until `drop` is one step: a drag is taken back as a whole. */
  take(): void {
    this.#remember();
    this.#moving = true;
  }

  drop(): void {
    this.#moving = false;
    const before = this.#past.at(-1);
    if (before && same(before, this.#shapes)) this.#past = this.#past.slice(0, -1);
  }

  undo(): void {
    const before = this.#past.at(-1);
    if (!before || this.#moving) return;
    this.#past = this.#past.slice(0, -1);
    this.#shapes = before;
    if (this.chosen >= before.length) this.chosen = -1;
  }

  /** Begins anew with what is drawn elsewhere. */
  replace(drawn: Drawn): void {
    this.#shapes = shapesOf(drawn);
    this.#past = [];
    this.chosen = -1;
  }

  #redraw(shape: number, change: (points: readonly Point[]) => Point[]): void {
    const next = this.#shapes.map((s, i) => (i === shape ? { ...s, points: change(s.points) } : s));
    if (!same(next, this.#shapes)) this.#step(next);
  }

  #step(next: readonly Shape[]): void {
    if (!this.#moving) this.#remember();
    this.#shapes = next;
  }

  #remember(): void {
    this.#past = [...this.#past.slice(-steps + 1), this.#shapes];
  }
}

/** What a shape is called in sentences: a zone by its name, a mask by its place among the masks. */
export function nameOf(shapes: readonly Shape[], index: number): string {
  const shape = shapes[index];
  if (shape?.kind === "zone") return words.drawing.zone(shape.name);
  return words.drawing.mask(shapes.slice(0, index + 1).filter((s) => s.kind === "mask").length);
}

function shapesOf({ zones, masks }: Drawn): Shape[] {
  return [...zones.map((z): Shape => ({ kind: "zone", ...z })), ...masks.map((m): Shape => ({ kind: "mask", name: "", points: m.points }))];
}
