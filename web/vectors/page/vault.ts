// The vault against a real IndexedDB.

import type { KeptHome } from "../../src/vault.ts";
import { openVault } from "../../src/vault.ts";
import { makeHome } from "../../src/worker/founding.ts";
import { type Bytes, equal, random } from "../../src/wire.ts";

/** The first thing that is wrong with the vault, "" if nothing is. */
export async function checkVault(): Promise<string> {
  const vault = await openVault();
  const home = await makeHome(Date.now() * 1000);
  await vault.add(home);
  const kept = await find(home);
  if (kept === undefined || !equal(kept.secrets.signing, home.secrets.signing) || !equal(kept.secrets.kem, home.secrets.kem)) return "the secrets come back as others";
  if (kept.secrets.person !== home.secrets.person || !kept.pending) return "the home comes back as another";
  if (await vault.add(home).then(() => true, () => false)) return "a home was written over";
  await vault.confirm(home.home);
  await vault.sawDeeds(home.home, [...home.deeds, random(9)]);
  await vault.sawDeeds(home.home, home.deeds.slice(0, 1));
  await vault.sawSettings(home.home, { number: 3, hash: random(32) });
  await vault.sawSettings(home.home, { number: 2, hash: random(32) });
  const later = await find(home);
  if (later?.pending !== false) return "a confirmed home is still pending";
  if (later.deeds.length !== home.deeds.length + 1) return "a shorter chain took the place of a longer one";
  if (later.settings?.number !== 3) return "older settings took the place of newer ones";
  const raw = await everyByte();
  for (const secret of [home.secrets.signing, home.secrets.kem, home.secrets.deviceSigning]) {
    if (contains(raw, secret)) return "a secret lies open in the database";
  }
  if (!contains(raw, home.deeds[0]!)) return "this test does not see what lies in the database";
  await vault.drop(home.home);
  return (await find(home)) === undefined ? "" : "a dropped home is still there";
}

async function find(home: KeptHome): Promise<KeptHome | undefined> {
  return (await (await openVault()).homes()).find((h) => h.home === home.home);
}

// All bytes of all rows as a script can read them, and the proof that the wrapping key is none of them.
async function everyByte(): Promise<Bytes[]> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const r = indexedDB.open("latchkey");
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error!);
  });
  const rows = await new Promise<Record<string, unknown>[]>((resolve, reject) => {
    const r = db.transaction("homes").objectStore("homes").getAll();
    r.onsuccess = () => resolve(r.result as Record<string, unknown>[]);
    r.onerror = () => reject(r.error!);
  });
  db.close();
  for (const row of rows) {
    const key = row["wrapping"] as CryptoKey;
    if (key.extractable || (await crypto.subtle.exportKey("raw", key).then(() => true, () => false))) throw new Error("the wrapping key can be read");
  }
  return rows.flatMap((row) => Object.values(row)).flatMap(bytesIn);
}

function bytesIn(v: unknown): Bytes[] {
  if (v instanceof ArrayBuffer) return [new Uint8Array(v)];
  if (v instanceof Uint8Array) return [v as Bytes];
  return Array.isArray(v) ? v.flatMap(bytesIn) : [];
}

function contains(all: Bytes[], part: Bytes): boolean {
  return all.some((b) => {
    for (let i = 0; i + part.length <= b.length; i++) if (equal(b.subarray(i, i + part.length), part)) return true;
    return false;
  });
}
