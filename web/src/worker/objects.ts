// Fetches an object, compares it with what was asked, verifies and opens it. What is
// refused is reported and never shown.

import { Failed, type Delivery } from "../api.ts";
import type { Binding } from "../seal/binding.ts";
import type { Envelope } from "../seal/envelope.ts";
import { prefixBytes, readBody, readPrefix } from "../seal/file.ts";
import { type Header, headerBytes } from "../seal/header.ts";
import { type Kind, type Name, type NameText, parseName } from "../seal/name.ts";
import { open, type Reader } from "../seal/open.ts";
import { SealError } from "../seal/reasons.ts";
import { judge, verify } from "../seal/verify.ts";
import { Source } from "../source.ts";
import type { Bytes } from "../wire.ts";
import { looksLike, parseDescription } from "./content.ts";

import type { Events } from "./events.ts";
import type { Home } from "./home.ts";
import type { Description, Opened, RefusedFor, Timings, Word } from "./protocol.ts";
import type { Reporter } from "./report.ts";
import { Turns } from "./turns.ts";

// Clips are large: with two at a time the worker holds at most two.
const atOnce: Record<Kind, number> = { thumbnail: 6, description: 6, clip: 2 };
const types: Record<Kind, string> = { thumbnail: "image/jpeg", clip: "video/mp4", description: "application/json" };

type Content = { header: Header; content: Bytes };

/** What was seen of an object while it was opened: for a report. */
export interface Seen {
  header: Header | null;
  request: string;
  fetched: number;
}

export class Objects {
  readonly #home: Home;
  readonly #events: Events;
  readonly #reporter: Reporter;
  readonly #turns: Record<Kind, Turns>;
  /** Told when a guest has learned a name. */
  readonly #learned: () => void;
  // Names whose answer was refused: a browser's cache may hold it, so it is asked past.
  readonly #bad = new Set<NameText>();

  constructor(home: Home, events: Events, reporter: Reporter, learned: () => void) {
    this.#learned = learned;
    this.#home = home;
    this.#events = events;
    this.#reporter = reporter;
    this.#turns = { thumbnail: new Turns(atOnce.thumbnail), description: new Turns(atOnce.description), clip: new Turns(atOnce.clip) };
  }

  /** A picture or clip, as a Blob of a type that is fixed here. */
  blob(text: NameText, kind: "thumbnail" | "clip"): Promise<Opened<{ blob: Blob }>> {
    return this.open(text, kind, ({ content }) => {
      if (!looksLike(kind, content)) throw new SealError("malformed", `no ${kind}`);
      return { blob: new Blob([content], { type: types[kind] }) };
    });
  }

  description(text: NameText): Promise<Opened<{ description: Description }>> {
    return this.open(text, "description", ({ header, content }) => {
      const description = parseDescription(content);
      if (description === null) throw new SealError("malformed", "no description");
      if (this.#home.names.hear(header.binding.camera, description)) this.#learned();
      return { description };
    });
  }

  /** Opens an object whole, and makes of it what the page is to have. */
  open<T extends object>(text: NameText, kind: Kind, make: (c: Content) => T): Promise<Opened<T>> {
    return this.guarded(text, kind, async (seen, name) => {
      const delivery = await this.#fetch(text);
      seen.request = delivery.request;
      const opened = await open(new Source(delivery.body), name, { ...(await this.reader(seen)), bodyRead: () => (seen.fetched = now()) });
      return make(opened);
    });
  }

  /**
   * Does something with a listed object of that kind. What is refused is reported, and
   * nothing of it is handed on.
   */
  async guarded<T extends object>(text: NameText, kind: Kind, work: (seen: Seen, name: Name) => Promise<T>): Promise<Opened<T>> {
    const name = parseName(text);
    if (name === null || this.#events.row(text) === null || name.home !== this.#home.id || name.kind !== kind) {
      return { state: "trouble", trouble: "refused", status: 404, reason: "not-listed", message: "That is not in the list of events." };
    }
    return this.#turns[kind].run(async () => {
      const seen: Seen = { header: null, request: "", fetched: 0 };
      try {
        const made = await work(seen, name);
        this.#bad.delete(text);
        return { state: "opened", timings: { ...this.timings(text), fetched: seen.fetched, opened: now() }, ...made };
      } catch (e) {
        return this.#refused(e, text, seen);
      }
    });
  }

  /** What an object is, by its list; null if it is not listed. */
  listed(text: NameText): Binding | null {
    return this.#events.row(text)?.header.binding ?? null;
  }

  /** Whoever opens here, and notes what they see. */
  async reader(seen: Seen): Promise<Reader> {
    return {
      title: this.#home.title,
      ring: await this.#home.ring(),
      own: this.#home.own,
      envelopes: (h) => this.#events.envelopes(h),
      seen: (h) => (seen.header = h),
    };
  }

  /** When an object was heard of. */
  timings(text: NameText): Timings {
    const row = this.#events.row(text);
    return { notified: row?.notified ?? 0, listed: row?.listed ?? 0, fetched: 0, opened: 0 };
  }

  #fetch(text: NameText): Promise<Delivery> {
    return this.#home.session.object(pathOf(text), this.#bad.has(text));
  }

  /** Bytes of an object file. */
  async part(text: NameText, from: number, to: number, seen: Seen): Promise<Bytes> {
    const { bytes, request } = await this.#home.session.part(pathOf(text), from, to);
    seen.request = request;
    return bytes;
  }

  async #refused(e: unknown, text: NameText, seen: Seen): Promise<Opened<never>> {
    let word: Word;
    let reason: RefusedFor;
    let { request } = seen;
    if (e instanceof SealError) {
      reason = e.reason;
      word = await judge(e.reason, seen.header, this.#home.title);
    } else if (e instanceof Failed && (e.reason === "misroute" || e.reason === "corrupt")) {
      // The server compared, and sent nothing of what it found.
      reason = word = e.reason;
      request = e.request;
    } else if (e instanceof Failed && e.trouble.trouble === "crossed") {
      reason = word = "misroute";
      request = e.request;
    } else if (e instanceof Failed) {
      return { state: "trouble", ...e.trouble };
    } else {
      throw e;
    }
    this.#bad.add(text);
    const header = seen.header === null ? new Uint8Array(0) : headerBytes(seen.header);
    const reported = await this.#reporter.tell({ delivery: request, asked: text, reason, word, header });
    return { state: "refused", word, reason, reported };
  }

  /** The object file with this reader's envelope in it, for the person to keep. */
  async file(text: NameText): Promise<Blob> {
    const name = parseName(text);
    if (name === null || this.#events.row(text) === null) throw new Failed({ trouble: "refused", status: 404, reason: "not-listed", message: "That is not in the list of events." });
    const source = new Source((await this.#fetch(text)).body);
    try {
      const { header } = await readPrefix(source);
      await verify(header, name, this.#home.title);
      const body = await readBody(source, header);
      const envelopes: Envelope[] = await this.#events.envelopes(header);
      return new Blob([prefixBytes({ header, envelopes }), body], { type: "application/octet-stream" });
    } catch (e) {
      if (e instanceof SealError) throw new Failed({ trouble: "refused", status: 0, reason: e.reason, message: "What came could not be verified." });
      throw e;
    } finally {
      await source.cancel();
    }
  }
}

function pathOf(text: NameText): string {
  return `/v1/objects/${text.slice("v1/".length)}`;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
