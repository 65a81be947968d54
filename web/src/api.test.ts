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
