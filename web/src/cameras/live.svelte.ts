// The picture of a camera while somebody draws on it: asked for again and again as
// long as the page is looked at.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";
import { troubleSays } from "../parts/trouble.ts";
import type { Camera } from "./standing.ts";

const seldom = 15_000; // milliseconds

export class Live {
  blob = $state.raw<Blob | null>(null);
  /** When the picture was taken (microseconds), 0 before there is one. */
  time = $state(0);
  /** Width by height. */
  ratio = $state(16 / 9);
  trouble = $state("");

  readonly #what: () => { house: House; camera: Camera };
  #asking = false;
  #ended = false;

  /** Made while a component is made. A camera that is off is not asked. */
  constructor(what: () => { house: House; camera: Camera; off: boolean }, every = seldom) {
    this.#what = what;
    // Another list of cameras is not another camera.
    const of = $derived(what().off ? "" : what().camera.id);
    $effect(() => {
      if (of === "") return undefined;
      untrack(() => void this.ask());
      const timer = setInterval(() => document.visibilityState === "visible" && void this.ask(), every);
      return () => clearInterval(timer);
    });
    $effect(() => () => (this.#ended = true));
  }

  /** Asks for a newer picture. */
  async ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { house, camera } = this.#what();
    const answer = house.heard(await house.keeper.still(camera.agent, camera.id));
    this.#asking = false;
    if (this.#ended) return;
    this.trouble = answer.ok ? "" : troubleSays(answer);
    if (!answer.ok) return;
    this.blob = answer.blob;
    this.time = answer.time;
    if (answer.width > 0 && answer.height > 0) this.ratio = answer.width / answer.height;
  }
}
