// The settings document as this browser knows it: opened, and changed by compare and
// swap so that two people's changes of different things both stay.

import { Failed } from "../api.ts";
import type { Signer } from "../deed/key.ts";
import { cameraNamed, type CameraSettings } from "../settings/camera.ts";
import { type Content, contentFits } from "../settings/content.ts";
import { type Document, type Holder, openSettings, parseDocument, sealSettings, SettingsError } from "../settings/settings.ts";
import type { SeenSettings, Keep } from "../keep/keep.ts";
import { base64, type Bytes, hex } from "../wire.ts";
import type { Chain } from "./chain.ts";
import { refused } from "./result.ts";
import type { CameraID, Description, PersonID, SettingsChange, SettingsView } from "./protocol.ts";
import type { Session } from "./session.ts";
import { Turns } from "./turns.ts";

const saveTries = 6;

/** What changes in the settings; people are named here and not by the page at large. */
export interface NamesChange extends SettingsChange {
  readonly people?: Readonly<Record<PersonID, string>>;
}

/** Whoever reads and writes the settings. */
export interface Reader {
  holder(): Promise<Holder>;
  /** What an owner signs with, null for others. */
  owner(): Signer | null;
  /** Whether they see the whole home: guests read no settings. */
  mayRead(): boolean;
}

export class Names {
  readonly #chain: Chain;
  readonly #session: Session;
  readonly #keep: Keep;
  readonly #reader: Reader;
  /** What a guest, who reads no settings, has heard of names. */
  #heard: SettingsView;
  readonly #heardAt = new Map<CameraID | "home", number>();
  #seen: SeenSettings | null;
  #content: Content | null = null;
  readonly #turns = new Turns();

  constructor(chain: Chain, session: Session, keep: Keep, reader: Reader, seen: SeenSettings | null, called: string) {
    this.#chain = chain;
    this.#session = session;
    this.#keep = keep;
    this.#reader = reader;
    this.#heard = { number: 0, home: called, zone: zoneHere(), cameras: {} };
    this.#seen = seen;
  }

  /** Fetches, checks and opens the document. */
  read(): Promise<SettingsView> {
    return this.#turns.run(() => this.#read());
  }

  async #read(): Promise<SettingsView> {
    if (!this.#reader.mayRead()) return this.view();
    const { fields } = await this.#session.ask("GET", "/settings");
    await this.#take(fields.bytes("document"));
    return this.view();
  }

  /** What people are called. */
  get people(): Content["people"] {
    return this.#content?.people ?? {};
  }

