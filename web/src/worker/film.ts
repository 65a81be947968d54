// Joins the movie fragments that an agent writes (package media) to one ordinary MP4, in
// which any player finds every picture: what they are is said once, before them all, and
// the day and hour at which the first one was taken with it.
//
// The samples themselves are handed to the browser as they come, which keeps them where it
// has room; in memory are some bytes for each.

import { ascii, type Bytes, concat, Writer } from "../wire.ts";

/** Fragments that do not belong to one movie, or are none at all. */
export class FilmError extends Error {}

const maxSamples = 500_000; // two hours of a quick camera with its sound
const maxBytes = 2 ** 30;
const maxLasts = 24 * 3600; // seconds
const maxRate = 1_000_000; // of a track's clock, a second

/** One picture, or one sound. Times are of the track's own clock. */
interface Sample {
  at: number;
  lasts: number;
  /** When it is shown, counted from `at`. */
  later: number;
  bytes: number;
  key: boolean;
}

interface Track {
  readonly id: number;
  readonly rate: number;
  readonly pictures: boolean;
  /** What is cut off from its beginning. */
  readonly cut: number;
  readonly box: Box;
  readonly samples: Sample[];
  /** Where runs of samples stand behind one another in the file, and how many each has. */
  readonly chunks: { at: number; samples: number }[];
}

/** A box of a file: its name and where its content is. */
interface Box {
  readonly name: string;
  readonly whole: Bytes;
  readonly content: Bytes;
}

export class Film {
  readonly #tracks: Track[];
  readonly #movie: Box;
  readonly #parts: Blob[] = [];
  #bytes = 0;
  #samples = 0;

