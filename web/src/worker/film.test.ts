// Joining, on films that package media has written: of 45 pictures, some of which wait for
// later ones, and a tone. What came of it is looked at by another program.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bytes } from "../wire.ts";
import { Film, FilmError, joined } from "./film.ts";

const taken = Date.UTC(2026, 2, 1, 12, 30, 45) * 1000;
const bytesOf = (name: string): Bytes => new Uint8Array(readFileSync(new URL(`testdata/${name}.mp4`, import.meta.url)));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "film-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Probe {
  format: { duration: string; format_name: string; tags: Record<string, string> };
  streams: { codec_type: string; tags: Record<string, string> }[];
  packets: { stream_index: number; pts_time: string; dts_time: string; flags: string; size: string }[];
}

/** What ffprobe says of a file; it complains of nothing, and neither does a decoder. */
async function probe(file: Blob | Bytes): Promise<Probe> {
  const path = join(folder, "film.mp4");
  writeFileSync(path, file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : file);
  expect(execFileSync("ffmpeg", ["-v", "warning", "-xerror", "-i", path, "-f", "null", "-"], { stdio: "pipe" }).toString()).toBe("");
  return JSON.parse(execFileSync("ffprobe", ["-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_packets", path]).toString()) as Probe;
}

/** When each picture, or sound, is shown, and how many bytes it has. */
function shown(p: Probe, stream: number, zero: number): string[] {
  return p.packets.filter((k) => k.stream_index === stream).map((k) => `${(Number(k.pts_time) - zero).toFixed(3)} ${k.size}`);
}

/** Pieces of a film: its head, and each fragment. */
function pieces(film: Bytes): Bytes[] {
  const view = new DataView(film.buffer);
  const at: number[] = [];
  for (let i = 0; i < film.length; i += view.getUint32(i)) if (view.getUint32(i + 4) === 0x6d6f6f66) at.push(i);
  return [film.slice(0, at[0]), ...at.map((from, i) => film.slice(from, at[i + 1] ?? film.length))];
}

describe.each(["clip", "recording"])("a %s", (name) => {
  const zero = name === "clip" ? 0 : taken / 1e6;

  it("becomes one ordinary file of the same pictures and sounds, with the time in it", async () => {
    const before = await probe(bytesOf(name));
    const after = await probe(joined(bytesOf(name), taken));
    expect(after.streams.map((s) => s.codec_type)).toEqual(["video", "audio"]);
    expect([after.format, ...after.streams].map((x) => x.tags["creation_time"])).toEqual(Array(3).fill("2026-03-01T12:30:45.000000Z"));
    expect(Number(after.format.duration)).toBeCloseTo(3, 1);
    for (const stream of [0, 1]) expect(shown(after, stream, 0)).toEqual(shown(before, stream, zero));
    expect(after.packets.filter((k) => k.stream_index === 0 && k.flags.startsWith("K"))).toHaveLength(3);
  });

  it("may lack a piece: what is behind it stays at its time", async () => {
    const [head, first, , third] = pieces(bytesOf(name));
    const film = new Film(head!);
    film.add(first!);
    film.add(third!);
    const p = await probe(film.file(taken));
    expect(Math.abs(film.lasts - 3)).toBeLessThan(0.1); // the tone is a little longer
    const times = p.packets.filter((k) => k.stream_index === 0).map((k) => Number(k.pts_time));
    expect(times).toHaveLength(30);
    expect(Math.max(...times)).toBeCloseTo(44 / 15, 2);
    expect(times.filter((t) => t > 0.99 && t < 1.99)).toEqual([]);
  });
});

it("does not know when it was made if nobody does", async () => {
  const { format } = await probe(joined(bytesOf("recording"), null));
  expect(format.tags["creation_time"]).toBeUndefined();
});

it("shows what was stamped before the one before it, none the less", async () => {
  const [head, first, second] = pieces(bytesOf("recording"));
  const film = new Film(head!);
  film.add(second!);
  film.add(first!); // the clock was set back
  const { packets } = await probe(film.file(null));
  expect(packets.filter((k) => k.stream_index === 0)).toHaveLength(30);
});

