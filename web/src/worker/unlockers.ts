// Making the things that open a vault, and opening a vault with one that a sign-in
// gave back (docs/account.md, "Unlockers").

import { broken, Failed, type Fields } from "../api.ts";
import { passkeyKEK } from "../account/passkey.ts";
import { newStretch, passphraseFits, stretch, stretchBytes } from "../account/passphrase.ts";
import { AccountError } from "../account/reasons.ts";
import { fromRecoveryCode, newRecoveryCode, recoveryGroups, typedLetters } from "../account/recovery.ts";
import { type Unlocker, type UnlockerKind, unlockerKind, unwrapVaultKey, wrapVaultKey } from "../account/unlocker.ts";
import { type AccountID, idText, parseID, type UnlockerID } from "../seal/name.ts";
import { ascii, base64, type Bytes, copy, equalSecret, random } from "../wire.ts";
import type { PasskeyAnswer, RecoveryCode } from "./accounts.ts";
import { refused } from "./result.ts";

/** An unlocker as a server is told of it. */
export interface Enrolled {
  readonly id: UnlockerID;
  readonly body: Readonly<Record<string, string>>;
}

async function enrol(account: AccountID, kind: UnlockerKind, params: Bytes, kek: Bytes, vaultKey: Bytes, more: Record<string, string>): Promise<Enrolled> {
  const u = await wrapVaultKey({ account, id: idText("unlocker", random(16)), kind, params }, kek, vaultKey);
  return { id: u.id, body: { unlocker: u.id, kind, params: base64(params), wrapped: base64(u.wrapped), ...more } };
}

/** A new passphrase. */
export async function enrolPassphrase(account: AccountID, passphrase: string, vaultKey: Bytes): Promise<Enrolled> {
  if (!passphraseFits(passphrase)) throw refused("passphrase", "A passphrase has at least 12 characters.");
  const s = newStretch();
  const { auth, kek } = await stretch(passphrase, s);
  return enrol(account, "passphrase", stretchBytes(s), kek, vaultKey, { auth: base64(auth) });
}

/** A passkey that was made. */
export async function enrolPasskey(account: AccountID, answer: PasskeyAnswer, vaultKey: Bytes): Promise<Enrolled> {
  const { rawId } = answer.credential as { rawId?: unknown };
  const id = typeof rawId === "string" ? unbase64url(rawId) : null;
  if (id === null) throw broken("a passkey without an ID");
  return enrol(account, "passkey", id, await passkeyKEK(prfOf(answer)), vaultKey, { attestation: withoutPRF(answer) });
}

/** A recovery code on its way: it is shown, and holds once two groups of it were typed. */
export class Written {
  private constructor(
    readonly code: Bytes,
    readonly shown: RecoveryCode,
  ) {}

  static async make(): Promise<Written> {
    const code = newRecoveryCode();
    const groups = await recoveryGroups(code);
    // Two different groups, in order.
    const [a, b] = [random(1)[0]! % groups.length, random(1)[0]! % (groups.length - 1)];
    const ask = [a, b >= a ? b + 1 : b].sort((x, y) => x - y) as [number, number];
    return new Written(code, { groups, ask });
  }

  /** Refuses what is not the two groups that were asked for. */
  check(typed: readonly [string, string]): void {
    const { groups, ask } = this.shown;
    const right = ask.map((at, i) => equalSecret(utf8(typedLetters(typed[i]!)), ascii(groups[at]!)));
    if (right.includes(false)) throw refused("recovery", "These are not the letters that were asked for. Look at what you have written down.");
  }

  async enrol(account: AccountID, vaultKey: Bytes): Promise<Enrolled> {
    const { locator, auth, kek } = await fromRecoveryCode(this.code);
    return enrol(account, "recovery", locator, kek, vaultKey, { auth: base64(auth) });
  }
}

/** The 32 bytes that a passkey gave, which never go further than the worker. */
export function prfOf({ prf }: PasskeyAnswer): Bytes {
  if (prf.byteLength !== 32) throw refused("no-prf", "This passkey cannot open a vault: its maker gives no key with it.");
  return copy(new Uint8Array(prf));
}

/** A credential as JSON for the server, without what the PRF gave, if the page left it in. */
export function withoutPRF({ credential }: PasskeyAnswer): string {
  const { clientExtensionResults, ...rest } = credential as { clientExtensionResults?: Record<string, unknown> };
  const { prf: _, ...others } = clientExtensionResults ?? {};
  return JSON.stringify({ ...rest, clientExtensionResults: others });
}

/** The vault key out of the unlocker that a sign-in gave back. */
export async function openWith(f: Fields, account: AccountID, kind: UnlockerKind, kek: Bytes): Promise<Bytes> {
  const id = parseID("unlocker", f.text("unlocker"));
  if (id === null || unlockerKind(f.text("kind")) !== kind) throw new Failed({ trouble: "crossed", what: "account" });
  const u: Unlocker = { account, id, kind, params: f.bytes("params"), wrapped: f.bytes("wrapped") };
  return refusing(() => unwrapVaultKey(u, kek));
}

const says: Partial<Record<AccountError["reason"], string>> = {
  weak: "The server asks for less care with your passphrase than this page allows, so nothing was sent. Tell whoever runs it.",
  wrap: "The server gave out a key that is not the one which your passkey, passphrase or code opens.",
  letters: "There is a character in it that no recovery code has.",
  length: "A recovery code has 28 letters and digits.",
  check: "There is a typing error in it.",
};

/** Makes a refusal for people of what is wrong with an unlocker, a passphrase's parameters or a code. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof AccountError)) throw e;
    throw refused(e.reason, says[e.reason] ?? "The server gave out something that is no account.");
  }
}

function utf8(text: string): Bytes {
  return copy(new TextEncoder().encode(text));
}

function unbase64url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    return ascii(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return null;
  }
}
