// The only file that talks with the server (docs/wire.md). It says what was asked and
// compares what is answered: an answer to another question is none.

import { type Bytes, base32, concat, copy, random, unbase64 } from "./wire.ts";
import { type Head, parseHead } from "./deed/head.ts";
import type { MACKey } from "./mac.ts";
import { Source } from "./source.ts";
import { type HomeID, parseID } from "./seal/name.ts";
import type { Spared, Trouble } from "./worker/protocol.ts";

const maxAnswer = 4 << 20; // a page of events, or a chain's tail
const maxSkip = 64 << 10; // bytes that are passed over at once
const spareable: readonly Spared[] = ["filmstrips", "backfill", "clips", "live-quality"];
const answerWithin = 30_000; // of silence
const longestTurn = 15_000; // that a request waits for by itself
const maxPlace = 100; // characters
const replyWithin = 130_000; // of an agent's silence; the server waits 120 seconds

/** A request that came to nothing, and why. */
export class Failed extends Error {
  constructor(
    readonly trouble: Trouble,
    /** With a refusal: what the server said besides. */
    readonly fields: Fields | null = null,
    /** The ID of the request. */
    readonly request = "",
  ) {
    super(trouble.trouble);
  }

  /** The server's reason, "" if it did not refuse. */
  get reason(): string {
    return this.trouble.trouble === "refused" ? this.trouble.reason : "";
  }
}

/** Says that an answer is not of the form that it must have. */
export function broken(message: string): Failed {
  return new Failed({ trouble: "broken", message });
}

/** The members of a JSON object from outside; what is missing or ill-typed is no answer. */
export class Fields {
  readonly #o: Record<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw broken("an answer that is no JSON object");
    this.#o = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#o[name] !== undefined;
  }

  text(name: string): string {
    const v = this.#o[name];
    if (typeof v !== "string") throw broken(`an answer without "${name}"`);
    return v;
  }

  number(name: string): number {
    const v = this.#o[name];
    if (typeof v !== "number") throw broken(`an answer without "${name}"`);
    return v;
  }

  boolean(name: string): boolean {
    const v = this.#o[name];
    if (typeof v !== "boolean") throw broken(`an answer without "${name}"`);
    return v;
  }

  list(name: string): unknown[] {
    const v = this.#o[name];
    if (!Array.isArray(v)) throw broken(`an answer without "${name}"`);
    return v;
  }

  fields(name: string): Fields {
    return new Fields(this.#o[name]);
  }

  bytes(name: string): Bytes {
    return bytesOf(this.text(name));
  }

  bytesList(name: string): Bytes[] {
    return this.list(name).map((b) => bytesOf(b));
  }

  head(name: string): Head {
    const head = parseHead(this.text(name));
    if (head === null) throw broken(`an answer whose "${name}" is no head`);
    return head;
  }
}

function bytesOf(v: unknown): Bytes {
  const b = typeof v === "string" ? unbase64(v) : null;
  if (b === null) throw broken("an answer whose bytes are not base64");
  return b;
}

/** One request with a JSON answer. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: Record<string, unknown>;
  /** The home that the answer must name; null for an answer that names none. */
  readonly home: HomeID | null;
}

/** A JSON answer and the ID of the request that it answers. */
export interface Answered {
  readonly fields: Fields;
  readonly request: string;
}

/** An object file on its way. Nothing of it is checked. */
export interface Delivery {
  readonly body: ReadableStream<Uint8Array>;
  /** The request that the server says it answers: an older one if a cache kept it. */
  readonly request: string;
}

/** The server of this page's origin. */
export class Server {
  readonly #origin: string;
  readonly #fetch: typeof fetch;
  readonly #opened: string;
  /** At the server's gate, until it was used; "" for none. */
  #place = "";

  /** `opened` is the secret of the link to a copy at this machine, "" at a server. */
  constructor(origin: string, fetcher: typeof fetch = (...args) => fetch(...args), opened = "") {
    this.#origin = origin;
    this.#opened = opened;
    this.#fetch = fetcher;
  }

  get origin(): string {
    return this.#origin;
  }

