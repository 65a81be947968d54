// Turns at the server's gate: a request waits for its own and comes again with the place
// that it was given; one that is far away is told of, and its place is kept.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Failed, Server } from "./api.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A server that sends away as many as it is told, after so many seconds, and notes the places with which requests come. */
function gate(away: number, seconds: string): { server: Server; places: (string | null)[] } {
  const places: (string | null)[] = [];
  const fetcher: typeof fetch = async (_, init) => {
    const headers = new Headers(init!.headers);
    places.push(headers.get("Latchkey-Place"));
    const id = headers.get("Latchkey-Request")!;
    if (places.length > away) return new Response(JSON.stringify({ v: 1, request: id }), { headers: { "Latchkey-Request": id } });
    const body = JSON.stringify({ v: 1, request: id, error: { reason: "turn", message: "not yet", retry_after_ms: 1 } });
    return new Response(body, { status: 503, headers: { "Latchkey-Request": id, "Latchkey-Reason": "turn", "Retry-After": seconds, "Latchkey-Place": `place-${places.length}` } });
  };
  return { server: new Server("http://localhost", fetcher), places };
}

const ask = (server: Server) => server.ask({ method: "GET", path: "/v1/health", home: null });

describe("a turn", () => {
  it("is waited for, and the place is shown", async () => {
    const { server, places } = gate(2, "3");
    const asked = ask(server);
    await vi.advanceTimersByTimeAsync(2990);
    expect(places).toEqual([null]);
    await vi.advanceTimersByTimeAsync(20);
    expect(places).toEqual([null, "place-1"]);
    await vi.advanceTimersByTimeAsync(3000);
    await asked;
    expect(places).toEqual([null, "place-1", "place-2"]);
    await ask(server);
    expect(places[3]).toBeNull();
  });

  it("of several requests of a page is used once: with it the page is inside", async () => {
    const { server, places } = gate(3, "2");
    const asked = Promise.all([ask(server), ask(server), ask(server)]);
    await vi.advanceTimersByTimeAsync(2000);
    await asked;
    expect(places).toEqual([null, null, null, "place-1", null, null]);
  });

  it("that is far away is told of, and kept", async () => {
    const { server, places } = gate(1, "60");
    const why = await ask(server).catch((e: unknown) => e);
    expect(why).toBeInstanceOf(Failed);
    expect((why as Failed).trouble).toEqual({ trouble: "busy", retryAfterMs: 60_000 });
    await ask(server);
    expect(places).toEqual([null, "place-1"]);
  });

  it("that says no time is in a second", async () => {
    const { server, places } = gate(1, "soon");
    const asked = ask(server);
    await vi.advanceTimersByTimeAsync(1000);
    await asked;
    expect(places.length).toBe(2);
  });

  it("that moves on and on is told of at last", async () => {
    const { server } = gate(100, "14");
    const asked = ask(server).catch((e: unknown) => e);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(((await asked) as Failed).trouble).toEqual({ trouble: "busy", retryAfterMs: 14_000 });
  });
});
