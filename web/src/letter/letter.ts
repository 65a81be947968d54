// Letters between a member's device and an agent, and from an agent to its home, as
// anybody sees them, and how their bodies are sealed and opened (docs/letter.md).

import type { Key, Signer } from "../deed/key.ts";
import { heldAt, type Title } from "../deed/title.ts";
import type { PrivateKey } from "../hpke.ts";
import { type AgentID, idBytes, idText, type LetterID } from "../seal/name.ts";
import { type Format, openParcel, type Parcel, type ParcelReason, parseParcel, readSigned, type Recipient, type Signed, verifyParcel, type WrappedKey, writeParcel } from "../seal/parcel.ts";
import { type Bytes, isZero, random, type Reader as Wire, Writer } from "../wire.ts";

export const maxLetter = 1 << 20;
const maxCommand = 64 << 10;
/** How long a command may be obeyed at most, in microseconds. */
export const commandLife = 2 * 60 * 1_000_000;

/** Why a letter is refused. */
export type LetterReason = ParcelReason | "wrong-kind" | "wrong-command" | "wrong-agent" | "former-signer" | "stale" | "expired";

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

const format: Format = {
  name: "letter",
  limit: maxLetter,
  recipients: ["epoch", "agent", "asker"],
  count(r) {
    const count = r.u8();
    if (count !== 1) throw new LetterError("malformed", `${count} recipients`);
    return count;
  },
  writeCount: (w, n) => w.u8(n),
  refusal: (reason, message) => new LetterError(reason, message),
};

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

/** All that the letter is bound to. */
interface Bound extends About, Signed {
  readonly id: LetterID;
}

/** A letter that was parsed; a reply names its hash. */
export interface Letter extends Bound, Parcel {
  readonly recipient: WrappedKey;
}

/** Reads a letter. */
export async function parseLetter(b: Bytes): Promise<Letter> {
  const l = await parseParcel(format, b, (r) => {
    const kind = kinds[r.u8()];
    if (kind === undefined) throw new LetterError("malformed", "another kind");
    if (kind === "command" && b.length > maxCommand) throw new LetterError("oversize", `a command of ${b.length} bytes`);
    const about = readAbout(kind, r);
    check(about);
    return about;
  });
  return { ...l, recipient: l.recipients[0]! };
}

function readAbout(kind: LetterKind, r: Wire): Bound {
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
    ...readSigned(r),
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

/** Checks that somebody wrote the letter who may, on this chain, for exactly the one whom it is for. */
export async function verifyLetter(l: Letter, title: Title): Promise<void> {
  await verifyParcel(format, l, title);
  const agent = title.agentsAt(l.head.seq).find((a) => a.id === l.agent);
  if (agent === undefined) throw new LetterError("wrong-agent", "the agent did not stand in the home");
  checkSigner(l, title);
  checkRecipient(l, title, agent.kem);
}

function checkSigner(l: Letter, title: Title): void {
  const signer = title.holder(l.signer)!; // verifyParcel has found it
  if (l.kind === "command") {
    if (signer.kind !== "device" && signer.kind !== "person") throw new LetterError("not-allowed", "only a member commands");
    if (signer.until !== null) throw new LetterError("former-signer", "the key was taken back");
    return;
  }
  if (signer.kind !== "agent") throw new LetterError("not-allowed", `only an agent writes a ${l.kind}`);
  if (signer.agent !== l.agent) throw new LetterError("wrong-agent", "signed by another agent");
  if (!heldAt(signer, l.head.seq)) throw new LetterError("former-signer", "not the agent's key at that head");
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

/** Opens the body of a verified letter with the recipient's key, null if that is not held. */
export async function openBody(l: Letter, held: PrivateKey | null): Promise<Bytes> {
  return openParcel(format, l, () => held ?? undefined);
}

/** Writes a letter: sealed to the one recipient, signed. The content may be anything. */
export async function writeLetter(about: About, signer: Signer, title: Title, to: { recipient: Recipient; key: Key }, content: Bytes): Promise<Bytes> {
  const own = new Writer()
    .u8(1)
    .u8(kinds.indexOf(about.kind))
    .raw(idBytes("home", title.home))
    .raw(idBytes("agent", about.agent))
    .raw(random(16))
    .u64(about.incarnation)
    .u64(about.number)
    .raw(about.re)
    .u64(about.time)
    .u64(about.expires);
  return writeParcel(format, own, signer, title, [{ ...to, epoch: title.epoch }], content);
}
