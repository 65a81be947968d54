import { describe, expect, it } from "vitest";
import { BodyError, bodyLength, chunkSize, minBody, openInPlace, openStream, sealBody, wholeLength } from "./cobblestone.ts";
import { Source } from "./source.ts";
import { ascii, type Bytes, concat, random } from "./wire.ts";

const key = random(32);
const context = ascii("a binding");

/** Random bytes, of which a browser gives 65,536 at a time. */
function noise(n: number): Bytes {
  return concat(...Array.from({ length: Math.ceil(n / 65536) }, (_, i) => random(Math.min(65536, n - i * 65536))));
}

/** A stream that comes in pieces of so many bytes. */
function pieces(b: Bytes, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(to) {
      if (at >= b.length) return to.close();
      to.enqueue(b.subarray(at, at + size));
      at += size;
    },
  });
}

async function all(from: AsyncGenerator<Bytes>): Promise<Bytes> {
  const parts: Bytes[] = [];
  for await (const p of from) parts.push(p);
  return concat(...parts);
}

describe("a body", () => {
  // Around the edges of a chunk, of the window of chunks, and across several windows.
  it.each([0, 1, 15, 16383, 16384, 16385, 8 * 16384 - 1, 8 * 16384, 17 * 16384 + 5])("of %d bytes opens in place and as it comes", async (n) => {
    const content = noise(n);
    const body = await sealBody(key, context, content);
    expect(body.length).toBe(bodyLength(n));
    expect(wholeLength(body.length)).toBe(true);
    expect(await all(openStream(key, context, new Source(pieces(body, 9973))))).toEqual(content);
    expect(await openInPlace(key, context, body)).toEqual(content);
  });

  it("never has one of the lengths that no writer makes", () => {
    expect([0, 71, minBody + 16400 - 16, minBody + 16400 - 1].map(wholeLength)).toEqual([false, false, false, false]);
    expect([72, minBody + 16400 - 17, minBody + 16400].map(wholeLength)).toEqual([true, true, true]);
  });
});

describe("a bent body", () => {
  const reason = async (bend: (b: Bytes) => Bytes, n = 3 * chunkSize + 7): Promise<string[]> => {
    const body = bend(await sealBody(key, context, noise(n)));
    const why = async (work: Promise<unknown>): Promise<string> => work.then(() => "opened", (e: unknown) => (e instanceof BodyError ? e.reason : String(e)));
    return [await why(all(openStream(key, context, new Source(body)))), await why(openInPlace(key, context, body.slice()))];
  };
  it("is refused for the same reason either way", async () => {
    expect(await reason((b) => b)).toEqual(["opened", "opened"]);
    expect(await reason((b) => b.map((x, i) => (i === 3 ? x ^ 1 : x)))).toEqual(["commitment", "commitment"]);
    expect(await reason((b) => b.map((x, i) => (i === 40 ? x ^ 1 : x)))).toEqual(["commitment", "commitment"]);
    expect(await reason((b) => b.map((x, i) => (i === 20_000 ? x ^ 1 : x)))).toEqual(["chunk", "chunk"]);
    expect(await reason((b) => b.slice(0, 71))).toEqual(["truncated", "truncated"]);
    expect(await reason((b) => b.slice(0, 56 + 2 * 16400), 2 * chunkSize + 9)).toEqual(["truncated", "truncated"]);
  });

  it("gives nothing of a chunk that does not authenticate", async () => {
    const body = await sealBody(key, context, noise(2 * chunkSize));
    body[56 + 16400 + 100]! ^= 1;
    const given: number[] = [];
    const read = (async () => {
      for await (const p of openStream(key, context, new Source(body))) given.push(p.length);
    })();
    await expect(read).rejects.toThrow(BodyError);
    expect(given).toEqual([chunkSize]);
  });
});
