// What a settings document, a letter, and a knock and its grant have in common, which are
// sealed in the same way: who signed at which head, the key of the body wrapped for each
// recipient, the body, and the signature (docs/deed.md, "Settings"; docs/letter.md,
// docs/live.md). What comes before is each one's own; with that, head and signer make the
// context, to which body and keys are bound.

import { BodyError, openInPlace, sealBody } from "../cobblestone.ts";
import { type Head, headBytes, readHead } from "../deed/head.ts";
import { type Key, sha256, type Signer, signatureSize, verifySignature } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { type PrivateKey, seal, sealedSize } from "../hpke.ts";
import { type Bytes, label, ParseError, random, Reader as Wire, Writer } from "../wire.ts";
import { objectKeySize } from "./envelope.ts";
import { type HomeID, idBytes, idText, type KeyID } from "./name.ts";

/** Why a parcel is refused, of whatever kind it is. */
export type ParcelReason =
  | "oversize"
  | "malformed"
  | "truncated"
  | "future-version"
  | "wrong-home"
  | "unknown-head"
  | "unknown-signer"
  | "bad-signature"
  | "not-allowed"
  | "wrong-recipients"
  | "replayed"
  | "fork"
  | "no-envelope"
  | "envelope"
  | "commitment"
  | "chunk"
  | "content";

export type Recipient = "epoch" | "agent" | "asker";
const recipientNumbers: Record<Recipient, number> = { epoch: 1, agent: 4, asker: 5 };

/** Somebody to whom a parcel is sealed. */
export interface To {
  readonly recipient: Recipient;
  readonly key: Key;
  readonly epoch: number;
}

/** The key of a parcel's body, wrapped for one recipient. */
export interface WrappedKey {
  readonly recipient: Recipient;
  readonly key: KeyID;
  readonly epoch: number;
  readonly sealed: Bytes;
}

/** What sets one kind of parcel apart. */
export interface Format {
  /** As its labels name it. */
  readonly name: "settings" | "letter" | "knock" | "grant";
  /** In bytes. */
  readonly limit: number;
  readonly recipients: readonly Recipient[];
  /** Reads how many recipients there are. */
  count(r: Wire): number;
  writeCount(w: Writer, n: number): void;
  /** The error of a refusal. */
  refusal(reason: ParcelReason, message: string): Error;
}

/** Whose it is, and who signed at which head. */
export interface Signed {
  readonly home: HomeID;
  readonly head: Head;
  readonly signer: KeyID;
}

/** What was parsed behind the context. */
export interface Parcel extends Signed {
  readonly recipients: readonly WrappedKey[];
  readonly body: Bytes;
  readonly signature: Bytes;
  /** All of it up to and including the signer. */
  readonly context: Bytes;
  /** What the signature is over, without its label. */
  readonly signed: Bytes;
  /** The hash of all of it. */
  readonly hash: Bytes;
}

/** Reads what every context ends with. */
export function readSigned(r: Wire): Omit<Signed, "home"> {
  return { head: readHead(r), signer: idText("key", r.raw(32)) };
}

