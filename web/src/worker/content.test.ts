import { describe, expect, it } from "vitest";
import { idText } from "../seal/name.ts";
import { pieceSize } from "../seal/pieces.ts";
import { base64 } from "../wire.ts";
import { backoff } from "./changes.ts";
import { looksLike, parseDescription, parsePieces } from "./content.ts";
import { Turns } from "./turns.ts";

const text = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);

describe("a description", () => {
  it("is read with its clip, and without the members that nobody knows", () => {
    const event = idText("event", new Uint8Array(16).fill(7));
    const clip = { object: "o", type: 'video/mp4; codecs="avc1.64001f"', width: 1280, height: 720, duration: 14e6, bytes: 9, stream: "sub" };
    const read = parseDescription(text(JSON.stringify({ v: 1, start: 1, end: 2, cause: "motion", saw: ["person"], score: 0.4, later: {}, continues: event, clip })));
    expect(read).toEqual({ start: 1, end: 2, cause: "motion", saw: ["person"], score: 0.4, continues: event, clip, names: null });
    expect(parseDescription(text('{"v":1,"start":1,"end":2}'))).toEqual({ start: 1, end: 2, cause: "", saw: [], score: null, continues: null, clip: null, names: null });
  });

  it("says what the camera saw, as far as it is known what that is, in one order and once", () => {
    const of = (saw: unknown) => parseDescription(text(JSON.stringify({ v: 1, start: 1, end: 2, saw })))?.saw;
    expect(of(["package", "person", "unicorn", "visitor", "person", 7, null, ["face"], "__proto__"])).toEqual(["visitor", "person", "package"]);
    for (const none of [undefined, null, "person", 1, {}, [], ["Person"], { 0: "person", length: 1 }]) expect(of(none)).toEqual([]);
  });

  it("of which nobody says the stream, or the event before it, says neither", () => {
    const clip = { object: "o", type: "video/mp4", width: 1, height: 1, duration: 1, bytes: 1 };
    for (const other of [undefined, null, 7, "other", "ABC"]) {
      expect(parseDescription(text(JSON.stringify({ v: 1, start: 1, end: 2, continues: other, clip: { ...clip, stream: other } })))).toMatchObject({ continues: null, clip: { stream: "" } });
    }
  });

  it("has a clip only if it says all of it, and its pieces only if there are as many as it is long", () => {
    const clip = { object: "o", type: "video/mp4", width: 1, height: 1, duration: 1, bytes: pieceSize + 1, stream: "main", pieces: base64(new Uint8Array(64)) };
    const said = (change: object) => text(JSON.stringify({ v: 1, start: 1, end: 2, clip: { ...clip, ...change } }));
    expect(parseDescription(said({}))!.clip).toMatchObject({ object: "o", stream: "main" });
    expect(parsePieces(said({}))).toEqual({ type: "video/mp4", pieces: { object: "o", bytes: pieceSize + 1, hashes: new Uint8Array(64) } });
    for (const one of ["object", "type", "width", "height", "duration", "bytes"]) {
      expect(parseDescription(said({ [one]: null }))!.clip, one).toBeNull();
      expect(parsePieces(said({ [one]: null })), one).toBeNull();
    }
    for (const other of [{ bytes: 0, pieces: "" }, { bytes: 2 * pieceSize + 1 }, { pieces: 7 }, { pieces: "?" }, { bytes: 513 * pieceSize, pieces: base64(new Uint8Array(513 * 32)) }]) expect(parsePieces(said(other)), `${other.bytes}`).toBeNull();
  });

  it.each(["", "null", "[]", '{"v":2,"start":1,"end":2}', '{"v":1,"start":"1","end":2}', '{"v":1,"start":1}', '{"v":1,"start":1.5,"end":2}', '{"v":1,"start":-1,"end":2}', '{"v":1,"start":1,"end":9007199254740993}'])("is not %s", (s) =>
    expect(parseDescription(text(s))).toBe(null),
  );

  it("says what home and camera are called, if it is names that it says", () => {
    const of = (names: unknown): unknown => parseDescription(text(JSON.stringify({ v: 1, start: 1, end: 2, names })))?.names;
    const names = { home: "Our house", camera: "Front door", zone: "Europe/Berlin" };
    expect(of({ ...names, later: 1 })).toEqual(names);
    expect(of({ home: "Our house", zone: "UTC" })).toEqual({ home: "Our house", camera: "", zone: "UTC" });
    for (const bad of [null, [], { ...names, home: "" }, { ...names, camera: 7 }, { ...names, zone: "\u202e" }, { home: "Our house" }, { ...names, camera: "" }]) expect(of(bad)).toBeNull();
  });

  it("is at most 32 KiB", () => {
    const long = (n: number): Uint8Array<ArrayBuffer> => text('{"v":1,"start":1,"end":2}'.padEnd(n));
    expect(parseDescription(long(32 << 10))).not.toBe(null);
    expect(parseDescription(long((32 << 10) + 1))).toBe(null);
  });
});

it("knows pictures and clips by how they begin", () => {
  expect(looksLike("thumbnail", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))).toBe(true);
  for (const strange of [[0xff, 0xd8, 0xff], [0, 0xd8, 0xff, 0xe0], [0xff, 0, 0xff, 0xe0], [0xff, 0xd8, 0, 0xe0]]) expect(looksLike("thumbnail", Uint8Array.from(strange)), `${strange}`).toBe(false);
  expect(looksLike("clip", text("\0\0\0\u001cftypiso5"))).toBe(true);
  expect(looksLike("clip", text("\0\0\0\u0008ftyp"))).toBe(false);
  expect(looksLike("clip", text("<html><body>"))).toBe(false);
});

it("comes back later and later, and never all at once", () => {
  expect([0, 1, 2, 10].map((n) => backoff(n, 0))).toEqual([100, 100, 100, 100]);
  expect([0, 1, 2, 10].map((n) => backoff(n, 1))).toEqual([600, 1100, 2100, 30_100]);
});

it("lets so many work at once, the others in turn", async () => {
  const turns = new Turns(2);
  let at = 0;
  let most = 0;
  const order: number[] = [];
  const work = (n: number) => async (): Promise<void> => {
    most = Math.max(most, ++at);
    await new Promise((r) => setTimeout(r, 5));
    order.push(n);
    at--;
    if (n === 1) throw new Error("this one fails, the next goes on");
  };
  await Promise.allSettled([0, 1, 2, 3, 4].map((n) => turns.run(work(n))));
  expect([most, order]).toEqual([2, [0, 1, 2, 3, 4]]);
});
