// The list of events: rows made of headers with their signatures. What a row shows is
// what its header says once that has verified, and nothing else that the server says.

import { Fields } from "../api.ts";
import { type Binding, bindingBytes, nameOf } from "../seal/binding.ts";
import { type Envelope, parseEnvelope } from "../seal/envelope.ts";
import { type Header, parseHeader } from "../seal/header.ts";
import { type EventID, type KeyID, nameText, type NameText, parseID, parseName } from "../seal/name.ts";
import { type Reason, SealError } from "../seal/reasons.ts";
import { judge, verify } from "../seal/verify.ts";
import { type Bytes, hex, maxInt } from "../wire.ts";
import { sha256 } from "../deed/key.ts";
import { checkEnvelope, keyFor } from "../seal/open.ts";
import type { Home } from "./home.ts";
import type { Calls, EventRow, EventsPage, ObjectRow } from "./protocol.ts";
import type { Reporter } from "./report.ts";

const perPage = 50;
const perReview = 500; // events that one request marks
// Rows that are remembered, each a header and an envelope: 1.5 KB.
const maxRows = 20_000;

/** What is remembered of a verified row, to open its object with. */
export interface ListedRow {
  readonly header: Header;
  readonly notified: number;
  readonly listed: number;
}

/** What agents have found out about their clocks. */
export interface Clocks {
  /** Asks them, if nobody has. */
  ready(): Promise<void>;
  /** What is to be added to the times that an agent's boot has; null if nothing is known. */
  correction(signer: KeyID, boot: Bytes): number | null;
}

export class Events {
  readonly #home: Home;
  readonly #reporter: Reporter;
  readonly #clocks: Clocks;
  readonly #rows = new Map<NameText, ListedRow>();
  // By the hash of the binding that an envelope is for: whichever object comes, its own is found.
  readonly #envelopes = new Map<string, Envelope>();
  #hinted = 0;

  constructor(home: Home, reporter: Reporter, clocks: Clocks) {
    this.#home = home;
    this.#reporter = reporter;
    this.#clocks = clocks;
  }

  /** A hint said that there is something new. */
  hinted(): void {
    this.#hinted ||= now();
  }

  row(name: NameText): ListedRow | null {
    return this.#rows.get(name) ?? null;
  }

  /** The envelopes that came with the rows of an object. */
  async envelopes(h: Header): Promise<Envelope[]> {
    const envelope = this.#envelopes.get(await bindingKey(h));
    return envelope === undefined ? [] : [envelope];
  }

