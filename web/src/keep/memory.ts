// A keep in memory, for a copy of a home, of which a browser keeps nothing, and for tests
// outside a browser. The other one is tested in Chromium (vectors/page/keep.ts).

import type { SeenVault } from "../account/vault.ts";
import type { HomeSecrets, Keep, KeptAccount, KeptEnd, KeptHome, Marks, SeenSettings } from "./keep.ts";
import type { AccountID, HomeID } from "../seal/name.ts";
import type { Bytes } from "../wire.ts";

export class MemoryKeep implements Keep {
  readonly kept = new Map<HomeID, KeptHome>();
  known: KeptAccount | null = null;
  readonly ends = new Map<AccountID, KeptEnd>();

  async homes(): Promise<KeptHome[]> {
    return [...this.kept.values()];
  }

  async add(home: KeptHome): Promise<void> {
    const known = this.kept.get(home.home);
    if (known?.secrets != null) throw new Error("it is there already");
    const deeds = known !== undefined && known.deeds.length > home.deeds.length ? known.deeds : home.deeds;
    this.kept.set(home.home, { ...home, deeds, settings: known?.settings ?? home.settings, confirmed: known?.confirmed ?? home.confirmed });
  }

  async mark(home: HomeID, marks: Marks): Promise<void> {
    this.#change(home, marks);
  }

  async change(home: HomeID, change: (secrets: HomeSecrets) => HomeSecrets): Promise<void> {
    const secrets = this.kept.get(home)?.secrets;
    if (secrets != null) this.#change(home, { secrets: change(secrets) });
  }

  async strip(home: HomeID): Promise<void> {
    this.#change(home, { secrets: null, shut: null });
  }

  async drop(home: HomeID): Promise<void> {
    this.kept.delete(home);
  }

  async sawDeeds(home: HomeID, deeds: readonly Bytes[]): Promise<void> {
    if (deeds.length > (this.kept.get(home)?.deeds.length ?? 0)) this.#change(home, { deeds });
  }

  async sawSettings(home: HomeID, settings: SeenSettings): Promise<void> {
    if (settings.number > (this.kept.get(home)?.settings?.number ?? 0)) this.#change(home, { settings });
  }

  async account(): Promise<KeptAccount | null> {
    return this.known;
  }

  async setAccount(account: KeptAccount): Promise<void> {
    this.known = account;
  }

  async sawVault(account: AccountID, seen: SeenVault): Promise<void> {
    if (this.known?.account === account && seen.number > this.known.seen.number) this.known = { ...this.known, seen };
  }

  async lock(account: AccountID, seal: (home: HomeID, secrets: HomeSecrets) => Promise<Bytes>): Promise<void> {
    for (const { home, secrets, account: whose } of this.kept.values()) if (secrets !== null && whose === account) this.#change(home, { secrets: null, shut: await seal(home, secrets) });
    if (this.known?.account === account) this.known = { ...this.known, open: null };
  }

  async end(account: AccountID, proof: KeptEnd | null): Promise<void> {
    for (const h of await this.homes()) if (h.account === account) this.kept.delete(h.home);
    if (this.known?.account === account) this.known = null;
    if (proof !== null) this.ends.set(account, proof);
  }

  async release(account: AccountID): Promise<void> {
    for (const h of await this.homes()) if (h.account === account && h.secrets !== null) this.#change(h.home, { account: null });
    if (this.known?.account === account) this.known = null;
  }

  async ended(): Promise<KeptEnd[]> {
    return [...this.ends.values()];
  }

  async told(account: AccountID, generation: number): Promise<void> {
    const ended = this.ends.get(account);
    if (ended !== undefined) this.ends.set(account, { ...ended, generation });
  }

  #change(home: HomeID, change: Partial<KeptHome>): void {
    const kept = this.kept.get(home);
    if (kept !== undefined) this.kept.set(home, { ...kept, ...change });
  }
}
