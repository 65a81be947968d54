// What a browser keeps, against a real IndexedDB.

import { type HomeSecrets, type Keep, type KeptHome, newlyKept, type PersonSecrets } from "../../src/keep/keep.ts";
import { openKeep } from "../../src/keep/store.ts";
import { type HomeID, idBytes, idText } from "../../src/seal/name.ts";
import { type Bytes, concat, equal, label, random } from "../../src/wire.ts";
import { makeHome } from "../../src/worker/founding.ts";

/** The first thing that is wrong with the keep, "" if nothing is. */
export async function checkKeep(): Promise<string> {
  const first = await firstVersion();
  const keep = await openKeep();
  return (await upgraded(keep, first)) || (await kept(keep)) || (await rekeyed(keep)) || (await locked(keep)) || (await ended(keep));
}

async function kept(keep: Keep): Promise<string> {
  const home = await makeHome(Date.now() * 1000);
  await keep.add(home);
  const found = await find(home.home);
  if (!sameSecrets(found?.secrets, home.secrets)) return "the secrets come back as others";
  if (found?.stage !== "founding" || found.confirmed !== "memory") return "the home comes back as another";
  if (await keep.add(home).then(() => true, () => false)) return "a home was written over";
  await keep.mark(home.home, { stage: "in" });
  await keep.sawDeeds(home.home, [...home.deeds, random(9)]);
  await keep.sawDeeds(home.home, home.deeds.slice(0, 1));
  await keep.sawSettings(home.home, { number: 3, hash: random(32) });
  await keep.sawSettings(home.home, { number: 2, hash: random(32) });
  const later = await find(home.home);
  if (later?.stage !== "in") return "a home that the server has is still being founded";
  if (later.deeds.length !== home.deeds.length + 1) return "a shorter chain took the place of a longer one";
  if (later.settings?.number !== 3) return "older settings took the place of newer ones";
  const { signing, kem, deviceSigning } = home.secrets!;
  if (await anyOf([signing, kem, deviceSigning])) return "a secret lies open in the database";
  if (!(await anyOf([home.deeds[0]!]))) return "this test does not see what lies in the database";
  await keep.drop(home.home);
  return (await find(home.home)) === undefined ? "" : "a dropped home is still there";
}

async function rekeyed(keep: Keep): Promise<string> {
  const home = await makeHome(Date.now() * 1000);
  await keep.add(home);
  const invites = Array.from({ length: 8 }, () => ({ invite: idText("invite", random(16)), secret: random(16), reveal: random(32), head: "", name: "Ada \u{1f6aa}" }));
  await Promise.all(invites.map((one) => keep.change(home.home, (s) => ({ ...s, invites: [...s.invites, one] }))));
  const next = newSecrets(home.secrets!);
  await keep.change(home.home, (s) => ({ ...s, next }));
  const found = (await find(home.home))?.secrets;
  if (!sameSecrets(found, home.secrets) || !sameSecrets(found?.next, next)) return "old and new keys are not both there";
  if (found?.invites.length !== invites.length) return "of changes that were made together some are lost";
  await keep.change(home.home, (s) => ({ ...s, called: "Our house at the mill", names: { [s.device]: "A kitchen tablet" } }));
  const named = (await find(home.home))?.secrets;
  if (named?.called !== "Our house at the mill" || named.names[named.device] !== "A kitchen tablet") return "names come back as others";
  if (await anyOf(["Our house at the mill", "A kitchen tablet"].map((t) => new TextEncoder().encode(t)))) return "a name lies open in the database";
  if (found.invites.some(({ name }) => name !== "Ada \u{1f6aa}")) return "a name comes back as another";
  return (await anyOf([next.signing, invites[0]!.secret, invites[0]!.reveal])) ? "a secret lies open in the database" : "";
}

async function locked(keep: Keep): Promise<string> {
  const home = await makeHome(Date.now() * 1000);
  await keep.add(home);
  const account = idText("account", random(16));
  const open = { vaultKey: random(32), macKey: random(32) };
  await keep.setAccount({ account, email: "ada@example.org", seen: { number: 4, hash: random(32) }, generation: 0, open });
  await keep.sawVault(account, { number: 6, hash: random(32) });
  await keep.sawVault(account, { number: 5, hash: random(32) });
  const known = await keep.account();
  if (known?.seen.number !== 6) return "an older vault took the place of a newer one";
  if (known.open === null || !equal(known.open.vaultKey, open.vaultKey) || !equal(known.open.macKey, open.macKey)) return "the account's keys come back as others";
  if (await anyOf([open.vaultKey, open.macKey])) return "a key of the account lies open in the database";
  const seal = async (of: HomeID): Promise<Bytes> => idBytes("home", of);
  const others = await makeHome(Date.now() * 1000);
  await keep.add(others);
  await keep.mark(home.home, { account });
  await keep.lock(account, seal);
  if ((await find(others.home))?.secrets === null) return "keys of nobody's account are gone behind its lock";
  await keep.drop(others.home);
  const row = await find(home.home);
  if (row?.secrets !== null || !equal(row.shut!, idBytes("home", home.home))) return "a key is left behind a lock";
  if (row.deeds.length !== home.deeds.length) return "what was seen is lost behind a lock";
  if ((await keep.account())?.open !== null) return "the account's keys are left behind a lock";
  if ((await rows()).some((r) => r["home"] === home.home && r["secrets"] !== null)) return "a wrapping key is left behind a lock";
  await keep.add(newlyKept(home.home, home.secrets!, "joining", null));
  const back = await find(home.home);
  if (back?.deeds.length !== home.deeds.length || back.confirmed !== "memory") return "what was seen is lost by unlocking";
  return back.shut === null && sameSecrets(back.secrets, home.secrets) ? "" : "the keys do not come back";
}

