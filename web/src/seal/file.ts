// A sealed object as it is carried: magic, header, envelopes, body (docs/seal.md,
// "Object file"). The body is read only after whoever reads has judged the header.

import { ascii, type Bytes, equal, Writer } from "../wire.ts";
import { wholeLength } from "../cobblestone.ts";
import { sha256 } from "../deed/key.ts";
import type { Source } from "../source.ts";
import { type Envelope, envelopeBytes, maxEnvelope, maxEnvelopes, parseEnvelope } from "./envelope.ts";
import { type Header, headerBytes, maxHeader, parseHeader } from "./header.ts";
import { SealError } from "./reasons.ts";

const magic = ascii("latchkey object 1\n");
const digit = magic.length - 2;

/** The part of a file before its body. */
export interface Prefix {
  readonly header: Header;
  readonly envelopes: readonly Envelope[];
}

/** Reads a file up to its body. */
export async function readPrefix(source: Source): Promise<Prefix> {
  const begins = await take(source, magic.length);
  if (!equal(begins, magic)) {
    const later = begins[digit]! > magic[digit]! && begins[digit]! <= 0x39;
    begins[digit] = magic[digit]!;
    if (later && equal(begins, magic)) throw new SealError("future-version", "an object file of a later version");
    throw new SealError("malformed", "no object file");
  }
  const header = parseHeader(await takeLP16(source, "header", maxHeader));
  const count = u16(await take(source, 2));
  if (count > maxEnvelopes) throw new SealError("oversize", `${count} envelopes`);
  const envelopes: Envelope[] = [];
  for (let i = 0; i < count; i++) envelopes.push(parseEnvelope(await takeLP16(source, "envelope", maxEnvelope)));
  return { header, envelopes };
}

async function take(source: Source, n: number): Promise<Bytes> {
  const b = await source.take(n);
  if (b.length < n) throw new SealError("truncated", "the file ends before its body");
  return b;
}

async function takeLP16(source: Source, what: string, limit: number): Promise<Bytes> {
  const n = u16(await take(source, 2));
  if (n > limit) throw new SealError("oversize", `${what} of ${n} bytes`);
  return take(source, n);
}

function u16(b: Bytes): number {
  return b[0]! * 256 + b[1]!;
}

/** Reads the body to the end of the file and checks that it is the one that was signed. */
export async function readBody(source: Source, h: Header): Promise<Bytes> {
  if (!wholeLength(h.bodyLength)) throw new SealError("truncated", `no body has ${h.bodyLength} bytes`);
  const body = new Uint8Array(h.bodyLength);
  const have = await source.into(body);
  if (have < body.length) throw new SealError("truncated", `${have} bytes of ${body.length}`);
  if ((await source.take(1)).length > 0) throw new SealError("trailing", "bytes follow the body");
  if (!equal(await sha256(body), h.bodyHash)) throw new SealError("wrong-hash", "another body than the one that was signed");
  return body;
}

/** The part of a file before its body, as bytes. */
export function prefixBytes(p: Prefix): Bytes {
  const w = new Writer().raw(magic).lp16(headerBytes(p.header)).u16(p.envelopes.length);
  for (const e of p.envelopes) w.lp16(envelopeBytes(e));
  return w.bytes();
}
