// Filmstrips that were fetched, so that pictures follow a finger at once: a still of the
// whole day for each camera, finer ones around where somebody looks. They are asked for
// in tiles of a few lengths, newest question first, and kept in bounded memory. A still
// is kept under its camera and is only ever found for a time near its own.

import { Failed } from "../api.ts";
import type { Stretch, Strip } from "../letter/footage.ts";
import type { CameraID } from "../seal/name.ts";
import type { Glance, Trouble } from "./protocol.ts";

const second = 1_000_000;

/** The steps between two stills, coarse to fine, in microseconds: an agent makes one every ten seconds. */
export const steps = [3600, 600, 60, 10].map((s) => s * second);
/** Stills of a tile: about as many as one reply carries. */
export const perTile = 24;

const together = 2; // a viewer who plays at the same time asks, too
const mostWaiting = 96;
const mostReplies = 8; // for one tile
const failedFor = 5 * second;
// A still is on the agent's disk after some seconds.
const settled = 20 * second;
/** How much is kept. */
export const mostBytes = 64 << 20;
export const mostTiles = 2048;

interface Place {
  readonly camera: CameraID;
  readonly step: number;
  readonly index: number;
}

interface Tile {
  readonly camera: CameraID;
  readonly stills: readonly Glance[];
  readonly bytes: number;
  /** When it may be asked for again, Infinity if it is whole. */
  readonly again: number;
}

/** Asks an agent for the stills of a stretch, compared with what was asked. */
export type AskStills = (camera: CameraID, stretch: Stretch, most: number) => Promise<Strip>;

export class Strips {
  readonly #ask: AskStills;
  readonly #more: () => void;
  readonly #now: () => number;
  /** Tiles by their place, those looked at last at the end. */
  readonly #tiles = new Map<string, Tile>();
  readonly #waiting = new Map<string, Place>();
  readonly #asking = new Set<string>();
  #bytes = 0;
  #trouble: Trouble | null = null;
  /** Nothing is fetched: what is wanted waits. */
  #resting = false;
  /** Which answers still count: of what was asked before a deletion none does. */
  #turn = 0;

  /** `more`: there are stills that there were not. `now` in microseconds of UTC. */
  constructor(ask: AskStills, more: () => void, now: () => number = () => Date.now() * 1000) {
    this.#ask = ask;
    this.#more = more;
    this.#now = now;
  }

  /** How much is kept, in bytes of JPEG. */
  get bytes(): number {
    return this.#bytes;
  }

  get tiles(): number {
    return this.#tiles.size;
  }

  /** The nearest still that is there of each camera, at once, and what the last fetch failed of; what would be nearer is fetched, with steps of that. */
  glance(cameras: readonly CameraID[], at: number, step: number): { glances: Glance[]; why: Trouble | null } {
    const fine = fitting(step);
    for (const camera of [...cameras].reverse()) this.#want({ camera, step: fine, index: Math.floor(at / (fine * perTile)) });
    this.#pump();
    const why = this.#trouble;
    this.#trouble = null;
    return { glances: cameras.flatMap((camera) => this.#nearest(camera, at) ?? []), why };
  }

  /** Fetches some stills of a stretch before anybody asks. */
  ahead(cameras: readonly CameraID[], { from, until }: Stretch): void {
    const step = steps.findLast((s) => (until - from) / s <= 2 * perTile) ?? steps[0]!;
    const last = Math.floor((Math.min(until, this.#now()) - 1) / (step * perTile));
    for (let index = Math.floor(from / (step * perTile)); index <= last; index++) {
      for (const camera of [...cameras].reverse()) this.#want({ camera, step, index });
    }
    this.#pump();
  }

  /** Fetches nothing until it is told to go on: the server has a lot to do. */
  rest(resting: boolean): void {
    this.#resting = resting;
    this.#pump();
  }

  /** Lets go of what there is of a camera, or of all. */
  forget(camera?: CameraID): void {
    this.#turn++;
    this.#waiting.clear();
    for (const [key, tile] of this.#tiles) if (camera === undefined || tile.camera === camera) this.#drop(key, tile);
  }

  #nearest(camera: CameraID, at: number): Glance | null {
    let best: Glance | null = null;
    for (const step of steps) {
      const key = keyOf({ camera, step, index: Math.floor(at / (step * perTile)) });
      const tile = this.#tiles.get(key);
      if (tile === undefined) continue;
      this.#tiles.delete(key);
      this.#tiles.set(key, tile);
      for (const still of tile.stills) {
        const apart = Math.abs(still.time - at);
        if (apart <= step && (best === null || apart < Math.abs(best.time - at))) best = still;
      }
    }
    return best;
  }

  /** Puts a tile before all that wait, unless it is there, or is nothing of the past. */
  #want(place: Place): void {
    const key = keyOf(place);
    const now = this.#now();
    const tile = this.#tiles.get(key);
    if (place.index * place.step * perTile >= now || this.#asking.has(key) || (tile !== undefined && now < tile.again)) return;
    this.#waiting.delete(key);
    this.#waiting.set(key, place);
    for (const old of this.#waiting.keys()) if (this.#waiting.size > mostWaiting) this.#waiting.delete(old);
  }

  #pump(): void {
    while (!this.#resting && this.#asking.size < together && this.#waiting.size > 0) {
      const [key, place] = [...this.#waiting].at(-1)!;
      this.#waiting.delete(key);
      this.#asking.add(key);
      void this.#fetch(key, place).finally(() => {
        this.#asking.delete(key);
        this.#pump();
      });
    }
  }

  async #fetch(key: string, { camera, step, index }: Place): Promise<void> {
    const [from, end] = [index * step * perTile, (index + 1) * step * perTile];
    const [asked, turn] = [this.#now(), this.#turn];
    const stills: Glance[] = [];
    let at = from;
    try {
      for (let replies = 0; at < end && replies < mostReplies; replies++) {
        const strip = await this.#ask(camera, { from: at, until: end }, Math.ceil((end - at) / step));
        stills.push(...strip.stills.map(({ time, blob }) => ({ camera, time, blob })));
        at = strip.until;
      }
    } catch (e) {
      if (!(e instanceof Failed)) throw e;
      this.#trouble = e.trouble;
      if (turn === this.#turn) this.#keep(key, { camera, stills, bytes: sizeOf(stills), again: asked + failedFor });
      return this.#more();
    }
    if (turn !== this.#turn) return;
    const whole = end + settled <= asked;
    this.#keep(key, { camera, stills, bytes: sizeOf(stills), again: whole ? Number.POSITIVE_INFINITY : asked + Math.min(step, settled) });
    this.#more();
  }

  #keep(key: string, tile: Tile): void {
    const before = this.#tiles.get(key);
    if (before !== undefined) this.#drop(key, before);
    this.#tiles.set(key, tile);
    this.#bytes += tile.bytes;
    for (const [old, gone] of this.#tiles) {
      if (this.#bytes <= mostBytes && this.#tiles.size <= mostTiles) return;
      this.#drop(old, gone);
    }
  }

  #drop(key: string, tile: Tile): void {
    this.#tiles.delete(key);
    this.#bytes -= tile.bytes;
  }
}

/** The coarsest of the steps that is no coarser than that, or the finest. */
function fitting(step: number): number {
  return steps.find((s) => s <= step) ?? steps.at(-1)!;
}

function keyOf({ camera, step, index }: Place): string {
  return `${camera} ${step} ${index}`;
}

function sizeOf(stills: readonly Glance[]): number {
  return stills.reduce((sum, { blob }) => sum + blob.size, 0);
}