describe("what is no film", () => {
  const film = bytesOf("recording");

  it.each([
    ["nothing", () => new Film(new Uint8Array(0))],
    ["a head without tracks", () => new Film(new Uint8Array([0, 0, 0, 8, 0x6d, 0x6f, 0x6f, 0x76]))],
    ["a head alone", () => new Film(pieces(film)[0]!).file(null)],
    ["a fragment that is cut off", () => joined(film.slice(0, film.length - 1), null)],
    ["samples without a head", () => new Film(pieces(film)[1]!)],
    ["a film in place of a fragment's samples", () => new Film(film).add(pieces(film)[1]!.slice(0, 8))],
  ])("is refused: %s", (_, make) => {
    expect(make).toThrow(FilmError);
  });

  /** Where the content of the first box of that name begins. */
  const inside = (bytes: Bytes, name: string): number => Buffer.from(bytes).indexOf(name) + 4;

  /** A part of the film with four bytes in the first box of that name set. */
  function bent(n: number, name: string, at: number, to: number): Bytes {
    const part = pieces(film)[n]!;
    new DataView(part.buffer).setUint32(inside(part, name) + at, to);
    return part;
  }

  it.each([
    ["a fragment by another name", bent(1, "moof", -4, 0x6d6f6f78)],
    ["samples by another name", bent(1, "mdat", -4, 0x6d646178)],
    ["a track that its head does not have", bent(1, "tfhd", 4, 99)],
    ["places of samples that count from elsewhere", bent(1, "tfhd", 0, 0)],
    ["a time of another length", bent(1, "tfdt", 0, 0)],
    ["a time beyond all times", bent(1, "tfdt", 4, 0xffffffff)],
    ["a run of another make", bent(1, "trun", 0, 0x01000f00)],
    ["more samples than it lists", bent(1, "trun", 4, 999)],
    ["samples before their fragment", bent(1, "trun", 8, 0)],
    ["samples behind their fragment", bent(1, "trun", 8, 1 << 30)],
  ])("is no fragment of it: %s", (_, part) => {
    const whole = new Film(pieces(film)[0]!);
    expect(() => whole.add(part)).toThrow(FilmError);
    whole.add(pieces(film)[1]!);
  });

  it("is a head with one track twice, or two heads", () => {
    const head = pieces(film)[0]!;
    const at = [...Buffer.from(head).toString("latin1").matchAll(/tkhd/g)].map((m) => m.index + 4 + 20);
    const view = new DataView(head.buffer);
    expect(() => new Film(Uint8Array.from([...head, ...head]))).toThrow(FilmError);
    view.setUint32(at[1]!, view.getUint32(at[0]!));
    expect(() => new Film(head)).toThrow(FilmError);
  });

  it("says which pictures need no other", async () => {
    const bytes = new Uint8Array(await joined(film, null).arrayBuffer());
    expect(new DataView(bytes.buffer).getUint32(inside(bytes, "stss") + 4)).toBe(3);
  });

  it("never ends in anything but a file or a refusal, whatever is changed", () => {
    for (let seed = 1; seed <= 1000; seed++) {
      const bent = film.slice();
      let n = seed;
      const next = (below: number): number => ((n = (n * 1103515245 + 12345) % 2147483648), Math.floor((n / 2147483648) * below));
      // Where the boxes are, and not the pictures.
      for (let i = next(4); i >= 0; i--) bent[starts[next(starts.length)]!] = next(2) ? 0xff : next(256);
      try {
        joined(bent, taken);
      } catch (e) {
        if (!(e instanceof FilmError)) throw e;
      }
    }
  });

  // The places of all bytes that stand in no sample.
  const starts = (() => {
    const all: number[] = [];
    const view = new DataView(film.buffer);
    for (let at = 0; at < film.length; at += view.getUint32(at)) {
      const data = view.getUint32(at + 4) === 0x6d646174;
      for (let i = at; i < at + (data ? 8 : view.getUint32(at)); i++) all.push(i);
    }
    return all;
  })();
});
