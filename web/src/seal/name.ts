// Identifiers and the names of objects in their text forms, as pages and messages
// carry them. Each kind of identifier is a type of its own, because mixing them up
// is how one home is shown to another.

import { base32, type Bytes, unbase32 } from "../wire.ts";

declare const brand: unique symbol;
type Text<Kind extends string> = string & { readonly [brand]: Kind };

export type HomeID = Text<"home">;
export type CameraID = Text<"camera">;
export type AgentID = Text<"agent">;
export type EventID = Text<"event">;
export type ObjectID = Text<"object">;
export type PersonID = Text<"person">;
export type DeviceID = Text<"device">;
export type LetterID = Text<"letter">;
export type InviteID = Text<"invite">;
export type AccountID = Text<"account">;
export type UnlockerID = Text<"unlocker">;
export type BootID = Text<"boot">;
export type KeyID = Text<"key">;
/** The whole name of an object: v1/HOME/CAMERA/DAY/KIND/OBJECT. */
export type NameText = Text<"name">;
/** A day in UTC, YYYY-MM-DD. */
export type Day = Text<"day">;

interface Sizes {
  home: HomeID;
  camera: CameraID;
  agent: AgentID;
  event: EventID;
  object: ObjectID;
  person: PersonID;
  device: DeviceID;
  letter: LetterID;
  invite: InviteID;
  account: AccountID;
  unlocker: UnlockerID;
  boot: BootID;
  key: KeyID;
}

const sizes: Record<keyof Sizes, number> = {
  home: 32,
  camera: 16,
  agent: 16,
  event: 16,
  object: 16,
  person: 16,
  device: 16,
  letter: 16,
  invite: 16,
  account: 16,
  unlocker: 16,
  boot: 16,
  key: 32,
};

/** The text of an identifier's bytes. */
export function idText<K extends keyof Sizes>(kind: K, b: Uint8Array): Sizes[K] {
  if (b.length !== sizes[kind]) throw new Error(`internal error: ${b.length} bytes are no ${kind}'s ID`);
  return base32(b) as string as Sizes[K];
}

/** The identifier that text spells, or null for any spelling but the one that is written. */
export function parseID<K extends keyof Sizes>(kind: K, text: string): Sizes[K] | null {
  return unbase32(text, sizes[kind]) === null ? null : (text as string as Sizes[K]);
}

/** The bytes of an identifier. */
export function idBytes<K extends keyof Sizes>(kind: K, id: Sizes[K]): Bytes {
  const b = unbase32(id, sizes[kind]);
  if (b === null) throw new Error(`internal error: not a ${kind}'s ID`);
  return b;
}

export type Kind = "thumbnail" | "clip" | "description";

const kindNumbers: Record<Kind, number> = { thumbnail: 1, clip: 2, description: 3 };

/** The number of a kind in a binding. */
export function kindNumber(kind: Kind): number {
  return kindNumbers[kind];
}

/** The kind of that number, or null. */
export function kindOf(n: number): Kind | null {
  return n === 1 ? "thumbnail" : n === 2 ? "clip" : n === 3 ? "description" : null;
}

/** The largest sealed body of a kind in bytes (docs/seal.md, "Limits"). */
export const maxBody: Record<Kind, number> = { thumbnail: 1 << 20, clip: 256 << 20, description: 64 << 10 };

/** What a reader asks for and what a binding must answer. */
export interface Name {
  readonly home: HomeID;
  readonly camera: CameraID;
  readonly day: Day;
  readonly kind: Kind;
  readonly object: ObjectID;
}

/** v1/HOME/CAMERA/DAY/KIND/OBJECT. */
export function nameText(n: Name): NameText {
  return `v1/${n.home}/${n.camera}/${n.day}/${n.kind}/${n.object}` as string as NameText;
}

/** The inverse of nameText, or null for any other spelling. */
export function parseName(text: string): Name | null {
  const parts = text.split("/");
  const [version, home, camera, day, kind, object] = parts;
  if (parts.length !== 6 || version !== "v1") return null;
  const name = {
    home: parseID("home", home!),
    camera: parseID("camera", camera!),
    day: parseDay(day!),
    kind: Object.hasOwn(kindNumbers, kind!) ? (kind as Kind) : null,
    object: parseID("object", object!),
  };
  if (!name.home || !name.camera || !name.day || !name.kind || !name.object) return null;
  return name as Name;
}

/** The day that holds a time in microseconds. */
export function dayOf(time: number): Day {
  return new Date(Math.floor(time / 1000)).toISOString().slice(0, 10) as string as Day;
}

/** The day that text spells, or null. */
export function parseDay(text: string): Day | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  const at = Date.parse(text + "T00:00:00Z");
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? null : (text as string as Day);
}
