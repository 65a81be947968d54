// The account's vault as this browser has it open: read, and changed by compare and swap,
// so that what two browsers change at the same time both stays. A server that gives out
// an older vault than was seen is believed in nothing.

import { type Answered, Failed, Fields, type Question, type Server } from "../api.ts";
import { emptyContent, type VaultContent } from "../account/content.ts";
import { derive, gcmOpen, gcmSeal } from "../account/derive.ts";
import { AccountError } from "../account/reasons.ts";
import { openVault, sealVault, type SeenVault } from "../account/vault.ts";
import type { HomeSecrets, Keep } from "../keep/keep.ts";
import { readSecrets, secretBytes } from "../keep/secrets.ts";
import { MACKey } from "../mac.ts";
import { type AccountID, type HomeID, idBytes } from "../seal/name.ts";
import { base64, type Bytes, hex } from "../wire.ts";
import type { Standing } from "./protocol.ts";
import { depositing, joining } from "./deposit.ts";
import { refused } from "./result.ts";
import { Turns } from "./turns.ts";

// A writer who lost this often to others is not racing browsers.
const changeTries = 6;

/** Why nothing is to be had of an account that was deleted. */
export const accountEnded = "account-ended";

/** What opens an account, once somebody has signed in. */
export interface SignedIn {
  readonly account: AccountID;
  readonly email: string;
  readonly vaultKey: Bytes;
  readonly macKey: Bytes;
  readonly vault: Bytes;
}

interface Open {
  readonly account: AccountID;
  readonly key: Bytes;
  readonly mac: MACKey;
}

export class AccountVault {
  readonly #server: Server;
  readonly #keep: () => Promise<Keep>;
  readonly #turns = new Turns();
  #open: Open | null = null;
  #content: VaultContent | null = null;

  constructor(server: Server, keep: () => Promise<Keep>) {
    this.#server = server;
    this.#keep = keep;
  }

