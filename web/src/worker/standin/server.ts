// A server in memory that answers as docs/wire.md says, and can be told to answer
// otherwise. It stands in for what a test needs to break at will; that the real server
// and this page understand each other is shown elsewhere, with the real one.

import { Server } from "../../api.ts";
import { type Head, headText } from "../../deed/head.ts";
import { verifySignature } from "../../deed/key.ts";
import { Title } from "../../deed/title.ts";
import { parseDocument } from "../../settings/settings.ts";
import { MACKey } from "../../mac.ts";
import { ascii, base32, base64, type Bytes, concat, copy, label, random, unbase32, unbase64, Writer } from "../../wire.ts";
import { headBytes, parseHead } from "../../deed/head.ts";
import { type DeviceID, type HomeID, idBytes, type Name, nameText, type PersonID } from "../../seal/name.ts";
import { type AccountSession, StandInAccounts } from "./accounts.ts";
import { type Body, Refuse, type Reply } from "./reply.ts";

export { Refuse } from "./reply.ts";

/** A page's session: of a device of the home, or of a person without one. */
interface HomeSession {
  id: string;
  key: MACKey;
  bytes: Bytes;
  person: PersonID;
  device: DeviceID | null;
}

// What a person without a device may ask.
const forPersons = ["deeds", "conditions", "agents", "session"];

function isBody(body: Reply["body"]): body is Body {
  return !(body instanceof Uint8Array || body instanceof ReadableStream);
}

/** The answer that gives gives, or the refusal that it throws. */
/** The part of an object file that a request asks for. */
function ranged(answer: Reply, range: string | null): Reply {
  const span = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (span === null || !(answer.body instanceof Uint8Array)) return answer;
  const [from, to] = [Number(span[1]), Math.min(Number(span[2]) + 1, answer.body.length)];
  return { status: 206, body: copy(answer.body.subarray(from, to)), headers: { "Content-Range": `bytes ${from}-${to - 1}/${answer.body.length}` } };
}

async function refusing(request: string, gives: () => Promise<Reply>): Promise<Reply> {
  try {
    return await gives();
  } catch (e) {
    if (!(e instanceof Refuse)) throw e;
    return { status: e.status, body: { v: 1, request, error: { reason: e.reason, message: `refused: ${e.reason}`, retry_after_ms: 0 }, ...e.more } };
  }
}

/** The MAC of an answer, written down anew from docs/wire.md. */
export async function answerMAC(key: Bytes, request: string, status: number, body: string): Promise<string> {
  const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  const message = new Writer().raw(label("latchkey answer mac v1")).lp16(ascii(request)).u16(status).raw(hash).bytes();
  return base64(new Uint8Array(await crypto.subtle.sign("HMAC", hmac, message)));
}

/** u32(length) || letter, each when it comes. */
function framed(letters: AsyncIterable<Bytes> | Iterable<Bytes>): ReadableStream<Bytes> {
  const all = (async function* () {
    yield* letters;
  })();
  return new ReadableStream({
    pull: async (to) => {
      const next = await all.next();
      if (next.done) to.close();
      else to.enqueue(new Writer().lp32(next.value).bytes());
    },
    cancel: async () => void (await all.return(undefined)),
  });
}

/** What arrived: method, path, query and body of each request. */
export interface Arrived {
  method: string;
  path: string;
  query: string;
  body: Body;
}

export class StandIn {
  title: Title | null = null;
  setup = "a set-up secret";
  document: Bytes = new Uint8Array(0);
  #sessions: HomeSession[] = [];
  readonly accounts = new StandInAccounts(async (ticket) => ticket === this.setup);
  takesSignIn = true;
  /** Answers about another home, as if it were the same server. */
  beside: StandIn | null = null;
  /** When it was restored last. */
  generation = 0;
  /** Whether it looks at the head of whoever signs in. */
  compares = true;
  events: Body[] = [];
  asks: Bytes[] = [];
  answers = new Map<string, Bytes>();
  announcements = new Map<string, Bytes>();
  reveals = new Map<string, Bytes>();
  objects = new Map<string, Bytes | Reply>();
  conditions: Body[] = [];
  /** Carries a command to an agent and gives what is answered; null is an agent that is away. */
  carry: (agent: string, letter: Bytes) => Promise<AsyncIterable<Bytes> | Iterable<Bytes> | null> = async () => null;
  /** Set after a restore until somebody has confirmed the head. */
  closed = false;
  readonly arrived: Arrived[] = [];
  /** Whether a request never arrives. */
  away: (path: string) => boolean = () => false;
  /** Bends an answer before it leaves; null loses it. */
  bend: (q: Arrived, answer: Reply) => Reply | null = (_, answer) => answer;
  /** Alters the path of a request on the way. */
  alter: (path: string) => string = (path) => path;
  /** Gives an answer another MAC; "" is none, null the right one. */
  mac: (q: Arrived, request: string, text: string) => Promise<string | null> = async () => null;
  #nonces = new Map<string, string>();

