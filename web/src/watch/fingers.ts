// Wheel, pinch and drag on a picture.

import { moved, step, type View, whole, zoomed } from "./zoom.ts";

interface Finger {
  x: number;
  y: number;
}

export class Fingers {
  readonly #change: (how: (view: View) => View) => void;
  readonly #down = new Map<number, Finger>();

  constructor(change: (how: (view: View) => View) => void) {
    this.#change = change;
  }

  /** An attachment for the frame around the picture. */
  readonly watch = (frame: HTMLElement): (() => void) => {
    const events = new AbortController();
    const { signal } = events;
    frame.addEventListener("wheel", (e) => this.#wheel(frame, e), { passive: false, signal });
    frame.addEventListener("pointerdown", (e) => this.#down.set(e.pointerId, { x: e.clientX, y: e.clientY }), { signal });
    frame.addEventListener("pointermove", (e) => this.#move(frame, e), { signal });
    frame.addEventListener("dblclick", () => this.#change(() => whole), { signal });
    for (const end of ["pointerup", "pointercancel", "pointerleave"] as const) frame.addEventListener(end, (e) => this.#down.delete(e.pointerId), { signal });
    return () => {
      events.abort();
      this.#down.clear();
    };
  };

  #wheel(frame: HTMLElement, e: WheelEvent): void {
    const { left, top, width, height } = frame.getBoundingClientRect();
    this.#change((view) => {
      if (view.scale === 1 && e.deltaY > 0) return view; // the page moves on
      e.preventDefault();
      return zoomed(view, e.deltaY < 0 ? step : 1 / step, (e.clientX - left) / width, (e.clientY - top) / height);
    });
  }

  #move(frame: HTMLElement, e: PointerEvent): void {
    const before = this.#down.get(e.pointerId);
    if (before === undefined) return;
    const { left, top, width, height } = frame.getBoundingClientRect();
    const now = { x: e.clientX, y: e.clientY };
    const other = [...this.#down].find(([id]) => id !== e.pointerId)?.[1];
    this.#down.set(e.pointerId, now);
    if (other === undefined) return this.#change((view) => moved(view, (now.x - before.x) / width, (now.y - before.y) / height));
    const apart = (f: Finger) => Math.max(Math.hypot(f.x - other.x, f.y - other.y), 1);
    const middle = { x: ((now.x + other.x) / 2 - left) / width, y: ((now.y + other.y) / 2 - top) / height };
    this.#change((view) => zoomed(view, apart(now) / apart(before), middle.x, middle.y));
  }
}
