// What several statements are made of (docs/deed.md, "Parts of statements"): bytes
// taken apart and put together. Whether they hold is for the fold.

import { type Bytes, compare, type Reader, Writer } from "../wire.ts";
import { type CameraID, type DeviceID, idBytes, idText, type InviteID, type KeyID, type PersonID } from "../seal/name.ts";
import { type Key, keyBytes, readKey, signatureSize } from "./key.ts";
import { limits } from "./limits.ts";
import { DeedError } from "./reasons.ts";

// What HPKE with X-Wing adds to what it seals: encapsulated key and tag.
const sealing = 1120 + 16;
const seedSize = 32;

/** An epoch's seed, sealed. */
export const wrapSize = sealing + seedSize;

/** Owners and residents see the whole home, guests and links what their rights say. */
export type Role = "owner" | "resident" | "guest" | "link";
const roles: (Role | undefined)[] = [undefined, "owner", "resident", "guest", "link"];

/** Whether somebody of that role shares the epoch's key. */
export function seesAll(role: Role): boolean {
  return role === "owner" || role === "resident";
}

/** What rights can be about, as they are added up in a statement. */
export const sights = { thumbnail: 1, clip: 2, description: 4, live: 8, footage: 16 } as const;
export type Sight = keyof typeof sights;
const allSights = Object.keys(sights) as Sight[];

/** What a guest or a link sees. */
export interface Rights {
  readonly sees: readonly Sight[];
  /** From that moment on they see nothing; 0 for never. */
  readonly until: number;
  readonly cameras: "every" | readonly CameraID[];
}

export interface Standing {
  readonly role: Role;
  /** Of a guest or a link; null for those who see the whole home. */
  readonly rights: Rights | null;
}

export interface Device {
  readonly id: DeviceID;
  readonly signing: Key;
}

/** Somebody's ID and keys. A statement brings them with one device. */
export interface Person {
  readonly id: PersonID;
  readonly signing: Key;
  readonly kem: Key;
  readonly devices: readonly Device[];
}

/** An epoch's seed, sealed for one person. */
export interface Wrap {
  readonly person: PersonID;
  readonly key: KeyID;
  readonly sealed: Bytes;
}

/** A new epoch: a statement of its own, or the turn within another. */
export interface Turn {
  readonly number: number;
  readonly key: Key;
  readonly wraps: readonly Wrap[];
}

/** The seeds of the epochs from one to the newest, sealed to one person. */
export interface Past {
  readonly from: number;
  readonly sealed: Bytes;
}

/** That keys are those of whoever holds an invitation's link. */
export interface Proof {
  readonly invite: InviteID;
  readonly signature: Bytes;
}

/** The last object of a camera that an agent's earlier key signed. */
export interface Last {
  readonly camera: CameraID;
  readonly incarnation: number;
  readonly sequence: number;
}

/** How many epochs a sealed past is of. */
export function epochsIn(p: Past): number {
  return (p.sealed.length - sealing) / seedSize;
}

function malformed(message: string): DeedError {
  return new DeedError("malformed", message);
}

function readFlag(r: Reader): boolean {
  const n = r.u8();
  if (n > 1) throw malformed(`${n} where 0 or 1 belongs`);
  return n === 1;
}

/** A person's or an agent's signing keys, of which version 1 has one. */
export async function readSigning(r: Reader): Promise<Key> {
  const count = r.u8();
  if (count !== 1) throw malformed(`${count} signing keys`);
  return readKey(r, "Ed25519");
}

export function writeSigning(w: Writer, k: Key): Writer {
  return w.u8(1).raw(keyBytes(k));
}

export async function readDevice(r: Reader): Promise<Device> {
  return { id: idText("device", r.raw(16)), signing: await readSigning(r) };
}

export function writeDevice(w: Writer, d: Device): void {
  writeSigning(w.raw(idBytes("device", d.id)), d.signing);
}

export async function readPerson(r: Reader): Promise<Person> {
  return { id: idText("person", r.raw(16)), signing: await readSigning(r), kem: await readKey(r, "X-Wing"), devices: [await readDevice(r)] };
}

export function writePerson(w: Writer, p: Person): void {
  writeSigning(w.raw(idBytes("person", p.id)), p.signing).raw(keyBytes(p.kem));
  if (p.devices.length !== 1) throw new Error(`internal error: a statement brings one device, not ${p.devices.length}`);
  writeDevice(w, p.devices[0]!);
}

/** The bytes of a person as statements and proofs have them. */
export function personBytes(p: Person): Bytes {
  const w = new Writer();
  writePerson(w, p);
  return w.bytes();
}

/** Reads a standing; nobody is made a link by one. */
export function readStanding(r: Reader): Standing {
  const n = r.u8();
  const role = roles[n];
  if (role === undefined || role === "link") throw malformed(`role ${n}`);
  return { role, rights: seesAll(role) ? null : readRights(r) };
}

