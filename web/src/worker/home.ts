// One home that is open in this browser: its chain, its keys, its settings.

import { Failed, type Server } from "../api.ts";
import { EpochError, openEpochs, type EpochSecret, ringOf } from "../deed/epoch.ts";
import { headText } from "../deed/head.ts";
import { publicKey, type Signer, signerOf } from "../deed/key.ts";
import { DeedError } from "../deed/reasons.ts";
import { Title } from "../deed/title.ts";
import { type PrivateKey, privateKey } from "../hpke.ts";
import type { HomeID, KeyID } from "../seal/name.ts";
import type { HomeSecrets, Keep, KeptHome, SeenSettings } from "../keep/keep.ts";
import type { Ring } from "../seal/open.ts";
import { Chain } from "./chain.ts";
import { Names } from "./names.ts";
import type { TitleView } from "./protocol.ts";
import { Session } from "./session.ts";

export class Home {
  readonly session: Session;
  readonly chain: Chain;
  readonly names: Names;
  #secrets: EpochSecret[] = [];
  #secretsOf: Title | null = null;

  private constructor(
    readonly id: HomeID,
    readonly signer: Signer,
    private readonly kem: PrivateKey,
    /** The person's own key by its ID: it opens what a guest's rights cover. */
    readonly own: Ring,
    private readonly secretsHere: HomeSecrets,
    /** Signs requests and commands, never deeds. */
    readonly device: Signer,
    private readonly remembers: boolean,
    title: Title,
    settings: SeenSettings | null,
    server: Server,
    keep: Keep,
  ) {
    this.session = new Session(server, id, secretsHere.device, device, () => this.chain.title.head, () => this.mayConfirm);
    this.chain = new Chain(title, this.session, keep);
    this.names = new Names(this.chain, this.session, keep, async () => ({ recipient: "epoch", keys: await this.ring() }), () => (this.isOwner ? signer : null), settings);
  }

  /** Unlocks a kept home. Its chain is folded again: what lies in a database may have been bent. */
  static async unlock(kept: KeptHome, server: Server, keep: Keep): Promise<Home> {
    const title = await Title.fold(kept.home, kept.deeds).catch((e: unknown) => {
      throw e instanceof DeedError ? new Failed({ trouble: "bad-chain", reason: e.reason, at: e.at }) : e;
    });
    const { secrets } = kept;
    if (secrets === null) throw new Failed({ trouble: "locked" });
    const [signer, device, kem] = await Promise.all([signerOf(secrets.signing), signerOf(secrets.deviceSigning), privateKey(secrets.kem)]);
    const own = new Map([[(await publicKey("X-Wing", kem.publicKey)).id, kem]]);
    return new Home(kept.home, signer, kem, own, secrets, device, kept.confirmed !== null, title, kept.settings, server, keep);
  }

  get title(): Title {
    return this.chain.title;
  }

  /** Whether this person can vouch, with what this browser remembers, that a restored server lacks nothing. */
  get mayConfirm(): boolean {
    return this.remembers && this.isOwner;
  }

  get isOwner(): boolean {
    return this.title.person(this.secretsHere.person)?.role === "owner";
  }

  /** Says so. */
  async confirmRestored(): Promise<void> {
    const { head } = await this.chain.refresh();
    try {
      await this.session.ask("POST", "/confirm", { head: headText(head) });
    } catch (e) {
      // Closed still: the agents are asked first, and the server says for how long.
      if (!(e instanceof Failed) || e.trouble.trouble !== "closed" || e.fields === null) throw e;
      throw new Failed({ trouble: "busy", retryAfterMs: e.fields.fields("error").number("retry_after_ms") }, e.fields, e.request);
    }
  }

  /** The keys of the epochs that the title has now. */
  async secrets(): Promise<readonly EpochSecret[]> {
    const title = this.title;
    if (this.#secretsOf?.epoch === title.epoch) return this.#secrets;
    try {
      this.#secrets = await openEpochs(title, this.secretsHere.person, this.kem);
      this.#secretsOf = title;
    } catch (e) {
      throw e instanceof EpochError ? new Failed({ trouble: "bad-chain", reason: "epoch-key", at: e.epoch }) : e;
    }
    return this.#secrets;
  }

  async ring(): Promise<Map<KeyID, PrivateKey>> {
    return ringOf(await this.secrets());
  }

  view(): TitleView {
    const t = this.title;
    return {
      home: t.home,
      head: headText(t.head),
      epoch: t.epoch,
      cameras: t.cameras.map(({ id, agent }) => ({ id, agent })),
      agents: t.agents.map(({ id }) => ({ id })),
      me: { person: this.secretsHere.person, role: "owner", rights: null },
      frozen: false,
      retention: { days: 0, bytes: 0 },
      gaveBack: this.chain.gaveBack,
    };
  }
}
