// A recovery code: 16 random bytes, how they are written down and read again, and what
// is made of them (docs/account.md, "Unlockers").

import { sha256 } from "../deed/key.ts";
import { ascii, base32, type Bytes, concat, random, unbase32 } from "../wire.ts";
import { derive } from "./derive.ts";
import { AccountError } from "./reasons.ts";

const codeSize = 16;
const codeLetters = 26;
const allLetters = 28;
const groupLetters = 4;

/** A fresh code. */
export function newRecoveryCode(): Bytes {
  return random(codeSize);
}

async function lettersOf(code: Bytes): Promise<string> {
  const check = base32(await sha256(concat(ascii("latchkey recovery check v1"), code)));
  return (base32(code) + check.slice(0, allLetters - codeLetters)).toUpperCase();
}

/** The seven groups of four letters that a code is written as. */
export async function recoveryGroups(code: Bytes): Promise<string[]> {
  const letters = await lettersOf(code);
  return Array.from({ length: allLetters / groupLetters }, (_, i) => letters.slice(i * groupLetters, (i + 1) * groupLetters));
}

const mistaken: Record<string, string> = { "0": "O", "1": "L", "8": "B" };

/** What somebody typed of a code, as it is written: without what separates, in capitals. */
export function typedLetters(text: string): string {
  const plain = text.replace(/[ \t\r\n\u00a0-]/g, "").replace(/[a-z]/g, (l) => l.toUpperCase());
  return plain.replace(/[018]/g, (d) => mistaken[d]!);
}

/** The code that somebody typed. */
export async function parseRecoveryCode(text: string): Promise<Bytes> {
  const letters = typedLetters(text);
  if (/[^A-Z2-7]/.test(letters)) throw new AccountError("letters", "a character that no recovery code has");
  if (letters.length !== allLetters) throw new AccountError("length", `${letters.length} characters, want ${allLetters}`);
  const code = unbase32(letters.slice(0, codeLetters).toLowerCase(), codeSize);
  if (code === null || (await lettersOf(code)) !== letters) throw new AccountError("check", "the last letters are not those of this code");
  return code;
}

/** By what the server finds the account, what it is shown, and the key that the vault key is wrapped under. */
export async function fromRecoveryCode(code: Bytes): Promise<{ locator: Bytes; auth: Bytes; kek: Bytes }> {
  const [locator, auth, kek] = await Promise.all(["locator", "auth", "wrap"].map((what) => derive(code, `latchkey recovery ${what} v1`)));
  return { locator: locator!.slice(0, 16), auth: auth!, kek: kek! };
}
