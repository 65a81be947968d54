// A vault in memory, for tests outside a browser. The real one is tested in Chromium
// (vectors/page/vault.ts).

import type { HomeID } from "../../seal/name.ts";
import type { KeptHome, SeenSettings, Vault } from "../../vault.ts";
import type { Bytes } from "../../wire.ts";

export class MemoryVault implements Vault {
  readonly kept = new Map<HomeID, KeptHome>();

  async homes(): Promise<KeptHome[]> {
    return [...this.kept.values()];
  }

  async add(home: KeptHome): Promise<void> {
    if (this.kept.has(home.home)) throw new Error("it is there already");
    this.kept.set(home.home, home);
  }

  async confirm(home: HomeID): Promise<void> {
    this.#change(home, { pending: false });
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

  #change(home: HomeID, change: Partial<KeptHome>): void {
    const kept = this.kept.get(home);
    if (kept !== undefined) this.kept.set(home, { ...kept, ...change });
  }
}
