// Clips that are read in parts, as somebody looks at them. A part that is not the
// agent's is refused and reported like any other object.

import type { Binding } from "../seal/binding.ts";
import { type Name, type NameText, parseName } from "../seal/name.ts";
import { type TakePart, pieceSize, type Pieces, PieceReader } from "../seal/pieces.ts";
import { SealError } from "../seal/reasons.ts";
import { type Bytes, concat } from "../wire.ts";
import { looksLike, parsePieces } from "./content.ts";
import { type Index, parseIndex } from "./index.ts";
import type { Objects, Seen } from "./objects.ts";
import type { Opened, Track } from "./protocol.ts";

// Clips of which there are pieces in memory, and how many pieces of each.
const maxClips = 3;
const maxKept = 40; // 10 MiB
// Pieces that are asked for at once.
const together = 4;

/** A clip that somebody looks at. */
interface Looked {
  readonly reader: PieceReader;
  /** What was seen of it last. */
  readonly seen: Seen;
  readonly index: Index;
  /** Pieces by their number, those used last at the end. */
  readonly kept: Map<number, Bytes>;
}

export class Clips {
  readonly #objects: Objects;
  readonly #looked = new Map<NameText, Looked>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** What a clip is and where its parts are; no track if it has to be read whole. */
  async begin(text: NameText, description: NameText): Promise<Opened<{ track: Track | null }>> {
    const told = await this.#objects.open(description, "description", ({ header, content }) => ({ of: header.binding, told: parsePieces(content) }));
    if (told.state === "trouble") return told;
    if (told.state === "refused" || told.told === null) return { state: "opened", track: null, timings: this.#objects.timings(text) };
    const { type, pieces } = told.told;
    return this.#objects.guarded(text, "clip", async (seen) => {
      const looked = await this.#look(text, told.of, pieces, seen);
      return { track: looked === null ? null : await trackOf(looked, type) };
    });
  }

  async #look(text: NameText, of: Binding, pieces: Pieces, seen: Seen): Promise<Looked | null> {
    const name = parseName(text) as Name;
    const take: TakePart = (from, to) => this.#objects.part(text, from, to, seen);
    const reader = await PieceReader.begin(name, of, pieces, await this.#objects.reader(seen), take);
    const first = (await reader.read(0, 1))[0]!;
    if (!looksLike("clip", first)) throw new SealError("malformed", "no clip");
    const index = parseIndex(first, pieces.bytes);
    if (index === null) return null;
    const looked = { reader, seen, index, kept: new Map([[0, first]]) };
    this.#looked.delete(text);
    this.#looked.set(text, looked);
    for (const old of this.#looked.keys()) if (this.#looked.size > maxClips) this.#looked.delete(old);
    return looked;
  }

  /** A part of a clip that was begun. */
  async part(text: NameText, n: number): Promise<Opened<{ bytes: Bytes }>> {
    const looked = this.#looked.get(text);
    const part = looked?.index.parts[n];
    if (looked === undefined || part === undefined) return { state: "trouble", trouble: "refused", status: 404, reason: "not-begun", message: "The clip was put away meanwhile." };
    return this.#objects.guarded(text, "clip", async (seen) => {
      try {
        return { bytes: await bytesOf(looked, part.from, part.to) };
      } finally {
        Object.assign(seen, looked.seen);
      }
    });
  }
}

async function trackOf(looked: Looked, type: string): Promise<Track> {
  const { head, parts } = looked.index;
  return { type, head: await bytesOf(looked, 0, head), parts: parts.map(({ start, end }) => ({ start, end })) };
}

/** Bytes of the content; its pieces are fetched where they are not there. */
async function bytesOf({ reader, kept }: Looked, from: number, to: number): Promise<Bytes> {
  const first = Math.floor(from / pieceSize);
  const end = Math.ceil(to / pieceSize);
  const all: Bytes[] = [];
  for (let i = first; i < end; ) {
    const there = kept.get(i);
    let j = i + 1;
    while (j < end && j < i + together && !kept.has(j)) j++;
    const read = there === undefined ? await reader.read(i, j) : [there];
    for (const piece of read) {
      kept.delete(i);
      kept.set(i++, piece);
      all.push(piece);
    }
  }
  for (const old of kept.keys()) if (kept.size > maxKept) kept.delete(old);
  return concat(...all).slice(from - first * pieceSize, to - first * pieceSize);
}
