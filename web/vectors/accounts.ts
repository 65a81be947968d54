// The account vectors of this side: mostly what characters and JSON can be made to say.

import { contentBytes, emptyContent } from "../src/account/content.ts";
import { newStretch, stretchBytes } from "../src/account/passphrase.ts";
import { newRecoveryCode, recoveryGroups } from "../src/account/recovery.ts";
import { type UnlockerKind, unlockerKind, wrapVaultKey } from "../src/account/unlocker.ts";
import { parseVault, sealContent, type SeenVault } from "../src/account/vault.ts";
import { idText } from "../src/seal/name.ts";
import { base64, type Bytes, concat, random } from "../src/wire.ts";
import { AccountError } from "../src/account/reasons.ts";
import { type AccountVector, readAccount } from "./accountcheck.ts";

type Half = Omit<AccountVector, "name" | "says" | "expect">;

const text = (s: string): Bytes => new TextEncoder().encode(s);

/** Every account vector of this side. */
export async function accountDrafts(): Promise<AccountVector[]> {
  const drafts: AccountVector[] = [];
  const says = async (name: string, sentence: string, expect: string, half: Half): Promise<void> => {
    const v = { name, says: sentence, expect, ...half };
    const got = await readAccount(v).catch((e: unknown) => {
      if (e instanceof AccountError) return e.reason;
      throw e;
    });
    if ((typeof got === "string" ? got : "accepted") !== expect) throw new Error(`${name} is ${JSON.stringify(got)}, not ${expect}`);
    drafts.push({ ...v, ...(typeof got === "string" ? {} : got) });
  };
  const passphrase = (typed: string): Half => ({ what: "passphrase", passphrase: typed, params: base64(stretchBytes(newStretch())) });
  await says("passphrase-hangul", "Hangul in single letters is Hangul in syllables", "accepted", passphrase("\u1112\u1161\u11ab\u1100\u1173\u11af and some more"));
  await says("passphrase-planes", "characters outside the first plane", "accepted", passphrase("\u{1f6aa}\u{1d518}\u{1f9e6} behind the door"));
  await says("passphrase-ligature", "a ligature and a circled digit", "accepted", passphrase("\ufb03 \u2460 \u00bd sorte"));
  await says("passphrase-nul", "a NUL within", "accepted", passphrase("before\u0000after it"));
  await says("passkey-zeros", "a PRF that gave zeros", "accepted", { what: "passkey", prf: base64(new Uint8Array(32)) });
  await recoveries(says);
  await unlockers(says);
  await vaults(says);
  return drafts;
}

type Says = (name: string, sentence: string, expect: string, half: Half) => Promise<void>;

async function recoveries(says: Says): Promise<void> {
  const code = await recoveryGroups(newRecoveryCode());
  const written = code.join("-");
  const typed = (t: string): Half => ({ what: "recovery", text: t });
  await says("recovery-written", "a code as it is written", "accepted", typed(written));
  await says("recovery-unbroken", "without hyphens", "accepted", typed(code.join("")));
  await says("recovery-hyphens", "hyphens everywhere", "accepted", typed(`--${[...written].join("-")}--`));
  await says("recovery-tabs", "tabs and line ends", "accepted", typed(`\t${code.join("\r\n")}\t`));
  await says("recovery-dash", "a dash that is no hyphen", "letters", typed(written.replace("-", "\u2013")));
  await says("recovery-wide", "a full-width letter", "letters", typed(written.replace(/^./, "\uff21")));
  await says("recovery-dotless", "a small letter of another alphabet", "letters", typed(written.replace(/^./, "\u0131")));
  await says("recovery-wide-space", "an ideographic space", "letters", typed(`\u3000${written}`));
  await says("recovery-before-length", "another letter, and too few", "letters", typed("\u00df"));
}

async function unlockers(says: Says): Promise<void> {
  const made = async (kind: UnlockerKind, params: Bytes, change: (h: Half) => Half = (h) => h): Promise<Half> => {
    const [kek, key] = [random(32), random(32)];
    const u = await wrapVaultKey({ account: idText("account", random(16)), id: idText("unlocker", random(16)), kind, params }, kek, key);
    const number = [1, 2, 3].find((n) => unlockerKind(n) === kind)!;
    return change({ what: "unlocker", account: u.account, unlocker: u.id, kind: number, params: base64(params), wrapped: base64(u.wrapped), kek: base64(kek) });
  };
  await says("unlocker-passkey", "a passkey's", "accepted", await made("passkey", random(64)));
  await says("unlocker-passphrase", "a passphrase's", "accepted", await made("passphrase", stretchBytes(newStretch())));
  await says("unlocker-recovery", "a recovery code's", "accepted", await made("recovery", random(16)));
  await says("unlocker-as-recovery", "a passkey's, given out as a recovery code's", "wrap", await made("passkey", random(16), (h) => ({ ...h, kind: 3 })));
  await says("unlocker-kind-0", "no kind", "malformed", await made("passkey", random(16), (h) => ({ ...h, kind: 0 })));
  await says("unlocker-no-credential", "a passkey without a credential", "malformed", await made("passkey", new Uint8Array(0)));
  await says("unlocker-long", "a wrapped key of 61 bytes", "malformed", await made("recovery", random(16), (h) => ({ ...h, wrapped: base64(random(61)) })));
}

async function vaults(says: Says): Promise<void> {
  const made = async (content: Bytes, prev: SeenVault | null = null): Promise<{ half: Half; bytes: Bytes }> => {
    const [account, key] = [idText("account", random(16)), random(32)];
    const bytes = await sealContent(account, key, prev, content);
    return { half: { what: "vault", account, vault_key: base64(key), vault: base64(bytes) }, bytes };
  };
  const home = { home: idText("home", random(32)), person: idText("person", random(16)), signing: random(32), kem: random(32), head: { seq: 7, hash: "ab".repeat(32) }, next: null, invited: false, name: "", more: { colour: "blue" } };
  const full = { ...emptyContent, homes: [home, { ...home, home: idText("home", random(32)), next: { person: home.person, signing: random(32), kem: random(32) }, invited: true }] };
  await says("vault-first", "a first vault with nothing in it", "accepted", (await made(contentBytes(emptyContent))).half);
  await says("vault-homes", "a home, and one whose keys are about to change", "accepted", (await made(contentBytes(full))).half);
  await says("vault-names", "names in other alphabets", "accepted", (await made(contentBytes({ ...emptyContent, devices: { [idText("device", random(16))]: "\u{1f4f1} \u0422\u0435\u043b\u0435\u0444\u043e\u043d" } }))).half);
  await says("vault-white-space", "white space around the JSON", "accepted", (await made(concat(text("\n"), contentBytes(emptyContent), text(" ")))).half);
  await says("vault-version-text", "a version that is text", "content", (await made(text(`{"v":"1","homes":[],"devices":{},"unlockers":{}}`))).half);
  await says("vault-list", "a list", "content", (await made(text("[]"))).half);
  await says("vault-two", "two values", "content", (await made(concat(contentBytes(emptyContent), text("{}")))).half);
  const third = await made(contentBytes(full), { number: 2, hash: random(32) });
  await says("vault-seen", "the vault that was seen", "accepted", { ...third.half, seen: base64(third.bytes) });
  const seen = await parseVault(third.bytes);
  const own = { account: third.half.account!, key: third.half.vault_key! };
  const next = await made(contentBytes(full), seen);
  await says("vault-of-another", "the next one, by another account's hand", "wrong-account", { ...next.half, account: own.account, vault_key: own.key, seen: base64(third.bytes) });
}
