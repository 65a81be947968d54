// Answers that are exchanged on the way, between two sessions and between two requests of
// one, for every form that a page's request has. Both are genuine, and whoever exchanges
// them gives each the ID of the request that it did not answer, as a gateway does that
// names requests itself: the MAC alone tells.

import { describe, expect, it } from "vitest";
import { createHash, createHmac } from "node:crypto";

import { Failed, Server } from "./api.ts";
import { MACKey } from "./mac.ts";
import { idText } from "./seal/name.ts";
import { type Bytes, random } from "./wire.ts";

const home = idText("home", random(32));

/** A session: its key, and the key's bytes, which the server has too. */
interface Session {
  key: MACKey;
  bytes: Bytes;
}

async function session(): Promise<Session> {
  return MACKey.make();
}

/** The header Latchkey-Answer (docs/wire.md, "MACs"), made by other means than the page's. */
function answerMAC(key: Bytes, id: string, status: number, body: string): string {
  const about = Buffer.concat([Buffer.from("latchkey answer mac v1\0"), lp16(id), Buffer.from([status >> 8, status & 255]), createHash("sha256").update(body).digest()]);
  return createHmac("sha256", key).update(about).digest("base64");
}

function lp16(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)]);
}

/** What a server answers to a request of somebody. */
interface Reply {
  status: number;
  body: Record<string, unknown>;
}

type Call = (server: Server, s: Session) => Promise<unknown>;

const good: Reply = { status: 200, body: { v: 1, home, text: "mine" } };
const refusal: Reply = { status: 409, body: { v: 1, error: { reason: "conflict", message: "no", retry_after_ms: 0 } } };
const path = `/v1/homes/${home}/x`;

const forms: [string, Reply, Call][] = [
  ["reading", good, (server, { key }) => server.ask({ method: "GET", path, home }, key)],
  ["changing", good, (server, { key }) => server.ask({ method: "PUT", path, home, body: { home } }, key)],
  ["about an account", { status: 200, body: { v: 1, account: "a" } }, (server, { key }) => server.ask({ method: "GET", path: "/v1/accounts/a", home: null }, key)],
  ["signing in", good, (server, { key }) => server.ask({ method: "POST", path: "/v1/sessions", home, body: { home } }, null, key)],
  ["a refusal", refusal, (server, { key }) => server.ask({ method: "GET", path, home }, key)],
  ["a refused object", refusal, (server, { key }) => server.object("/v1/objects/x", false, key)],
  ["a refused command", refusal, (server, { key }) => server.letters(path, new Uint8Array(3), new AbortController().signal, key)],
];

/** A server before which two answers are exchanged, or not; the sessions are told apart by the order of the calls. */
function between(sessions: readonly Session[], reply: Reply, exchanged: boolean): Server {
  const waiting: { id: string; give: (r: Response) => void }[] = [];
  const fetcher: typeof fetch = (_, init) =>
    new Promise((give) => {
      waiting.push({ id: new Headers(init!.headers).get("Latchkey-Request")!, give });
      if (waiting.length < 2) return;
      const answers = waiting.map(({ id }, i) => {
        const body = JSON.stringify({ ...reply.body, request: id });
        return { body, mac: answerMAC(sessions[i]!.bytes, id, reply.status, body) };
      });
      waiting.forEach(({ id, give }, i) => {
        const { body, mac } = answers[exchanged ? 1 - i : i]!;
        give(new Response(body, { status: reply.status, headers: { "Latchkey-Request": id, "Latchkey-Answer": mac } }));
      });
    });
  return new Server("http://localhost", fetcher);
}

async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "taken",
    (e: unknown) => (e instanceof Failed ? (e.trouble.trouble === "crossed" ? `crossed ${e.trouble.what}` : e.reason) : String(e)),
  );
}

describe.each(forms)("%s", (_, reply, call) => {
  const fine = reply.status === 200 ? "taken" : "conflict";

  it.each([
    ["two sessions", async () => [await session(), await session()]],
    ["two requests of one session", async () => Array<Session>(2).fill(await session())],
  ])("is taken as it comes, and not when it is exchanged between %s", async (_, make) => {
    const sessions = await make();
    for (const [exchanged, want] of [
      [false, fine],
      [true, "crossed answer"],
    ] as const) {
      const server = between(sessions, reply, exchanged);
      // One after the other, so that it is known which request is whose.
      const first = outcome(call(server, sessions[0]!));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await Promise.all([first, outcome(call(server, sessions[1]!))])).toEqual([want, want]);
    }
  });
});

