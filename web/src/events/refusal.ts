// The sentences of a grey card.

import { words } from "../words.ts";
import type { Reported, Word } from "../worker/protocol.ts";

/** Why something is not shown, and what was done about it. A row refused in the list is reported by the worker. */
export function refusalSays(word: Word, reported: Reported | null): string {
  const r = words.refusal;
  const what = r.word[word];
  // A missing key is no alarm, and reporting it would tell the server nothing.
  if (word === "unknown-key" && reported === null) return what;
  const then = reported === "confirmed" ? r.confirmed : reported === "not-sent" ? r.notSent : r.reported;
  return `${what} ${then}`;
}