export function writeStanding(w: Writer, s: Standing): void {
  w.u8(roles.indexOf(s.role));
  if (s.rights !== null) writeRights(w, s.rights);
}

export function readRights(r: Reader): Rights {
  const sum = r.u16();
  const sees = allSights.filter((k) => (sum & sights[k]) !== 0);
  if (sum === 0 || sum !== sumOf(sees)) throw malformed(`kinds ${sum}`);
  const until = r.u64();
  const every = readFlag(r);
  const count = r.u16();
  if (count > limits.cameras) throw new DeedError("too-many", `${count} cameras`);
  if (every !== (count === 0)) throw malformed("neither every camera nor some");
  const ids = Array.from({ length: count }, () => r.raw(16));
  checkAscending(ids);
  return { sees, until, cameras: every ? "every" : ids.map((b) => idText("camera", b)) };
}

export function writeRights(w: Writer, r: Rights): void {
  w.u16(sumOf(r.sees)).u64(r.until);
  if (r.cameras === "every") {
    w.u8(1).u16(0);
    return;
  }
  w.u8(0).u16(r.cameras.length);
  for (const id of r.cameras.map((c) => idBytes("camera", c)).sort(compare)) w.raw(id);
}

function sumOf(sees: readonly Sight[]): number {
  return sees.reduce((sum, k) => sum | sights[k], 0);
}

function checkAscending(ids: readonly Bytes[]): void {
  if (ids.some((id, i) => i > 0 && compare(ids[i - 1]!, id) >= 0)) throw malformed("cameras that do not ascend");
}

/** Reads a new epoch, as it stands in a statement of its own. */
export async function readEpoch(r: Reader): Promise<Turn> {
  const number = r.u64();
  const key = await readKey(r, "X-Wing");
  const count = r.u16();
  if (count > limits.wraps) throw new DeedError("too-many", `${count} wraps`);
  const wraps: Wrap[] = [];
  for (let i = 0; i < count; i++) {
    const wrap = { person: idText("person", r.raw(16)), key: idText("key", r.raw(32)), sealed: r.lp16() };
    if (wrap.sealed.length !== wrapSize) throw malformed(`a wrap of ${wrap.sealed.length} bytes`);
    wraps.push(wrap);
  }
  return { number, key, wraps };
}

export function writeEpoch(w: Writer, t: Turn): void {
  w.u64(t.number).raw(keyBytes(t.key)).u16(t.wraps.length);
  for (const wrap of t.wraps) w.raw(idBytes("person", wrap.person)).raw(idBytes("key", wrap.key)).lp16(wrap.sealed);
}

export async function readTurn(r: Reader): Promise<Turn | null> {
  return readFlag(r) ? readEpoch(r) : null;
}

export function writeTurn(w: Writer, t: Turn | null): void {
  w.u8(t === null ? 0 : 1);
  if (t !== null) writeEpoch(w, t);
}

export function readPast(r: Reader): Past | null {
  const from = r.u64();
  const length = r.u32();
  if (from === 0) {
    if (length !== 0) throw malformed("a past of no epochs");
    return null;
  }
  const n = (length - sealing) / seedSize;
  if (!Number.isInteger(n) || n < 1) throw malformed(`a past of ${length} bytes`);
  if (n > limits.past) throw new DeedError("too-many", `a past of ${n} epochs`);
  return { from, sealed: r.raw(length) };
}

export function writePast(w: Writer, p: Past | null): void {
  w.u64(p?.from ?? 0).lp32(p?.sealed ?? new Uint8Array(0));
}

export function readProof(r: Reader): Proof {
  const proof = { invite: idText("invite", r.raw(16)), signature: r.lp16() };
  if (proof.signature.length !== signatureSize) throw malformed(`a proof of ${proof.signature.length} bytes`);
  return proof;
}

export function writeProof(w: Writer, p: Proof): void {
  w.raw(idBytes("invite", p.invite)).lp16(p.signature);
}

export function readProofIfThere(r: Reader): Proof | null {
  return readFlag(r) ? readProof(r) : null;
}

export function writeProofIfThere(w: Writer, p: Proof | null): void {
  w.u8(p === null ? 0 : 1);
  if (p !== null) writeProof(w, p);
}

export function readLasts(r: Reader): Last[] {
  const count = r.u16();
  if (count > limits.cameras) throw new DeedError("too-many", `${count} cameras`);
  const lasts = Array.from({ length: count }, () => ({ id: r.raw(16), incarnation: r.u64(), sequence: r.u64() }));
  checkAscending(lasts.map((l) => l.id));
  return lasts.map(({ id, ...at }) => ({ camera: idText("camera", id), ...at }));
}

export function writeLasts(w: Writer, lasts: readonly Last[]): void {
  w.u16(lasts.length);
  const sorted = lasts.map((l) => ({ ...l, id: idBytes("camera", l.camera) })).sort((a, b) => compare(a.id, b.id));
  for (const l of sorted) w.raw(l.id).u64(l.incarnation).u64(l.sequence);
}
