// How a browser's Keep lies on the disk. Secrets lie in IndexedDB encrypted under keys
// that lie there too but can never be read out of the browser: whoever copies the
// database has nothing, whoever runs code on this page could use the keys while the page
// is open.

import type { SeenVault } from "../account/vault.ts";
import type { Confirmed, HomeSecrets, Keep, KeptAccount, KeptEnd, KeptHome, Marks, SeenSettings, Stage } from "./keep.ts";
import { readSecrets, secretBytes } from "./secrets.ts";
import { type AccountID, type HomeID, idBytes } from "../seal/name.ts";
import { ascii, type Bytes, concat, copy, equal, label, random } from "../wire.ts";

const database = "latchkey";
const version = 3;
const homes = "homes";
const accounts = "account";
const ends = "ended";

interface Wrapped {
  wrapping: CryptoKey;
  iv: Bytes;
  wrapped: ArrayBuffer;
}

interface Row {
  home: HomeID;
  secrets: Wrapped | null;
  shut: Bytes | null;
  deeds: Bytes[];
  settings: SeenSettings | null;
  stage: Stage;
  confirmed: Confirmed | null;
  account: AccountID | null;
}

/** There is one at most. */
interface AccountRow {
  one: 1;
  account: AccountID;
  email: string;
  seen: SeenVault;
  generation: number;
  open: Wrapped | null;
}

/** A row of the first version: a home of the person who founded it here. */
interface FirstRow extends Wrapped {
  home: HomeID;
  deeds: Bytes[];
  settings: SeenSettings | null;
  pending: boolean;
}

/** Opens what this browser keeps. */
export async function openKeep(): Promise<Keep> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const r = indexedDB.open(database, version);
    r.onupgradeneeded = (e) => upgrade(r, e.oldVersion);
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error ?? new Error("no database"));
    r.onblocked = () => reject(new Error("another tab holds an older version of this page open"));
  });
  return new IndexedKeep(db);
}

function upgrade(r: IDBOpenDBRequest, from: number): void {
  if (from < 1) r.result.createObjectStore(homes, { keyPath: "home" });
  if (from < 2) r.result.createObjectStore(accounts, { keyPath: "one" });
  r.result.createObjectStore(ends, { keyPath: "account" });
  if (from !== 1) return;
  const s = r.transaction!.objectStore(homes);
  const all = s.getAll() as IDBRequest<FirstRow[]>;
  all.onsuccess = () => {
    for (const { home, wrapping, iv, wrapped, deeds, settings, pending } of all.result) {
      const row: Row = { home, secrets: { wrapping, iv, wrapped }, shut: null, deeds, settings, stage: pending ? "founding" : "in", confirmed: "memory", account: null };
      s.put(row);
    }
  };
}

class IndexedKeep implements Keep {
  readonly #db: IDBDatabase;

  constructor(db: IDBDatabase) {
    this.#db = db;
    db.onversionchange = () => db.close();
  }

  async homes(): Promise<KeptHome[]> {
    const rows = await this.#do<Row[]>(homes, "readonly", (s) => s.getAll() as IDBRequest<Row[]>);
    return Promise.all(rows.map(async ({ secrets, ...row }) => ({ ...row, secrets: secrets === null ? null : await openSecrets(row.home, secrets) })));
  }

