// The events as the page holds them: all of the home's, and those that somebody has chosen
// to look at, by camera and day; what was looked at, and what is selected.

import { untrack } from "svelte";
import { SvelteMap, SvelteSet } from "svelte/reactivity";

import type { CameraID, EventID, EventRow, EventsPage, Result } from "../worker/protocol.ts";
import { type Sighting, sightings, type Sought } from "../sightings.ts";
import { fold, type Incident } from "./fold.ts";
import { Listed } from "./listed.svelte.ts";

/** Which events: of a camera, of a time in microseconds, or both. */
export interface Choice {
  camera?: CameraID;
  from?: number;
  until?: number;
}

/** What descriptions tell. */
export interface Tells {
  /** Which event a row goes on from; null if from none, or while that is not known. */
  continues(row: EventRow): EventID | null;
  /** What the camera itself saw; null while that is not known. */
  saw(row: EventRow): readonly Sighting[] | null;
  /** Opens the description of a row, if there is one and it can be had. */
  openRow(row: EventRow): Promise<void>;
}

const tellsNothing: Tells = { continues: () => null, saw: () => null, openRow: async () => undefined };

type Fetch = (before?: string, choice?: Choice) => Promise<Result<EventsPage>>;
type Mark = (events: EventID[], through?: EventID) => Promise<Result<object>>;

/** How many events a server marks at once. */
const mostMarks = 500;

/**
 * How many pages in a row in which nothing is found of what is sought are fetched unasked:
 * the server does not know what is in a description, so each of its events is one to open.
 */
const mostInVain = 5;

export class Inbox {
  readonly #fetch: Fetch;
  readonly #mark: Mark;
  readonly #whole: Listed;
  /** What is chosen, and the list of it; null for all. */
  #chosen = $state.raw<{ choice: Choice; list: Listed } | null>(null);
  // Marked on this page, whether the list says so yet or not.
  readonly #marked = new SvelteSet<string>();
  // Marked while only those not looked at are shown: they do not vanish under a finger.
  readonly #stays = new SvelteSet<string>();
  // Which event others go on from, as far as it may be seen: a card goes when that is known.
  readonly #continues = new SvelteMap<string, EventID>();
  readonly #tells: Tells;
  #only = $state(false);
  /** What is sought among the events that are chosen, by what the camera saw; null for all. */
  #sought = $state<Sought | null>(null);
  #sifting = $state(0);
  #inVain = $state(0);
  /** The cards that are selected, by their keys. */
  readonly selected = new SvelteSet<string>();

  /** Whether new cards may be put in above the others now. Nothing moves under a finger. */
  mayMove: () => boolean = () => true;

  constructor(ask: Fetch, mark: Mark, tells: Tells = tellsNothing) {
    this.#tells = tells;
    this.#fetch = ask;
    this.#mark = mark;
    this.#whole = new Listed((...before) => ask(...before), () => this.mayMove());
  }

  /** What is chosen. */
  get choice(): Choice {
    return this.#chosen?.choice ?? {};
  }

