// The home's chain of deeds as this browser knows it: fetched, folded, and held
// against what was seen before. A server that has lost deeds is given them back; one that
// does not take them, or shows another chain, is believed in nothing.

import { broken, Failed } from "../api.ts";
import type { Body } from "../deed/body.ts";
import { signDeed } from "../deed/deed.ts";
import { type Head, headText } from "../deed/head.ts";
import type { Signer } from "../deed/key.ts";
import { DeedError } from "../deed/reasons.ts";
import type { HomeID } from "../seal/name.ts";
import { Title } from "../deed/title.ts";
import type { Keep } from "../keep/keep.ts";
import { base64, type Bytes } from "../wire.ts";
import { deedRefusals } from "../words/deeds.ts";
import type { Session } from "./session.ts";
import { Turns } from "./turns.ts";

// As many bytes of deeds are given back at once as fit into a request in base64.
const maxGiveBack = 512 << 10;

// A writer who lost this often to others is not racing people.
const appendTries = 6;

/** Makes a statement that fits a title. */
export type Build = (title: Title) => Body | null | Promise<Body | null>;

export class Chain {
  #title: Title;
  readonly #session: Session;
  readonly #keep: Keep;
  #refreshing: Promise<Title> | null = null;
  #gaveBack = 0;
  // One reader or writer at a time: an answer belongs to the head that was asked from.
  readonly #turns = new Turns();

  constructor(title: Title, session: Session, keep: Keep) {
    this.#title = title;
    this.#session = session;
    this.#keep = keep;
  }

  get title(): Title {
    return this.#title;
  }

  /** Fetches the first deeds of a chain of which this browser knows none. */
  static async first(home: HomeID, session: Session): Promise<Title> {
    const { fields, request } = await session.ask("GET", "/deeds?from=0");
    return folded(home, fields.bytesList("deeds"), request);
  }

  /** How many deeds this page has given back to a server that had lost them. */
  get gaveBack(): number {
    return this.#gaveBack;
  }

  /** Fetches and folds what is newer. Calls that come together share one request. */
  refresh(): Promise<Title> {
    this.#refreshing ??= this.#turns.run(() => this.#refresh()).finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Fetches the newer deeds if a head lies beyond the end of what is known. */
  async reach(head: Head): Promise<Title> {
    return head.seq > this.#title.head.seq ? this.refresh() : this.#title;
  }

  async #refresh(): Promise<Title> {
    for (let least = -1; ; ) {
      const known = this.#title.head;
      const { fields, request } = await this.#session.ask("GET", `/deeds?from=${known.seq + 1}`);
      const head = fields.head("head");
      const deeds = fields.bytesList("deeds");
      if (head.seq <= known.seq && !this.#title.onChain(head)) throw this.#fork(head, request);
      if (head.seq < known.seq) {
        if (head.seq <= least) throw this.#fork(head, request); // it did not keep what it was given
        least = head.seq;
        await this.#giveBack(head);
        continue;
      }
      if (deeds.length > 0) await this.#take(deeds, head, request);
      else if (head.seq > known.seq) throw broken("an answer without the deeds that it speaks of");
      const now = this.#title.head;
      if (now.seq === head.seq && now.hash !== head.hash) throw this.#fork(head, request);
      if (now.seq >= head.seq) return this.#title;
    }
  }

  /** Gives the server what follows its head: deeds carry their own authority, whoever brings them. */
  async #giveBack(head: Head): Promise<void> {
    const lost = this.#title.deeds(head.seq + 1);
    let size = 0;
    const deeds = lost.filter((d, i) => (size += d.length) <= maxGiveBack || i === 0);
    try {
      await this.#session.ask("POST", "/deeds", { onto: headText(head), deeds: deeds.map(base64) });
      this.#gaveBack += deeds.length;
    } catch (e) {
      if (!(e instanceof Failed) || e.trouble.trouble !== "refused") throw e;
      if (e.reason !== "conflict") throw this.#fork(head, e.request);
      // Somebody else gives back at the same time: what has come of it is asked next.
    }
  }

  /** Folds deeds that the server says follow ours. */
  async #take(deeds: readonly Bytes[], offered: Head, request: string): Promise<void> {
    const base = this.#title;
    let next: Title;
    try {
      next = await base.append(deeds);
    } catch (e) {
      if (!(e instanceof DeedError)) throw e;
      if (e.reason === "fork" || e.reason === "wrong-home" || e.reason === "replayed") throw this.#fork(offered, request);
      throw new Failed({ trouble: "bad-chain", reason: e.reason, at: base.head.seq + 1 + e.at }, null, request);
    }
    await this.#keep.sawDeeds(next.home, next.deeds());
    this.#title = next;
  }

  /** The title that a deed of ours leads to: what is refused here is not sent. */
  async #holds(title: Title, deed: Bytes): Promise<Title> {
    try {
      return await title.append([deed]);
    } catch (e) {
      if (!(e instanceof DeedError)) throw e;
      throw new Failed({ trouble: "refused", status: 0, reason: e.reason, message: deedRefusals[e.reason] ?? "" });
    }
  }

  #fork(offered: Head, request: string): Failed {
    return new Failed({ trouble: "fork", seen: headText(this.#title.head), offered: headText(offered) }, null, request);
  }

  /**
   * Signs a statement onto the newest head and appends it. Whoever was faster is
   * heard first: build is asked again, and may answer null if nothing is left to do.
   * A statement that does not hold is refused here, with a sentence for people.
   */
  append(signer: Signer, build: Build): Promise<Title> {
    return this.#turns.run(() => this.#append(signer, build));
  }

  async #append(signer: Signer, build: Build): Promise<Title> {
    for (let i = 0; i < appendTries; i++) {
      const title = this.#title;
      const body = await build(title);
      if (body === null) return title;
      const at = Math.max(Date.now() * 1000, 0);
      const deed = await signDeed(signer, title.next, at, body);
      const next = await this.#holds(title, deed);
      try {
        await this.#session.ask("POST", "/deeds", { onto: headText(title.head), deeds: [base64(deed)] });
      } catch (e) {
        if (!(e instanceof Failed)) throw e;
        if (e.reason === "unknown-head") {
          await this.#refresh(); // it has lost deeds, and is given them back
          continue;
        }
        if (e.reason !== "conflict" || e.fields === null) throw e;
        await this.#take(e.fields.bytesList("deeds"), e.fields.head("head"), e.request);
        continue;
      }
      await this.#keep.sawDeeds(next.home, next.deeds());
      this.#title = next;
      return next;
    }
    throw new Failed({ trouble: "busy", retryAfterMs: 1000 });
  }
}

/** Folds a home's chain from its first deed. */
export async function folded(home: HomeID, deeds: readonly Bytes[], request = ""): Promise<Title> {
  try {
    return await Title.fold(home, deeds);
  } catch (e) {
    if (!(e instanceof DeedError)) throw e;
    throw new Failed({ trouble: "bad-chain", reason: e.reason, at: e.at }, null, request);
  }
}
