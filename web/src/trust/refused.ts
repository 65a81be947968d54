// What was refused and why, in words.

import { words } from "../words.ts";

const w = words.trust;

/** What it was. */
export function whatSays(what: string): string {
  return Object.hasOwn(w.what, what) ? w.what[what as keyof typeof w.what] : what;
}

/** Why it was refused; reasons that are not said often are said by their name. */
export function whySays(reason: string): string {
  if (reason === "misroute" || reason === "request" || reason.startsWith("wrong-")) return w.why.elsewhere;
  if (reason === "bad-signature" || reason.endsWith("-signer") || reason === "not-allowed") return w.why.unsigned;
  if (reason === "fork" || reason === "unknown-head") return w.why.fork;
  return reason === "replayed" || reason === "backdated" ? w.why.replayed : w.why.other(reason);
}
