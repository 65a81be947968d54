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
    title: Title,
    settings: SeenSettings | null,
    server: Server,
    keep: Keep,
  ) {
    this.session = new Session(server, id, secretsHere.device, device, () => this.chain.title.head);
    this.chain = new Chain(title, this.session, keep);
    this.names = new Names(this.chain, this.session, keep, async () => ({ recipient: "epoch", keys: await this.ring() }), settings);
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
    return new Home(kept.home, signer, kem, own, secrets, device, title, kept.settings, server, keep);
  }

  get title(): Title {
    return this.chain.title;
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
    };
  }
}
