// Whether anybody is pointing at the cards: then none may move.

const calm = 1500;

/** Watches a place for fingers and pointers. */
export class Still {
  #pressed = false;
  #last = Number.NEGATIVE_INFINITY;

  /** An attachment for the element that holds the cards. */
  readonly watch = (element: HTMLElement): (() => void) => {
    const moved = () => (this.#last = Date.now());
    const down = () => (this.#pressed = true);
    const up = () => {
      this.#pressed = false;
      moved();
    };
    element.addEventListener("pointermove", moved, { passive: true });
    element.addEventListener("pointerdown", down, { passive: true });
    addEventListener("pointerup", up, { passive: true });
    addEventListener("pointercancel", up, { passive: true });
    return () => {
      element.removeEventListener("pointermove", moved);
      element.removeEventListener("pointerdown", down);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
    };
  };

  /** Nobody has pointed for a moment, and the page is at its top. */
  get is(): boolean {
    return !this.#pressed && Date.now() - this.#last > calm && scrollY < 48;
  }
}