describe("what carries no MAC", () => {
  it("is not taken, and of a refusal the status alone", async () => {
    const { key } = await session();
    const plain = (status: number, body: unknown): typeof fetch => async (_, init) => {
      const id = new Headers(init!.headers).get("Latchkey-Request")!;
      return new Response(JSON.stringify(body), { status, headers: { "Latchkey-Request": id } });
    };
    expect(await outcome(new Server("http://localhost", plain(200, good.body)).ask({ method: "GET", path, home }, key))).toBe("crossed answer");
    expect(await outcome(new Server("http://localhost", plain(409, refusal.body)).ask({ method: "GET", path, home }, key))).toBe("internal");
  });
});

/** A server whose every answer is made of the request's ID. */
function answering(make: (id: string) => { status?: number; body: string; headers?: Record<string, string> }, key: Bytes | null): Server {
  return new Server("http://localhost", async (_, init) => {
    const id = new Headers(init!.headers).get("Latchkey-Request")!;
    const { status = 200, body, headers = { "Latchkey-Request": id } } = make(id);
    return new Response(body, { status, headers: key === null ? headers : { ...headers, "Latchkey-Answer": answerMAC(key, id, status, body) } });
  });
}

async function trouble(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "taken",
    (e: unknown) => (e instanceof Failed ? e.trouble.trouble + ("what" in e.trouble ? ` ${e.trouble.what}` : "") : String(e)),
  );
}

describe("an answer", () => {
  const other = idText("home", random(32));
  const text = JSON.stringify(good.body);

  it.each<[string, string, { status?: number; body: string; headers?: Record<string, string> }]>([
    ["as it should be", "taken", { body: text }],
    ["to another request", "crossed request", { body: text, headers: { "Latchkey-Request": "another" } }],
    ["to no request", "crossed request", { body: text, headers: {} }],
    ["a refusal to no request", "crossed request", { status: 409, body: "{}", headers: {} }],
    ["of a proxy", "busy", { status: 502, body: "<html>", headers: {} }],
    ["of a proxy that is full", "busy", { status: 503, body: "<html>", headers: {} }],
    ["of a proxy that waited", "busy", { status: 504, body: "<html>", headers: {} }],
    ["of a server in trouble, to another request", "crossed request", { status: 503, body: "{}", headers: { "Latchkey-Request": "another" } }],
    ["about another home", "crossed home", { body: JSON.stringify({ ...good.body, home: other }) }],
    ["about no home", "broken", { body: JSON.stringify({ v: 1 }) }],
    ["of a newer version", "broken", { body: JSON.stringify({ ...good.body, v: 2 }) }],
    ["that is no JSON", "broken", { body: "<html>" }],
    ["that is a list", "broken", { body: "[]" }],
    ["that is nothing", "broken", { body: "null" }],
    ["that never ends", "broken", { body: text + " ".repeat(4 << 20) }],
    ["that says to sign in", "signed-out", { status: 401, body: "{}" }],
  ])("%s: %s", async (_, want, say) => {
    const { key, bytes } = await session();
    expect(await trouble(answering(() => say, bytes).ask({ method: "GET", path, home }, key))).toBe(want);
    expect(await trouble(answering(() => say, null).ask({ method: "GET", path, home }))).toBe(want);
  });

  it("need not name a home if it is about none", async () => {
    expect(await trouble(answering(() => ({ body: JSON.stringify({ v: 1 }) }), null).ask({ method: "GET", path, home: null }))).toBe("taken");
  });

  it("that refuses is bound by its status", async () => {
    const { key, bytes } = await session();
    const server = new Server("http://localhost", async (_, init) => {
      const id = new Headers(init!.headers).get("Latchkey-Request")!;
      const body = JSON.stringify(refusal.body);
      return new Response(body, { status: 404, headers: { "Latchkey-Request": id, "Latchkey-Answer": answerMAC(bytes, id, 409, body) } });
    });
    expect(await trouble(server.ask({ method: "GET", path, home }, key))).toBe("crossed answer");
  });

  it.each<[number, string, string, Record<string, unknown>]>([
    [409, "conflict", "refused", {}],
    [503, "agent-away", "away", {}],
    [503, "held", "held", { hold: { scope: "home", since: 1, says: "a" } }],
    [503, "closed", "closed", {}],
    [410, "home-deleted", "deleted", {}],
    [429, "too-many", "busy", {}],
    [503, "busy", "busy", {}],
    [503, "porch", "porch", {}],
    [503, "full", "refused", {}],
    [500, "internal", "refused", {}],
  ])("%i %s is %s", async (status, reason, want, more) => {
    const body = JSON.stringify({ v: 1, error: { reason, message: "no", retry_after_ms: 7 }, ...more });
    expect(await trouble(answering(() => ({ status, body }), null).ask({ method: "GET", path, home }))).toBe(want);
  });
});

