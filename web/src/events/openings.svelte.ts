// Opening what the rows name. A refusal is remembered, so that a thing is asked for,
// refused and reported once; a picture is not: it lives as long as its card.

import { SvelteMap } from "svelte/reactivity";

import type { Keeps } from "../keeper.ts";
import type { Sighting } from "../sightings.ts";
import { openable } from "./card.ts";
import { feeds } from "./feed.ts";
import type { Tells } from "./inbox.svelte.ts";
import type { Description, EventID, EventRow, NameText, Opened, Reported, Timings, Track, Trouble, Word } from "../worker/protocol.ts";

/** An opened picture or clip, and when the stages of opening it were passed. */
export interface Media {
  blob: Blob;
  timings: Timings;
}

/** A clip that can be shown: all of it, or what its parts are. */
export type Watched = { blob: Blob } | { track: Track };

export interface Refusal {
  word: Word;
  reported: Reported;
}

/** What opening came to. `unreachable` is worth another try when the server answers again; `failed` is not. */
export type Opening<T> = ({ is: "opened" } & T) | ({ is: "refused" } & Refusal) | { is: "unreachable" } | { is: "failed" };

export class Openings implements Tells {
  /** What was refused since the page was opened. */
  readonly refused = new SvelteMap<NameText, Refusal>();
  readonly #descriptions = new SvelteMap<NameText, Description>();
  readonly #asked = new Set<NameText>();
  readonly #keeper: Keeps;
  readonly #heard: (trouble: Trouble | null) => void;

  /** `heard` is told of every answer: null, or what was wrong with it. */
  constructor(keeper: Keeps, heard: (trouble: Trouble | null) => void) {
    this.#keeper = keeper;
    this.#heard = heard;
  }

  thumbnail(name: NameText): Promise<Opening<Media>> {
    return this.#open(name, () => this.#keeper.thumbnail(name));
  }

  clip(name: NameText): Promise<Opening<Media>> {
    return this.#open(name, () => this.#keeper.clip(name));
  }

  /** A clip as one file that any player takes. */
  file(name: NameText): Promise<Opening<Media>> {
    return this.#open(name, () => this.#keeper.clipFile(name));
  }

  /** A clip to look at: as its parts come where that can be, or whole. `description` is that of its event. */
  async watch(name: NameText, description: NameText | null): Promise<Opening<Watched>> {
    if (description !== null) {
      const begun = await this.#open(name, () => this.#keeper.beginClip(name, description));
      if (begun.is !== "opened") return begun;
      const { track } = begun;
      if (track !== null && feeds(track.type)) return { is: "opened", track };
    }
    return this.clip(name);
  }

  /** A part of a clip that is looked at. */
  part(name: NameText, n: number): Promise<Opening<{ bytes: Uint8Array<ArrayBuffer> }>> {
    return this.#open(name, () => this.#keeper.clipPart(name, n));
  }

  /** The description of that name if it is open already; asks for it otherwise. */
  description(name: NameText): Description | null {
    return this.#descriptions.get(name) ?? null;
  }

  #of(row: EventRow): Description | null {
    const name = openable(row, "description")?.name;
    return name === undefined ? null : this.description(name);
  }

  continues(row: EventRow): EventID | null {
    return this.#of(row)?.continues ?? null;
  }

  saw(row: EventRow): readonly Sighting[] | null {
    return this.#of(row)?.saw ?? null;
  }

  async openRow(row: EventRow): Promise<void> {
    const name = openable(row, "description")?.name;
    if (name !== undefined) await this.describe(name);
  }

  /** Opens a description, once. What could not be had is asked for by the next card. */
  async describe(name: NameText): Promise<void> {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    const opening = await this.#open(name, () => this.#keeper.description(name));
    if (opening.is === "opened") this.#descriptions.set(name, opening.description);
    if (opening.is === "unreachable" || opening.is === "failed") this.#asked.delete(name); // it may have been held
  }

  async #open<T>(name: NameText, ask: () => Promise<Opened<T>>): Promise<Opening<T & { timings: Timings }>> {
    const before = this.refused.get(name);
    if (before) return { is: "refused", ...before };
    const opened = await ask();
    if (opened.state === "trouble") {
      this.#heard(opened);
      return { is: opened.trouble === "offline" || opened.trouble === "busy" ? "unreachable" : "failed" };
    }
    this.#heard(null);
    if (opened.state === "opened") return { ...opened, is: "opened" };
    const refusal = { word: opened.word, reported: opened.reported };
    this.refused.set(name, refusal);
    return { is: "refused", ...refusal };
  }
}
