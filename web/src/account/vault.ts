// The vault: what a person has, sealed under the vault key, as the server keeps it
// (docs/account.md, "The vault").

import { sha256 } from "../deed/key.ts";
import { type AccountID, idBytes, idText } from "../seal/name.ts";
import { type Bytes, concat, equal, isZero, Reader, Writer } from "../wire.ts";
import { contentBytes, parseContent, type VaultContent } from "./content.ts";
import { derive, gcmOpen, gcmSeal, sealedMore } from "./derive.ts";
import { AccountError, layout } from "./reasons.ts";

const maxVault = 256 << 10;

/** Which vault of an account: the next one names its hash. */
export interface SeenVault {
  readonly number: number;
  readonly hash: Bytes;
}

export interface Vault extends SeenVault {
  readonly account: AccountID;
  readonly prev: Bytes;
  /** What the content is bound to. */
  readonly prefix: Bytes;
  readonly sealed: Bytes;
}

/** Reads a vault without opening it. */
export async function parseVault(b: Bytes): Promise<Vault> {
  if (b.length > maxVault) throw new AccountError("oversize", `a vault of ${b.length} bytes`);
  const parsed = layout(() => {
    const r = new Reader(b);
    const version = r.u8();
    if (version > 1) throw new AccountError("future-version", `a vault of version ${version}`);
    if (version === 0) throw new AccountError("malformed", "a vault of version 0");
    const account = idText("account", r.raw(16));
    const number = r.u64();
    if (number === 0) throw new AccountError("malformed", "a vault of number 0");
    const prev = r.raw(32);
    if (number === 1 && !isZero(prev)) throw new AccountError("malformed", "a first vault that follows another");
    const prefix = b.slice(0, r.at);
    if (r.left < sealedMore) throw new AccountError("truncated", `${r.left} bytes of content`);
    return { account, number, prev, prefix, sealed: r.rest() };
  });
  return { ...parsed, hash: await sha256(b) };
}

/** Opens the vault of an account for a browser that saw that one last; an older one, or one beside it, is refused. */
export async function openVault(b: Bytes, account: AccountID, key: Bytes, seen: SeenVault | null): Promise<{ vault: Vault; content: VaultContent; plain: Bytes }> {
  const vault = await parseVault(b);
  if (vault.account !== account) throw new AccountError("wrong-account", "the vault of another account");
  checkSeen(vault, seen);
  const plain = await gcmOpen(await contentKey(key), vault.prefix, vault.sealed);
  if (plain === null) throw new AccountError("vault", "the vault does not open");
  const content = parseContent(plain);
  if (content === null) throw new AccountError("content", "it opens, and what it says is no vault");
  return { vault, content, plain };
}

function checkSeen(v: Vault, seen: SeenVault | null): void {
  if (seen === null) return;
  if (v.number < seen.number) throw new AccountError("replayed", `vault ${v.number} after vault ${seen.number}`);
  const beside = v.number === seen.number && !equal(v.hash, seen.hash);
  if (beside || (v.number === seen.number + 1 && !equal(v.prev, seen.hash))) throw new AccountError("fork", `vault ${v.number} beside one that was seen`);
}

/** Makes the vault that follows prev, or the first of an account. */
export function sealVault(account: AccountID, key: Bytes, prev: SeenVault | null, content: VaultContent, number?: number): Promise<Bytes> {
  return sealContent(account, key, prev, contentBytes(content), number);
}

/** Like sealVault, with content that may be anything: for vectors. */
export async function sealContent(account: AccountID, key: Bytes, prev: SeenVault | null, content: Bytes, number = (prev?.number ?? 0) + 1): Promise<Bytes> {
  const prefix = new Writer()
    .u8(1)
    .raw(idBytes("account", account))
    .u64(number)
    .raw(prev?.hash ?? new Uint8Array(32))
    .bytes();
  const vault = concat(prefix, await gcmSeal(await contentKey(key), prefix, content));
  if (vault.length > maxVault) throw new AccountError("oversize", `a vault of ${vault.length} bytes`);
  return vault;
}

function contentKey(key: Bytes): Promise<Bytes> {
  return derive(key, "latchkey vault v1");
}
