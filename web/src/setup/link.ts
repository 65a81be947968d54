// What a link carries behind its #. Nothing of it is ever sent to the server, and it
// is taken out of the address bar before anything else happens.

/** A set-up link: founds a home; `join` lets an agent in that is already waiting. */
export interface SetUpLink {
  is: "setup";
  setup: string;
  join: string;
}

/** A link that was meant for an agent and was opened here. */
export interface JoinLink {
  is: "join";
  link: string;
}

export type Link = SetUpLink | JoinLink | { is: "none" };

const secret = /^[A-Za-z0-9_+/=-]{8,256}$/;
const home = /^[a-z2-7]{52}$/;
const head = /^\d{1,16}:[0-9a-f]{64}$/;
const trust = /^[0-9a-f]{64}$/;

/** Reads a fragment, with or without its #. What is not exactly a link of ours is none. */
export function parseLink(fragment: string, origin: string): Link {
  const bare = fragment.replace(/^#/, "");
  // Not URLSearchParams: it would turn the + of base64 into a space.
  const parts = new Map(bare.split("&").map((p) => [p.slice(0, p.indexOf("=")), p.slice(p.indexOf("=") + 1)]));
  const setup = parts.get("setup") ?? "";
  const join = parts.get("join") ?? "";
  if (secret.test(setup)) return { is: "setup", setup, join: secret.test(join) ? join : "" };
  if (secret.test(join)) return { is: "join", link: `${origin}/#join=${join}${checked(parts, "home", home)}${checked(parts, "head", head)}${checked(parts, "trust", trust)}` };
  return { is: "none" };
}

// The link is shown inside a command that people paste into a shell: only what can be
// nothing but an ID gets there.
function checked(parts: Map<string, string>, name: string, rule: RegExp): string {
  const value = parts.get(name) ?? "";
  return rule.test(value) ? `&${name}=${value}` : "";
}

/** Takes the link out of the address bar and the history, and returns it. */
export function takeLink(): Link {
  const link = parseLink(location.hash, location.origin);
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return link;
}
