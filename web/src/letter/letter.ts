// Letters between a member's device and an agent, and from an agent to its home, as
// anybody sees them, and how their bodies are sealed and opened (docs/letter.md).

import { BodyError, openInPlace, sealBody } from "../cobblestone.ts";
import { type Head, headBytes, readHead } from "../deed/head.ts";
import { type Key, sha256, type Signer, signatureSize, verifySignature } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { type PrivateKey, seal, sealedSize } from "../hpke.ts";
import { objectKeySize } from "../seal/envelope.ts";
import { type AgentID, type HomeID, idBytes, idText, type KeyID, type LetterID } from "../seal/name.ts";
import { type Bytes, isZero, label, ParseError, random, Reader as Wire, Writer } from "../wire.ts";

export const maxLetter = 1 << 20;
const maxCommand = 64 << 10;
/** How long a command may be obeyed at most, in microseconds. */
export const commandLife = 2 * 60 * 1_000_000;

/** Why a letter is refused. */
export type LetterReason =
  | "oversize"
  | "malformed"
  | "truncated"
  | "future-version"
  | "wrong-kind"
  | "wrong-home"
  | "wrong-command"
  | "unknown-head"
  | "unknown-signer"
  | "bad-signature"
  | "wrong-agent"
  | "not-allowed"
  | "wrong-recipients"
  | "stale"
  | "expired"
  | "replayed"
  | "fork"
  | "no-envelope"
  | "envelope"
  | "commitment"
  | "chunk"
  | "content";

