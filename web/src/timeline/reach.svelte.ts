// Fetches the list of events as far back as a day that is looked at.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";

// Pages of the list, for one look: some two thousand events.
const pages = 20;

/** Used while a component is made. */
export function reach(house: () => House, from: () => number): void {
  let fetched = 0;
  const since = $derived(from());
  $effect(() => {
    void since;
    fetched = 0;
  });
  $effect(() => {
    const { inbox, connection } = house();
    const oldest = inbox.all.findLast((row) => row.time !== null)?.time ?? null;
    const wanted = inbox.state === "ready" && inbox.more && inbox.below === "idle" && connection.up;
    if (!wanted || (oldest !== null && oldest <= since) || fetched >= pages) return;
    fetched++;
    untrack(() => void inbox.older());
  });
}
