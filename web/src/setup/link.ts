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

/** An invitation, whole, as the worker reads it. */
export interface InviteLink {
  is: "invite";
  link: string;
}

/** A link to a copy of a home at this machine; without what it says the program that shows it answers nobody. */
export interface OpenLink {
  is: "open";
  secret: string;
}

export type Link = SetUpLink | JoinLink | InviteLink | OpenLink | { is: "none" };

const secret = /^[A-Za-z0-9_+/=-]{8,256}$/;
const home = /^[a-z2-7]{52}$/;
const head = /^\d{1,16}:[0-9a-f]{64}$/;
const trust = /^[0-9a-f]{64}$/;
// Of a copy less is asked than of a server: that it is the newest state of the home.
const machine = /^http:\/\/127\.0\.0\.1:\d{1,5}$/;
const openKey = "latchkey open";

/** Reads a fragment, with or without its #. What is not exactly a link of ours is none. */
export function parseLink(fragment: string, origin: string): Link {
  const bare = fragment.replace(/^#/, "");
  // Not URLSearchParams: it would turn the + of base64 into a space.
  const parts = new Map(bare.split("&").map((p) => [p.slice(0, p.indexOf("=")), p.slice(p.indexOf("=") + 1)]));
  const setup = parts.get("setup") ?? "";
  const join = parts.get("join") ?? "";
  const invite = parts.get("invite") ?? "";
  const open = parts.get("open") ?? "";
  if (secret.test(open) && machine.test(origin)) return { is: "open", secret: open };
  if (secret.test(setup)) return { is: "setup", setup, join: secret.test(join) ? join : "" };
  if (secret.test(join)) return { is: "join", link: `${origin}/#join=${join}${checked(parts, "home", home)}${checked(parts, "head", head)}${checked(parts, "trust", trust)}` };
  // Whoever is invited checks the home's chain against home and head: without them the link is not whole.
  if (secret.test(invite) && home.test(parts.get("home") ?? "") && head.test(parts.get("head") ?? ""))
    return { is: "invite", link: `${origin}/#invite=${invite}&home=${parts.get("home")}&head=${parts.get("head")}${checked(parts, "trust", trust)}` };
  return { is: "none" };
}

/** What somebody pasted who has a link: a link of this server's, of another's, or none. */
export function parsePasted(text: string, origin: string): Link | { is: "elsewhere"; host: string } {
  const url = /^(https?:\/\/[^/?#]+)[^#]*(#.*)$/.exec(text.trim());
  const link = parseLink(url?.[2] ?? text.trim(), origin);
  return url?.[1] && url[1] !== origin && link.is !== "none" ? { is: "elsewhere", host: url[1] } : link;
}

// The link is shown inside a command that people paste into a shell: only what can be
// nothing but an ID gets there.
function checked(parts: Map<string, string>, name: string, rule: RegExp): string {
  const value = parts.get(name) ?? "";
  return rule.test(value) ? `&${name}=${value}` : "";
}

/** Takes the link out of the address bar and the history, and returns it. That to a copy is remembered for as long as its tab is there. */
export function takeLink(): Link {
  const link = parseLink(location.hash, location.origin);
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (link.is === "open") sessionStorage.setItem(openKey, link.secret);
  return link.is === "none" ? parseLink(`#open=${sessionStorage.getItem(openKey) ?? ""}`, location.origin) : link;
}

/** Loads the page anew for a link that is put into the address bar while it is open: by itself a browser does nothing then. */
export function watchForLinks(): void {
  addEventListener("hashchange", () => {
    if (parseLink(location.hash, location.origin).is !== "none") location.reload();
  });
}