export class LetterError extends Error {
  constructor(
    readonly reason: LetterReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

export type LetterKind = "command" | "reply" | "condition";
const kinds: (LetterKind | undefined)[] = [undefined, "command", "reply", "condition"];

type Recipient = "epoch" | "agent" | "asker";
const recipientNumbers: Record<Recipient, number> = { epoch: 1, agent: 4, asker: 5 };

/** The key of a letter's body, wrapped for its one recipient. */
interface WrappedKey {
  readonly recipient: Recipient;
  readonly key: KeyID;
  readonly epoch: number;
  readonly sealed: Bytes;
}

/** What a letter is, before it is sealed. */
export interface About {
  readonly kind: LetterKind;
  readonly agent: AgentID;
  /** Of the agent, from 1. */
  readonly incarnation: number;
  /** From 1 for replies to one command and conditions of one incarnation, 0 for a command. */
  readonly number: number;
  /** The hash of the command that a reply answers, zeros otherwise. */
  readonly re: Bytes;
  readonly time: number;
  /** Of a command, 0 otherwise. */
  readonly expires: number;
}

/** A letter that was parsed. */
export interface Letter extends About {
  readonly home: HomeID;
  readonly id: LetterID;
  readonly head: Head;
  readonly signer: KeyID;
  readonly recipient: WrappedKey;
  readonly body: Bytes;
  readonly signature: Bytes;
  /** All of it up to and including the signer. */
  readonly context: Bytes;
  /** What the signature is over, without its label. */
  readonly signed: Bytes;
  /** The letter's own hash, which a reply names. */
  readonly hash: Bytes;
}

/** Reads a letter. */
export async function parseLetter(b: Bytes): Promise<Letter> {
  if (b.length > maxLetter) throw new LetterError("oversize", `${b.length} bytes`);
  if (b.length > 0 && b[0]! > 1) throw new LetterError("future-version", `version ${b[0]}`);
  if (b.length > 0 && b[0] === 0) throw new LetterError("malformed", "version 0");
  const hash = await sha256(b);
  try {
    const r = new Wire(b);
    r.u8();
    const kind = kinds[r.u8()];
    if (kind === undefined) throw new LetterError("malformed", "another kind");
    if (kind === "command" && b.length > maxCommand) throw new LetterError("oversize", `a command of ${b.length} bytes`);
    const about = readAbout(kind, r);
    const context = b.slice(0, r.at);
    check(about);
    const recipient = readRecipient(r);
    const body = readBody(r);
    const signed = b.slice(0, r.at);
    if (r.u8() !== 1) throw new LetterError("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw new LetterError("malformed", `a signature of ${signature.length} bytes`);
    return { ...about, recipient, body, signature, context, signed, hash };
  } catch (e) {
    if (e instanceof ParseError) throw new LetterError(e.why, e.message);
    throw e;
  }
}

function readAbout(kind: LetterKind, r: Wire): About & Pick<Letter, "home" | "id" | "head" | "signer"> {
  return {
    kind,
    home: idText("home", r.raw(32)),
    agent: idText("agent", r.raw(16)),
    id: idText("letter", r.raw(16)),
    incarnation: r.u64(),
    number: r.u64(),
    re: r.raw(32),
    time: r.u64(),
    expires: r.u64(),
    head: readHead(r),
    signer: idText("key", r.raw(32)),
  };
}

/** Refuses what no field may hold in a letter of that kind. */
function check(l: About): void {
  const command = l.kind === "command";
  if (l.incarnation === 0) throw new LetterError("malformed", "incarnation 0");
  if (l.number > 0 === command) throw new LetterError("malformed", `a ${l.kind} of number ${l.number}`);
  if (!isZero(l.re) !== (l.kind === "reply")) throw new LetterError("malformed", "only a reply, and every reply, answers a letter");
  if (command && (l.expires <= l.time || l.expires - l.time > commandLife)) throw new LetterError("malformed", "a command that lives too long or not at all");
  if (!command && l.expires !== 0) throw new LetterError("malformed", `a ${l.kind} that ends`);
}

function readRecipient(r: Wire): WrappedKey {
  const count = r.u8();
  if (count !== 1) throw new LetterError("malformed", `${count} recipients`);
  const n = r.u8();
  const wrapped = { key: idText("key", r.raw(32)), epoch: r.u64(), sealed: r.lp16() };
  const recipient = (Object.keys(recipientNumbers) as Recipient[]).find((k) => recipientNumbers[k] === n);
  if (recipient === undefined) throw new LetterError("malformed", `a recipient of kind ${n}`);
  if (wrapped.sealed.length !== sealedSize(objectKeySize)) throw new LetterError("malformed", `a sealed key of ${wrapped.sealed.length} bytes`);
  return { recipient, ...wrapped };
}

function readBody(r: Wire): Bytes {
  const length = r.u32();
  if (length > 0x7fffffff) throw new LetterError("oversize", `a body of ${length} bytes`);
  return r.raw(length);
}

/** Checks that somebody wrote the letter who may, on this chain, for exactly the one whom it is for. */
export async function verifyLetter(l: Letter, title: Title): Promise<void> {
  if (l.home !== title.home) throw new LetterError("wrong-home", `a letter of home ${l.home}`);
  if (!title.onChain(l.head)) throw new LetterError("unknown-head", `written at ${l.head.seq}`);
  const key = title.signingKey(l.signer);
  if (key === null) throw new LetterError("unknown-signer", "no signing key of this home");
  if (!(await verifySignature(key, message(l.signed), l.signature))) throw new LetterError("bad-signature", "the signature does not verify");
  const agent = title.agent(l.agent);
  if (agent === null || agent.since > l.head.seq) throw new LetterError("wrong-agent", "the agent did not stand in the home");
  checkSigner(l, title);
  checkRecipient(l, title, agent.kem);
}

function checkSigner(l: Letter, title: Title): void {
  if (l.kind === "command") {
    if (!title.people.some((p) => p.device.signing.id === l.signer)) throw new LetterError("not-allowed", "only a member's device commands");
    return;
  }
  const signer = title.agentByKey(l.signer);
  if (signer === null) throw new LetterError("not-allowed", `only an agent writes a ${l.kind}`);
  if (signer.id !== l.agent) throw new LetterError("wrong-agent", "signed by another agent");
}

function checkRecipient(l: Letter, title: Title, agent: Key): void {
  const epoch = title.epochAt(l.head.seq);
  const { recipient, key } = l.recipient;
  const right = {
    command: () => recipient === "agent" && key === agent.id,
    // The key of an asker is one that nobody but agent and asker can know.
    reply: () => recipient === "asker",
    condition: () => recipient === "epoch" && key === title.epochKey(epoch)?.id,
  }[l.kind];
  if (l.recipient.epoch !== epoch || !right()) throw new LetterError("wrong-recipients", `a ${l.kind} is not for that recipient`);
}

function message(signed: Bytes): Bytes {
  return new Writer().raw(label("latchkey letter v1")).raw(signed).bytes();
}

async function keyInfo(context: Bytes, k: Omit<WrappedKey, "sealed">): Promise<Bytes> {
  return new Writer()
    .raw(label("latchkey letter key v1"))
    .raw(await sha256(context))
    .u8(recipientNumbers[k.recipient])
    .raw(idBytes("key", k.key))
    .u64(k.epoch)
    .bytes();
}

/** Opens the body of a verified letter with the recipient's key, null if that is not held. */
export async function openBody(l: Letter, held: PrivateKey | null): Promise<Bytes> {
  if (held === null) throw new LetterError("no-envelope", "sealed to a key that is not held here");
  const key = await held.open(await keyInfo(l.context, l.recipient), l.recipient.sealed);
  if (key?.length !== objectKeySize) throw new LetterError("envelope", "the key does not open");
  try {
    return await openInPlace(key, l.context, l.body.slice());
  } catch (e) {
    if (e instanceof BodyError) throw new LetterError(e.reason, "the body does not open");
    throw e;
  }
}

/** Writes a letter: sealed to the one recipient, signed. The content may be anything. */
export async function writeLetter(about: About, signer: Signer, title: Title, to: { recipient: Recipient; key: Key }, content: Bytes): Promise<Bytes> {
  const context = new Writer()
    .u8(1)
    .u8(kinds.indexOf(about.kind))
    .raw(idBytes("home", title.home))
    .raw(idBytes("agent", about.agent))
    .raw(random(16))
    .u64(about.incarnation)
    .u64(about.number)
    .raw(about.re)
    .u64(about.time)
    .u64(about.expires)
    .raw(headBytes(title.head))
    .raw(idBytes("key", signer.key.id))
    .bytes();
  const key = random(objectKeySize);
  const body = await sealBody(key, context, content);
  const k = { recipient: to.recipient, key: to.key.id, epoch: title.epoch };
  const sealed = await seal(to.key.bytes, await keyInfo(context, k), key);
  const w = new Writer().raw(context).u8(1).u8(recipientNumbers[k.recipient]).raw(idBytes("key", k.key)).u64(k.epoch).lp16(sealed);
  const signed = w.lp32(body).bytes();
  return new Writer().raw(signed).u8(1).lp16(await signer.sign(message(signed))).bytes();
}
