// The time as state: what reads it is drawn again when it has moved on. A clock runs
// only while something reads it.

import { createSubscriber } from "svelte/reactivity";

class Clock {
  readonly #tick: () => void;

  constructor(every: number) {
    this.#tick = createSubscriber((update) => {
      const timer = setInterval(update, every);
      return () => clearInterval(timer);
    });
  }

  /** Milliseconds since 1970, as new as the clock's beat. */
  get now(): number {
    this.#tick();
    return Date.now();
  }
}

/** For countdowns. */
export const seconds = new Clock(1000);

/** For "today" and "recording…". */
export const slowly = new Clock(15_000);
