// The body of every sealed object: C2SP chunked encryption, Cobblestone-256, at the
// revision that docs/seal.md quotes in full. A message cannot be continued: another
// message under the same key has another salt, and nothing here takes one.

import type { Source } from "./source.ts";
import { ascii, type Bytes, concat, copy, equalSecret, random } from "./wire.ts";

/** Plaintext bytes of every chunk but the last. */
export const chunkSize = 16384;
const tagSize = 16;
const saltSize = 24;
const commitmentSize = 32;
const sealedChunk = chunkSize + tagSize;
/** Where the first chunk begins. */
export const headSize = saltSize + commitmentSize;
/** The shortest body: a head and one empty chunk. */
export const minBody = headSize + tagSize;
// How many chunks are with the cipher at once; it works on them in threads of its own.
const window = 8;

/** Why a body does not open. */
export class BodyError extends Error {
  constructor(readonly reason: "truncated" | "commitment" | "chunk") {
    super(`the body does not open: ${reason}`);
  }
}

/** Whether a body of that length can be whole: the last chunk is shorter than the others. */
export function wholeLength(length: number): boolean {
  if (length < minBody) return false;
  const last = (length - headSize) % sealedChunk;
  return last >= tagSize;
}

/** The length of the body of a content. */
export function bodyLength(content: number): number {
  return headSize + content + tagSize * (Math.floor(content / chunkSize) + 1);
}

interface Secrets {
  key: CryptoKey;
  baseNonce: Bytes;
  commitment: Bytes;
}

// HKDF-Expand alone, which WebCrypto's HKDF is not (it always extracts first): HMAC by hand.
async function derive(objectKey: Bytes, salt: Bytes, context: Bytes): Promise<Secrets> {
  const prk = await crypto.subtle.importKey("raw", objectKey, { name: "HMAC", hash: "SHA-512" }, false, ["sign"]);
  const info = concat(ascii("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"), new Uint8Array(1), salt, context);
  const t1 = new Uint8Array(await crypto.subtle.sign("HMAC", prk, concat(info, Uint8Array.of(1))));
  const t2 = new Uint8Array(await crypto.subtle.sign("HMAC", prk, concat(t1, info, Uint8Array.of(2))));
  const out = concat(t1, t2);
  const key = await crypto.subtle.importKey("raw", out.slice(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { key, baseNonce: out.slice(32, 44), commitment: out.slice(44, 76) };
}

/** base nonce XOR u96(i) */
function nonce(base: Bytes, i: number): Bytes {
  const n = copy(base);
  const view = new DataView(n.buffer);
  view.setUint32(8, view.getUint32(8) ^ i % 2 ** 32);
  view.setUint32(4, view.getUint32(4) ^ Math.floor(i / 2 ** 32));
  return n;
}

/** Seals a content under a key that is for this one content. */
export async function sealBody(objectKey: Bytes, context: Bytes, content: Bytes): Promise<Bytes> {
  const salt = random(saltSize);
  const s = await derive(objectKey, salt, context);
  const parts: Bytes[] = [salt, s.commitment];
  for (let i = 0; i * chunkSize <= content.length; i++) {
    const plain = content.slice(i * chunkSize, (i + 1) * chunkSize);
    parts.push(new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce(s.baseNonce, i) }, s.key, plain)));
  }
  return concat(...parts);
}

/** A body being opened: its key committed to, its chunks opened one by one. */
export class Opening {
  readonly #secrets: Secrets;

  private constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Begins with the first 56 bytes; refuses a key that they do not commit to. */
  static async begin(objectKey: Bytes, context: Bytes, head: Bytes): Promise<Opening> {
    const secrets = await derive(objectKey, copy(head.subarray(0, saltSize)), context);
    if (!equalSecret(secrets.commitment, head.subarray(saltSize, headSize))) throw new BodyError("commitment");
    return new Opening(secrets);
  }

  /** The plaintext of chunk i. Nothing of a chunk is given before it has authenticated. */
  async chunk(i: number, sealed: Bytes): Promise<Bytes> {
    try {
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce(this.#secrets.baseNonce, i) }, this.#secrets.key, sealed));
    } catch {
      throw new BodyError("chunk");
    }
  }
}

/**
 * Opens a body in place and returns the part of it that now holds the content: a clip
 * is in memory once. On a refusal the caller throws the body away.
 */
export async function openInPlace(objectKey: Bytes, context: Bytes, body: Bytes): Promise<Bytes> {
  if (!wholeLength(body.length)) throw new BodyError("truncated");
  const opening = await Opening.begin(objectKey, context, copy(body.subarray(0, headSize)));
  const count = Math.floor((body.length - headSize) / sealedChunk) + 1;
  let written = 0;
  for (let from = 0; from < count; from += window) {
    const chunks: Promise<Bytes>[] = [];
    for (let i = from; i < Math.min(from + window, count); i++) {
      const at = headSize + i * sealedChunk;
      chunks.push(opening.chunk(i, body.subarray(at, Math.min(at + sealedChunk, body.length))));
    }
    for (const plain of await Promise.all(chunks)) {
      body.set(plain, written); // behind what is still sealed: a plaintext is shorter
      written += plain.length;
    }
  }
  return body.subarray(0, written);
}

/** Opens a body as it comes, chunk by chunk. What was given is authentic; that it is all is known at the end. */
export async function* openStream(objectKey: Bytes, context: Bytes, source: Source): AsyncGenerator<Bytes> {
  try {
    const head = await source.take(headSize);
    if (head.length < headSize) throw new BodyError("truncated");
    const opening = await Opening.begin(objectKey, context, head);
    for (let i = 0; ; i++) {
      const sealed = await source.take(sealedChunk);
      if (sealed.length < tagSize) throw new BodyError("truncated");
      yield await opening.chunk(i, sealed);
      if (sealed.length < sealedChunk) return;
    }
  } finally {
    await source.cancel();
  }
}