  /** A description that was opened says what home and camera are called. Says whether a guest did not know. */
  hear(camera: CameraID, { names, start }: Description): boolean {
    if (names === null || this.#reader.mayRead()) return false;
    const before = JSON.stringify(this.#heard);
    // Of what was said at different times the newest counts.
    const newest = (of: CameraID | "home"): boolean => start >= (this.#heardAt.get(of) ?? 0);
    if (names.camera !== "" && newest(camera)) this.#heard = { ...this.#heard, cameras: { ...this.#heard.cameras, [camera]: cameraNamed(names.camera) } };
    if (newest("home")) this.#heard = { ...this.#heard, home: names.home, zone: names.zone };
    for (const of of [camera, "home"] as const) if (newest(of)) this.#heardAt.set(of, start);
    return JSON.stringify(this.#heard) !== before;
  }

  view(): SettingsView {
    if (!this.#reader.mayRead()) return this.#heard;
    const c = this.#content;
    return { number: this.#seen?.number ?? 0, home: c?.home ?? "", zone: c?.zone ?? zoneHere(), cameras: c === null ? {} : { ...c.cameras } };
  }

  /** Changes what the change names, on top of whatever others have changed. */
  save(signer: Signer, change: NamesChange): Promise<SettingsView> {
    return this.#turns.run(() => this.#save(signer, change));
  }

  async #save(signer: Signer, change: NamesChange): Promise<SettingsView> {
    if (this.#content === null) await this.#read();
    // What somebody said cannot be kept by whoever cannot read it; what the former owners of the home said need not be.
    const { handedOver } = this.#chain.title;
    if (this.#content === null && this.#seen !== null && (this.#seen.head ?? 0) >= handedOver) throw refused("no-envelope", "The settings were made before you came, so this browser cannot change them. An owner who can read them has to open the home first.");
    for (let i = 0; i < saveTries; i++) {
      const content = merged(this.#content, change);
      if (!contentFits(content)) throw new Failed({ trouble: "refused", status: 0, reason: "settings", message: "A name has 1 to 64 characters and no control characters; hours have a day, and a shape 3 to 32 corners." });
      const document = await sealSettings(signer, this.#chain.title, this.#seen, Math.max(Date.now() * 1000, 0), content);
      try {
        await this.#session.ask("PUT", "/settings", { document: base64(document) });
      } catch (e) {
        if (!(e instanceof Failed) || e.reason !== "conflict" || e.fields === null) throw e;
        await this.#chain.refresh();
        if (e.fields.has("document")) await this.#take(e.fields.bytes("document"));
        else await this.#read();
        continue;
      }
      await this.#take(document);
      return this.view();
    }
    throw new Failed({ trouble: "busy", retryAfterMs: 1000 });
  }

  async #take(document: Bytes): Promise<void> {
    if (document.length === 0) return this.#seen === null ? undefined : this.#giveBack(this.#seen, "none");
    const opened = await this.#open(document);
    if (opened === null) return this.#giveBack(this.#seen!, "replayed");
    const seen = { number: opened.document.number, hash: opened.document.hash, head: opened.document.head.seq, document };
    await this.#keep.sawSettings(this.#chain.title.home, seen);
    this.#seen = seen;
    this.#content = opened.content;
  }

  /**
   * The server has lost the newest document that was seen. It is shown all the same; and
   * an owner's browser gives it back, sealed for those who are in the home today.
   */
  async #giveBack(seen: SeenSettings, offered: string): Promise<void> {
    if (seen.document === undefined) throw olderThan(seen, offered);
    const title = this.#chain.title;
    const kept = await openSettings(seen.document, title, null, await this.#reader.holder()).catch((e: unknown) => {
      throw e instanceof SettingsError ? olderThan(seen, offered) : e;
    });
    this.#content = kept.content;
    const owner = this.#reader.owner();
    if (owner === null) return;
    const document = await sealSettings(owner, title, seen, Math.max(Date.now() * 1000, 0), kept.content);
    try {
      await this.#session.ask("PUT", "/settings", { document: base64(document) });
    } catch (e) {
      if (!(e instanceof Failed) || e.trouble.trouble !== "refused") throw e;
      if (e.reason === "conflict") throw new Failed({ trouble: "busy", retryAfterMs: 1000 }); // somebody else gives it back
      throw olderThan(seen, offered);
    }
    await this.#take(document);
  }

  /** Null is one older than was seen. */
  async #open(document: Bytes): Promise<{ document: Document; content: Content | null } | null> {
    const before = this.#seen;
    const open = async (): ReturnType<typeof openSettings> => openSettings(document, this.#chain.title, before, await this.#reader.holder());
    try {
      return await open().catch(async (e: unknown) => {
        if (!(e instanceof SettingsError) || e.reason !== "unknown-head") throw e;
        await this.#chain.refresh();
        return open();
      });
    } catch (e) {
      if (!(e instanceof SettingsError)) throw e;
      // By its number, and not by its head: an earlier head on a later number is no loss.
      if (before !== null && e.reason === "replayed" && (await parseDocument(document)).number < before.number) return null;
      if (before !== null && (e.reason === "replayed" || e.reason === "fork")) throw olderThan(before, e.reason);
      // Sealed before this person came: the next one is sealed to them too.
      if (e.reason === "no-envelope") return { document: await parseDocument(document), content: null };
      throw new Failed({ trouble: "bad-chain", reason: `settings: ${e.reason}`, at: 0 });
    }
  }
}

function olderThan(seen: SeenSettings, offered: string): Failed {
  return new Failed({ trouble: "fork", seen: `settings ${seen.number}:${hex(seen.hash)}`, offered: `settings ${offered}` });
}

function merged(now: Content | null, change: NamesChange): Content {
  const cameras: Record<CameraID, CameraSettings> = { ...now?.cameras };
  for (const [camera, members] of Object.entries(change.cameras ?? {})) {
    const id = camera as CameraID;
    // Member by member: one person's hours and another's name both stay.
    cameras[id] = { ...(cameras[id] ?? cameraNamed("")), ...members };
  }
  return { home: change.home ?? now?.home ?? "Home", zone: change.zone ?? now?.zone ?? zoneHere(), cameras, people: { ...now?.people, ...change.people }, more: now?.more ?? {} };
}

function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
