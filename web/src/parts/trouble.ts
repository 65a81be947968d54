// What is said about a trouble: in one sentence beside the thing, or on a page of its own.

import { words } from "../words.ts";
import type { Trouble } from "../worker/protocol.ts";

/** One sentence. */
export function troubleSays(why: Trouble): string {
  if (why.trouble === "refused" && why.status === 0 && why.message) return why.message; // no server has refused it
  if (why.trouble === "held") return words.trouble.held(why.says);
  if (why.trouble === "refused" || why.trouble === "agent") return words.trouble[why.trouble](why.message);
  return words.trouble[why.trouble];
}

/** A page's worth: what happened, what it means, what to do next. */
export interface Statement {
  title: string;
  says: string;
  next: string;
}

/** Why nothing of a home is shown any more. */
export function statement(why: Trouble): Statement {
  const s = words.stopped;
  switch (why.trouble) {
    case "fork":
      return s.fork;
    case "bad-chain":
      return s.badChain;
    case "signed-out":
      return s.signedOut;
    case "no-home":
      return s.noHome;
    case "deleted":
      return s.deleted;
    case "storage":
      return s.storage;
    case "locked":
      return s.locked;
    case "unconfirmed":
      return s.unconfirmed;
    case "closed":
      return s.closed;
    case "held":
      return { title: words.held.title(why.scope), says: words.held.eventsSays, next: words.held.says(why.says) };
    case "refused":
      return { ...s.refused, says: s.refused.says(why.message) };
    case "crossed":
      return { title: words.crossed.title, says: words.crossed.says, next: s.broken.next };
    case "offline":
    case "busy":
    case "porch":
    case "away":
    case "agent":
      return { title: s.broken.title, says: troubleSays(why), next: s.broken.next };
    case "broken":
      return s.broken;
  }
}

/** Whether it is the kind of trouble that somebody should be alarmed about. */
export function isGrave(why: Trouble): boolean {
  return why.trouble === "fork" || why.trouble === "bad-chain";
}
