// Bodies that are almost Cobblestone-256: each differs in one thing that a writer
// could get wrong, and in nothing else.

import { ascii, type Bytes, concat, random } from "../src/wire.ts";

export interface Strange {
  revision?: string;
  aead?: string;
  hash?: "SHA-256" | "SHA-512";
  extract?: boolean;
  context?: Bytes;
  first?: number;
  littleEndian?: boolean;
  aad?: Bytes;
  swap?: boolean;
}

/** A body of content that differs from the right one as said. */
export async function otherBody(objectKey: Bytes, binding: Bytes, content: Bytes, change: Strange): Promise<Bytes> {
  const salt = random(24);
  const { key, nonce, commitment } = await derive(objectKey, salt, binding, change);
  const chunks: Bytes[] = [];
  for (let i = 0; i * 16384 <= content.length; i++) {
    const number = (change.swap ? 1 - i : i) + (change.first ?? 0);
    const iv = nonce.slice();
    const at = change.littleEndian ? 0 : 11;
    iv[at] = iv[at]! ^ number;
    const how = { name: "AES-GCM", iv, ...(change.aad ? { additionalData: change.aad } : {}) };
    chunks.push(new Uint8Array(await crypto.subtle.encrypt(how, key, content.slice(i * 16384, (i + 1) * 16384))));
  }
  return concat(salt, commitment, ...chunks);
}

async function derive(objectKey: Bytes, salt: Bytes, binding: Bytes, change: Strange): Promise<{ key: CryptoKey; nonce: Bytes; commitment: Bytes }> {
  const hash = change.hash ?? "SHA-512";
  const size = hash === "SHA-512" ? 64 : 32;
  const prk = change.extract ? await hmac(hash, new Uint8Array(size), objectKey) : objectKey;
  const info = concat(ascii((change.revision ?? "c2sp.org/chunked-encryption@v1+") + (change.aead ?? "AEAD_AES_256_GCM")), new Uint8Array(1), salt, change.context ?? binding);
  let t: Bytes = new Uint8Array(0);
  let out: Bytes = t;
  for (let i = 1; out.length < 76; i++) {
    t = await hmac(hash, prk, concat(t, info, Uint8Array.of(i)));
    out = concat(out, t);
  }
  const key = await crypto.subtle.importKey("raw", out.slice(0, 32), "AES-GCM", false, ["encrypt"]);
  return { key, nonce: out.slice(32, 44), commitment: out.slice(44, 76) };
}

async function hmac(hash: string, key: Bytes, message: Bytes): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, message));
}