  /** Whether this is a copy of a home, which lies at this machine and in which nothing is changed. */
  get copy(): boolean {
    return this.#opened !== "";
  }

  /**
   * Asks, and compares request and home of the answer with the question's. With a key
   * it asks in that session; the answer to a sign-in is the first that its key binds.
   */
  async ask(q: Question, key: MACKey | null = null, answerKey = key): Promise<Answered> {
    const id = base32(random(16));
    const body = q.body === undefined ? null : JSON.stringify({ v: 1, ...q.body });
    const headers: Record<string, string> = { ...(await head(q.method, q.path, id, utf8(body), key)), Accept: "application/json" };
    if (body !== null) headers["Content-Type"] = "application/json";
    const patience = new Patience();
    const response = await this.#send(q.path, { method: q.method, headers, body, cache: "no-store", signal: patience.signal });
    compareRequest(response, id);
    const bytes = await readUpTo(patience.watch(response.body), maxAnswer);
    if (!response.ok) throw await refusal(response, bytes, id, key);
    if (answerKey !== null) await compareMAC(response, bytes, id, answerKey);
    const fields = parse(bytes);
    if (q.home !== null && fields.text("home") !== q.home) throw new Failed({ trouble: "crossed", what: "home" }, null, id);
    return { fields, request: id };
  }

  /**
   * Fetches an object file. A browser's own cache may keep it, and then answers with
   * the request that first brought it: so the ID is handed on for a report and not
   * compared. Whether this is the object is for its binding to say; a refusal is
   * bound like any other answer.
   */
  async object(path: string, again: boolean, key: MACKey): Promise<Delivery> {
    const id = base32(random(16));
    const patience = new Patience();
    const cache = again ? "reload" : "default";
    const response = await this.#send(path, { headers: await head("GET", path, id, utf8(null), key), cache, signal: patience.signal });
    const request = response.headers.get("Latchkey-Request") ?? "";
    if (!response.ok) throw await refusal(response, await readUpTo(patience.watch(response.body), maxAnswer), id, key);
    return { body: patience.watch(response.body), request };
  }

  /**
   * Fetches the bytes of an object file from one place up to another; fewer only if there
   * are fewer. What they are is for whoever opens them to say. A server that hands out
   * whole files alone is read as far as it takes.
   */
  async part(path: string, from: number, to: number, key: MACKey): Promise<{ bytes: Bytes; request: string }> {
    const id = base32(random(16));
    const patience = new Patience();
    const headers = { ...(await head("GET", path, id, utf8(null), key)), Range: `bytes=${from}-${to - 1}` };
    const response = await this.#send(path, { headers, cache: "no-store", signal: patience.signal });
    if (!response.ok) throw await refusal(response, await readUpTo(patience.watch(response.body), maxAnswer), id, key);
    compareRequest(response, id);
    const partial = response.status === 206;
    const begins = /^bytes (\d+)-\d+\/\d+$/.exec(response.headers.get("Content-Range") ?? "")?.[1];
    if (partial && begins !== String(from)) throw new Failed({ trouble: "crossed", what: "answer" }, null, id);
    const source = new Source(patience.watch(response.body));
    if (!partial) for (let left = from; left > 0; left -= maxSkip) await source.take(Math.min(left, maxSkip));
    const bytes = await source.take(to - from);
    await source.cancel();
    return { bytes, request: id };
  }

  /**
   * Sends a letter and returns the stream of letters that answer it, which begins with
   * the first of them. Whose they are is for the letters to say.
   */
  async letters(path: string, letter: Bytes, stop: AbortSignal, key: MACKey): Promise<Delivery> {
    const id = base32(random(16));
    const patience = new Patience(replyWithin, stop);
    const headers = { ...(await head("POST", path, id, letter, key)), "Content-Type": "application/octet-stream" };
    const response = await this.#send(path, { method: "POST", headers, body: letter, cache: "no-store", signal: patience.signal });
    compareRequest(response, id);
    if (!response.ok) throw await refusal(response, await readUpTo(patience.watch(response.body), maxAnswer), id, key);
    return { body: patience.watch(response.body), request: id };
  }

