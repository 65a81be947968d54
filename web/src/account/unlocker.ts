// One of the things that open a vault: the vault key, wrapped under a key that a
// passkey, a passphrase or a recovery code makes (docs/account.md, "Unlockers").

import { type AccountID, idBytes, type UnlockerID } from "../seal/name.ts";
import { type Bytes, label, Writer } from "../wire.ts";
import { gcmOpen, gcmSeal, sealedMore } from "./derive.ts";
import { parseStretch } from "./passphrase.ts";
import { AccountError } from "./reasons.ts";

export type UnlockerKind = "passkey" | "passphrase" | "recovery";

const numbers: Record<UnlockerKind, number> = { passkey: 1, passphrase: 2, recovery: 3 };
const keySize = 32;
const maxParams = 1024;
const locatorSize = 16;

export interface Unlocker {
  readonly account: AccountID;
  readonly id: UnlockerID;
  readonly kind: UnlockerKind;
  /** A passkey's credential ID, a passphrase's parameters, a recovery code's locator. */
  readonly params: Bytes;
  readonly wrapped: Bytes;
}

/** The kind of that number or name, null for another. */
export function unlockerKind(of: number | string): UnlockerKind | null {
  return (Object.keys(numbers) as UnlockerKind[]).find((k) => k === of || numbers[k] === of) ?? null;
}

/** Refuses an unlocker that is none. */
export function checkUnlocker(u: Unlocker): void {
  if (u.params.length > maxParams) throw new AccountError("oversize", `parameters of ${u.params.length} bytes`);
  if (u.wrapped.length !== keySize + sealedMore) throw new AccountError("malformed", `a wrapped key of ${u.wrapped.length} bytes`);
  if (u.kind === "passphrase") parseStretch(u.params);
  if (u.kind === "recovery" && u.params.length !== locatorSize) throw new AccountError("malformed", `a locator of ${u.params.length} bytes`);
  if (u.kind === "passkey" && u.params.length === 0) throw new AccountError("malformed", "a passkey without a credential");
}

// What the wrapped key is bound to: a server that swaps two unlockers, or weakens a salt,
// gets nothing to open.
function context(u: Omit<Unlocker, "wrapped">): Bytes {
  return new Writer().raw(label("latchkey unlocker v1")).raw(idBytes("account", u.account)).raw(idBytes("unlocker", u.id)).u8(numbers[u.kind]).lp16(u.params).bytes();
}

/** Completes an unlocker with the vault key. */
export async function wrapVaultKey(u: Omit<Unlocker, "wrapped">, kek: Bytes, vaultKey: Bytes): Promise<Unlocker> {
  return { ...u, wrapped: await gcmSeal(kek, context(u), vaultKey) };
}

/** Takes the vault key out of an unlocker. */
export async function unwrapVaultKey(u: Unlocker, kek: Bytes): Promise<Bytes> {
  checkUnlocker(u);
  const key = await gcmOpen(kek, context(u), u.wrapped);
  if (key === null) throw new AccountError("wrap", "the vault key does not come out");
  return key;
}
