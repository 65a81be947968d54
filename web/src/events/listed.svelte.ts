// One list of events as the page holds it: what is known, what waits to be shown, and
// what can still be fetched below.

import { SvelteSet } from "svelte/reactivity";

import type { EventRow, EventsPage, Result } from "../worker/protocol.ts";
import { mergeNewest, mergeOlder, withLastingKeys } from "./list.ts";

// How many pages are fetched to reach the list again after a long sleep before the old
// list is given up.
const reach = 5;

export class Listed {
  /** `first` until something was loaded; `failed` if that did not work. */
  state = $state<"first" | "ready" | "failed">("first");
  /** Whether older events are being fetched, or could not be. */
  below = $state<"idle" | "loading" | "failed">("idle");

  #all = $state.raw<EventRow[]>([]);
  #next = $state("");
  /** Whether it is what an agent has at home, and goes on at a server that cannot be reached. */
  porch = $state(false);
  readonly #held = new SvelteSet<string>();
  readonly #fetch: (before?: string) => Promise<Result<EventsPage>>;
  readonly #mayMove: () => boolean;
  #refreshing: Promise<void> | null = null;
  #again = false;

  /** `mayMove`: whether new cards may be put in above the others now. `fits`: whether a row is one that was asked for. */
  constructor(ask: (before?: string) => Promise<Result<EventsPage>>, mayMove: () => boolean, fits: (row: EventRow) => boolean = () => true) {
    this.#fetch = async (...before) => {
      const page = await ask(...before);
      return page.ok ? { ...page, events: withLastingKeys(page.events).filter(fits) } : page;
    };
    this.#mayMove = mayMove;
  }

  /** Everything that is known, whether it is shown yet or not. */
  get all(): readonly EventRow[] {
    return this.#all;
  }

  /** What does not wait. */
  readonly shown = $derived.by(() => this.#all.filter((r) => !this.#held.has(r.key)));

  /** How many new events wait above. */
  get fresh(): number {
    return this.#held.size;
  }

  get more(): boolean {
    return this.#next !== "";
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
    if (this.#held.size > 0 && this.#mayMove()) this.#held.clear();
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
      if (merged.joined || pages === reach) return this.#take(merged.rows, merged.added, merged.joined ? null : page.next, page);
      page = await this.#fetch(page.next);
    }
    if (this.state === "first") this.state = "failed";
  }

  #take(rows: EventRow[], added: string[], restart: string | null, { next, porch }: EventsPage): void {
    const first = this.state !== "ready";
    if (!first && restart === null && !this.#mayMove()) for (const key of added) this.#held.add(key);
    if (restart !== null) this.#held.clear();
    const known = new Set(rows.map((r) => r.key));
    for (const key of [...this.#held]) if (!known.has(key)) this.#held.delete(key);
    // The cursor is that of the list's end; the newest page has it only where it is the
    // whole list, or the list has ended where it does not end for the home's own server.
    if (restart !== null || next === "" || this.#all.length === 0 || (this.porch && !porch)) this.#next = next;
    this.porch = porch;
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
    this.porch = page.porch;
    this.below = "idle";
  }
}