  /**
   * The fingerprint of the server's own root certificate, which agents have to be told;
   * "" if it has a public one.
   */
  async trust(): Promise<string> {
    if (!this.#origin.startsWith("https:")) return "";
    const { fields } = await this.ask({ method: "GET", path: "/v1/health", home: null });
    const trust = fields.has("trust") ? fields.text("trust") : "";
    if (!/^([0-9a-f]{64})?$/.test(trust)) throw broken("a fingerprint that is none");
    return trust;
  }

  /** What the server leaves out for a while. A kind that this page does not know is none of its business. */
  async spared(): Promise<Spared[]> {
    const { fields } = await this.ask({ method: "GET", path: "/v1/health", home: null });
    const said = fields.has("spared") ? fields.list("spared") : [];
    return spareable.filter((s) => said.includes(s));
  }

  /** When the server was last restored from a backup, 0 for never. */
  async generation(): Promise<number> {
    const { fields } = await this.ask({ method: "GET", path: "/v1/health", home: null });
    return fields.has("generation") ? fields.number("generation") : 0;
  }

  /** Opens a websocket, whose MAC is in its address: a page cannot give it headers. */
  async socket(path: string, key: MACKey): Promise<WebSocket> {
    const id = base32(random(16));
    const mac = await key.request("GET", path, id, utf8(null));
    return new WebSocket(`${this.#origin.replace(/^http/, "ws")}${path}?${new URLSearchParams({ request: id, mac, ...(this.copy && { open: this.#opened }) })}`);
  }

  /**
   * Sends a request, and again when it is this page's turn. A turn that is far away is
   * for whoever asked to wait for; the place is kept until then.
   */
  async #send(path: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    for (;;) {
      const place = this.#place;
      const headers = { ...init.headers, ...(this.copy && { "Latchkey-Open": this.#opened }), ...(place !== "" && { "Latchkey-Place": place }) };
      const response = await this.#fetch(this.#origin + path, { ...init, headers, credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer" }).catch(() => {
        throw new Failed({ trouble: "offline" });
      });
      const after = turn(response);
      if (after === null) {
        if (place === this.#place) this.#place = "";
        return response;
      }
      if (place === this.#place) this.#place = placeIn(response); // or another request of this page was given one first
      await response.body?.cancel();
      if (after > longestTurn || !(await waited(after, init.signal))) throw new Failed({ trouble: "busy", retryAfterMs: after });
    }
  }
}

/** In how many milliseconds it is this page's turn, null if the answer says nothing of turns. */
function turn(response: Response): number | null {
  if (response.status !== 503 || response.headers.get("Latchkey-Reason") !== "turn") return null;
  const seconds = Number(response.headers.get("Retry-After") ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 1000;
}

/** The place that a refusal gives, "" for none. */
function placeIn(response: Response): string {
  const place = response.headers.get("Latchkey-Place") ?? "";
  return place.length <= maxPlace ? place : "";
}

/** Whether the time has passed, and nobody has ceased to wait. */
async function waited(ms: number, stop: AbortSignal): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
  return !stop.aborted;
}

function compareRequest(response: Response, id: string): void {
  // A proxy's own error page names no request; nothing but its status is used.
  if (response.status >= 500 && !response.headers.has("Latchkey-Request")) return;
  if (response.headers.get("Latchkey-Request") !== id) throw new Failed({ trouble: "crossed", what: "request" }, null, id);
}

/** The headers that say which request it is, and in which session. */
async function head(method: string, path: string, id: string, body: Bytes, key: MACKey | null): Promise<Record<string, string>> {
  return { "Latchkey-Request": id, ...(key === null ? {} : { "Latchkey-Mac": await key.request(method, path, id, body) }) };
}

function utf8(text: string | null): Bytes {
  return copy(new TextEncoder().encode(text ?? ""));
}

async function compareMAC(response: Response, bytes: Bytes, id: string, key: MACKey): Promise<void> {
  const mac = response.headers.get("Latchkey-Answer") ?? "";
  if (!(await key.answers(mac, id, response.status, bytes))) throw new Failed({ trouble: "crossed", what: "answer" }, null, id);
}

function parse(bytes: Bytes): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw broken("an answer that is no JSON");
  }
  const fields = new Fields(value);
  if (fields.number("v") !== 1) throw broken("the server speaks a newer version: load the page again");
  return fields;
}

