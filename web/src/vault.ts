// What this browser keeps of its homes. The person's and the device's seeds lie in
// IndexedDB encrypted under a key that lies there too but can never be read out of the
// browser: whoever copies the database has nothing, whoever runs code on this page
// could use the key while the page is open. Beside them lies what this browser has
// seen: the chain, and the number of the settings, so that an older one is noticed.

import { type Bytes, concat, copy, label, random } from "./wire.ts";
import { type DeviceID, type HomeID, idBytes, idText, type PersonID } from "./seal/name.ts";

/** The secrets of a person at this device. */
export interface PersonSecrets {
  readonly person: PersonID;
  readonly device: DeviceID;
  /** 32-byte seeds: of the keys that sign deeds, that epochs are wrapped for, that sign requests. */
  readonly signing: Bytes;
  readonly kem: Bytes;
  readonly deviceSigning: Bytes;
}

/** Which settings document was seen last. */
export interface SeenSettings {
  readonly number: number;
  readonly hash: Bytes;
}

/** What is kept of one home. */
export interface KeptHome {
  readonly home: HomeID;
  readonly secrets: PersonSecrets;
  /** The whole chain that was verified last; its end is the head that was seen. */
  readonly deeds: readonly Bytes[];
  readonly settings: SeenSettings | null;
  /** Made here, and the server has not yet said that it took it. */
  readonly pending: boolean;
}

/** Keeps homes. What is seen only ever rises. */
export interface Vault {
  homes(): Promise<KeptHome[]>;
  /** Keeps a home that was made here. */
  add(home: KeptHome): Promise<void>;
  /** The server has taken the home. */
  confirm(home: HomeID): Promise<void>;
  /** Forgets a home that the server never took. */
  drop(home: HomeID): Promise<void>;
  /** Keeps a longer chain; a shorter one changes nothing. */
  sawDeeds(home: HomeID, deeds: readonly Bytes[]): Promise<void>;
  /** Keeps a higher number; a lower one changes nothing. */
  sawSettings(home: HomeID, settings: SeenSettings): Promise<void>;
}

const database = "latchkey";
const store = "homes";

interface Row {
  home: HomeID;
  wrapping: CryptoKey;
  iv: Bytes;
  wrapped: ArrayBuffer;
  deeds: Bytes[];
  settings: SeenSettings | null;
  pending: boolean;
}

/** Opens the vault of this browser. */
export async function openVault(): Promise<Vault> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const r = indexedDB.open(database, 1);
    r.onupgradeneeded = () => r.result.createObjectStore(store, { keyPath: "home" });
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error ?? new Error("no database"));
    r.onblocked = () => reject(new Error("another tab holds an older version of this page open"));
  });
  return new IndexedVault(db);
}

class IndexedVault implements Vault {
  readonly #db: IDBDatabase;

  constructor(db: IDBDatabase) {
    this.#db = db;
    db.onversionchange = () => db.close();
  }

  async homes(): Promise<KeptHome[]> {
    const rows = await this.#do<Row[]>("readonly", (s) => s.getAll() as IDBRequest<Row[]>);
    return Promise.all(rows.map(unwrapRow));
  }

  async add(home: KeptHome): Promise<void> {
    const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const iv = random(12);
    const plain = secretBytes(home.secrets);
    const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about(home.home) }, wrapping, plain);
    plain.fill(0);
    const row: Row = { home: home.home, wrapping, iv, wrapped, deeds: [...home.deeds], settings: home.settings, pending: home.pending };
    await this.#do("readwrite", (s) => s.add(row));
  }

  async confirm(home: HomeID): Promise<void> {
    await this.#change(home, (row) => ({ ...row, pending: false }));
  }

  async drop(home: HomeID): Promise<void> {
    await this.#do("readwrite", (s) => s.delete(home));
  }

  async sawDeeds(home: HomeID, deeds: readonly Bytes[]): Promise<void> {
    await this.#change(home, (row) => (deeds.length > row.deeds.length ? { ...row, deeds: [...deeds] } : row));
  }

  async sawSettings(home: HomeID, settings: SeenSettings): Promise<void> {
    await this.#change(home, (row) => (settings.number > (row.settings?.number ?? 0) ? { ...row, settings } : row));
  }

  /** Reads and writes in one transaction, so that two tabs cannot undo each other. */
  async #change(home: HomeID, change: (row: Row) => Row): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const t = this.#db.transaction(store, "readwrite", { durability: "strict" });
      const s = t.objectStore(store);
      const r = s.get(home) as IDBRequest<Row | undefined>;
      r.onsuccess = () => {
        if (r.result !== undefined) s.put(change(r.result));
      };
      t.oncomplete = () => resolve();
      t.onerror = t.onabort = () => reject(t.error ?? new Error("the database gave up"));
    });
  }

  async #do<T>(mode: IDBTransactionMode, act: (s: IDBObjectStore) => IDBRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const t = this.#db.transaction(store, mode, { durability: "strict" });
      const r = act(t.objectStore(store)) as IDBRequest<T>;
      t.oncomplete = () => resolve(r.result);
      t.onerror = t.onabort = () => reject(t.error ?? new Error("the database gave up"));
    });
  }
}

// The home is bound to its secrets: a row that strayed under another home does not open.
function about(home: HomeID): Bytes {
  return concat(label("latchkey vault v1"), idBytes("home", home));
}

function secretBytes(s: PersonSecrets): Bytes {
  return concat(idBytes("person", s.person), idBytes("device", s.device), s.signing, s.kem, s.deviceSigning);
}

async function unwrapRow(row: Row): Promise<KeptHome> {
  const plain = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv, additionalData: about(row.home) }, row.wrapping, row.wrapped));
  const part = (from: number, to: number): Bytes => copy(plain.subarray(from, to));
  const secrets = {
    person: idText("person", part(0, 16)),
    device: idText("device", part(16, 32)),
    signing: part(32, 64),
    kem: part(64, 96),
    deviceSigning: part(96, 128),
  };
  plain.fill(0);
  return { home: row.home, secrets, deeds: row.deeds, settings: row.settings, pending: row.pending };
}