describe("a stream", () => {
  const letters: Call = (server, { key }) => server.letters(path, new Uint8Array(3), new AbortController().signal, key);
  const object: Call = (server, { key }) => server.object("/v1/objects/x", false, key);

  it.each<[string, string, Call, Record<string, string> | undefined]>([
    ["of letters", "taken", letters, undefined],
    ["of letters, to another request", "crossed request", letters, { "Latchkey-Request": "another" }],
    ["of letters, to none", "crossed request", letters, {}],
    ["of an object", "taken", object, undefined],
    ["of an object that a browser kept", "taken", object, { "Latchkey-Request": "another" }],
  ])("%s: %s", async (_, want, call, headers) => {
    const s = await session();
    expect(await trouble(call(answering(() => ({ body: "bytes", ...(headers && { headers }) }), null), s))).toBe(want);
  });

  it("says whose it is", async () => {
    const { key } = await session();
    const delivery = await answering(() => ({ body: "bytes", headers: { "Latchkey-Request": "kept" } }), null).object("/v1/objects/x", false, key);
    expect([delivery.request, await new Response(delivery.body).text()]).toEqual(["kept", "bytes"]);
  });

  it("that breaks off is no answer", async () => {
    const broken = new Server("http://localhost", async (_, init) => {
      const body = new ReadableStream({ start: (to) => to.error(new TypeError("reset")) });
      return new Response(body, { headers: { "Latchkey-Request": new Headers(init!.headers).get("Latchkey-Request")! } });
    });
    expect(await trouble(broken.ask({ method: "GET", path, home }))).toBe("offline");
  });

  it.each([
    [true, "reload"],
    [false, "default"],
  ])("is asked past a browser's cache if it came wrong: %s", async (again, want) => {
    const { key } = await session();
    let cache: string | undefined;
    const server = new Server("http://localhost", async (_, init) => {
      cache = init!.cache;
      return new Response("bytes");
    });
    await server.object("/v1/objects/x", again, key);
    expect(cache).toBe(want);
  });
});

describe("a request", () => {
  it.each<[string, Call, string, string, string]>([
    ["for an answer", (server, { key }) => server.ask({ method: "GET", path, home }, key), "GET", path, ""],
    ["with a body", (server, { key }) => server.ask({ method: "PUT", path, home, body: { a: 1 } }, key), "PUT", path, '{"v":1,"a":1}'],
    ["for an object", (server, { key }) => server.object("/v1/objects/x", false, key), "GET", "/v1/objects/x", ""],
    ["with a letter", (server, { key }) => server.letters(path, new Uint8Array([65, 66]), new AbortController().signal, key), "POST", path, "AB"],
  ])("%s is by the session", async (_, call, method, at, body) => {
    const s = await session();
    let seen: [string, RequestInit] | null = null;
    const server = new Server("http://localhost", async (url, init) => {
      seen = [String(url), init!];
      throw new TypeError("no network");
    });
    expect(await trouble(call(server, s))).toBe("offline");
    const [url, init] = seen!;
    const headers = new Headers(init.headers);
    const id = headers.get("Latchkey-Request")!;
    expect(url).toBe(`http://localhost${at}`);
    expect(init.method ?? "GET").toBe(method);
    const about = Buffer.concat([Buffer.from("latchkey request mac v1\0"), lp16(method), lp16(at), lp16(id), createHash("sha256").update(body).digest()]);
    expect(headers.get("Latchkey-Mac")).toBe(createHmac("sha256", s.bytes).update(about).digest("base64"));
    expect(headers.get("Content-Type")).toBe(body === "" ? null : body === "AB" ? "application/octet-stream" : "application/json");
  });
});