  /** A page of rows, newest first as the server has them. */
  async page(before?: string, choice: NonNullable<Parameters<Calls["events"]>[1]> = {}): Promise<EventsPage> {
    const notified = before === undefined ? this.#hinted : 0;
    if (before === undefined) this.#hinted = 0;
    const query = Object.entries({ before, ...choice }).flatMap(([name, value]) => (value === undefined ? [] : [`&${name}=${encodeURIComponent(value)}`]));
    const { fields, request } = await this.#home.session.ask("GET", `/events?limit=${perPage}${query.join("")}`);
    await this.#home.chain.reach(fields.head("head"));
    const events: EventRow[] = [];
    for (const [i, e] of fields.list("events").entries()) {
      const event = new Fields(e);
      const rows = await Promise.all(event.list("objects").map((o) => this.#object(new Fields(o), event.text("event"), request, notified)));
      events.push(eventRow(rows, `${request}-${i}`, event.has("reviewed") && event.boolean("reviewed")));
    }
    return { events, next: fields.text("next"), porch: fields.has("porch") && fields.boolean("porch") };
  }

  /** Says what this person has looked at. */
  async review(events: readonly EventID[], through?: EventID): Promise<object> {
    for (let at = 0; at === 0 || at < events.length; at += perReview) {
      const some = events.slice(at, at + perReview);
      await this.#home.session.ask("POST", "/reviewed", { events: some, ...(through === undefined ? {} : { through }) });
    }
    return {};
  }

  async #object(o: Fields, event: string, request: string, notified: number): Promise<Seen> {
    if (o.has("problem")) return this.#crossed(o.text("problem"), o.has("name") ? o.text("name") : "", request);
    const bytes = o.has("header") ? o.bytes("header") : new Uint8Array(0);
    let header: Header | null = null;
    try {
      header = parseHeader(bytes);
      const listed = parseID("event", event);
      await verify(header, null, this.#home.title);
      // The row's event is the question that a list answers.
      if (header.binding.event !== listed) throw new SealError("wrong-object", `an object of event ${header.binding.event}`);
      return { header, row: await this.#remember(header, o.has("envelope") ? o.bytes("envelope") : new Uint8Array(0), notified) };
    } catch (e) {
      if (!(e instanceof SealError)) throw e;
      return this.#refused(e.reason, header, bytes, request);
    }
  }

  async #remember(h: Header, envelope: Bytes, notified: number): Promise<ObjectRow> {
    const { binding } = h;
    const name = nameText(nameOf(binding));
    const known = this.#rows.get(name);
    if (known === undefined) this.#rows.set(name, { header: h, notified, listed: now() });
    const openable = await this.#keepEnvelope(h, envelope);
    for (const old of this.#rows.keys()) {
      if (this.#rows.size <= maxRows) break;
      this.#envelopes.delete(await bindingKey(this.#rows.get(old)!.header));
      this.#rows.delete(old);
    }
    return { state: "verified", name, kind: binding.kind, ...(await this.#time(binding)), quality: binding.quality, bytes: h.bodyLength, openable };
  }

  /** When it was: what nobody could tell at the time, the agent may know by now. */
  async #time({ time, quality, agentKey, boot }: Binding): Promise<{ time: number; corrected?: true }> {
    if (quality !== "unknown") return { time };
    await this.#clocks.ready();
    const by = this.#clocks.correction(agentKey, boot);
    return by === null || time + by < 0 || time + by > maxInt ? { time } : { time: time + by, corrected: true };
  }

  /** Whether there is an envelope that this reader can open, as far as can be said without opening it. */
  async #keepEnvelope(h: Header, bytes: Bytes): Promise<boolean> {
    if (bytes.length === 0) return false;
    try {
      const envelope = parseEnvelope(bytes);
      this.#envelopes.set(await bindingKey(h), envelope);
      checkEnvelope(h, envelope, this.#home.title);
      return keyFor(envelope, { ring: await this.#home.ring(), own: this.#home.own }) !== undefined;
    } catch (e) {
      if (e instanceof SealError) return false;
      throw e;
    }
  }

  async #refused(reason: Reason, header: Header | null, bytes: Bytes, request: string): Promise<Seen> {
    const word = await judge(reason, header, this.#home.title);
    this.#reporter.tell({ delivery: request, asked: "", reason, word, header: bytes });
    // Of a foreign row not even the name is handed on.
    const ours = header !== null && header.binding.home === this.#home.id;
    const name = ours ? nameText(nameOf(header.binding)) : null;
    return { header: null, row: { state: "refused", name, kind: ours ? header.binding.kind : null, word, reason } };
  }

  /** A row that the server itself found crossed or damaged. */
  #crossed(problem: string, text: string, request: string): Seen {
    const named = parseName(text);
    const name = named !== null && named.home === this.#home.id ? nameText(named) : null;
    const crossed = problem !== "corrupt";
    const word = crossed ? "misroute" : "corrupt";
    this.#reporter.tell({ delivery: request, asked: name ?? "", reason: crossed ? "misroute" : "corrupt", word, header: new Uint8Array(0) });
    return { header: null, row: { state: "refused", name, kind: name === null ? null : named!.kind, word, reason: crossed ? "misroute" : "corrupt" } };
  }
}

interface Seen {
  readonly header: Header | null;
  readonly row: ObjectRow;
}

async function bindingKey(h: Header): Promise<string> {
  return hex(await sha256(bindingBytes(h.binding)));
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Joins the objects of one event. Its camera and time are those of a verified binding. */
function eventRow(seen: readonly Seen[], key: string, reviewed: boolean): EventRow {
  const verified = seen.flatMap(({ header, row }) => (header === null || row.state === "refused" ? [] : [{ binding: header.binding, time: row.time }]));
  // The description's time is the event's start; a clip begins with the pre-roll.
  const order = ["description", "thumbnail", "clip"];
  const first = [...verified].sort((a, b) => order.indexOf(a.binding.kind) - order.indexOf(b.binding.kind))[0];
  const event: EventID | null = first?.binding.event ?? null;
  const objects = seen.map((s) => (s.header !== null && s.header.binding.camera !== first!.binding.camera ? astray(s.row) : s.row));
  return { key: event ?? key, event, camera: first?.binding.camera ?? null, time: first?.time ?? null, reviewed, objects };
}

// Two cameras cannot have one event.
function astray(row: ObjectRow): ObjectRow {
  return row.state === "refused" ? row : { state: "refused", name: row.name, kind: row.kind, word: "misroute", reason: "wrong-camera" };
}
