// Finds the event that the address names, and its neighbours.

import type { EventRow } from "../worker/protocol.ts";
import type { Inbox } from "./inbox.svelte.ts";

// Older pages that are fetched for a link to an old event before it is given up:
// some two thousand events.
const pages = 20;

export class Seek {
  readonly #inbox: () => Inbox;
  readonly #event: () => string;
  #fetched = $state(0);

  /** Made while a component is made. */
  constructor(inbox: () => Inbox, event: () => string, up: () => boolean) {
    this.#inbox = inbox;
    this.#event = event;
    $effect(() => {
      const list = inbox();
      const wanted = list.state === "ready" && !this.row && list.more && list.below === "idle" && up();
      if (wanted && this.#fetched < pages) {
        this.#fetched++;
        void list.older();
      }
    });
    // The neighbour below the last card is on the next page.
    $effect(() => {
      const list = inbox();
      if (this.row && !this.older && list.more && !list.paused && list.below === "idle" && up()) void list.older();
    });
  }

  get row(): EventRow | undefined {
    return this.#inbox().find(this.#event());
  }

  /** Everything that may be looked at was, and it is not there. */
  get missing(): boolean {
    const list = this.#inbox();
    return list.state !== "first" && !this.row && (!list.more || this.#fetched >= pages) && list.below !== "loading";
  }

  get newer(): string | null {
    return this.#beside(-1);
  }

  get older(): string | null {
    return this.#beside(1);
  }

  // The nearest shown event on that side that can be opened.
  #beside(side: -1 | 1): string | null {
    const shown = this.#inbox().shown;
    const at = shown.findIndex((r) => r === this.row);
    if (at < 0) return null;
    for (let i = at + side; i >= 0 && i < shown.length; i += side) {
      const event = shown[i]?.event;
      if (event) return event;
    }
    return null;
  }
}
