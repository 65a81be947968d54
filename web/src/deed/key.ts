// Public keys as deeds carry them, and what verifies and signs with them. The
// algorithm belongs to the key and comes from the deed that brought it; no message
// names one.

import { ascii, type Bytes, concat, copy, label, type Reader, Writer } from "../wire.ts";
import { idText, type KeyID } from "../seal/name.ts";
import { DeedError } from "./reasons.ts";

export type Algorithm = "Ed25519" | "X-Wing";

const numbers: Record<Algorithm, number> = { Ed25519: 1, "X-Wing": 2 };
const sizes: Record<Algorithm, number> = { Ed25519: 32, "X-Wing": 1216 };

/** The length of an Ed25519 signature. */
export const signatureSize = 64;

/** A public key with its algorithm. The ID is computed once, when the key is read. */
export interface Key {
  readonly algorithm: Algorithm;
  readonly bytes: Bytes;
  readonly id: KeyID;
}

/** Makes a key of its bytes. */
export async function publicKey(algorithm: Algorithm, bytes: Bytes): Promise<Key> {
  const id = await sha256(concat(label("latchkey key v1"), keyBytes({ algorithm, bytes })));
  return { algorithm, bytes, id: idText("key", id) };
}

/** A key as a deed has it: u8(algorithm) || lp16(bytes). */
export function keyBytes(k: Pick<Key, "algorithm" | "bytes">): Bytes {
  return new Writer().u8(numbers[k.algorithm]).lp16(k.bytes).bytes();
}

/** Reads a key that must be of the algorithm which has its place there. */
export async function readKey(r: Reader, want: Algorithm): Promise<Key> {
  const algorithm = r.u8();
  const bytes = r.lp16();
  if (algorithm !== numbers[want] || bytes.length !== sizes[want]) {
    throw new DeedError("bad-key", `algorithm ${algorithm} with ${bytes.length} bytes where ${want} belongs`);
  }
  return publicKey(want, bytes);
}

// What WebCrypto made of a key, which costs as much as a signature.
const imported = new WeakMap<Key, Promise<CryptoKey>>();

function verifier(k: Key): Promise<CryptoKey> {
  const key = imported.get(k) ?? crypto.subtle.importKey("raw", k.bytes, "Ed25519", false, ["verify"]);
  imported.set(k, key);
  return key;
}

/** Whether the signature is the key's over the message. A key that does not sign verifies nothing. */
export async function verifySignature(k: Key, message: Bytes, signature: Bytes): Promise<boolean> {
  if (k.algorithm !== "Ed25519") return false;
  try {
    return await crypto.subtle.verify("Ed25519", await verifier(k), signature, message);
  } catch {
    return false; // bytes that are no point of the curve
  }
}

export async function sha256(b: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", b));
}

/** HMAC-SHA256. */
export async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, message));
}

/** Whoever can sign with one key. The private half stays inside. */
export interface Signer {
  readonly key: Key;
  sign(message: Bytes): Promise<Bytes>;
}

// An Ed25519 private key of PKCS #8 is this and its 32-byte seed.
const pkcs8 = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

/** The signer that a 32-byte Ed25519 seed makes. */
export async function signerOf(seed: Bytes): Promise<Signer> {
  const encoded = concat(pkcs8, seed);
  const open = await crypto.subtle.importKey("pkcs8", encoded, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", open);
  const shut = await crypto.subtle.importKey("pkcs8", encoded, "Ed25519", false, ["sign"]);
  encoded.fill(0);
  const bytes = ascii(atob(x!.replaceAll("-", "+").replaceAll("_", "/")));
  return {
    key: await publicKey("Ed25519", copy(bytes)),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", shut, message)),
  };
}
