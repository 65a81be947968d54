// What a vault says: a person's homes with the person's keys in each, and the names of
// their devices and unlockers. Members that this page does not know are kept.

import { type Head, headText, parseHead } from "../deed/head.ts";
import { ContentError, ContentObject, textFits } from "../fields.ts";
import { type DeviceID, type HomeID, parseID, type PersonID, type UnlockerID } from "../seal/name.ts";
import { base64, type Bytes } from "../wire.ts";

/** A person's seeds in a home: of the keys that sign deeds, and that epochs are wrapped for. */
export interface PersonKeys {
  readonly person: PersonID;
  readonly signing: Bytes;
  readonly kem: Bytes;
}

/** A home that a person has. */
export interface VaultHome extends PersonKeys {
  readonly home: HomeID;
  /** The newest head that any of the person's devices has verified. */
  readonly head: Head;
  /** Keys that take the place of these once a deed on its way stands in the chain; until then nobody knows whether it does. */
  readonly next: PersonKeys | null;
  /** An invitation was answered with these keys, and nobody has admitted them yet. */
  readonly invited: boolean;
  /** What it was called when one of the devices had it open last. */
  readonly name: string;
  readonly more: Readonly<Record<string, unknown>>;
}

export interface VaultContent {
  readonly homes: readonly VaultHome[];
  readonly devices: Readonly<Record<DeviceID, string>>;
  readonly unlockers: Readonly<Record<UnlockerID, string>>;
  readonly more: Readonly<Record<string, unknown>>;
}

const maxHomes = 4096; // more do not fit in a vault
const maxNames = 4096;
const seedSize = 32;
const maxName = 64;

/** A vault in which nothing is yet. */
export const emptyContent: VaultContent = { homes: [], devices: {}, unlockers: {}, more: {} };

/** Whether a device or an unlocker may be called that; nothing is no name. */
export function nameFits(name: string): boolean {
  return textFits(name, maxName);
}

/** The content, or null if that is none. */
export function parseContent(b: Bytes): VaultContent | null {
  try {
    const o = ContentObject.parse(b);
    if (o.count("v") !== 1) throw new ContentError("another version");
    return {
      homes: o.objects("homes", maxHomes).map(readHome),
      devices: readNames(o.object("devices"), (t) => parseID("device", t)),
      unlockers: readNames(o.object("unlockers"), (t) => parseID("unlocker", t)),
      more: o.others("v", "homes", "devices", "unlockers"),
    };
  } catch (e) {
    if (e instanceof ContentError) return null;
    throw e;
  }
}

function readHome(o: ContentObject): VaultHome {
  const home = parseID("home", o.text("home", maxName));
  const head = parseHead(o.text("head", 128));
  if (home === null || head === null) throw new ContentError("no home, or no head");
  return {
    home,
    head,
    ...readKeys(o),
    next: o.has("next") ? readKeys(o.object("next")) : null,
    invited: o.has("invited") && o.boolean("invited"),
    name: o.has("name") ? o.text("name", maxName) : "",
    more: o.others("home", "head", "person", "signing", "kem", "next", "invited", "name"),
  };
}

function readKeys(o: ContentObject): PersonKeys {
  const person = parseID("person", o.text("person", maxName));
  const keys = { signing: o.bytes("signing", seedSize), kem: o.bytes("kem", seedSize) };
  if (person === null || keys.signing.length !== seedSize || keys.kem.length !== seedSize) throw new ContentError("no keys of a person");
  return { person, ...keys };
}

/** Names, by the IDs of what they are of. */
export function readNames<ID extends string>(o: ContentObject, id: (text: string) => ID | null): Record<ID, string> {
  const names = {} as Record<ID, string>;
  if (o.names().length > maxNames) throw new ContentError("too many names");
  for (const text of o.names()) {
    const of = id(text);
    if (of === null) throw new ContentError("a name of nothing");
    names[of] = o.text(text, maxName);
  }
  return names;
}

/** The content's bytes. */
export function contentBytes(c: VaultContent): Bytes {
  const { homes, devices, unlockers, more } = c;
  return new TextEncoder().encode(JSON.stringify({ ...more, v: 1, homes: homes.map(homeJSON), devices, unlockers }));
}

function homeJSON(h: VaultHome): object {
  return {
    ...h.more,
    home: h.home,
    ...keysJSON(h),
    head: headText(h.head),
    ...(h.next === null ? {} : { next: keysJSON(h.next) }),
    ...(h.invited ? { invited: true } : {}),
    ...(h.name === "" ? {} : { name: h.name }),
  };
}

function keysJSON({ person, signing, kem }: PersonKeys): object {
  return { person, signing: base64(signing), kem: base64(kem) };
}

/** The home of a vault, null if it is not there. */
export function homeIn(c: VaultContent, home: HomeID): VaultHome | null {
  return c.homes.find((h) => h.home === home) ?? null;
}

/** The content with that home in it, in the place of what was said of it; a head only rises. */
export function withHome(c: VaultContent, home: VaultHome): VaultContent {
  const known = homeIn(c, home.home);
  if (known === null) return { ...c, homes: [...c.homes, home] };
  const head = known.head.seq > home.head.seq ? known.head : home.head;
  return { ...c, homes: c.homes.map((h) => (h === known ? { ...home, head, more: { ...known.more, ...home.more } } : h)) };
}