  async add(home: KeptHome): Promise<void> {
    const secrets = home.secrets === null ? null : await wrapSecrets(home.home, home.secrets);
    const row: Row = { ...home, secrets, deeds: [...home.deeds] };
    await this.#change<Row>(homes, home.home, (known) => {
      if (known?.secrets != null) throw new Error("the home is kept already");
      if (known === undefined) return row;
      const deeds = known.deeds.length > row.deeds.length ? known.deeds : row.deeds;
      return { ...row, deeds, settings: known.settings ?? row.settings, confirmed: known.confirmed ?? row.confirmed };
    });
  }

  async mark(home: HomeID, marks: Marks): Promise<void> {
    await this.#change<Row>(homes, home, (row) => row && { ...row, ...marks });
  }

  async change(home: HomeID, change: (secrets: HomeSecrets) => HomeSecrets): Promise<void> {
    for (;;) {
      const row = await this.#do<Row | undefined>(homes, "readonly", (s) => s.get(home) as IDBRequest<Row | undefined>);
      if (row?.secrets == null) return;
      const before = row.secrets;
      const secrets = await openSecrets(home, before);
      const changed = change(secrets);
      if (changed === secrets) return;
      const after = await wrapSecrets(home, changed);
      // Cryptography does not wait inside a transaction: another tab may have been faster.
      let taken = false;
      await this.#change<Row>(homes, home, (now) => {
        taken = now?.secrets != null && equal(now.secrets.iv, before.iv);
        return taken ? { ...now!, secrets: after } : now;
      });
      if (taken) return;
    }
  }

  async strip(home: HomeID): Promise<void> {
    await this.#change<Row>(homes, home, (row) => row && { ...row, secrets: null, shut: null });
  }

  async drop(home: HomeID): Promise<void> {
    await this.#do(homes, "readwrite", (s) => s.delete(home));
  }

  async sawDeeds(home: HomeID, deeds: readonly Bytes[]): Promise<void> {
    await this.#change<Row>(homes, home, (row) => row && (deeds.length > row.deeds.length ? { ...row, deeds: [...deeds] } : row));
  }

  async sawSettings(home: HomeID, settings: SeenSettings): Promise<void> {
    await this.#change<Row>(homes, home, (row) => row && (settings.number > (row.settings?.number ?? 0) ? { ...row, settings } : row));
  }

  async account(): Promise<KeptAccount | null> {
    const row = await this.#do<AccountRow | undefined>(accounts, "readonly", (s) => s.get(1) as IDBRequest<AccountRow | undefined>);
    if (row === undefined) return null;
    const { account, email, seen, generation, open } = row;
    return { account, email, seen, generation, open: open === null ? null : await openAccount(account, open) };
  }

  async setAccount(a: KeptAccount): Promise<void> {
    const open = a.open === null ? null : await wrap(aboutAccount(a.account), concat(a.open.vaultKey, a.open.macKey));
    await this.#do(accounts, "readwrite", (s) => s.put({ one: 1, ...a, open } satisfies AccountRow));
  }

  async sawVault(account: AccountID, seen: SeenVault): Promise<void> {
    await this.#change<AccountRow>(accounts, 1, (row) => row && (row.account === account && seen.number > row.seen.number ? { ...row, seen } : row));
  }

  async lock(account: AccountID, seal: (home: HomeID, secrets: HomeSecrets) => Promise<Bytes>): Promise<void> {
    for (const { home, secrets, account: whose } of await this.homes()) {
      if (secrets === null || whose !== account) continue;
      const shut = await seal(home, secrets);
      await this.#change<Row>(homes, home, (row) => row && { ...row, secrets: null, shut });
    }
    await this.#change<AccountRow>(accounts, 1, (row) => row && (row.account === account ? { ...row, open: null } : row));
  }

  async end(account: AccountID, proof: KeptEnd | null): Promise<void> {
    await this.#part(account, (row, s) => s.delete(row.home), proof);
  }

  async release(account: AccountID): Promise<void> {
    await this.#part(account, (row, s) => row.secrets !== null && s.put({ ...row, account: null }), null);
  }

  /** Forgets an account, and does with each of its homes what is to be done, in one transaction. */
  async #part(account: AccountID, each: (row: Row, s: IDBObjectStore) => unknown, proof: KeptEnd | null): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const t = this.#db.transaction([homes, accounts, ends], "readwrite", { durability: "strict" });
      const s = t.objectStore(homes);
      const rows = s.getAll() as IDBRequest<Row[]>;
      rows.onsuccess = () => rows.result.filter((row) => row.account === account).forEach((row) => each(row, s));
      const known = t.objectStore(accounts).get(1) as IDBRequest<AccountRow | undefined>;
      known.onsuccess = () => known.result?.account === account && t.objectStore(accounts).delete(1);
      if (proof !== null) t.objectStore(ends).put(proof);
      t.oncomplete = () => resolve();
      t.onerror = t.onabort = () => reject(t.error ?? new Error("the database gave up"));
    });
  }

  async ended(): Promise<KeptEnd[]> {
    return this.#do<KeptEnd[]>(ends, "readonly", (s) => s.getAll() as IDBRequest<KeptEnd[]>);
  }

  async told(account: AccountID, generation: number): Promise<void> {
    await this.#change<KeptEnd>(ends, account, (row) => row && { ...row, generation });
  }

  /** Reads and writes in one transaction, so that two tabs cannot undo each other. */
  async #change<R>(store: string, key: IDBValidKey, change: (row: R | undefined) => R | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const t = this.#db.transaction(store, "readwrite", { durability: "strict" });
      const s = t.objectStore(store);
      const r = s.get(key) as IDBRequest<R | undefined>;
      r.onsuccess = () => {
        try {
          const row = change(r.result);
          if (row !== undefined) s.put(row);
        } catch (e) {
          reject(e);
          t.abort();
        }
      };
      t.oncomplete = () => resolve();
      t.onerror = t.onabort = () => reject(t.error ?? new Error("the database gave up"));
    });
  }

  async #do<T>(store: string, mode: IDBTransactionMode, act: (s: IDBObjectStore) => IDBRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const t = this.#db.transaction(store, mode, { durability: "strict" });
      const r = act(t.objectStore(store)) as IDBRequest<T>;
      t.oncomplete = () => resolve(r.result);
      t.onerror = t.onabort = () => reject(t.error ?? new Error("the database gave up"));
    });
  }
}

async function wrap(about: Bytes, plain: Bytes): Promise<Wrapped> {
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = random(12);
  const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about }, wrapping, plain);
  plain.fill(0);
  return { wrapping, iv, wrapped };
}

async function unwrap<T>(about: Bytes, { wrapping, iv, wrapped }: Wrapped, read: (plain: Bytes) => T): Promise<T> {
  const plain = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: about }, wrapping, wrapped));
  const value = read(plain);
  plain.fill(0);
  return value;
}

// The home is bound to its secrets: a row that strayed under another home does not open.
// The label is as the first version of the store wrote it.
function aboutHome(home: HomeID): Bytes {
  return concat(label("latchkey vault v1"), idBytes("home", home));
}

function aboutAccount(account: AccountID): Bytes {
  return concat(ascii("latchkey keep account v1"), idBytes("account", account));
}

function wrapSecrets(home: HomeID, secrets: HomeSecrets): Promise<Wrapped> {
  return wrap(aboutHome(home), secretBytes(secrets));
}

function openSecrets(home: HomeID, wrapped: Wrapped): Promise<HomeSecrets> {
  return unwrap(aboutHome(home), wrapped, readSecrets);
}

function openAccount(account: AccountID, wrapped: Wrapped): Promise<{ vaultKey: Bytes; macKey: Bytes }> {
  return unwrap(aboutAccount(account), wrapped, (b) => ({ vaultKey: copy(b.subarray(0, 32)), macKey: copy(b.subarray(32)) }));
}
