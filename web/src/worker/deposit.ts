// What goes from this browser into the account's vault: the homes whose keys lie here.

import { homeIn, type PersonKeys, type VaultContent, type VaultHome, withHome } from "../account/content.ts";
import { deedHash } from "../deed/deed.ts";
import type { Head } from "../deed/head.ts";
import type { HomeSecrets, KeptHome } from "../keep/keep.ts";
import type { HomeID } from "../seal/name.ts";
import { equal, hex } from "../wire.ts";

/** Makes the change that puts homes into a vault which has not got them; what is there is never taken out or written over. */
export async function depositing(kept: readonly KeptHome[]): Promise<(content: VaultContent) => VaultContent> {
  const homes = await Promise.all(kept.map(vaultHome));
  const names: HomeSecrets["names"] = Object.assign({}, ...kept.map((k) => k.secrets?.names));
  return (content) => {
    const missing = homes.filter((h): h is VaultHome => h !== null && homeIn(content, h.home) === null);
    const unnamed = Object.keys(names).some((d) => !Object.hasOwn(content.devices, d));
    if (missing.length === 0 && !unnamed) return content;
    return missing.reduce(withHome, { ...content, devices: { ...names, ...content.devices } });
  };
}

async function vaultHome({ home, secrets, deeds, stage }: KeptHome): Promise<VaultHome | null> {
  const last = deeds[deeds.length - 1];
  if (secrets === null || last === undefined || stage === "founding") return null;
  const head = { seq: deeds.length - 1, hash: hex(await deedHash(last)) };
  return { home, head, ...keysOf(secrets), next: secrets.next === null ? null : keysOf(secrets.next), invited: false, name: secrets.called, more: {} };
}

export function keysOf({ person, signing, kem }: PersonKeys): PersonKeys {
  return { person, signing, kem };
}

/** What two vaults hold, of one account: of each home what knows the newer deeds, and nothing is left out. */
export function joining(a: VaultContent, b: VaultContent): VaultContent {
  const newer = (h: VaultHome): VaultHome => {
    const other = homeIn(a, h.home);
    return other !== null && other.head.seq > h.head.seq ? other : h;
  };
  const homes = [...a.homes.filter((h) => homeIn(b, h.home) === null), ...b.homes.map(newer)];
  return { homes, devices: { ...a.devices, ...b.devices }, unlockers: { ...a.unlockers, ...b.unlockers }, more: { ...a.more, ...b.more } };
}

/** What a browser knows of one of its homes when it has just seen its newest deeds. */
export interface Known {
  readonly home: HomeID;
  readonly head: Head;
  /** The keys that the chain says are the person's. */
  readonly keys: PersonKeys;
  readonly name: string;
}

/** Makes the change that says how it stands with a home now. */
export function remembering({ home, head, keys, name }: Known): (content: VaultContent) => VaultContent {
  return (content) => {
    const there = homeIn(content, home);
    // Another browser has left the home; or has seen more deeds, and knows better whose keys they are.
    if (there === null || there.head.seq > head.seq) return content;
    // Keys that another browser is about to put into a deed stay until it has.
    const next = there.next !== null && equal(there.next.signing, keys.signing) ? null : there.next;
    const same = there.head.seq === head.seq && there.name === name && there.next === next && !there.invited && equal(there.signing, keys.signing);
    return same ? content : withHome(content, { home, head, ...keysOf(keys), next, invited: false, name, more: {} });
  };
}
