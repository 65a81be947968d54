// How often a camera would have fired with what is being drawn and chosen: asked for
// when the hand rests, and said only of what stands there now.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";
import { length } from "../parts/length.ts";
import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { MotionSettings } from "../worker/protocol.ts";
import type { Camera } from "./standing.ts";

const rest = 700;
const day = 24 * 3600e6;

export class WouldFire {
  says = $state("");
  #asked = 0;

  /** Made while a component is made. */
  constructor(what: () => { house: House; camera: Camera; motion: MotionSettings }) {
    // As text: a drawing made anew with the same points is no other drawing.
    const wanted = $derived(JSON.stringify(what().motion));
    $effect(() => {
      const motion = JSON.parse(wanted) as MotionSettings;
      const { house, camera } = untrack(what);
      this.says = words.camera.wouldFireAsking;
      const timer = setTimeout(() => void this.#ask(house, camera, motion), rest);
      return () => {
        this.#asked++;
        clearTimeout(timer);
      };
    });
  }

  async #ask(house: House, camera: Camera, motion: MotionSettings): Promise<void> {
    const asked = ++this.#asked;
    const answer = house.heard(await house.keeper.wouldFire(camera.agent, camera.id, motion));
    if (asked !== this.#asked) return;
    this.says = answer.ok ? firedSays(answer.times, answer.since, Date.now() * 1000) : words.camera.wouldFireFailed(troubleSays(answer));
  }
}

/** The sentence; of less than a day it says how long the agent has watched. */
export function firedSays(times: number, since: number, now: number): string {
  const w = words.camera;
  const watched = now - since;
  if (since <= 0 || watched < 60e6) return w.wouldFireNone;
  return w.wouldFire(times, watched > day - 900e6 ? w.lastDay : length(Math.floor(watched / 60e6) * 60e6));
}