/** Reads a parcel; about reads and checks its context, from behind the version to the signer. */
export async function parseParcel<A extends Signed>(f: Format, b: Bytes, about: (r: Wire) => A): Promise<A & Parcel> {
  if (b.length > f.limit) throw f.refusal("oversize", `${b.length} bytes`);
  if (b[0]! > 1) throw f.refusal("future-version", `version ${b[0]}`);
  if (b[0] === 0) throw f.refusal("malformed", "version 0");
  const hash = await sha256(b);
  try {
    const r = new Wire(b);
    r.u8();
    const own = about(r);
    const context = b.slice(0, r.at);
    const recipients = Array.from({ length: f.count(r) }, () => readWrapped(f, r));
    const body = readBody(f, r);
    const signed = b.slice(0, r.at);
    if (r.u8() !== 1) throw f.refusal("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw f.refusal("malformed", `a signature of ${signature.length} bytes`);
    return { ...own, recipients, body, signature, context, signed, hash };
  } catch (e) {
    if (e instanceof ParseError) throw f.refusal(e.why, e.message);
    throw e;
  }
}

function readWrapped(f: Format, r: Wire): WrappedKey {
  const n = r.u8();
  const wrapped = { key: idText("key", r.raw(32)), epoch: r.u64(), sealed: r.lp16() };
  const recipient = f.recipients.find((k) => recipientNumbers[k] === n);
  if (recipient === undefined) throw f.refusal("malformed", `a recipient of kind ${n}`);
  if (wrapped.sealed.length !== sealedSize(objectKeySize)) throw f.refusal("malformed", `a sealed key of ${wrapped.sealed.length} bytes`);
  return { recipient, ...wrapped };
}

function readBody(f: Format, r: Wire): Bytes {
  const length = r.u32();
  if (length > 0x7fffffff) throw f.refusal("oversize", `a body of ${length} bytes`);
  return r.raw(length);
}

/** Checks that a key of this home signed the parcel, on this chain. Whether its owner may is for the caller. */
export async function verifyParcel(f: Format, p: Parcel, title: Title): Promise<void> {
  if (p.home !== title.home) throw f.refusal("wrong-home", `made for home ${p.home}`);
  if (!title.onChain(p.head)) throw f.refusal("unknown-head", `made at ${p.head.seq}`);
  const signer = title.holder(p.signer);
  if (signer === null) throw f.refusal("unknown-signer", "no signing key of this home");
  if (!(await verifySignature(signer.key, message(f, p.signed), p.signature))) throw f.refusal("bad-signature", "the signature does not verify");
}

function message(f: Format, signed: Bytes): Bytes {
  return new Writer().raw(label(`latchkey ${f.name} v1`)).raw(signed).bytes();
}

async function keyInfo(f: Format, context: Bytes, k: Omit<WrappedKey, "sealed">): Promise<Bytes> {
  return new Writer()
    .raw(label(`latchkey ${f.name} key v1`))
    .raw(await sha256(context))
    .u8(recipientNumbers[k.recipient])
    .raw(idBytes("key", k.key))
    .u64(k.epoch)
    .bytes();
}

/** Opens the body of what was verified, with the key of the first recipient for whom there is one. */
export async function openParcel(f: Format, p: Parcel, held: (k: WrappedKey) => PrivateKey | undefined): Promise<Bytes> {
  const wrapped = p.recipients.find((k) => held(k) !== undefined);
  if (wrapped === undefined) throw f.refusal("no-envelope", "sealed to no key that is held here");
  const key = await held(wrapped)!.open(await keyInfo(f, p.context, wrapped), wrapped.sealed);
  if (key?.length !== objectKeySize) throw f.refusal("envelope", "the key does not open");
  try {
    return await openInPlace(key, p.context, p.body.slice());
  } catch (e) {
    if (e instanceof BodyError) throw f.refusal(e.reason, "the body does not open");
    throw e;
  }
}

/** Writes a parcel at the head of the title: sealed to the recipients, signed. The content may be anything. */
export async function writeParcel(f: Format, own: Writer, signer: Signer, title: Title, to: readonly To[], content: Bytes): Promise<Bytes> {
  const context = own.raw(headBytes(title.head)).raw(idBytes("key", signer.key.id)).bytes();
  const key = random(objectKeySize);
  const body = await sealBody(key, context, content);
  const w = new Writer().raw(context);
  f.writeCount(w, to.length);
  for (const t of to) {
    const k = { recipient: t.recipient, key: t.key.id, epoch: t.epoch };
    const sealed = await seal(t.key.bytes, await keyInfo(f, context, k), key);
    w.u8(recipientNumbers[k.recipient]).raw(idBytes("key", k.key)).u64(k.epoch).lp16(sealed);
  }
  const signed = w.lp32(body).bytes();
  return new Writer().raw(signed).u8(1).lp16(await signer.sign(message(f, signed))).bytes();
}