  /** A server object of the page that talks with this one. */
  client(): Server {
    return new (class extends Server {
      override async socket(): Promise<WebSocket> {
        return { close: () => undefined } as WebSocket; // never opens: hints are the real server's to test
      }
    })("http://localhost", (input, init) => this.#fetch(String(input), init ?? {}));
  }

  get signedIn(): boolean {
    return this.#sessions.length > 0;
  }

  /** Signs every page out. */
  set signedIn(is: boolean) {
    if (!is) this.#sessions = [];
  }

  /** Of the newest session. */
  get macKey(): Bytes {
    return this.#sessions.at(-1)!.bytes;
  }

  reports(): Body[] {
    return this.arrived.filter((a) => a.path.endsWith("/reports")).map((a) => a.body);
  }

  put(name: Name, file: Bytes | Reply): void {
    this.objects.set(`/v1/objects/${nameText(name).slice(3)}`, file);
  }

  /** Whether a request is about this stand-in's home. */
  #isMine(text: string): boolean {
    return [this.title?.home ?? "", ...this.announcements.keys()].some((name) => name !== "" && text.includes(name));
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    new Request(url, init); // throws what a browser's fetch would
    if (this.beside !== null && this.beside.#isMine(url + String(init.body))) return this.beside.#fetch(url, init);
    const at = new URL(url);
    at.pathname = this.alter(at.pathname);
    if (this.away(at.pathname)) throw new TypeError("nobody answered");
    const headers = new Headers(init.headers);
    const request = headers.get("Latchkey-Request")!;
    const sent = init.body instanceof Uint8Array ? copy(init.body) : copy(new TextEncoder().encode((init.body ?? "") as string));
    const letter = init.body instanceof Uint8Array;
    const q: Arrived = { method: init.method ?? "GET", path: at.pathname, query: at.search, body: typeof init.body === "string" ? (JSON.parse(init.body) as Body) : {} };
    this.arrived.push(q);
    const mac = headers.get("Latchkey-Mac");
    const ofAccount = /^\/v1\/accounts?(\/|$)/.test(at.pathname);
    let known: HomeSession | AccountSession | null = null;
    for (const s of mac === null ? [] : ofAccount ? this.accounts.sessions : this.#sessions) if (mac === (await s.key.request(q.method, at.pathname + at.search, request, sent))) known = s;
    const answer = await refusing(request, () => {
      if (ofAccount) return this.accounts.answer(q.method, q.path, q.body, known as AccountSession | null);
      const s = known as HomeSession | null;
      if (s !== null && !this.#stands(s)) known = null;
      return known !== null && letter ? this.#command(q, sent) : this.#answer(q, at.searchParams, known as HomeSession | null);
    });
    const bent = this.bend(q, ranged(answer, headers.get("Range")));
    if (bent === null) throw new TypeError("the connection was lost");
    const body = isBody(bent.body) ? JSON.stringify({ v: 1, ...bent.body }) : bent.body;
    if (bent.status === 201 && q.path.startsWith("/v1/sessions")) known = this.#sessions.at(-1)!;
    if (bent.status === 201 && /^\/v1\/accounts(\/sessions)?$/.test(q.path)) known = this.accounts.newest;
    const right = typeof body === "string" && known !== null ? await answerMAC(known.bytes, request, bent.status, body) : "";
    const bound = typeof body === "string" ? ((await this.mac(q, request, body)) ?? right) : "";
    return new Response(body, { status: bent.status, headers: { "Latchkey-Request": request, ...(bound === "" ? {} : { "Latchkey-Answer": bound }), ...bent.headers } });
  }

  /** The letters of an answer, each when it comes; what breaks off is an error of the stream. */
  async #command(q: Arrived, letter: Bytes): Promise<Reply> {
    const letters = await this.carry(q.path.split("/")[5]!, letter);
    if (letters === null) throw new Refuse(503, "agent-away");
    return { status: 200, body: framed(letters) };
  }

  #stands({ person, device }: HomeSession): boolean {
    return device === null ? this.title?.person(person) != null : this.title?.personByDevice(device)?.id === person;
  }

  async #answer(q: Arrived, query: URLSearchParams, known: HomeSession | null): Promise<Reply> {
    const ok = (body: Body = {}, status = 200): Reply => ({ status, body });
    if (q.path === "/v1/health") return ok({ ok: true, mail: this.accounts.mail, passkeys: true, ...(this.generation === 0 ? {} : { generation: this.generation }) });
    if (q.path === "/v1/homes") return this.#found(q.body);
    if (q.path === "/v1/sessions/challenge") return ok({ home: q.body["home"], nonce: base64(this.#nonce(q.body)), expires: 0 });
    if (q.path === "/v1/sessions" || q.path === "/v1/sessions/person") return this.#session(q);
    if (q.path.startsWith("/v1/joins/")) return this.#slot(q, q.path.slice("/v1/joins/".length));
    if (known === null) throw new Refuse(401, "signed-out");
    if (q.path.startsWith("/v1/objects/")) return this.#object(q.path);
    const [, , , home, route, part] = q.path.split("/");
    if (this.title === null || home !== this.title.home) throw new Refuse(404, "not-found");
    if (known.device === null && !forPersons.includes(route!)) throw new Refuse(404, "not-found");
    if (this.closed && !["deeds", "confirm", "session"].includes(route!)) throw new Refuse(503, "closed");
    return this.#home(q, home, `${q.method} ${route}`, part ?? "", query, known);
  }

  async #home(q: Arrived, home: string, route: string, part: string, query: URLSearchParams, known: HomeSession): Promise<Reply> {
    const title = this.title!;
    const ok = (body: Body = {}): Reply => ({ status: 200, body: { home, ...body } });
    const head = headText(title.head);
    switch (route) {
      case "DELETE session":
        this.#sessions = this.#sessions.filter((s) => s !== known);
        return ok({ ok: true });
      case "GET deeds":
        return ok({ head, deeds: title.deeds(Number(query.get("from"))).map(base64) });
      case "POST deeds":
        return this.#append(q.body);
      case "POST confirm":
        if (q.body["head"] !== head) throw new Refuse(409, "unknown-head");
        this.closed = false;
        return ok({ head });
      case "POST reviewed":
        return ok({ ok: true });
      case "POST tombstones":
        return ok({ ok: true });
      case "GET settings":
        return ok({ document: base64(this.document) });
      case "PUT settings":
        return this.#putSettings(q.body);
      case "GET events":
        return ok({ head, events: this.events, next: "" });
      case "GET conditions":
        return ok({ conditions: this.conditions });
      case "GET asks":
        return ok({ asks: this.asks.map(base64) });
      case "DELETE asks":
        return ok({ ok: true });
      case "POST joins":
        this.announcements.set(q.body["slot"] as string, unbase64(q.body["announcement"] as string)!);
        return ok({ ok: true });
      case "GET joins":
        return ok({ slot: part, answer: base64(this.answers.get(part) ?? new Uint8Array(0)) });
      case "PUT joins":
        if (!this.answers.has(part)) throw new Refuse(409, "conflict");
        this.reveals.set(part, unbase64(q.body["reveal"] as string)!);
        return ok({ ok: true });
      case "DELETE joins":
        for (const of of [this.announcements, this.answers, this.reveals]) of.delete(part);
        return ok({ ok: true });
      case "GET sessions":
        return ok({ sessions: this.#sessions.map((s, i) => ({ session: s.id, person: s.person, device: s.device ?? "a".repeat(26), browser: "", started: 1, seen: i + 2, expires: 9 })) });
      case "DELETE sessions":
        this.#sessions = this.#sessions.filter((s) => s.id !== part);
        return ok({ ok: true });
      case "POST reports":
        return ok({ confirmed: q.body["word"] === "misroute" });
    }
    throw new Refuse(404, "not-found");
  }

  async #found(body: Body): Promise<Reply> {
    if (body["setup"] !== this.setup) throw new Refuse(403, "expired");
    this.setup = "used";
    this.title = await Title.start((body["deeds"] as string[]).map((d) => unbase64(d)!));
    return { status: 201, body: { home: this.title.home, head: headText(this.title.head) } };
  }

  #nonce(body: Body): Bytes {
    const nonce = random(32);
    this.#nonces.set(base64(nonce), body["device"] as string);
    return nonce;
  }

  async #session(q: Arrived): Promise<Reply> {
    const b = q.body;
    const device = b["device"] === undefined ? null : (this.title?.device(b["device"] as DeviceID) ?? null);
    const person = (device === null ? this.title?.person(b["person"] as PersonID) : this.title?.personByDevice(device.id)) ?? null;
    const [words, id] = device === null ? ["latchkey sign-in person v1", b["person"] as string] : ["latchkey sign-in v2", device.id];
    const nonce = b["nonce"] as string;
    const head = parseHead(b["head"] as string) as Head;
    const macKey = unbase64(b["mac_key"] as string)!;
    if (!this.takesSignIn || person === null || !this.#nonces.delete(nonce)) throw new Refuse(403, "refused");
    if (this.compares && head.seq <= this.title!.head.seq && !this.title!.onChain(head)) throw new Refuse(409, "unknown-head");
    const message = concat(
      label(words),
      unbase64(nonce)!,
      new Writer().raw(idBytes("home", b["home"] as HomeID)).raw(unbase32(id, 16)!).raw(headBytes(head)).bytes(),
      macKey,
    );
    if (!(await verifySignature((device ?? person).signing, message, unbase64(b["signature"] as string)!))) throw new Refuse(403, "refused");
    this.#sessions.push({ id: base32(random(16)), key: await MACKey.of(macKey), bytes: macKey, person: person.id, device: device?.id ?? null });
    return { status: 201, body: { home: b["home"], session: this.#sessions.at(-1)!.id, device: device?.id ?? "", expires: 0 } };
  }

  /** What whoever knows a slot may do with it. */
  #slot(q: Arrived, slot: string): Reply {
    const announcement = this.announcements.get(slot);
    if (announcement === undefined) throw new Refuse(404, "not-found");
    if (q.method === "GET") return { status: 200, body: { slot, announcement: base64(announcement), reveal: base64(this.reveals.get(slot) ?? new Uint8Array(0)) } };
    if (this.answers.has(slot)) throw new Refuse(409, "conflict");
    this.answers.set(slot, unbase64(q.body["answer"] as string)!);
    return { status: 200, body: { ok: true } };
  }

  async #append(body: Body): Promise<Reply> {
    const title = this.title!;
    const onto = parseHead(body["onto"] as string)!;
    const head = headText(title.head);
    if (onto.seq > title.head.seq) throw new Refuse(409, "unknown-head");
    if (headText(onto) !== head) throw new Refuse(409, "conflict", { home: title.home, head, deeds: title.deeds(onto.seq + 1).map(base64) });
    this.title = await title.append((body["deeds"] as string[]).map((d) => unbase64(d)!));
    return { status: 201, body: { home: title.home, head: headText(this.title.head) } };
  }

  async #putSettings(body: Body): Promise<Reply> {
    const next = await parseDocument(unbase64(body["document"] as string)!);
    const kept = this.document.length === 0 ? null : await parseDocument(this.document);
    if (next.number <= (kept?.number ?? 0)) throw new Refuse(409, "conflict", { home: this.title!.home, document: base64(this.document) });
    this.document = unbase64(body["document"] as string)!;
    return { status: 200, body: { home: this.title!.home, ok: true } };
  }

  #object(path: string): Reply {
    const file = this.objects.get(path);
    if (file === undefined) throw new Refuse(404, "not-found");
    if (!(file instanceof Uint8Array)) return file;
    return { status: 200, body: file };
  }
}
