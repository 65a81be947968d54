// Where somebody is in a day of recordings: which part of it they look at, the time under
// their finger, and what plays.

import { type Day, dayAfter, dayBefore, dayOf } from "../parts/time.ts";
import type { CameraID, Stretch } from "../worker/protocol.ts";
import { Calendar } from "./calendar.ts";
import { moved, showing, step, timeAt, zoomed } from "./view.ts";

const second = 1_000_000;
// Milliseconds after which keys that moved the time have come to rest.
const keysRest = 500;

/** Something that plays: another beginning is another one. */
export interface Playing {
  readonly camera: CameraID;
  readonly from: number;
}

/** A part of what one camera recorded that is being chosen. */
export interface Chosen {
  readonly camera: CameraID;
  readonly from: number;
  /** Null until its end is said. */
  readonly until: number | null;
}

export class Scrub {
  /** The time under the finger, microseconds. */
  at = $state(0);
  dragging = $state(false);
  playing = $state.raw<Playing | null>(null);
  chosen = $state.raw<Chosen | null>(null);
  /** The camera whose lane was taken hold of last. */
  camera = $state<CameraID | null>(null);
  /** Set as soon as somebody looks for something that was. */
  past = $state(false);

  #calendar = $state.raw() as Calendar;
  #view = $state.raw() as Stretch;
  readonly #zone: () => string;
  readonly #now: () => number;
  /** It plays on when keys have come to rest. */
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(zone: () => string, now: () => number = () => Date.now() * 1000) {
    this.#zone = zone;
    this.#now = now;
    this.go(this.today);
  }

  get today(): Day {
    return dayOf(this.#now(), this.#zone());
  }

  get calendar(): Calendar {
    return this.#calendar;
  }

  get view(): Stretch {
    return this.#view;
  }

  /** Whether all of the day is looked at. */
  get isWhole(): boolean {
    const { from, until } = this.#calendar.whole;
    return this.#view.from === from && this.#view.until === until;
  }

  /** Looks at another day: its noon, or now if it is today's. */
  go(day: Day): void {
    const today = this.today;
    this.#calendar = new Calendar(day > today ? today : day, this.#zone());
    const { from, until } = (this.#view = this.#calendar.whole);
    this.at = this.#calendar.day === today ? this.#now() : Math.round((from + until) / 2);
    this.stop();
    this.chosen = null;
  }

  /** The day before or after. */
  turn(by: 1 | -1): void {
    const { day } = this.#calendar;
    if (by < 0) this.go(dayBefore(day));
    else if (day < this.today) this.go(dayAfter(day));
  }

  zoom(factor: number, at = this.at): void {
    this.#view = zoomed(this.#view, factor, at, this.#calendar.whole);
  }

  push(by: number): void {
    this.#view = moved(this.#view, by, this.#calendar.whole);
  }

  whole(): void {
    this.#view = this.#calendar.whole;
  }

  /** A finger is on a camera's lane. */
  drag(camera: CameraID, place: number): void {
    this.camera = camera;
    this.dragging = true;
    this.past = true;
    this.stop();
    this.at = this.#within(timeAt(this.#view, place));
  }

  /** The finger is gone: what was under it plays. */
  release(dropped: boolean): void {
    this.dragging = false;
    if (!dropped) this.play();
  }

  /** Goes to a time of this day; what plays goes on from there. */
  to(at: number): void {
    const plays = this.playing !== null || this.#rest !== undefined;
    this.past = true;
    this.at = this.#within(at);
    this.#view = showing(this.#view, this.at, this.#calendar.whole);
    this.stop();
    if (plays) this.#rest = setTimeout(() => this.play(), keysRest);
  }

  play(): void {
    this.stop();
    this.past = true;
    if (this.camera !== null) this.playing = { camera: this.camera, from: this.at };
  }

  stop(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.playing = null;
  }

  /** The same time at another camera. */
  choose(camera: CameraID): void {
    if (camera === this.camera) return;
    this.camera = camera;
    if (this.playing !== null) this.play();
  }

  /** What plays has come to that time. */
  played(at: number): void {
    const { from, until } = this.#calendar.whole;
    if (this.dragging || this.playing === null) return;
    this.at = Math.min(until - 1, Math.max(from, Math.round(at)));
    this.#view = showing(this.#view, this.at, this.#calendar.whole);
  }

  /** Back to where nothing of the past is shown. */
  live(): void {
    this.stop();
    this.past = false;
    this.go(this.today);
  }

  /** Chooses a part: where it begins, then where it ends. */
  mark(): void {
    if (this.camera === null) return;
    const { chosen } = this;
    if (chosen === null || chosen.until !== null || chosen.camera !== this.camera) this.chosen = { camera: this.camera, from: this.at, until: null };
    else if (this.at !== chosen.from) this.chosen = { camera: chosen.camera, from: Math.min(chosen.from, this.at), until: Math.max(chosen.from, this.at) };
  }

  /** What a key does; false if nothing. */
  key(key: string, cameras: readonly CameraID[], events: readonly number[]): boolean {
    const lane = (by: number) => {
      const next = cameras[(this.camera === null ? -1 : cameras.indexOf(this.camera)) + by];
      if (next !== undefined) this.choose(next);
    };
    const event = (at: number | undefined) => at !== undefined && this.to(at);
    const acts: Record<string, () => void> = {
      ArrowLeft: () => this.to(this.at - 10 * second),
      ArrowRight: () => this.to(this.at + 10 * second),
      ArrowDown: () => this.to(this.at - second),
      ArrowUp: () => this.to(this.at + second),
      PageUp: () => this.turn(-1),
      PageDown: () => this.turn(1),
      "[": () => event(events.findLast((at) => at < this.at - second)),
      "]": () => event(events.find((at) => at > this.at + second)),
      "+": () => this.zoom(step),
      "=": () => this.zoom(step),
      "-": () => this.zoom(1 / step),
      "0": () => this.whole(),
      j: () => lane(1),
      k: () => lane(-1),
    };
    const act = Object.hasOwn(acts, key) ? acts[key] : undefined;
    act?.();
    return act !== undefined;
  }

  /** A time of this day that has been. */
  #within(at: number): number {
    const { from, until } = this.#calendar.whole;
    return Math.max(from, Math.min(at, until - 1, this.#now()));
  }
}