  async standing(): Promise<Standing> {
    const known = await (await this.#keep()).account();
    if (known === null) return { state: "none" };
    return { state: (await this.#opened()) === null ? "locked" : "open", email: known.email };
  }

  async isOpen(): Promise<boolean> {
    return (await this.#opened()) !== null;
  }

  /** The account that is open; locked is a trouble. */
  async account(): Promise<Pick<Open, "account" | "key">> {
    return this.#need();
  }

  /** Takes what a sign-in gave: the vault is open from now on. */
  async begin(s: SignedIn): Promise<VaultContent> {
    const keep = await this.#keep();
    const [before, generation] = [await keep.account(), await this.#server.generation()];
    const known = before?.account === s.account ? before : null;
    const restored = known !== null && known.generation !== generation;
    const seen = restored ? null : (known?.seen ?? null);
    const { vault, content } = await telling(() => openVault(s.vault, s.account, s.vaultKey, seen), seen);
    const newest = restored ? known.seen : { number: vault.number, hash: vault.hash };
    const kept = { account: s.account, email: s.email, seen: newest, open: { vaultKey: s.vaultKey, macKey: s.macKey } };
    await keep.setAccount({ ...kept, generation: known?.generation ?? generation });
    this.#open = { account: s.account, key: s.vaultKey, mac: await MACKey.of(s.macKey) };
    this.#content = content;
    if (!restored) return content;
    const both = await this.read();
    await this.#believe(generation);
    return both;
  }

  /** The account as the server has it. */
  async view(): Promise<Fields> {
    const { fields } = await this.ask("GET", "");
    const seen = await this.#seen();
    const number = fields.number("vault");
    if (seen !== null && number < seen.number) {
      if (!(await this.#restored())) throw olderThan(seen, String(number));
      await this.read();
    }
    const keep = await this.#keep();
    const known = await keep.account();
    const email = fields.text("email");
    if (known !== null && known.email !== email) await keep.setAccount({ ...known, email });
    return fields;
  }

  /** Asks in the account's session, and compares whose the answer is. */
  async ask(method: Question["method"], rest: string, body?: Record<string, unknown>): Promise<Answered> {
    try {
      return await this.#ask(method, rest, body);
    } catch (e) {
      if (!isEnded(e)) throw e;
      await (await this.#keep()).release((await this.#need()).account);
      this.forget();
      throw refused(accountEnded, "This account was deleted, in another of your browsers. Homes that are open here open here still. You can make another account.");
    }
  }

  async #ask(method: Question["method"], rest: string, body?: Record<string, unknown>): Promise<Answered> {
    const { account, mac } = await this.#need();
    try {
      const answered = await this.#server.ask({ method, path: `/v1/accounts/${account}${rest}`, home: null, ...(body === undefined ? {} : { body }) }, mac);
      if (answered.fields.text("account") !== account) throw new Failed({ trouble: "crossed", what: "account" }, null, answered.request);
      return answered;
    } catch (e) {
      // The session has ended: without it there is no vault to be had.
      if (e instanceof Failed && e.trouble.trouble === "signed-out") {
        await this.shut();
        throw new Failed({ trouble: "locked" }, null, e.request);
      }
      throw e;
    }
  }

  /** Ends the account at the server, and keeps nothing of it and its homes but what proves that. */
  async end(): Promise<void> {
    const { account } = await this.#need();
    const keep = await this.#keep();
    const generation = await this.#server.generation();
    let proof: Bytes | null = null;
    try {
      proof = (await this.#ask("DELETE", "")).fields.bytes("end");
    } catch (e) {
      if (!isEnded(e)) throw e; // the answer to an earlier try was lost
    }
    await keep.end(account, proof === null ? null : { account, proof, generation });
    this.forget();
  }

  /** Tells a server that was restored which accounts were deleted in this browser: it may have them again. */
  async remind(generation: number): Promise<void> {
    const keep = await this.#keep();
    for (const ended of await keep.ended()) {
      if (ended.generation === generation) continue;
      try {
        await this.#server.ask({ method: "POST", path: "/v1/accounts/ended", home: null, body: { account: ended.account, end: base64(ended.proof) } });
      } catch (e) {
        if (!(e instanceof Failed) || e.trouble.trouble !== "refused") throw e; // one that refuses it is another server, and never had it
      }
      await keep.told(ended.account, generation);
    }
  }

  /** Ends every session of the account but this one. */
  async endOthers(): Promise<void> {
    const { fields } = await this.ask("GET", "/sessions");
    for (const item of fields.list("sessions")) {
      const s = new Fields(item);
      if (!s.boolean("current")) await this.ask("DELETE", `/sessions/${encodeURIComponent(s.text("session"))}`);
    }
  }

  /** What the vault said last, fetched if it has not been yet. */
  async content(): Promise<VaultContent> {
    await this.#need();
    return this.#content ?? this.read();
  }

  /** Fetches and opens the vault. */
  read(): Promise<VaultContent> {
    return this.#turns.run(() => this.#read());
  }

  async #read(): Promise<VaultContent> {
    const { fields } = await this.ask("GET", "/vault");
    return (await this.#take(fields.bytes("vault"))).content;
  }

  /** Changes the newest vault; change is asked again if another browser was faster. */
  change(change: (content: VaultContent) => VaultContent): Promise<VaultContent> {
    return this.#turns.run(() => this.#change(change));
  }

  async #change(change: (content: VaultContent) => VaultContent): Promise<VaultContent> {
    const { account, key } = await this.#need();
    if (this.#content === null) await this.#read();
    for (let i = 0; i < changeTries; i++) {
      const content = change(this.#content ?? emptyContent);
      if (content === this.#content) return content;
      const seen = await this.#seen();
      const next = await telling(() => sealVault(account, key, seen, content), seen);
      try {
        await this.ask("PUT", "/vault", { account, vault: base64(next) });
      } catch (e) {
        if (!(e instanceof Failed) || e.reason !== "conflict" || e.fields === null) throw e;
        await this.#take(e.fields.bytes("document"));
        continue;
      }
      return (await this.#take(next)).content;
    }
    throw new Failed({ trouble: "busy", retryAfterMs: 1000 });
  }

  async #take(bytes: Bytes): Promise<{ content: VaultContent }> {
    const { account, key } = await this.#need();
    const seen = await this.#seen();
    let opened: Awaited<ReturnType<typeof openVault>>;
    try {
      opened = await openVault(bytes, account, key, seen);
    } catch (e) {
      const older = e instanceof AccountError && (e.reason === "replayed" || e.reason === "fork");
      if (seen !== null && older && (await this.#restored())) return this.#giveBack(bytes, seen);
      return telling(() => Promise.reject(e as Error), seen);
    }
    const { vault, content } = opened;
    await (await this.#keep()).sawVault(account, { number: vault.number, hash: vault.hash });
    this.#content = content;
    return { content };
  }

  /** What came before that restore is made good: the next older vault is a refusal again. */
  async #believe(generation: number): Promise<void> {
    const keep = await this.#keep();
    const known = await keep.account();
    if (known !== null) await keep.setAccount({ ...known, generation });
  }

  /** Whether the server says that it was restored from a backup since this browser was signed in. */
  async #restored(): Promise<boolean> {
    return (await (await this.#keep()).account())?.generation !== (await this.#server.generation());
  }

  /**
   * The server has an older vault than was seen, and says why. It is given one of what
   * both hold, of a number that is newer than either for everybody.
   */
  async #giveBack(bytes: Bytes, seen: SeenVault): Promise<{ content: VaultContent }> {
    const { account, key } = await this.#need();
    const keep = await this.#keep();
    const { vault, content } = await telling(() => openVault(bytes, account, key, null), null);
    const here = (await depositing((await keep.homes()).filter((h) => h.account === account)))(this.#content ?? emptyContent);
    const next = await telling(() => sealVault(account, key, vault, joining(here, content), Math.max(vault.number, seen.number) + 2), null);
    await this.ask("PUT", "/vault", { account, vault: base64(next) });
    await this.#believe(await this.#server.generation());
    return this.#take(next);
  }

  async #seen(): Promise<SeenVault | null> {
    return (await (await this.#keep()).account())?.seen ?? null;
  }

  /** Forgets what opens the vault. The keys of homes stay where they are. */
  async shut(): Promise<void> {
    const keep = await this.#keep();
    const known = await keep.account();
    if (known !== null) await keep.setAccount({ ...known, open: null });
    this.forget();
  }

  /** Forgets what this page holds of the account in memory. */
  forget(): void {
    this.#open = null;
    this.#content = null;
  }

  /** Takes every key out of this browser. What only it has of a home is left sealed to the vault key. */
  async lock(): Promise<void> {
    const { account, key } = await this.#need();
    const shutKey = await derive(key, "latchkey keep v1");
    await (await this.#keep()).lock(account, (home, secrets) => gcmSeal(shutKey, idBytes("home", home), secretBytes(secrets)));
    this.forget();
  }

  /** What a lock left of a home, null if this vault key does not open it. */
  async unlock(home: HomeID, shut: Bytes): Promise<HomeSecrets | null> {
    const { key } = await this.#need();
    const plain = await gcmOpen(await derive(key, "latchkey keep v1"), idBytes("home", home), shut);
    return plain === null ? null : readSecrets(plain);
  }

  async #need(): Promise<Open> {
    const open = await this.#opened();
    if (open === null) throw new Failed({ trouble: "locked" });
    return open;
  }

  async #opened(): Promise<Open | null> {
    if (this.#open !== null) return this.#open;
    const known = await (await this.#keep()).account();
    if (known?.open != null) this.#open = { account: known.account, key: known.open.vaultKey, mac: await MACKey.of(known.open.macKey) };
    return this.#open;
  }
}

// Nobody is signed in to it any more, so the answer has no MAC: its status is all there is to believe.
function isEnded(e: unknown): boolean {
  return e instanceof Failed && e.trouble.trouble === "refused" && e.trouble.status === 410;
}

function olderThan(seen: SeenVault, offered: string): Failed {
  return new Failed({ trouble: "fork", seen: `vault ${seen.number}:${hex(seen.hash)}`, offered: `vault ${offered}` });
}

/** Makes a trouble of what a vault is refused for. */
async function telling<T>(work: () => Promise<T>, seen: SeenVault | null): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof AccountError)) throw e;
    if (seen !== null && (e.reason === "replayed" || e.reason === "fork")) throw olderThan(seen, e.reason);
    if (e.reason === "wrong-account") throw new Failed({ trouble: "crossed", what: "account" });
    throw new Failed({ trouble: "refused", status: 0, reason: `vault: ${e.reason}`, message: "Your account's vault could not be opened: what the server gave out is not what one of your browsers put there." });
  }
}

