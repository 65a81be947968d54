// An opened thing for as long as a component wants it: asked for when wanted, let go
// when not, and never shown for another name than its own.

import { untrack } from "svelte";

import type { NameText } from "../worker/protocol.ts";
import type { Media, Opening } from "./openings.svelte.ts";

export class Showing<T extends object = Media> {
  #opening = $state.raw<{ name: NameText; came: Opening<T> } | null>(null);
  readonly #wanted: () => NameText | null;

  /** Made while a component is made. `wanted` is what to open now; `up` whether the server answers. */
  constructor(wanted: () => NameText | null, open: (name: NameText) => Promise<Opening<T>>, up: () => boolean) {
    // Rows are made anew with each list; the name in them is the same, and only another
    // name is another picture.
    const name = $derived(wanted());
    this.#wanted = () => name;
    const ask = (name: NameText): (() => void) => {
      let mine = true;
      void untrack(() => open(name)).then((came) => mine && (this.#opening = { name, came }));
      return () => (mine = false);
    };
    $effect(() => {
      if (name === null) return undefined;
      const forget = ask(name);
      return () => {
        forget();
        this.#opening = null;
      };
    });
    // What could not be fetched is asked for again when the server answers again.
    $effect(() => {
      return name !== null && up() && this.is === "unreachable" ? ask(name) : undefined;
    });
  }

  /** What came for the name that is wanted now; null while it is being opened. */
  get now(): Opening<T> | null {
    return this.#opening !== null && this.#opening.name === this.#wanted() ? this.#opening.came : null;
  }

  get is(): Opening<object>["is"] | "loading" {
    return this.now?.is ?? "loading";
  }
}
