// Reads an account's vector as a browser does, and compares what came of it.

import { AccountError } from "../src/account/reasons.ts";
import { passkeyKEK, prfInput } from "../src/account/passkey.ts";
import { parseStretch, stretch } from "../src/account/passphrase.ts";
import { fromRecoveryCode, parseRecoveryCode, recoveryGroups } from "../src/account/recovery.ts";
import { unlockerKind, unwrapVaultKey } from "../src/account/unlocker.ts";
import { openVault, parseVault } from "../src/account/vault.ts";
import { parseID } from "../src/seal/name.ts";
import { base64, type Bytes, unbase64 } from "../src/wire.ts";
import type { Outcome } from "./check.ts";

/** A file of account/testdata (docs/account.md, "Vectors"); absent members are empty or 0. */
export interface AccountVector {
  name: string;
  says: string;
  what: string;
  expect: string;
  passphrase?: string;
  text?: string;
  prf?: string;
  params?: string;
  account?: string;
  unlocker?: string;
  kind?: number;
  wrapped?: string;
  kek?: string;
  vault_key?: string;
  vault?: string;
  seen?: string;
  auth?: string;
  eval?: string;
  code?: string;
  written?: string;
  locator?: string;
  number?: number;
  content?: string;
}

/** What an accepted vector gives. */
type Given = Partial<AccountVector>;

const given: Record<string, (keyof AccountVector)[]> = {
  passphrase: ["auth", "kek"],
  passkey: ["eval", "kek"],
  recovery: ["code", "written", "locator", "auth", "kek"],
  unlocker: ["vault_key"],
  vault: ["number", "content"],
};

const bytes = (text: string | undefined): Bytes => unbase64(text ?? "")!;

/** Compares what a vector comes to with what it says. */
export async function checkAccount(v: AccountVector): Promise<Outcome> {
  const told = (g: Given): string => JSON.stringify((given[v.what] ?? []).map((k) => g[k] ?? ""));
  const want = v.expect === "accepted" ? `accepted ${told(v)}` : v.expect;
  try {
    return { name: v.name, want, got: `accepted ${told(await readAccount(v))}` };
  } catch (e) {
    return { name: v.name, want, got: e instanceof AccountError ? e.reason : `threw ${String(e)}` };
  }
}

/** The other half of a vector, from the half that is given. */
export async function readAccount(v: AccountVector): Promise<Given> {
  switch (v.what) {
    case "passphrase": {
      const { auth, kek } = await stretch(v.passphrase ?? "", parseStretch(bytes(v.params)));
      return { auth: base64(auth), kek: base64(kek) };
    }
    case "passkey":
      return { eval: base64(await prfInput()), kek: base64(await passkeyKEK(bytes(v.prf))) };
    case "recovery": {
      const code = await parseRecoveryCode(v.text ?? "");
      const { locator, auth, kek } = await fromRecoveryCode(code);
      return { code: base64(code), written: (await recoveryGroups(code)).join("-"), locator: base64(locator), auth: base64(auth), kek: base64(kek) };
    }
    case "unlocker":
      return readUnlocker(v);
    case "vault":
      return readVault(v);
  }
  throw new Error(`a vector of ${v.what}`);
}

async function readUnlocker(v: AccountVector): Promise<Given> {
  const kind = unlockerKind(v.kind ?? 0);
  if (kind === null) throw new AccountError("malformed", "another kind");
  const u = { account: parseID("account", v.account!)!, id: parseID("unlocker", v.unlocker!)!, kind, params: bytes(v.params), wrapped: bytes(v.wrapped) };
  return { vault_key: base64(await unwrapVaultKey(u, bytes(v.kek))) };
}

async function readVault(v: AccountVector): Promise<Given> {
  const seen = v.seen === undefined ? null : await parseVault(bytes(v.seen));
  const { vault, plain } = await openVault(bytes(v.vault), parseID("account", v.account!)!, bytes(v.vault_key), seen);
  return { number: vault.number, content: new TextDecoder("utf-8", { ignoreBOM: true }).decode(plain) };
}
