// A home's settings document: signed by an owner, sealed to the epoch at its head and
// to every agent, replaced as a whole (docs/deed.md, "Settings").

import type { Signer } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import type { PrivateKey } from "../hpke.ts";
import { idBytes, idText, type KeyID } from "../seal/name.ts";
import { type Format, openParcel, type Parcel, type ParcelReason, parseParcel, readSigned, type To, verifyParcel, writeParcel } from "../seal/parcel.ts";
import { type Bytes, equal, Writer } from "../wire.ts";
import { type Content, contentBytes, contentFits, parseContent } from "./content.ts";

export const maxSettings = 256 << 10;
const maxRecipients = 33;

/** Why a settings document is refused. */
export type SettingsReason = ParcelReason;

export class SettingsError extends Error {
  constructor(
    readonly reason: SettingsReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

const format: Format = {
  name: "settings",
  limit: maxSettings,
  recipients: ["epoch", "agent"],
  count(r) {
    const count = r.u16();
    if (count > maxRecipients) throw new SettingsError("oversize", `${count} recipients`);
    return count;
  },
  writeCount: (w, n) => w.u16(n),
  refusal: (reason, message) => new SettingsError(reason, message),
};

/** A document that was parsed: whose, which, by whom; the next one names its hash. Its names are still sealed. */
export interface Document extends Parcel {
  /** Counts from 1. */
  readonly number: number;
  /** The hash of the document before, zeros in the first. */
  readonly prev: Bytes;
  readonly time: number;
}

/** Reads a document. */
export function parseDocument(b: Bytes): Promise<Document> {
  return parseParcel(format, b, (r) => {
    const home = idText("home", r.raw(32));
    const number = r.u64();
    if (number === 0) throw new SettingsError("malformed", "number 0");
    return { home, number, prev: r.raw(32), time: r.u64(), ...readSigned(r) };
  });
}

/** Checks that an owner signed the document, on this chain, for exactly those whom it is for. */
export async function verifyDocument(d: Document, title: Title): Promise<void> {
  await verifyParcel(format, d, title);
  if (title.signerAt(d.signer, d.head.seq)?.role !== "owner") throw new SettingsError("not-allowed", "not signed by an owner of that head");
  const want = recipientsAt(title, d.head.seq);
  const right = d.recipients.length === want.length && d.recipients.every((k, i) => k.recipient === want[i]!.recipient && k.key === want[i]!.key.id && k.epoch === want[i]!.epoch);
  if (!right) throw new SettingsError("wrong-recipients", "not sealed to the epoch and the agents of its head");
}

/** Those to whom a document made at that deed is sealed: the epoch, then the agents as they were placed. */
function recipientsAt(title: Title, seq: number): To[] {
  const epoch = title.epochAt(seq);
  const key = title.epochKey(epoch);
  return [...(key === null ? [] : [{ recipient: "epoch" as const, key, epoch }]), ...title.agentsAt(seq).map((a) => ({ recipient: "agent" as const, key: a.kem, epoch }))];
}

/** Which document a reader has seen last. */
export interface Seen {
  readonly number: number;
  readonly hash: Bytes;
  /** The deed at its head, if that is known. */
  readonly head?: number;
}

/** Refuses a document that is older than the one seen, by number or by head, or another of the same number. */
export function checkSeen(d: Document, seen: Seen | null): void {
  if (seen === null) return;
  if (d.number > seen.number && d.head.seq < (seen.head ?? 0)) throw new SettingsError("replayed", `made at deed ${d.head.seq}, before the one seen`);
  if (d.number < seen.number) throw new SettingsError("replayed", `number ${d.number} after number ${seen.number}`);
  if (d.number === seen.number && !equal(d.hash, seen.hash)) throw new SettingsError("fork", `two documents of number ${d.number}`);
}

/** The private keys of a reader: a member's are those of epochs, an agent's its own. */
export interface Holder {
  readonly recipient: "epoch" | "agent";
  readonly keys: ReadonlyMap<KeyID, PrivateKey>;
}

/** Reads, checks and opens a document. */
export async function openSettings(b: Bytes, title: Title, seen: Seen | null, holder: Holder): Promise<{ document: Document; content: Content; plain: Bytes }> {
  const document = await parseDocument(b);
  await verifyDocument(document, title);
  checkSeen(document, seen);
  const plain = await openParcel(format, document, (k) => (k.recipient === holder.recipient ? holder.keys.get(k.key) : undefined));
  const content = parseContent(plain);
  if (content === null) throw new SettingsError("content", "it opens, and what it says is no settings");
  return { document, content, plain };
}

/** Makes the document that follows prev, or the first, sealed to everybody whom the title has now. */
export async function sealSettings(signer: Signer, title: Title, prev: Seen | null, time: number, content: Content): Promise<Bytes> {
  if (!contentFits(content)) throw new Error("internal error: a document may not say that");
  return sealContent(signer, title, prev, time, contentBytes(content));
}

/** Like sealSettings, with content that may be anything: for vectors. */
export async function sealContent(signer: Signer, title: Title, prev: Seen | null, time: number, content: Bytes): Promise<Bytes> {
  const own = new Writer()
    .u8(1)
    .raw(idBytes("home", title.home))
    .u64((prev?.number ?? 0) + 1)
    .raw(prev?.hash ?? new Uint8Array(32))
    .u64(time);
  return writeParcel(format, own, signer, title, recipientsAt(title, title.head.seq), content);
}
