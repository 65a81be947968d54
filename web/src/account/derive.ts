// The two parts that everything about an account is made of: a key derived from a
// secret, and bytes sealed under a key (docs/account.md, conventions).

import { ascii, type Bytes, concat, copy, random } from "../wire.ts";

const nonceSize = 12;

/** The bytes that a nonce and a tag add. */
export const sealedMore = nonceSize + 16;

/** HKDF-SHA256 with an empty salt, 32 bytes. */
export async function derive(secret: Bytes, info: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const params = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: ascii(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(params, key, 256));
}

/** nonce || AES-256-GCM under a fresh nonce, bound to aad. */
export async function gcmSeal(key: Bytes, aad: Bytes, plain: Bytes): Promise<Bytes> {
  const iv = random(nonceSize);
  const k = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, k, plain)));
}

/** The inverse of gcmSeal, null if it does not open. */
export async function gcmOpen(key: Bytes, aad: Bytes, sealed: Bytes): Promise<Bytes | null> {
  if (sealed.length < sealedMore) return null;
  const k = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const params = { name: "AES-GCM", iv: copy(sealed.subarray(0, nonceSize)), additionalData: aad };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(params, k, copy(sealed.subarray(nonceSize))));
  } catch {
    return null;
  }
}
