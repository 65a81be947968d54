// HPKE with the one suite of docs/seal.md: MLKEM768-X25519 (X-Wing), HKDF-SHA256,
// AES-256-GCM, base mode, empty aad. On the wire it is enc || ciphertext. A browser
// whose WebCrypto has X-Wing does it itself; for the others a second implementation
// is loaded, and only for them.

import { ascii, type Bytes, concat, copy, equal } from "./wire.ts";

const algorithm = "MLKEM768-X25519";
const encSize = 1120;
const tagSize = 16;

/** The length of an X-Wing seed, which is the whole private key. */
export const seedSize = 32;

/** The length of n bytes sealed. */
export function sealedSize(n: number): number {
  return encSize + n + tagSize;
}

/** A private key that opens; the seed it was made of is not kept. */
export interface PrivateKey {
  readonly publicKey: Bytes;
  /** The plaintext, or null if it does not open. */
  open(info: Bytes, sealed: Bytes): Promise<Bytes | null>;
}

interface Suite {
  /** The private key that a seed is. It is never fed through DeriveKeyPair, which gives another key. */
  privateKey(seed: Bytes): Promise<PrivateKey>;
  seal(publicKey: Bytes, info: Bytes, plaintext: Bytes): Promise<Bytes>;
}

/** Whose X-Wing is used. */
export type Implementation = "native" | "fallback";

let chosen: Promise<Suite> | null = null;

/** Whether this browser's WebCrypto has X-Wing, and all of it that is needed: it is tried. */
export async function hasNative(): Promise<boolean> {
  try {
    const s = await native();
    const key = await s.privateKey(new Uint8Array(seedSize));
    const opened = await key.open(ascii("a trial"), await s.seal(key.publicKey, ascii("a trial"), ascii("it works")));
    return opened !== null && equal(opened, ascii("it works"));
  } catch {
    return false;
  }
}

/** Takes that implementation from now on; without a call the browser's own is taken where it has one. */
export function use(which: Implementation): void {
  chosen = which === "native" ? native() : fallback();
}

async function suite(): Promise<Suite> {
  chosen ??= hasNative().then((has) => (has ? native() : fallback()));
  return chosen;
}

/** The private key of a 32-byte seed. */
export async function privateKey(seed: Bytes): Promise<PrivateKey> {
  if (seed.length !== seedSize) throw new Error(`internal error: a seed of ${seed.length} bytes`);
  return (await suite()).privateKey(seed);
}

/** Seals plaintext to a public key. */
export async function seal(publicKey: Bytes, info: Bytes, plaintext: Bytes): Promise<Bytes> {
  return (await suite()).seal(publicKey, info, plaintext);
}

async function native(): Promise<Suite> {
  const h = await import("hpke");
  const s = new h.CipherSuite(h.KEM_MLKEM768_X25519, h.KDF_HKDF_SHA256, h.AEAD_AES_256_GCM);
  return {
    async privateKey(seed) {
      const key = await s.DeserializePrivateKey(seed);
      return {
        publicKey: await nativePublicKey(seed),
        open: (info, sealed) => opened(sealed, (enc, ct) => s.Open(key, enc, ct, { info })),
      };
    },
    async seal(publicKey, info, plaintext) {
      const { encapsulatedSecret, ciphertext } = await s.Seal(await s.DeserializePublicKey(publicKey), plaintext, { info });
      return concat(encapsulatedSecret, ciphertext);
    },
  };
}

interface WithPublicKey {
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
}

async function nativePublicKey(seed: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw-seed" as "raw", seed, algorithm, false, ["decapsulateBits" as KeyUsage]);
  const publicKey = await (crypto.subtle as unknown as WithPublicKey).getPublicKey(key, ["encapsulateBits"]);
  return new Uint8Array(await crypto.subtle.exportKey("raw-public" as "raw", publicKey));
}

async function fallback(): Promise<Suite> {
  const [core, { XWing }] = await Promise.all([import("@hpke/core"), import("@hpke/hybridkem-x-wing")]);
  const kem = new XWing();
  const s = new core.CipherSuite({ kem, kdf: new core.HkdfSha256(), aead: new core.Aes256Gcm() });
  return {
    async privateKey(seed) {
      const pair = await kem.generateKeyPairDerand(copy(seed));
      return {
        publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)),
        open: (info, sealed) => opened(sealed, (enc, ct) => s.open({ recipientKey: pair.privateKey, enc: buffer(enc), info: buffer(info) }, buffer(ct))),
      };
    },
    async seal(publicKey, info, plaintext) {
      const recipientPublicKey = await kem.deserializePublicKey(buffer(publicKey));
      const { enc, ct } = await s.seal({ recipientPublicKey, info: buffer(info) }, buffer(plaintext));
      return concat(new Uint8Array(enc), new Uint8Array(ct));
    },
  };
}

// The second implementation takes the whole buffer behind an array.
function buffer(b: Bytes): ArrayBuffer {
  return copy(b).buffer;
}

async function opened(sealed: Bytes, open: (enc: Bytes, ct: Bytes) => Promise<ArrayBuffer | Uint8Array>): Promise<Bytes | null> {
  if (sealed.length < sealedSize(0)) return null;
  try {
    return copy(new Uint8Array(await open(copy(sealed.subarray(0, encSize)), copy(sealed.subarray(encSize)))));
  } catch {
    return null;
  }
}
