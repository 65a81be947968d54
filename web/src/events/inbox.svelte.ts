// The events as the page holds them: what is shown, what waits to be shown, and what
// can still be fetched below.

import { SvelteSet } from "svelte/reactivity";

import type { EventID, EventRow, EventsPage, Result } from "../worker/protocol.ts";
import { mergeNewest, mergeOlder, ofCamera, withLastingKeys } from "./list.ts";

type Fetch = (before?: string) => Promise<Result<EventsPage>>;
type Mark = (events: EventID[], through?: EventID) => Promise<Result<object>>;

// How many pages are fetched to reach the list again after a long sleep before the old
// list is given up.
const reach = 5;

export class Inbox {
  /** The camera whose events are shown; "" for all. */
  camera = $state("");
  /** `first` until something was loaded; `failed` if that did not work. */
  state = $state<"first" | "ready" | "failed">("first");
  /** Whether older events are being fetched, or could not be. */
  below = $state<"idle" | "loading" | "failed">("idle");

  #all = $state.raw<EventRow[]>([]);
  #next = $state("");
  readonly #held = new SvelteSet<string>();
  // Marked on this page, whether the list says so yet or not.
  readonly #marked = new SvelteSet<string>();
  // Marked while only those not looked at are shown: they do not vanish under a finger.
  readonly #stays = new SvelteSet<string>();
  #only = $state(false);
  readonly #mark: Mark;
  /** The cards that are selected, by their keys. */
  readonly selected = new SvelteSet<string>();
  readonly #fetch: Fetch;
  #refreshing: Promise<void> | null = null;
  #again = false;

  /** Whether new cards may be put in above the others now. Nothing moves under a finger. */
  mayMove: () => boolean = () => true;

  constructor(ask: Fetch, mark: Mark) {
    this.#mark = mark;
    this.#fetch = async (before) => {
      const page = await ask(before);
      return page.ok ? { ...page, events: withLastingKeys(page.events) } : page;
    };
  }

  /** Everything that is known, whether it is shown yet or not. */
  get all(): readonly EventRow[] {
    return this.#all;
  }

  readonly shown = $derived.by(() => ofCamera(this.#all, this.camera).filter((r) => !this.#held.has(r.key) && (!this.#only || this.#stays.has(r.key) || !this.isReviewed(r))));

  /** How many events of those that are here this person has not looked at. */
  readonly unreviewed = $derived.by(() => ofCamera(this.#all, this.camera).filter((r) => !this.isReviewed(r)).length);

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
    await this.#review(this.#all.filter((r) => wanted.has(r.key)));
  }

  /** Marks all that are listed; with all cameras, those that were not fetched yet as well. */
  async reviewAll(): Promise<void> {
    const rows = ofCamera(this.#all, this.camera).filter((r) => !this.#held.has(r.key));
    const newest = rows.find((r) => r.event !== null)?.event;
    await this.#review(rows, this.camera === "" && newest ? newest : undefined);
  }

  async #review(rows: readonly EventRow[], through?: EventID): Promise<void> {
    const fresh = rows.filter((r) => !this.isReviewed(r));
    if (fresh.length === 0 && through === undefined) return;
    for (const { key } of fresh) {
      if (this.#only) this.#stays.add(key);
      this.#marked.add(key);
    }
    const done = await this.#mark(through === undefined ? fresh.map((r) => r.event!) : [], through);
    if (!done.ok) for (const { key } of fresh) this.#marked.delete(key);
  }

  /** Selects a card, or not any more. */
  select(key: string): void {
    if (!this.selected.delete(key)) this.selected.add(key);
  }

  /** How many new events wait above. */
  readonly fresh = $derived.by(() => ofCamera(this.#all, this.camera).filter((r) => this.#held.has(r.key)).length);

  /** How many objects the list itself showed to be not what they should be. */
  readonly refused = $derived.by(() => this.#all.reduce((n, row) => n + row.objects.filter((o) => o.state === "refused").length, 0));

  get more(): boolean {
    return this.#next !== "";
  }

  find(event: string): EventRow | undefined {
    return this.#all.find((r) => r.key === event || r.event === event);
  }

  /** Leaves out an event that was deleted. */
  forget(key: string): void {
    this.#all = this.#all.filter((r) => r.key !== key);
    this.#held.delete(key);
  }

  /** Shows what waits. */
  release(): void {
    this.#held.clear();
  }

  /** Shows what waits if nothing is moved under anybody's finger by it. */
  settle(): void {
    if (this.#held.size > 0 && this.mayMove()) this.#held.clear();
  }

  /** Fetches the newest events. Calls while one is under way become one more. */
  refresh(): Promise<void> {
    this.#again = this.#refreshing !== null;
    this.#refreshing ??= this.#refreshAll().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #refreshAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#refreshOnce();
    } while (this.#again);
  }

  async #refreshOnce(): Promise<void> {
    let page = await this.#fetch();
    const rows: EventRow[] = [];
    for (let pages = 1; page.ok; pages++) {
      rows.push(...page.events);
      const merged = mergeNewest(this.#all, rows, page.next !== "");
      if (merged.joined || pages === reach) return this.#take(merged.rows, merged.added, merged.joined ? null : page.next, page.next);
      page = await this.#fetch(page.next);
    }
    if (this.state === "first") this.state = "failed";
  }

  #take(rows: EventRow[], added: string[], restart: string | null, next: string): void {
    const first = this.state !== "ready";
    if (!first && restart === null && !this.mayMove()) for (const key of added) this.#held.add(key);
    if (restart !== null) this.#held.clear();
    const known = new Set(rows.map((r) => r.key));
    for (const key of [...this.selected]) if (!known.has(key)) this.selected.delete(key);
    for (const key of [...this.#held]) if (!known.has(key)) this.#held.delete(key);
    // The cursor is that of the list's end; the newest page has it only where it is the whole list.
    if (restart !== null || next === "" || this.#all.length === 0) this.#next = next;
    this.#all = rows;
    this.state = "ready";
    this.settle();
  }

  /** Fetches the next older page. */
  async older(): Promise<void> {
    if (this.below === "loading" || this.#next === "") return;
    this.below = "loading";
    const page = await this.#fetch(this.#next);
    if (!page.ok) {
      this.below = "failed";
      return;
    }
    this.#all = mergeOlder(this.#all, page.events);
    this.#next = page.next;
    this.below = "idle";
  }
}
