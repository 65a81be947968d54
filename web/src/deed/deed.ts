// One statement of a home: its bytes, taken apart and put together (docs/deed.md).
// That a deed parses says nothing of whether it holds; title.ts folds.

import { type Bytes, concat, label, ParseError, Reader, Writer } from "../wire.ts";
import { type AgentID, type CameraID, type DeviceID, idBytes, idText, type KeyID, type PersonID } from "../seal/name.ts";
import { type Key, keyBytes, publicKey, readKey, sha256, type Signer, signatureSize } from "./key.ts";
import { DeedError } from "./reasons.ts";

/** The limits of docs/deed.md, which says where each comes from. */
export const limits = { deed: 128 << 10, chain: 100_000, people: 64, agents: 32, cameras: 256, wraps: 64, backdate: 5 * 60 * 1_000_000 };

/** An epoch's 32-byte seed sealed by HPKE with X-Wing: encapsulated key, seed, tag. */
export const wrapSize = 1120 + 48;

export interface Device {
  readonly id: DeviceID;
  readonly signing: Key;
}

export interface Person {
  readonly id: PersonID;
  readonly signing: Key;
  readonly kem: Key;
  readonly device: Device;
}

export interface Wrap {
  readonly person: PersonID;
  readonly key: KeyID;
  readonly sealed: Bytes;
}

export type Body =
  | { readonly type: "found"; readonly salt: Bytes; readonly minVersion: number; readonly person: Person }
  | { readonly type: "epoch"; readonly number: number; readonly key: Key; readonly wraps: readonly Wrap[] }
  | { readonly type: "place agent"; readonly agent: AgentID; readonly signing: Key; readonly kem: Key }
  | { readonly type: "place camera"; readonly camera: CameraID; readonly agent: AgentID };

export type AgentBody = Extract<Body, { type: "place agent" }>;

const types: Record<Body["type"], number> = { found: 1, epoch: 2, "place agent": 3, "place camera": 4 };

export interface Deed {
  /** The hash of the home's first deed; zeros in that deed itself. */
  readonly home: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
  readonly time: number;
  readonly signer: KeyID;
  readonly body: Body;
  readonly signature: Bytes;
  /** What the signature is over, without its label. */
  readonly statement: Bytes;
}

/** Reads one deed. */
export async function parseDeed(b: Bytes): Promise<Deed> {
  if (b.length > limits.deed) throw new DeedError("oversize", `${b.length} bytes`);
  if (b.length === 0 || b[0] === 0) throw new DeedError("malformed", "no version");
  if (b[0]! > 1) throw new DeedError("future-version", `version ${b[0]}; this page reads up to 1`);
  return layout(async () => {
    const r = new Reader(b);
    r.u8();
    const type = r.u8();
    const head = { home: r.raw(32), seq: r.u64(), prev: r.raw(32), time: r.u64(), signer: idText("key", r.raw(32)) };
    const body = r.lp32();
    const statement = b.slice(0, r.at);
    if (r.u8() !== 1) throw new DeedError("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw new DeedError("malformed", `a signature of ${signature.length} bytes`);
    return { ...head, body: await parseBody(type, new Reader(body)), signature, statement };
  });
}

// Whatever is wrong with the layout of a deed is malformed: it comes whole or not at all.
async function layout<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (e) {
    if (e instanceof ParseError) throw new DeedError("malformed", e.message);
    throw e;
  }
}

async function parseBody(type: number, r: Reader): Promise<Body> {
  switch (type) {
    case types.found:
      return readFound(r);
    case types.epoch:
      return readEpoch(r);
    case types["place agent"]:
      return readAgent(r);
    case types["place camera"]: {
      const body: Body = { type: "place camera", camera: idText("camera", r.raw(16)), agent: idText("agent", r.raw(16)) };
      r.done();
      return body;
    }
  }
  throw new DeedError("unknown-type", `type ${type}`);
}

