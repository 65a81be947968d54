// When somebody was last here, in words.

import { when } from "../parts/time.ts";
import { words } from "../words.ts";

// A server notes it to the minute.
const lately = 3 * 60e6;

/** "here now", "last seen yesterday, 14:02", "not seen yet"; microseconds. Of 0 nothing is said to whoever is not `told` of others. */
export function seenSays(seen: number, now: number, zone: string, told: boolean): string {
  const w = words.people;
  if (seen === 0) return told ? w.unseen : "";
  return now - seen < lately ? w.seenNow : w.seen(when(seen, now, zone));
}
