// The list of events as pages of it arrive: newest first, as the server lists them,
// each row known by its key.

import type { EventRow } from "../worker/protocol.ts";

/** What the newest page changes in a list. */
export interface Merged {
  rows: EventRow[];
  /** Keys that were not in the list before. */
  added: string[];
  /** False if the page does not reach the list: what lies between is not known. */
  joined: boolean;
}

/**
 * Gives rows of which nothing verified a key that lasts. The worker makes theirs up for
 * each answer, and taken as they are they would be new again and again; they are known
 * by the verified row that they stand on.
 */
export function withLastingKeys(page: readonly EventRow[]): EventRow[] {
  const newest = page.find((r) => r.event !== null)?.key ?? "";
  let below = "";
  let above = 0;
  const rows: EventRow[] = [];
  for (const row of [...page].reverse()) {
    if (row.event !== null) {
      below = row.key;
      above = 0;
      rows.push(row);
    } else {
      above++;
      rows.push({ ...row, key: below ? `${above} above ${below}` : `${above} last under ${newest}` });
    }
  }
  return rows.reverse();
}

/**
 * Puts the newest page over a list. Down to the last row that both have, the page is
 * right: rows that it lacks were deleted. Below that the list stays as it is.
 */
export function mergeNewest(list: readonly EventRow[], page: readonly EventRow[], more: boolean): Merged {
  const inPage = new Set(page.map((r) => r.key));
  const inList = new Set(list.map((r) => r.key));
  const added = page.filter((r) => !inList.has(r.key)).map((r) => r.key);
  let end = list.length;
  while (end > 0 && !inPage.has(list[end - 1]!.key)) end--;
  if (end === 0 && more && list.length > 0) return { rows: [...page], added, joined: false };
  const tail = more ? list.slice(end) : [];
  return { rows: [...page, ...tail], added, joined: true };
}

/** Adds an older page below; what is there already is not repeated, but its newer form is taken. */
export function mergeOlder(list: readonly EventRow[], page: readonly EventRow[]): EventRow[] {
  const newer = new Map(page.map((r) => [r.key, r]));
  const kept = list.map((r) => newer.get(r.key) ?? r);
  const inList = new Set(list.map((r) => r.key));
  return [...kept, ...page.filter((r) => !inList.has(r.key))];
}
