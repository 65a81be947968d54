// The pictures under the finger: for a time, the nearest still of each camera that the
// worker has at hand, and nearer ones as they come.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";
import type { CameraID, Glance } from "../worker/protocol.ts";

// Milliseconds without a move, after which the picture of just that time is wanted.
const restsAfter = 150;
/** Microseconds between two stills of a filmstrip. */
export const finest = 10_000_000;
// How far off a still may be, by how far apart those are that are asked for: coarse ones
// are better than none while a finger moves, and each says its own time.
const farthest = 3600 * 1_000_000;

export class Glances {
  /** What there is of each camera for the time that was asked for last. */
  #of = $state.raw<ReadonlyMap<CameraID, Glance>>(new Map());

  readonly #house: House;
  readonly #cameras: () => readonly CameraID[];
  #wanted: { at: number; step: number } | null = null;
  #asking = false;
  #again = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  /** Made while a component is made. */
  constructor(house: House, cameras: () => readonly CameraID[]) {
    this.#house = house;
    this.#cameras = cameras;
    $effect(() => {
      const stop = house.keeper.changes((change) => change.changed === "stills" && void this.#look());
      return () => {
        stop();
        clearTimeout(this.#rest);
        this.#wanted = null;
      };
    });
    const key = $derived(cameras().join(" "));
    $effect(() => {
      void key;
      untrack(() => void this.#look());
    });
  }

  /** The picture of a camera for that time, if there is one: until the answer comes, what was asked for before may be of another day. */
  near(camera: CameraID, at: number): Glance | undefined {
    const still = this.#of.get(camera);
    return still !== undefined && Math.abs(still.time - at) <= farthest ? still : undefined;
  }

  /** Wants the pictures of that time; `step` is how near is near enough while it moves. */
  look(at: number, step: number): void {
    this.#wanted = { at, step };
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#wanted = { at, step: finest };
      void this.#look();
    }, restsAfter);
    void this.#look();
  }

  /** One question at a time; of those that come meanwhile the newest. */
  async #look(): Promise<void> {
    this.#again = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    do {
      this.#again = false;
      if (this.#wanted !== null) await this.#ask(this.#wanted);
    } while (this.#again);
    this.#asking = false;
  }

  async #ask({ at, step }: { at: number; step: number }): Promise<void> {
    const cameras = [...this.#cameras()];
    if (cameras.length === 0) return;
    const answer = await this.#house.keeper.glance(cameras, at, step);
    if (!answer.ok) return void this.#house.heard(answer);
    if (answer.why !== null) this.#house.heard({ ok: false, ...answer.why });
    // Whatever the worker says: a lane shows its own camera.
    this.#of = new Map(answer.glances.filter((g) => cameras.includes(g.camera)).map((g) => [g.camera, g]));
  }
}
