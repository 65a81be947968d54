// Opens a sealed object for whoever holds a key of it: the ten steps of docs/seal.md,
// "Reading", in their order.

import { type Bytes } from "../wire.ts";
import { BodyError, openInPlace } from "../cobblestone.ts";
import type { PrivateKey } from "../hpke.ts";
import type { Source } from "../source.ts";
import type { Title } from "../deed/title.ts";
import { bindingBytes } from "./binding.ts";
import { type Envelope, unwrap } from "./envelope.ts";
import { type Prefix, readBody, readPrefix } from "./file.ts";
import type { Header } from "./header.ts";
import type { KeyID, Name } from "./name.ts";
import { SealError } from "./reasons.ts";
import { verify } from "./verify.ts";

/** Private keys that a reader holds, by the IDs of their public ones. */
export type Ring = ReadonlyMap<KeyID, PrivateKey>;

/** A reader: the title it verified, the keys it holds, and envelopes that came apart from files. */
export interface Reader {
  readonly title: Title;
  /** The keys of epochs. */
  readonly ring: Ring;
  /** The keys of the person or link themselves, to which is sealed what a guest sees. */
  readonly own: Ring;
  /** The envelopes known for the object that this header is of. */
  envelopes?(h: Header): Promise<readonly Envelope[]>;
  /** Told the header as soon as it parses, before anything is judged. */
  seen?(h: Header): void;
  /** Told when the whole body is there and is the one that was signed. */
  bodyRead?(): void;
}

/** Reads, checks and opens a file; what comes back is the content. */
export async function open(source: Source, asked: Name | null, reader: Reader): Promise<{ header: Header; content: Bytes }> {
  try {
    const prefix = await readPrefix(source);
    reader.seen?.(prefix.header);
    await verify(prefix.header, asked, reader.title);
    const body = await readBody(source, prefix.header);
    reader.bodyRead?.();
    const objectKey = await objectKeyFrom(prefix, reader);
    return { header: prefix.header, content: await openBody(objectKey, prefix.header, body) };
  } finally {
    await source.cancel();
  }
}

/** The object key, from an envelope that this reader can open. */
export async function objectKeyFrom({ header, envelopes }: Prefix, reader: Reader): Promise<Bytes> {
  const all = [...envelopes, ...((await reader.envelopes?.(header)) ?? [])];
  const envelope = all.find((e) => keyFor(e, reader) !== undefined);
  if (envelope === undefined) throw new SealError("no-envelope", "no envelope for a key that is held here");
  checkEnvelope(header, envelope, reader.title);
  const objectKey = await unwrap(envelope, header.binding, keyFor(envelope, reader)!);
  if (objectKey === null) throw new SealError("envelope", "the envelope does not open");
  return objectKey;
}

/** The key with which the reader opens that envelope, if there is one. */
export function keyFor(e: Envelope, { ring, own }: Pick<Reader, "ring" | "own">): PrivateKey | undefined {
  return (e.recipient === "epoch" ? ring : own).get(e.key);
}

/** Checks that the title knows the envelope's key under its epoch, which is not older than the object. */
export function checkEnvelope(h: Header, e: Envelope, title: Title): void {
  const known = e.recipient === "epoch" ? title.epochKey(e.epoch)?.id === e.key : title.kemOf(e.key) === e.recipient && title.epochKey(e.epoch) !== null;
  if (!known) throw new SealError("unknown-epoch", `not a key of this home under epoch ${e.epoch}`);
  const at = title.epochAt(h.binding.head.seq);
  if (e.epoch < at) throw new SealError("old-epoch", `envelope of epoch ${e.epoch} for an object of epoch ${at}`);
}

async function openBody(objectKey: Bytes, h: Header, body: Bytes): Promise<Bytes> {
  try {
    return await openInPlace(objectKey, bindingBytes(h.binding), body);
  } catch (e) {
    if (e instanceof BodyError) throw new SealError(e.reason, "the body does not open");
    throw e;
  } finally {
    objectKey.fill(0);
  }
}
