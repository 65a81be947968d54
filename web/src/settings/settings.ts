// A home's settings document: signed by an owner, sealed to the epoch at its head and
// to every agent, replaced as a whole (docs/deed.md, "Settings").

import { type Bytes, equal, label, ParseError, random, Reader as Wire, Writer } from "../wire.ts";
import { BodyError, openInPlace, sealBody } from "../cobblestone.ts";
import { type PrivateKey, seal, sealedSize } from "../hpke.ts";
import { type Head, headBytes, readHead } from "../deed/head.ts";
import { type Key, sha256, type Signer, signatureSize, verifySignature } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { objectKeySize } from "../seal/envelope.ts";
import { type HomeID, idBytes, idText, type KeyID } from "../seal/name.ts";
import { type Content, contentBytes, contentFits, parseContent } from "./content.ts";

export const maxSettings = 256 << 10;
const maxRecipients = 33;

/** Why a settings document is refused. */
export type SettingsReason =
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

export class SettingsError extends Error {
  constructor(
    readonly reason: SettingsReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

type Recipient = "epoch" | "agent";
const recipientNumbers: Record<Recipient, number> = { epoch: 1, agent: 4 };

interface WrappedKey {
  readonly recipient: Recipient;
  readonly key: KeyID;
  readonly epoch: number;
  readonly sealed: Bytes;
}

/** A document that was parsed: whose, which, by whom. Its names are still sealed. */
export interface Document {
  readonly home: HomeID;
  /** Counts from 1. */
  readonly number: number;
  /** The hash of the document before, zeros in the first. */
  readonly prev: Bytes;
  readonly time: number;
  readonly head: Head;
  readonly signer: KeyID;
  readonly recipients: readonly WrappedKey[];
  readonly body: Bytes;
  readonly signature: Bytes;
  /** All of it up to and including the signer. */
  readonly context: Bytes;
  /** What the signature is over, without its label. */
  readonly signed: Bytes;
  /** The document's own hash, which the next one names. */
  readonly hash: Bytes;
}

/** Reads a document. */
export async function parseDocument(b: Bytes): Promise<Document> {
  if (b.length > maxSettings) throw new SettingsError("oversize", `${b.length} bytes`);
  if (b.length > 0 && b[0]! > 1) throw new SettingsError("future-version", `version ${b[0]}`);
  if (b.length > 0 && b[0] === 0) throw new SettingsError("malformed", "version 0");
  const hash = await sha256(b);
  try {
    const r = new Wire(b);
    r.u8();
    const home = idText("home", r.raw(32));
    const number = r.u64();
    if (number === 0) throw new SettingsError("malformed", "number 0");
    const about = { home, number, prev: r.raw(32), time: r.u64(), head: readHead(r), signer: idText("key", r.raw(32)) };
    const context = b.slice(0, r.at);
    const recipients = readRecipients(r);
    const body = r.lp32();
    const signed = b.slice(0, r.at);
    if (r.u8() !== 1) throw new SettingsError("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw new SettingsError("malformed", `a signature of ${signature.length} bytes`);
    return { ...about, recipients, body, signature, context, signed, hash };
  } catch (e) {
    if (e instanceof ParseError) throw new SettingsError(e.why, e.message);
    throw e;
  }
}

function readRecipients(r: Wire): WrappedKey[] {
  const count = r.u16();
  if (count > maxRecipients) throw new SettingsError("oversize", `${count} recipients`);
  return Array.from({ length: count }, () => {
    const n = r.u8();
    const recipient = n === 1 ? "epoch" : n === 4 ? "agent" : null;
    const wrapped = { key: idText("key", r.raw(32)), epoch: r.u64(), sealed: r.lp16() };
    if (recipient === null) throw new SettingsError("malformed", `a recipient of kind ${n}`);
    if (wrapped.sealed.length !== sealedSize(objectKeySize)) throw new SettingsError("malformed", `a sealed key of ${wrapped.sealed.length} bytes`);
    return { recipient, ...wrapped };
  });
}

/** Checks that an owner signed the document, on this chain, for exactly those whom it is for. */
export async function verifyDocument(d: Document, title: Title): Promise<void> {
  if (d.home !== title.home) throw new SettingsError("wrong-home", `settings of home ${d.home}`);
  if (!title.onChain(d.head)) throw new SettingsError("unknown-head", `made at ${d.head.seq}`);
  const key = title.signingKey(d.signer);
  if (key === null) throw new SettingsError("unknown-signer", "no signing key of this home");
  if (!(await verifySignature(key, message(d.signed), d.signature))) throw new SettingsError("bad-signature", "the signature does not verify");
  if (title.personBySigningKey(d.signer) === null) throw new SettingsError("not-allowed", "only an owner signs settings");
  const want = recipientsAt(title, d.head.seq);
  const right = d.recipients.length === want.length && d.recipients.every((k, i) => k.recipient === want[i]!.recipient && k.key === want[i]!.key.id && k.epoch === want[i]!.epoch);
  if (!right) throw new SettingsError("wrong-recipients", "not sealed to the epoch and the agents of its head");
}

function message(signed: Bytes): Bytes {
  return new Writer().raw(label("latchkey settings v1")).raw(signed).bytes();
}

/** Those to whom a document made at that deed is sealed: the epoch, then the agents as they were placed. */
function recipientsAt(title: Title, seq: number): { recipient: Recipient; key: Key; epoch: number }[] {
  const epoch = title.epochAt(seq);
  const key = title.epochKey(epoch);
  const agents = title.agents.filter((a) => a.since <= seq);
  return [...(key === null ? [] : [{ recipient: "epoch" as const, key, epoch }]), ...agents.map((a) => ({ recipient: "agent" as const, key: a.kem, epoch }))];
}

/** Which document a reader has seen last. */
export interface Seen {
  readonly number: number;
  readonly hash: Bytes;
}

/** Refuses a document that is older than the one seen, or another of the same number. */
export function checkSeen(d: Document, seen: Seen | null): void {
  if (seen === null) return;
  if (d.number < seen.number) throw new SettingsError("replayed", `number ${d.number} after number ${seen.number}`);
  if (d.number === seen.number && !equal(d.hash, seen.hash)) throw new SettingsError("fork", `two documents of number ${d.number}`);
}

async function keyInfo(context: Bytes, k: Pick<WrappedKey, "recipient" | "key" | "epoch">): Promise<Bytes> {
  return new Writer()
    .raw(label("latchkey settings key v1"))
    .raw(await sha256(context))
    .u8(recipientNumbers[k.recipient])
    .raw(idBytes("key", k.key))
    .u64(k.epoch)
    .bytes();
}

/** The private keys of a reader: a member's are those of epochs, an agent's its own. */
export interface Holder {
  readonly recipient: Recipient;
  readonly keys: ReadonlyMap<KeyID, PrivateKey>;
}

/** Reads, checks and opens a document. */
export async function openSettings(b: Bytes, title: Title, seen: Seen | null, holder: Holder): Promise<{ document: Document; content: Content; plain: Bytes }> {
  const document = await parseDocument(b);
  await verifyDocument(document, title);
  checkSeen(document, seen);
  const plain = await openBody(document, holder);
  const content = parseContent(plain);
  if (content === null) throw new SettingsError("content", "it opens, and what it says is no settings");
  return { document, content, plain };
}

async function openBody(d: Document, holder: Holder): Promise<Bytes> {
  const wrapped = d.recipients.find((k) => k.recipient === holder.recipient && holder.keys.has(k.key));
  if (wrapped === undefined) throw new SettingsError("no-envelope", "sealed to no key that is held here");
  const key = await holder.keys.get(wrapped.key)!.open(await keyInfo(d.context, wrapped), wrapped.sealed);
  if (key?.length !== objectKeySize) throw new SettingsError("envelope", "the key does not open");
  try {
    return await openInPlace(key, d.context, d.body.slice());
  } catch (e) {
    if (e instanceof BodyError) throw new SettingsError(e.reason, "the body does not open");
    throw e;
  }
}

/** Makes the document that follows prev, or the first, sealed to everybody whom the title has now. */
export async function sealSettings(signer: Signer, title: Title, prev: Seen | null, time: number, content: Content): Promise<Bytes> {
  if (!contentFits(content)) throw new Error("internal error: a document may not say that");
  return sealContent(signer, title, prev, time, contentBytes(content));
}

/** Like sealSettings, with content that may be anything: for vectors. */
export async function sealContent(signer: Signer, title: Title, prev: Seen | null, time: number, content: Bytes): Promise<Bytes> {
  const context = new Writer()
    .u8(1)
    .raw(idBytes("home", title.home))
    .u64((prev?.number ?? 0) + 1)
    .raw(prev?.hash ?? new Uint8Array(32))
    .u64(time)
    .raw(headBytes(title.head))
    .raw(idBytes("key", signer.key.id))
    .bytes();
  const key = random(objectKeySize);
  const body = await sealBody(key, context, content);
  const to = recipientsAt(title, title.head.seq);
  const w = new Writer().raw(context).u16(to.length);
  for (const t of to) {
    const k = { recipient: t.recipient, key: t.key.id, epoch: t.epoch };
    const sealed = await seal(t.key.bytes, await keyInfo(context, k), key);
    w.u8(recipientNumbers[k.recipient]).raw(idBytes("key", k.key)).u64(k.epoch).lp16(sealed);
  }
  const signed = w.lp32(body).bytes();
  return new Writer().raw(signed).u8(1).lp16(await signer.sign(message(signed))).bytes();
}
