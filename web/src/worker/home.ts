// One home that is open in this browser: its chain, its keys, its settings.

import { Failed, type Server } from "../api.ts";
import type { PersonKeys } from "../account/content.ts";
import { EpochError, openEpochs, type EpochSecret, ringOf } from "../deed/epoch.ts";
import { type Head, headText } from "../deed/head.ts";
import { publicKey, type Signer, signerOf } from "../deed/key.ts";
import type { Member, Title } from "../deed/title.ts";
import { type PrivateKey, privateKey } from "../hpke.ts";
import type { DeviceID, HomeID, KeyID, PersonID } from "../seal/name.ts";
import type { Confirmed, HomeSecrets, Keep, KeptHome, SeenSettings } from "../keep/keep.ts";
import type { Ring } from "../seal/open.ts";
import { Chain, folded } from "./chain.ts";
import { Names } from "./names.ts";
import type { TitleView } from "./protocol.ts";
import { rightsView } from "./rightsview.ts";
import { Session } from "./session.ts";
import { headWords } from "./spell.ts";

/** A person's keys, ready to use. */
interface Keys {
  readonly person: PersonID;
  readonly signer: Signer;
  readonly kem: PrivateKey;
  /** The person's own key by its ID: it opens what a guest's rights cover. */
  readonly own: Ring;
}

/** What a home is made of besides. */
interface Parts {
  readonly keys: Keys;
  /** This browser's, null if it is none of the home's. */
  readonly device: DeviceID | null;
  /** Signs requests and commands. */
  readonly asks: Signer;
  readonly confirmed: Confirmed | null;
  readonly settings: SeenSettings | null;
  readonly called: string;
}

export class Home {
  readonly session: Session;
  readonly chain: Chain;
  readonly names: Names;
  readonly device: DeviceID | null;
  /** Signs requests and commands, never deeds. */
  readonly asks: Signer;
  readonly #keys: Keys;
  #confirmed: Confirmed | null;
  #secrets: readonly EpochSecret[] = [];
  #secretsOf: Title | null = null;

  private constructor(session: Session, title: Title, keep: Keep, p: Parts) {
    this.session = session;
    this.device = p.device;
    this.asks = p.asks;
    this.#keys = p.keys;
    this.#confirmed = p.confirmed;
    this.chain = new Chain(title, session, keep);
    const reader = {
      holder: async () => ({ recipient: "epoch" as const, keys: await this.ring() }),
      owner: () => (this.isOwner && this.#confirmed !== null ? this.signer : null),
      mayRead: () => this.me.rights === null,
    };
    this.names = new Names(this.chain, session, keep, reader, p.settings, p.called);
  }

  /** Unlocks a kept home with those of its secrets. Its chain is folded again: what lies in a database may have been bent. */
  static async unlock(kept: KeptHome, server: Server, keep: Keep, secrets: HomeSecrets | null = kept.secrets): Promise<Home> {
    if (secrets === null) throw new Failed({ trouble: "locked" });
    const title = await folded(kept.home, kept.deeds);
    const [keys, asks] = await Promise.all([keysOf(secrets), signerOf(secrets.deviceSigning)]);
    const session: Session = new Session(server, kept.home, { device: secrets.device, signer: asks }, () => home.title.head, () => home.mayConfirm);
    const { confirmed, settings } = kept;
    const home: Home = new Home(session, title, keep, { keys, device: secrets.device, asks, confirmed, settings, called: secrets.called });
    return home;
  }

  /**
   * Visits a home as a person in a browser that is none of its devices. `head` is the
   * newest that this person is known to have seen; kept is what this browser remembers.
   * One of the two there must be.
   */
  static async visit(id: HomeID, person: PersonKeys, head: Head | null, kept: KeptHome | null, server: Server, keep: Keep): Promise<Home> {
    const keys = await keysOf(person);
    let home: Home | null = null;
    const session = new Session(server, id, { person: keys.person, signer: keys.signer }, () => home?.title.head ?? head!, () => false);
    const deeds = kept?.deeds ?? [];
    const title = deeds.length > 0 ? await folded(id, deeds) : await Chain.first(id, session);
    const { confirmed, settings } = kept ?? { confirmed: null, settings: null };
    home = new Home(session, title, keep, { keys, device: null, asks: keys.signer, confirmed, settings, called: kept?.secrets?.called ?? "" });
    return home;
  }

  get id(): HomeID {
    return this.session.home;
  }

  get title(): Title {
    return this.chain.title;
  }

  /** Whoever has this browser. */
  get person(): PersonID {
    return this.#keys.person;
  }

  /** As they stand in the home now, with these keys. */
  get me(): Member {
    const me = this.title.personBySigningKey(this.#keys.signer.key.id);
    if (me === null) throw new Failed({ trouble: "signed-out" });
    return me;
  }

  get isOwner(): boolean {
    return this.me.role === "owner";
  }

  get confirmed(): Confirmed | null {
    return this.#confirmed;
  }

  /**
   * What signs deeds and settings. A browser without memory of the home has none until
   * the head that it was shown is confirmed: a chain that was rolled back is genuine in
   * every byte, and what is signed onto it would undo what came after.
   */
  get signer(): Signer {
    if (this.#confirmed === null) throw new Failed({ trouble: "unconfirmed", words: headWords(this.title.head) });
    return this.#keys.signer;
  }

  /** The head is the newest, and how that is known. */
  confirm(how: Confirmed): void {
    this.#confirmed ??= how;
  }

  /** Whether this person can vouch, with what this browser remembers, that a restored server lacks nothing. */
  get mayConfirm(): boolean {
    return this.#confirmed !== null && this.device !== null && this.isOwner;
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

  /** The keys of the epochs that the title has now, as far as this person has them. */
  async secrets(): Promise<readonly EpochSecret[]> {
    const title = this.title;
    if (this.#secretsOf?.epoch === title.epoch) return this.#secrets;
    try {
      this.#secrets = await openEpochs(title, this.person, this.#keys.kem);
      this.#secretsOf = title;
    } catch (e) {
      throw e instanceof EpochError ? new Failed({ trouble: "bad-chain", reason: "epoch-key", at: e.epoch }) : e;
    }
    return this.#secrets;
  }

  async ring(): Promise<Map<KeyID, PrivateKey>> {
    return ringOf(await this.secrets());
  }

  get own(): Ring {
    return this.#keys.own;
  }

  view(): TitleView {
    const [t, me] = [this.title, this.me];
    return {
      home: t.home,
      head: headText(t.head),
      epoch: t.epoch,
      cameras: t.cameras.map(({ id, agent }) => ({ id, agent })),
      agents: t.agents.map(({ id }) => ({ id })),
      former: t.allCameras.filter((c) => t.camera(c.id) === null).map(({ id }) => id),
      me: { person: me.id, role: me.role, rights: rightsView(me.rights) },
      frozen: t.frozen,
      retention: t.retention,
      retained: t.retained,
      gaveBack: this.chain.gaveBack,
    };
  }
}

async function keysOf({ person, signing, kem: seed }: PersonKeys): Promise<Keys> {
  const [signer, kem] = await Promise.all([signerOf(signing), privateKey(seed)]);
  return { person, signer, kem, own: new Map([[(await publicKey("X-Wing", kem.publicKey)).id, kem]]) };
}