async function ended(keep: Keep): Promise<string> {
  const account = idText("account", random(16));
  const [mine, shut, others] = [await makeHome(Date.now() * 1000), await makeHome(Date.now() * 1000), await makeHome(Date.now() * 1000)];
  const whole = { account, email: "ada@example.org", seen: { number: 4, hash: random(32) }, generation: 0, open: null };
  const stands = async () => {
    for (const home of [mine, shut, others]) await keep.add(home);
    for (const { home } of [mine, shut]) await keep.mark(home, { account });
    await keep.strip(shut.home);
    await keep.setAccount(whole);
  };
  await stands();
  await keep.release(idText("account", random(16)));
  if ((await keep.account())?.account !== account || (await find(mine.home))?.account !== account) return "another account's end took this one's homes";
  await keep.release(account);
  const free = await find(mine.home);
  if (free?.account !== null || !sameSecrets(free.secrets, mine.secrets) || (await keep.account()) !== null) return "an account that was deleted elsewhere is still there, or took keys with it";
  if ((await find(shut.home))?.account !== account) return "a home without keys is nobody's";
  for (const { home } of [mine, others]) await keep.drop(home);
  await stands();
  const proof = random(32);
  await keep.end(account, { account, proof, generation: 3 });
  if ((await find(mine.home)) !== undefined || (await find(shut.home)) !== undefined || (await keep.account()) !== null) return "something of a deleted account is still there";
  if ((await find(others.home)) === undefined) return "a home of no account is gone with another's";
  await keep.told(account, 5);
  const known = await keep.ended();
  if (known.length !== 1 || known[0]!.account !== account || known[0]!.generation !== 5 || !equal(known[0]!.proof, proof)) return "the end of an account comes back as another";
  await keep.drop(others.home);
  return "";
}

/** A database as the first version of this page wrote it. */
async function firstVersion(): Promise<KeptHome> {
  const home = await makeHome(Date.now() * 1000);
  const { person, device, signing, kem, deviceSigning } = home.secrets!;
  const plain = concat(idBytes("person", person), idBytes("device", device), signing, kem, deviceSigning);
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = random(12);
  const additionalData = concat(label("latchkey vault v1"), idBytes("home", home.home));
  const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, wrapping, plain);
  const r = indexedDB.open("latchkey", 1);
  r.onupgradeneeded = () => r.result.createObjectStore("homes", { keyPath: "home" });
  const db = await done(r);
  const all = db.transaction("homes", "readwrite");
  all.objectStore("homes").add({ home: home.home, wrapping, iv, wrapped, deeds: home.deeds, settings: { number: 7, hash: random(32) }, pending: false });
  // While a transaction goes on a database that was closed is still open.
  await new Promise((complete) => (all.oncomplete = complete));
  db.close();
  return home;
}

async function upgraded(keep: Keep, home: KeptHome): Promise<string> {
  const found = (await keep.homes()).find((h) => h.home === home.home);
  if (!sameSecrets(found?.secrets, home.secrets)) return "the secrets of the first version come back as others";
  if (found?.stage !== "in" || found.confirmed !== "memory" || found.shut !== null) return "a home of the first version comes back as another";
  if (found.deeds.length !== home.deeds.length || found.settings?.number !== 7) return "what the first version saw is lost";
  await keep.change(home.home, (s) => ({ ...s, next: newSecrets(s) }));
  return sameSecrets((await find(home.home))?.secrets, home.secrets) ? "" : "the secrets of the first version cannot be changed";
}

function newSecrets({ person }: PersonSecrets): PersonSecrets {
  return { person, device: idText("device", random(16)), signing: random(32), kem: random(32), deviceSigning: random(32) };
}

function sameSecrets(a: PersonSecrets | null | undefined, b: PersonSecrets | null): boolean {
  if (a == null || b === null) return false;
  return a.person === b.person && a.device === b.device && equal(a.signing, b.signing) && equal(a.kem, b.kem) && equal(a.deviceSigning, b.deviceSigning);
}

async function find(home: HomeID): Promise<(KeptHome & { secrets: HomeSecrets | null }) | undefined> {
  return (await (await openKeep()).homes()).find((h) => h.home === home);
}

function done<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error!);
  });
}

async function rows(): Promise<Record<string, unknown>[]> {
  const db = await done(indexedDB.open("latchkey"));
  const all = await Promise.all([...db.objectStoreNames].map((store) => done(db.transaction(store).objectStore(store).getAll() as IDBRequest<Record<string, unknown>[]>)));
  db.close();
  return all.flat();
}

/** Whether one of these lies anywhere in the database as it is. */
async function anyOf(parts: Bytes[]): Promise<boolean> {
  const all = (await Promise.all((await rows()).map(bytesIn))).flat();
  return parts.some((part) => contains(all, part));
}

async function bytesIn(v: unknown): Promise<Bytes[]> {
  if (v instanceof CryptoKey) {
    if (v.extractable || (await crypto.subtle.exportKey("raw", v).then(() => true, () => false))) throw new Error("the wrapping key can be read");
    return [];
  }
  if (typeof v === "string") return [new TextEncoder().encode(v)];
  if (v instanceof ArrayBuffer) return [new Uint8Array(v)];
  if (v instanceof Uint8Array) return [v as Bytes];
  return typeof v === "object" && v !== null ? (await Promise.all(Object.values(v).map(bytesIn))).flat() : [];
}

function contains(all: Bytes[], part: Bytes): boolean {
  return all.some((b) => {
    for (let i = 0; i + part.length <= b.length; i++) if (equal(b.subarray(i, i + part.length), part)) return true;
    return false;
  });
}
