// What is made of a passphrase: the half that a server is shown, and the key that the
// vault key is wrapped under (docs/account.md, "Unlockers").

import { type Bytes, random, Reader, Writer } from "../wire.ts";
import { derive } from "./derive.ts";
import { AccountError, layout } from "./reasons.ts";

/** How Argon2id makes a root of a passphrase. */
export interface Stretch {
  readonly salt: Bytes;
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

const floor = { memory: 64 << 10, passes: 3, lanes: 1 };
const ceiling = { memory: 1 << 20, passes: 16, lanes: 4 };
const leastCharacters = 12;

/** The parameters of a new passphrase. */
export function newStretch(): Stretch {
  return { salt: random(16), ...floor };
}

/** The parameters' bytes. */
export function stretchBytes(s: Stretch): Bytes {
  return new Writer().raw(s.salt).u32(s.memory).u8(s.passes).u8(s.lanes).bytes();
}

/** Reads parameters; nothing is said yet of whether they are any good. */
export function parseStretch(b: Bytes): Stretch {
  return layout(() => {
    const r = new Reader(b);
    const s = { salt: r.raw(16), memory: r.u32(), passes: r.u8(), lanes: r.u8() };
    r.done();
    return s;
  });
}

/** Whether that may be a new passphrase. */
export function passphraseFits(passphrase: string): boolean {
  return [...passphrase.trim()].length >= leastCharacters;
}

/** Stretches a passphrase; parameters that make guessing cheap, or take for ever, are refused first. */
export async function stretch(passphrase: string, s: Stretch): Promise<{ auth: Bytes; kek: Bytes }> {
  const says = `${s.memory} KiB, ${s.passes} passes, ${s.lanes} lanes`;
  if (s.memory > ceiling.memory || s.passes > ceiling.passes || s.lanes > ceiling.lanes) throw new AccountError("oversize", says);
  if (s.memory < floor.memory || s.passes < floor.passes || s.lanes < floor.lanes) throw new AccountError("weak", says);
  // Loaded only for people who type a passphrase.
  const { argon2id } = await import("hash-wasm");
  const password = new TextEncoder().encode(passphrase.normalize("NFKC"));
  const root = await argon2id({ password, salt: s.salt, memorySize: s.memory, iterations: s.passes, parallelism: s.lanes, hashLength: 32, outputType: "binary" });
  const secret = new Uint8Array(root);
  return { auth: await derive(secret, "latchkey passphrase auth v1"), kek: await derive(secret, "latchkey passphrase wrap v1") };
}
