// When somebody was last here, in words.

import { when } from "../parts/time.ts";
import { words } from "../words.ts";

// A server notes it to the minute.
const lately = 3 * 60e6;

/** "here now", "last seen yesterday, 14:02", "not seen yet"; microseconds, 0 for not known. */
export function seenSays(seen: number, now: number, zone: string): string {
  const w = words.people;
  if (seen === 0) return w.unseen;
  return now - seen < lately ? w.seenNow : w.seen(when(seen, now, zone));
}