/**
 * What a refusal says. One without a MAC is from before the session was known, or a
 * proxy's: only its status is used.
 */
async function refusal(response: Response, bytes: Bytes, id: string, key: MACKey | null): Promise<Failed> {
  const { status } = response;
  if (key !== null) {
    if (response.headers.has("Latchkey-Answer")) await compareMAC(response, bytes, id, key);
    else bytes = new Uint8Array(0);
  }
  if (status === 401) return new Failed({ trouble: "signed-out" }, null, id);
  try {
    const fields = parse(bytes);
    const error = fields.fields("error");
    const reason = error.text("reason");
    const retryAfterMs = error.number("retry_after_ms");
    if (reason === "agent-away") return new Failed({ trouble: "away" }, fields, id);
    if (reason === "held") return new Failed(heldBy(fields.fields("hold")), fields, id);
    if (reason === "porch") return new Failed({ trouble: "porch" }, fields, id);
    if (reason === "home-deleted") return new Failed({ trouble: "deleted" }, fields, id);
    if (reason === "closed") return new Failed({ trouble: "closed", mayConfirm: false }, fields, id);
    if (status === 429 || (status === 503 && reason !== "full")) return new Failed({ trouble: "busy", retryAfterMs }, fields, id);
    return new Failed({ trouble: "refused", status, reason, message: error.text("message") }, fields, id);
  } catch {
    if (status === 502 || status === 503 || status === 504) return new Failed({ trouble: "busy", retryAfterMs: 0 }, null, id);
    return new Failed({ trouble: "refused", status, reason: "internal", message: `the server answered ${status}` }, null, id);
  }
}

const scopes = ["everything", "server", "home", "route"] as const;
const maxSays = 1000; // letters of an operator

/** What a refusal says of a hold. A scope that this page does not know is everything. */
function heldBy(hold: Fields): Trouble {
  const scope = scopes.find((s) => s === hold.text("scope")) ?? "everything";
  return { trouble: "held", scope, since: hold.number("since"), says: hold.text("says").slice(0, maxSays) };
}

async function readUpTo(stream: ReadableStream<Uint8Array>, limit: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return concat(...parts);
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        throw broken(`an answer of more than ${limit} bytes`);
      }
      parts.push(value);
    }
  } catch (e) {
    throw e instanceof Failed ? e : new Failed({ trouble: "offline" });
  }
}

/** Gives up on a server that says nothing for a while, however long a whole answer takes, or when nobody waits any more. */
class Patience {
  readonly #abort = new AbortController();
  readonly #within: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(within = answerWithin, stop?: AbortSignal) {
    this.#within = within;
    stop?.addEventListener("abort", () => this.#abort.abort(), { once: true });
    if (stop?.aborted) this.#abort.abort();
    this.#again();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The same stream; each piece of it renews the patience. */
  watch(body: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> {
    const reader = body?.getReader();
    return new ReadableStream({
      pull: async (to) => {
        const next = await reader?.read().catch(() => {
          this.#end();
          throw new Failed({ trouble: "offline" });
        });
        if (next === undefined || next.done) {
          this.#end();
          to.close();
          return;
        }
        this.#again();
        to.enqueue(next.value);
      },
      cancel: async (why) => {
        this.#end();
        await reader?.cancel(why);
      },
    });
  }

  #again(): void {
    this.#end();
    this.#timer = setTimeout(() => this.#abort.abort(), this.#within);
  }

  #end(): void {
    clearTimeout(this.#timer);
  }
}

/** The path of a home's route. */
export function atHome(home: HomeID, rest: string): string {
  return `/v1/homes/${home}${rest}`;
}

/** The home that text names, or nothing. */
export function homeIn(text: string): HomeID | null {
  return parseID("home", text);
}
