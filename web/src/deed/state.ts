// What a fold keeps of a chain. Everything in it is replaced and never changed, so
// that a title and the one that follows it share what they have in common.

import type { Bytes } from "../wire.ts";
import type { AgentID, CameraID, HomeID, InviteID, KeyID, PersonID } from "../seal/name.ts";
import type { Purpose } from "./body.ts";
import type { Key } from "./key.ts";
import { type Last, type Past, type Person, type Role, type Standing, type Turn } from "./parts.ts";
import { DeedError } from "./reasons.ts";

/** Somebody who stands in the home since the deed with that number, with the keys and devices they have now. */
export interface Member extends Person, Standing {
  readonly since: number;
}

/** The keys that an agent had from one deed until before another, null if it has them still. */
export interface AgentKeys {
  readonly signing: Key;
  readonly kem: Key;
  readonly since: number;
  readonly until: number | null;
  /** The last objects that the signing key signed, of the cameras for which that is known. */
  readonly lasts: readonly Last[];
}

/** An agent, from the deed that placed it until before the one that released it. */
export interface Agent {
  readonly id: AgentID;
  /** The newest of its keys. */
  readonly signing: Key;
  readonly kem: Key;
  readonly since: number;
  readonly until: number | null;
  /** All of them, in order. */
  readonly keys: readonly AgentKeys[];
}

/** A camera, placed with its agent. Only what that agent signed is taken for it. */
export interface Camera {
  readonly id: CameraID;
  readonly agent: AgentID;
  readonly since: number;
  readonly until: number | null;
}

/** An invitation that stands open, even if its time is over. */
export interface Invite {
  readonly id: InviteID;
  readonly signing: Key;
  readonly expires: number;
  readonly to: Purpose;
}

/** A past that was given to the person who has that KEM key. */
export interface GivenPast extends Past {
  readonly key: KeyID;
  readonly last: number;
}

/** A key that stands in the chain, and whose it is. */
export interface Holder {
  readonly key: Key;
  /** What it does: an invitation's proves, the others that sign say so; the rest are sealed to. */
  readonly kind: "person" | "device" | "agent" | "invitation" | "sealed to";
  readonly person?: PersonID;
  readonly agent?: AgentID;
  readonly since: number;
  /** The deed that took it back, null while it is in force. */
  readonly until: number | null;
}

interface Epoch extends Turn {
  readonly since: number;
}

/** A role that somebody has from a deed on, null for none. */
interface RoleSince {
  readonly role: Role | null;
  readonly since: number;
}

export interface State {
  home: HomeID | null;
  minVersion: number;
  /** When the newest deed was made. */
  time: number;
  deeds: Bytes[];
  hashes: string[];
  /** Those who stand in the home, in ascending order of their IDs. */
  people: readonly Member[];
  roles: Map<PersonID, readonly RoleSince[]>;
  invites: readonly Invite[];
  pasts: readonly GivenPast[];
  /** Former ones too, in the order of the chain. */
  agents: readonly Agent[];
  cameras: readonly Camera[];
  epochs: readonly Epoch[];
  keys: Map<KeyID, Holder>;
  /** Every ID that stood in the chain, behind the word for what it is of. */
  ids: Set<string>;
  frozen: boolean;
  retention: { readonly days: number; readonly bytes: number };
  /** Whether a deed says what it retains. */
  retained: boolean;
  /** The deed by which it was handed over last, 0 if it never was. */
  handedOver: number;
}

/** What a statement's own rules need to know of its deed. */
export interface Signed {
  readonly seq: number;
  readonly time: number;
  /** As they stood before the deed. */
  readonly signer: Member;
  /** The newest epoch before the deed. */
  readonly epoch: number;
}

/** A chain without deeds. */
export function nothing(): State {
  return {
    home: null,
    minVersion: 0,
    time: 0,
    deeds: [],
    hashes: [],
    people: [],
    roles: new Map(),
    invites: [],
    pasts: [],
    agents: [],
    cameras: [],
    epochs: [],
    keys: new Map(),
    ids: new Set(),
    frozen: false,
    retention: { days: 0, bytes: 0 },
    retained: false,
    handedOver: 0,
  };
}

/** A state that can be extended without changing s. */
export function fork(s: State): State {
  return { ...s, deeds: [...s.deeds], hashes: [...s.hashes], roles: new Map(s.roles), keys: new Map(s.keys), ids: new Set(s.ids) };
}

/** Whether something that has a beginning and an end held when the deed with that number was the last. */
export function heldAt(x: { readonly since: number; readonly until: number | null }, seq: number): boolean {
  return x.since <= seq && (x.until === null || seq < x.until);
}

/** Whether it has no end yet. */
export function stands(x: { readonly until: number | null }): boolean {
  return x.until === null;
}

/** Whether an epoch is wrapped for that KEM key, or in a past given to it. */
export function has(s: State, kem: KeyID, epoch: number): boolean {
  return (s.epochs[epoch - 1]?.wraps.some((w) => w.key === kem) ?? false) || s.pasts.some((p) => p.key === kem && p.from <= epoch && epoch <= p.last);
}

/** Takes an ID into the chain, in which each stands once. */
export function introduceID(s: State, kind: "person" | "device" | "agent" | "camera" | "invite", id: string): void {
  const named = `${kind} ${id}`;
  if (s.ids.has(named)) throw new DeedError("already-placed", `the ${kind} stood in the chain before`);
  s.ids.add(named);
}

/** Takes a key into the chain, in which each stands once. */
export function introduce(s: State, key: Key, kind: Holder["kind"], seq: number, whose: Pick<Holder, "person" | "agent"> = {}): void {
  if (s.keys.has(key.id)) throw new DeedError("reused-key", "the key stood in the chain before");
  s.keys.set(key.id, { key, kind, since: seq, until: null, ...whose });
}

/** Takes a key back: what it signs from that deed on counts for nothing. */
export function takeBack(s: State, key: Key, seq: number): void {
  s.keys.set(key.id, { ...s.keys.get(key.id)!, until: seq });
}