async function readFound(r: Reader): Promise<Body> {
  const salt = r.raw(32);
  const minVersion = r.u8();
  if (minVersion === 0) throw new DeedError("malformed", "lowest version 0");
  const id = idText("person", r.raw(16));
  const signing = readSigningKey(r);
  const kem = readKey(r, "X-Wing");
  const device = idText("device", r.raw(16));
  const deviceKey = readSigningKey(r);
  r.done();
  const person: Person = {
    id,
    signing: await publicKey("Ed25519", signing.bytes),
    kem: await publicKey("X-Wing", kem.bytes),
    device: { id: device, signing: await publicKey("Ed25519", deviceKey.bytes) },
  };
  return { type: "found", salt, minVersion, person };
}

async function readEpoch(r: Reader): Promise<Body> {
  const number = r.u64();
  const key = readKey(r, "X-Wing");
  const count = r.u16();
  if (count > limits.wraps) throw new DeedError("too-many", `${count} wraps`);
  const wraps: Wrap[] = [];
  for (let i = 0; i < count; i++) {
    const wrap = { person: idText("person", r.raw(16)), key: idText("key", r.raw(32)), sealed: r.lp16() };
    if (wrap.sealed.length !== wrapSize) throw new DeedError("malformed", `a wrap of ${wrap.sealed.length} bytes`);
    wraps.push(wrap);
  }
  r.done();
  return { type: "epoch", number, key: await publicKey("X-Wing", key.bytes), wraps };
}

async function readAgent(r: Reader): Promise<AgentBody> {
  const agent = idText("agent", r.raw(16));
  const signing = readSigningKey(r);
  const kem = readKey(r, "X-Wing");
  r.done();
  return { type: "place agent", agent, signing: await publicKey("Ed25519", signing.bytes), kem: await publicKey("X-Wing", kem.bytes) };
}

/** Reads an agent's ID and keys as it answers them in a join's slot (docs/wire.md). */
export async function parseAgent(b: Bytes): Promise<AgentBody> {
  return layout(() => readAgent(new Reader(b)));
}

function readSigningKey(r: Reader): Pick<Key, "algorithm" | "bytes"> {
  const count = r.u8();
  if (count !== 1) throw new DeedError("malformed", `${count} signing keys`);
  return readKey(r, "Ed25519");
}

/** The bytes of a statement's body. */
export function bodyBytes(b: Body): Bytes {
  const w = new Writer();
  switch (b.type) {
    case "found":
      w.raw(b.salt).u8(b.minVersion).raw(idBytes("person", b.person.id));
      w.u8(1).raw(keyBytes(b.person.signing)).raw(keyBytes(b.person.kem));
      w.raw(idBytes("device", b.person.device.id)).u8(1).raw(keyBytes(b.person.device.signing));
      break;
    case "epoch":
      w.u64(b.number).raw(keyBytes(b.key)).u16(b.wraps.length);
      for (const wrap of b.wraps) w.raw(idBytes("person", wrap.person)).raw(idBytes("key", wrap.key)).lp16(wrap.sealed);
      break;
    case "place agent":
      w.raw(idBytes("agent", b.agent)).u8(1).raw(keyBytes(b.signing)).raw(keyBytes(b.kem));
      break;
    case "place camera":
      w.raw(idBytes("camera", b.camera)).raw(idBytes("agent", b.agent));
      break;
  }
  return w.bytes();
}

/** Where a deed stands: what it is signed into. */
export interface Place {
  readonly home: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
}

/** The place of a home's first deed. */
export const firstPlace: Place = { home: new Uint8Array(32), seq: 0, prev: new Uint8Array(32) };

/** What a deed's signature is over. */
export function signedMessage(statement: Bytes): Bytes {
  return concat(label("latchkey deed v1"), statement);
}

/** Makes one deed. Nobody believes it yet: Title.append says whether it holds. */
export async function signDeed(signer: Signer, at: Place, time: number, body: Body): Promise<Bytes> {
  const statement = new Writer()
    .u8(1)
    .u8(types[body.type])
    .raw(at.home)
    .u64(at.seq)
    .raw(at.prev)
    .u64(time)
    .raw(idBytes("key", signer.key.id))
    .lp32(bodyBytes(body))
    .bytes();
  const signature = await signer.sign(signedMessage(statement));
  return new Writer().raw(statement).u8(1).lp16(signature).bytes();
}

/** The hash by which the next deed and every head name this one. It covers the signatures. */
export async function deedHash(deed: Bytes): Promise<Bytes> {
  return sha256(deed);
}