  /** Shows what a camera and a time have. */
  choose(choice: Choice): Promise<void> {
    const { camera, from, until } = this.choice;
    if (choice.camera === camera && choice.from === from && choice.until === until) return Promise.resolve();
    this.selected.clear();
    this.#inVain = 0;
    if (choice.camera === undefined && choice.from === undefined && choice.until === undefined) {
      this.#chosen = null;
      return this.#sift();
    }
    // The server leaves out what is of another time, by the list's own times.
    const list = new Listed((before) => this.#fetch(before, choice), () => this.mayMove(), (row) => isOf(row, choice));
    this.#chosen = { choice, list };
    return list.refresh().then(() => this.#sift());
  }

  get sought(): Sought | null {
    return this.#sought;
  }

  /** Shows, of what is chosen, only events in which the camera saw that. */
  seek(sought: Sought | null): Promise<void> {
    if (sought === this.#sought) return Promise.resolve();
    this.selected.clear();
    this.#sought = sought;
    this.#inVain = 0;
    return this.#sift();
  }

  /** Opens the descriptions of all that is here: what is sought is in them. */
  async #sift(): Promise<void> {
    if (this.#sought === null) return;
    this.#sifting++;
    await Promise.all(this.#list.all.map((row) => this.#tells.openRow(row)));
    this.#sifting--;
  }

  /** Whether so much was looked through in vain that going on is left to the person. */
  get paused(): boolean {
    return this.#sought !== null && this.#inVain >= mostInVain;
  }

  /** Up to when, in microseconds, what is chosen was fetched; null if nothing tells. */
  get reached(): number | null {
    return this.#list.all.findLast((row) => row.time !== null)?.time ?? null;
  }

  /** Looks through older events although nothing was found for long. */
  further(): Promise<void> {
    this.#inVain = 0;
    return this.older();
  }

  /** Everything that cameras saw in the events that are here, as far as it is known. */
  readonly seen = $derived.by(() => sightings.filter((s) => this.#known().some((row) => this.#tells.saw(row)?.includes(s))));

  #passes({ row, more }: Incident): boolean {
    if (this.#sought === null) return true;
    const seen = [row, ...more].map((r) => this.#tells.saw(r));
    return this.#sought === "motion" ? seen.every((s) => s?.length === 0) : seen.some((s) => s?.includes(this.#sought as Sighting));
  }

  get #list(): Listed {
    return this.#chosen?.list ?? this.#whole;
  }

  // Until the list has come that was chosen, what is here of it stands in for it.
  readonly #rows = $derived.by(() => {
    const list = this.#list;
    if (this.#chosen === null || list.state === "ready") return list.shown;
    const { choice } = this.#chosen;
    return this.#whole.shown.filter((r) => isOf(r, choice) && isWithin(r, choice));
  });

  get state(): Listed["state"] {
    return this.#rows.length > 0 ? "ready" : this.#list.state;
  }

  get below(): Listed["below"] {
    return this.#sifting > 0 ? "loading" : this.#list.below;
  }

  get more(): boolean {
    return this.#list.state === "ready" ? this.#list.more : this.#list.state === "first";
  }

  /** Whether it is what an agent has at home, and goes on at a server that cannot be reached. */
  get porch(): boolean {
    return this.#list.porch;
  }

  get fresh(): number {
    return this.#list.fresh;
  }

  /** Everything that is known of the home, whether it is shown yet or not. */
  get all(): readonly EventRow[] {
    return this.#whole.all;
  }

  readonly #listed = $derived.by(() => this.#rows.filter((r) => !this.#only || this.#stays.has(r.key) || !this.isReviewed(r)));

  /** What is shown, with what goes on from another event in that one's place. */
  readonly incidents = $derived.by(() => this.#fold(this.#listed).filter((i) => this.#passes(i)));

  readonly shown = $derived.by(() => (this.#sought === null ? this.#listed : this.incidents.flatMap(({ row, more }) => [row, ...more])));

  readonly #incidentOf = $derived.by(() => new Map(this.#fold(this.#known()).flatMap((incident) => [incident.row, ...incident.more].map((r) => [r.key, incident]))));

  /** How many of those that are here, and chosen, this person has not looked at. */
  readonly unreviewed = $derived.by(() => {
    const rows = this.#chosen === null ? this.#whole.all : this.#list.state === "ready" ? this.#list.all : this.#rows;
    return this.#fold(rows).filter((i) => this.#passes(i) && ![i.row, ...i.more].every((r) => this.isReviewed(r))).length;
  });

  #fold(rows: readonly EventRow[]): Incident[] {
    return fold(rows, (row) => this.#continues.get(row.key) ?? null);
  }

  /** All events of the incident that an event belongs to, the first one first. */
  partsOf(key: string): EventRow[] {
    const incident = this.#incidentOf.get(key);
    return incident === undefined ? [] : [incident.row, ...incident.more];
  }

  /** Whether events are shown only if they were not looked at. */
  get only(): boolean {
    return this.#only;
  }

  set only(only: boolean) {
    this.#stays.clear();
    this.#only = only;
  }

  /** Whether this person has looked at an event. One of which nothing verified is nothing to look at. */
  isReviewed(row: EventRow): boolean {
    return row.event === null || row.reviewed || this.#marked.has(row.key);
  }

  /** Marks some events as looked at. */
  async review(keys: Iterable<string>): Promise<void> {
    const wanted = new Set(keys);
    await this.#review(this.#known().filter((r) => wanted.has(r.key)));
  }

  /** Marks them with all that they are one with. */
  reviewIncidents(keys: Iterable<string>): Promise<void> {
    return this.review([...keys].flatMap((key) => [key, ...this.partsOf(key).map((r) => r.key)]));
  }

  /** Marks all that are listed; if nothing is chosen, those that were not fetched yet as well. */
  async reviewAll(): Promise<void> {
    if (this.#sought !== null) return this.#review(this.shown);
    const rows = this.#rows;
    const newest = rows.find((r) => r.event !== null)?.event;
    await this.#review(rows, this.#chosen === null && newest ? newest : undefined);
  }

  async #review(rows: readonly EventRow[], through?: EventID): Promise<void> {
    const fresh = rows.filter((r) => !this.isReviewed(r));
    if (fresh.length === 0 && through === undefined) return;
    for (const { key } of fresh) {
      if (this.#only) this.#stays.add(key);
      this.#marked.add(key);
    }
    const done = through === undefined ? await this.#markEach(fresh.map((r) => r.event!)) : await this.#mark([], through);
    if (!done.ok) for (const { key } of fresh) this.#marked.delete(key);
  }

  async #markEach(events: readonly EventID[]): Promise<Result<object>> {
    const done = await this.#mark(events.slice(0, mostMarks));
    return done.ok && events.length > mostMarks ? this.#markEach(events.slice(mostMarks)) : done;
  }

  /** Selects a card, or not any more. */
  select(key: string): void {
    if (!this.selected.delete(key)) this.selected.add(key);
  }

  /** How many objects the list itself showed to be not what they should be. */
  readonly refused = $derived.by(() => this.#known().reduce((n, row) => n + row.objects.filter((o) => o.state === "refused").length, 0));

  find(event: string): EventRow | undefined {
    return this.#known().find((r) => r.key === event || r.event === event);
  }

  /** Rows of what is chosen, and then all others. */
  #known(): EventRow[] {
    if (this.#chosen === null) return [...this.#whole.all];
    const keys = new Set(this.#list.all.map((r) => r.key));
    return [...this.#list.all, ...this.#whole.all.filter((r) => !keys.has(r.key))];
  }

  /** Leaves out an event that was deleted. */
  forget(key: string): void {
    for (const list of this.#lists()) list.forget(key);
  }

  /** Shows what waits. */
  release(): void {
    this.#list.release();
  }

  /** Puts together what belongs together, and shows what waits, if nothing is moved under anybody's finger by it. */
  settle(): void {
    if (!this.mayMove()) return;
    for (const row of this.#known()) {
      const before = this.#continues.has(row.key) ? null : this.#tells.continues(row);
      if (before !== null) this.#continues.set(row.key, before);
    }
    for (const list of this.#lists()) list.settle();
  }

  /** Fetches the newest events. */
  async refresh(): Promise<void> {
    await Promise.all(this.#lists().map((list) => list.refresh()));
    await this.#sift();
    const known = new Set(this.#known().map((r) => r.key));
    for (const key of [...this.selected]) if (!known.has(key)) this.selected.delete(key);
  }

  /** Fetches the next older page. */
  older(): Promise<void> {
    return this.#sought === null ? this.#list.older() : untrack(() => this.#olderSought());
  }

  // One page after the other: what was found in it is known before the next one is fetched.
  async #olderSought(): Promise<void> {
    if (this.#sifting > 0 || this.#list.state !== "ready") return;
    this.#sifting++;
    const [found, known] = [this.incidents.length, this.#list.all.length];
    await this.#list.older();
    await this.#sift();
    if (this.incidents.length > found) this.#inVain = 0;
    else if (this.#list.all.length > known) this.#inVain++;
    this.#sifting--;
  }

  #lists(): Listed[] {
    return this.#chosen === null ? [this.#whole] : [this.#list, this.#whole];
  }
}

/** Whether a row is of the camera that was chosen. One of which nothing verified is of none. */
function isOf(row: EventRow, { camera }: Choice): boolean {
  return camera === undefined || row.camera === camera;
}

function isWithin({ time }: EventRow, { from = 0, until = Infinity }: Choice): boolean {
  return time !== null && time >= from && time < until;
}