  /** `init` is what a player needs before the first fragment. */
  constructor(init: Bytes) {
    this.#movie = only(boxes(init), "moov");
    const all = boxes(this.#movie.content).filter((b) => b.name === "trak");
    this.#tracks = all.map(trackOf);
    if (all.length === 0 || new Set(this.#tracks.map((t) => t.id)).size !== all.length) throw new FilmError("a movie without tracks, or with one twice");
  }

  /** Takes a whole fragment, or several one behind the other. */
  add(bytes: Bytes): void {
    const all = boxes(bytes).filter((b) => b.name !== "sidx" && b.name !== "ftyp" && b.name !== "moov");
    for (let i = 0; i < all.length; i += 2) {
      const [moof, mdat] = [all[i], all[i + 1]];
      if (moof?.name !== "moof" || mdat?.name !== "mdat") throw new FilmError("a fragment without its samples");
      for (const traf of boxes(moof.content)) if (traf.name === "traf") this.#run(traf, moof, mdat);
      this.#bytes += mdat.content.length;
      this.#parts.push(new Blob([mdat.content]));
      if (this.#samples > maxSamples || this.#bytes > maxBytes) throw new FilmError("it is too long for one file");
    }
  }

  /** The samples of one track in a fragment. */
  #run(traf: Box, moof: Box, mdat: Box): void {
    const all = boxes(traf.content);
    const head = viewOf(only(all, "tfhd"), 8);
    const time = viewOf(only(all, "tfdt"), 12);
    const trun = viewOf(only(all, "trun"), 12);
    const track = this.#tracks.find((t) => t.id === head.getUint32(4));
    const flags = trun.getUint32(0) & 0xffffff;
    const more = (flags & 0x400 ? 4 : 0) + (flags & 0x800 ? 4 : 0);
    const count = trun.getUint32(4);
    if (track === undefined || head.getUint32(0) !== 0x20000 || time.getUint8(0) !== 1 || (flags & ~0xc00) !== 0x301) throw new FilmError("a fragment of another make");
    if (trun.byteLength !== 12 + count * (8 + more)) throw new FilmError("a run of another length");
    let at = Number(time.getBigUint64(4));
    if (!Number.isSafeInteger(at)) throw new FilmError("a time beyond all times");
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const entry = 12 + i * (8 + more);
      const sample = { at, lasts: trun.getUint32(entry), bytes: trun.getUint32(entry + 4), key: (flags & 0x400) === 0 || (trun.getUint32(entry + 8) & 0x10000) === 0, later: flags & 0x800 ? trun.getInt32(entry + 4 + more) : 0 };
      at += sample.lasts;
      bytes += sample.bytes;
      put(track, sample);
    }
    const from = trun.getUint32(8) - (moof.whole.length + 8);
    if (from < 0 || from + bytes > mdat.content.length) throw new FilmError("samples outside of their fragment");
    track.chunks.push({ at: this.#bytes + from, samples: count });
    this.#samples += count;
  }

  /** How many seconds there are. */
  get lasts(): number {
    return Math.max(0, ...this.#tracks.filter((t) => t.samples.length > 0).map((t) => (ends(t) - begins(t)) / t.rate));
  }

  /** The file. `created` is when its first picture was taken: microseconds, null if nobody knows. */
  file(created: number | null): Blob {
    const tracks = this.#tracks.filter((t) => t.samples.length > 0);
    if (tracks.length === 0) throw new FilmError("there is nothing in it");
    if (this.lasts > maxLasts) throw new FilmError("it is too long for one file");
    const seconds = created === null ? 0 : Math.max(0, Math.floor(created / 1e6) + 2_082_844_800); // since 1904
    const first = tracks.find((t) => t.pictures) ?? tracks[0]!;
    const zero = begins(first) / first.rate;
    const type = box("ftyp", ascii("isom"), u32(512), ascii("isomiso6mp41"));
    const movie = (from: number) => movieBox(this.#movie, tracks, { zero, from, seconds });
    // How long the head is does not depend on where it says that the samples are.
    const from = type.length + movie(0).length + 8;
    return new Blob([type, movie(from), u32(8 + this.#bytes), ascii("mdat"), ...this.#parts], { type: "video/mp4" });
  }
}

/** Joins all of a film whose head and fragments are in one piece. */
export function joined(bytes: Bytes, created: number | null): Blob {
  const film = new Film(bytes);
  film.add(bytes);
  return film.file(created);
}

/** Adds a sample; one whose time is not after the one before it is decoded as soon as it can be, and shown when it says. */
function put(track: Track, s: Sample): void {
  const last = track.samples.at(-1);
  if (last !== undefined) {
    if (s.at <= last.at) {
      s.later += s.at - (last.at + 1);
      s.at = last.at + 1;
    }
    last.lasts = s.at - last.at;
  }
  track.samples.push(s);
}

/** When the first of a track is shown, on the clock that all tracks share. */
function begins(t: Track): number {
  let first = Infinity;
  for (const s of t.samples.slice(0, 64)) first = Math.min(first, s.at + s.later);
  return first - t.cut;
}

function ends(t: Track): number {
  const last = t.samples.at(-1)!;
  return last.at + last.lasts - t.cut;
}

/** Where the movie begins, where its samples stand in the file, and when it was made. */
interface Placed {
  zero: number;
  from: number;
  seconds: number;
}

function movieBox(movie: Box, tracks: Track[], p: Placed): Bytes {
  const head = only(boxes(movie.content), "mvhd");
  const view = viewOf(head, 112);
  if (view.getUint8(0) !== 1 || !isRate(view.getUint32(20))) throw new FilmError("a movie of another make");
  const rate = view.getUint32(20);
  const all = tracks.map((t) => trackBox(t, rate, p));
  const lasts = Math.max(...all.map((t) => t.lasts));
  return box("moov", box("mvhd", head.content.slice(0, 4), u64(p.seconds), u64(p.seconds), u32(rate), u64(lasts), head.content.slice(32)), ...all.map((t) => t.box));
}

/** The box of a track, and for how long of the movie's clock it lasts. */
function trackBox(t: Track, rate: number, p: Placed): { box: Bytes; lasts: number } {
  const inside = boxes(t.box.content);
  const head = only(inside, "tkhd").content;
  const media = boxes(only(inside, "mdia").content);
  const mediaHead = only(media, "mdhd").content;
  const info = boxes(only(media, "minf").content);
  const start = t.samples[0]!.at;
  const length = ends(t) + t.cut - start;
  // What is shown of it first, and how long the movie waits for that.
  const after = begins(t) / t.rate - p.zero;
  if (Math.abs(after) > maxLasts) throw new FilmError("tracks of different days");
  const skip = Math.max(0, Math.round(begins(t) + t.cut - start - Math.min(0, after) * t.rate));
  const wait = Math.max(0, Math.round(after * rate));
  const shown = Math.max(0, Math.round(((length - skip) / t.rate) * rate));
  const edits = [...(wait > 0 ? [u64(wait), u64Minus1, u32(0x10000)] : []), u64(shown), u64(skip), u32(0x10000)];
  const table = box("stbl", only(boxes(only(info, "stbl").content), "stsd").whole, ...tables(t, p.from));
  return {
    lasts: wait + shown,
    box: box(
      "trak",
      box("tkhd", head.slice(0, 4), u64(p.seconds), u64(p.seconds), head.slice(20, 28), u64(wait + shown), head.slice(36)),
      box("edts", box("elst", u32(1 << 24), u32(wait > 0 ? 2 : 1), ...edits)),
      box("mdia", box("mdhd", mediaHead.slice(0, 4), u64(p.seconds), u64(p.seconds), u32(t.rate), u64(length), mediaHead.slice(32)), only(media, "hdlr").whole, box("minf", ...info.filter((b) => b.name !== "stbl").map((b) => b.whole), table)),
    ),
  };
}

/** Where the samples are, how long they last and which of them need no other. */
function tables(t: Track, from: number): Bytes[] {
  const { samples, chunks } = t;
  const keys = samples.flatMap((s, i) => (s.key ? [i + 1] : []));
  return [
    box("stts", ...runs(samples.map((s) => s.lasts))),
    ...(samples.some((s) => s.later !== 0) ? [box("ctts", ...runs(samples.map((s) => s.later), 1 << 24))] : []),
    ...(t.pictures && keys.length < samples.length ? [box("stss", u32(0), u32(keys.length), numbers(keys))] : []),
    box("stsc", u32(0), u32(chunks.length), numbers(chunks.flatMap((c, i) => [i + 1, c.samples, 1]))),
    box("stsz", u32(0), u32(0), u32(samples.length), numbers(samples.map((s) => s.bytes))),
    box("stco", u32(0), u32(chunks.length), numbers(chunks.map((c) => from + c.at))),
  ];
}

/** Numbers of which many are alike: how often each comes, and which it is. */
function runs(all: number[], version = 0): Bytes[] {
  const found: number[] = [];
  for (const n of all) {
    if (found.at(-1) === n) found[found.length - 2]!++;
    else found.push(1, n);
  }
  return [u32(version), u32(found.length / 2), numbers(found)];
}

function trackOf(trak: Box): Track {
  const all = boxes(trak.content);
  const media = boxes(only(all, "mdia").content);
  const head = viewOf(only(all, "tkhd"), 96);
  const mediaHead = viewOf(only(media, "mdhd"), 36);
  const kind = viewOf(only(media, "hdlr"), 12).getUint32(8);
  const rate = mediaHead.getUint32(20);
  if (head.getUint8(0) !== 1 || mediaHead.getUint8(0) !== 1 || !isRate(rate)) throw new FilmError("a track of another make");
  return { id: head.getUint32(20), rate, pictures: kind === 0x76696465, cut: cutOf(all), box: trak, samples: [], chunks: [] };
}

function isRate(n: number): boolean {
  return n > 0 && n <= maxRate;
}

/** What the edit list of a track cuts off. */
function cutOf(trak: Box[]): number {
  const edits = trak.find((b) => b.name === "edts");
  if (edits === undefined) return 0;
  const list = viewOf(only(boxes(edits.content), "elst"), 20);
  if (list.getUint8(0) !== 0 || list.getUint32(4) !== 1) throw new FilmError("edits of another make");
  return list.getUint32(12);
}

/** The boxes that stand one behind the other. */
function boxes(bytes: Bytes): Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all: Box[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = at + 8 <= bytes.length ? view.getUint32(at) : 0;
    if (size < 8 || at + size > bytes.length) throw new FilmError("a box of no length, or too long");
    const whole = bytes.subarray(at, at + size);
    all.push({ name: String.fromCharCode(...whole.subarray(4, 8)), whole, content: whole.subarray(8) });
    at += size;
  }
  return all;
}

function only(all: Box[], name: string): Box {
  const [found, another] = all.filter((b) => b.name === name);
  if (found === undefined || another !== undefined) throw new FilmError(`${another === undefined ? "no" : "more than one"} box ${name}`);
  return found;
}

/** The content of a box of at least so many bytes. */
function viewOf({ name, content }: Box, least: number): DataView {
  if (content.length < least) throw new FilmError(`a box ${name} of ${content.length} bytes`);
  return new DataView(content.buffer, content.byteOffset, content.byteLength);
}

function box(name: string, ...content: Uint8Array[]): Bytes {
  return concat(u32(content.reduce((n, c) => n + c.length, 8)), ascii(name), ...content);
}

const u64Minus1 = new Uint8Array(8).fill(255);

function u32(n: number): Bytes {
  return numbers([n]);
}

function u64(n: number): Bytes {
  return new Writer().u64(n).bytes();
}

/** Each in four bytes; what is negative as two's complement. */
function numbers(all: readonly number[]): Bytes {
  const out = new DataView(new ArrayBuffer(4 * all.length));
  all.forEach((n, i) => out.setUint32(4 * i, n));
  return new Uint8Array(out.buffer);
}
