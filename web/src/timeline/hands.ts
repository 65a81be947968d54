// What hands do on a lane: one finger goes over it, two stretch it, a wheel does either.
// Places are parts of the lane's width.

/** What a lane does about it. */
export interface Grip {
  /** A finger is at that place, for the first time or still. */
  move: (place: number) => void;
  /** The finger is gone; `dropped` if that was none of a person's doing. */
  end: (dropped: boolean) => void;
  zoom: (factor: number, place: number) => void;
  /** Parts of the width by which what is seen is pushed. */
  push: (by: number) => void;
  /** Whether a wheel that is turned back has something to do here; if not it moves the page. */
  wider: () => boolean;
}

const wheelStep = 1.2;

export class Hands {
  readonly #grip: Grip;
  readonly #down = new Map<number, number>();
  #dragging = false;

  constructor(grip: Grip) {
    this.#grip = grip;
  }

  /** An attachment for what hands take hold of. */
  readonly watch = (lane: HTMLElement): (() => void) => {
    const events = new AbortController();
    const { signal } = events;
    lane.addEventListener("wheel", (e) => this.#wheel(lane, e), { passive: false, signal });
    lane.addEventListener("pointerdown", (e) => this.#press(lane, e), { signal });
    lane.addEventListener("pointermove", (e) => this.#move(lane, e), { signal });
    lane.addEventListener("pointerup", (e) => this.#lift(e, false), { signal });
    lane.addEventListener("pointercancel", (e) => this.#lift(e, true), { signal });
    return () => {
      events.abort();
      this.#down.clear();
      this.#drop(true);
    };
  };

  #wheel(lane: HTMLElement, e: WheelEvent): void {
    const sideways = e.shiftKey ? e.deltaY : e.deltaX;
    if (Math.abs(sideways) > (e.shiftKey ? 0 : Math.abs(e.deltaY))) {
      e.preventDefault();
      return this.#grip.push(sideways / lane.clientWidth);
    }
    if (e.deltaY === 0 || (e.deltaY > 0 && !this.#grip.wider())) return;
    e.preventDefault();
    this.#grip.zoom(e.deltaY < 0 ? wheelStep : 1 / wheelStep, placeIn(lane, e.clientX));
  }

  #press(lane: HTMLElement, e: PointerEvent): void {
    if (e.button !== 0) return;
    lane.setPointerCapture(e.pointerId);
    this.#down.set(e.pointerId, e.clientX);
    if (this.#down.size > 1) return this.#drop(true); // two fingers stretch
    this.#dragging = true;
    this.#grip.move(placeIn(lane, e.clientX));
  }

  #move(lane: HTMLElement, e: PointerEvent): void {
    const before = this.#down.get(e.pointerId);
    if (before === undefined) return;
    this.#down.set(e.pointerId, e.clientX);
    if (this.#dragging) return this.#grip.move(placeIn(lane, e.clientX));
    const other = [...this.#down].find(([id]) => id !== e.pointerId)?.[1];
    if (other === undefined) return;
    const apart = (x: number) => Math.max(Math.abs(x - other), 8);
    this.#grip.zoom(apart(e.clientX) / apart(before), placeIn(lane, (e.clientX + other) / 2));
    this.#grip.push((before - e.clientX) / 2 / lane.clientWidth);
  }

  #lift(e: PointerEvent, dropped: boolean): void {
    this.#down.delete(e.pointerId);
    this.#drop(dropped);
  }

  #drop(dropped: boolean): void {
    if (!this.#dragging) return;
    this.#dragging = false;
    this.#grip.end(dropped);
  }
}

function placeIn(lane: HTMLElement, x: number): number {
  const { left, width } = lane.getBoundingClientRect();
  return Math.min(1, Math.max(0, (x - left) / width));
}
