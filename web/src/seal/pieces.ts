// Reads a clip in parts: what a part is, is proven by the hashes of its pieces, which the
// agent signed in the description (docs/seal.md, "Reading a part").

import { BodyError, bodyLength, chunkSize, headSize, Opening } from "../cobblestone.ts";
import { sha256 } from "../deed/key.ts";
import { Source } from "../source.ts";
import { type Bytes, concat, copy, equal } from "../wire.ts";
import { type Binding, bindingBytes } from "./binding.ts";
import { prefixBytes, readPrefix } from "./file.ts";
import type { Header } from "./header.ts";
import type { Name } from "./name.ts";
import { objectKeyFrom, type Reader } from "./open.ts";
import { SealError } from "./reasons.ts";
import { verify } from "./verify.ts";

const chunksInPiece = 16;
/** Bytes of content of every piece but the last. */
export const pieceSize = chunksInPiece * chunkSize;
const sealedChunk = chunkSize + 16;
const sealedPiece = chunksInPiece * sealedChunk;
const hashSize = 32;
/** Of how many pieces a description has room for the hashes. */
export const maxPieces = 512;

/** What a description says of its clip's content. */
export interface Pieces {
  readonly object: string;
  readonly bytes: number;
  /** The SHA-256 of each piece, one behind the other. */
  readonly hashes: Bytes;
}

/** How many pieces a content of that length has. */
export function pieceCount(bytes: number): number {
  return Math.ceil(bytes / pieceSize);
}

/** Gives the bytes of the object file from one place up to another, fewer only if there are fewer. */
export type TakePart = (from: number, to: number) => Promise<Bytes>;

// An object file as a server sends it: magic, header, no envelopes.
const likelyPrefix = 18 + 2 + 313 + 2;

export class PieceReader {
  readonly #header: Header;
  readonly #pieces: Pieces;
  readonly #opening: Opening;
  readonly #take: TakePart;
  readonly #prefix: number;
  #first: Bytes | null; // of the body: what came with the header

  private constructor(header: Header, pieces: Pieces, opening: Opening, take: TakePart, prefix: number, first: Bytes) {
    this.#header = header;
    this.#pieces = pieces;
    this.#opening = opening;
    this.#take = take;
    this.#prefix = prefix;
    this.#first = first;
  }

  /** Fetches the beginning and checks all that can be known by it. `of` is the binding of the opened description that says `pieces`. */
  static async begin(asked: Name, of: Binding, pieces: Pieces, reader: Reader, take: TakePart): Promise<PieceReader> {
    const begins = await take(0, likelyPrefix + headSize + sealedPiece);
    const prefix = await readPrefix(new Source(begins));
    const { header } = prefix;
    reader.seen?.(header);
    await verify(header, asked, reader.title);
    const is = header.binding;
    const same = is.home === of.home && is.camera === of.camera && is.event === of.event && is.object === pieces.object;
    if (!same || pieces.hashes.length !== hashSize * pieceCount(pieces.bytes) || header.bodyLength !== bodyLength(pieces.bytes)) {
      throw new SealError("wrong-hash", "another clip than the one that was described");
    }
    const length = prefixBytes(prefix).length;
    const first = begins.slice(length);
    if (first.length < headSize) throw new SealError("truncated", "the file ends before its body");
    const objectKey = await objectKeyFrom(prefix, reader);
    try {
      const opening = await Opening.begin(objectKey, bindingBytes(is), first.slice(0, headSize));
      return new PieceReader(header, pieces, opening, take, length, first);
    } catch (e) {
      throw refusal(e);
    } finally {
      objectKey.fill(0);
    }
  }

  get bytes(): number {
    return this.#pieces.bytes;
  }

  /** The content of the pieces from one up to another. */
  async read(from: number, to: number): Promise<Bytes[]> {
    const sealed = await this.#sealed(from, to);
    const out: Bytes[] = [];
    for (let i = from; i < to; i++) {
      const at = (i - from) * sealedPiece;
      out.push(await this.#open(i, sealed.subarray(at, this.#end(i) - this.#begin(from))));
    }
    return out;
  }

  #begin(i: number): number {
    return headSize + i * sealedPiece;
  }

  /** Where a piece ends in the body: the last one with the body, so that its length is proven. */
  #end(i: number): number {
    return i + 1 >= pieceCount(this.#pieces.bytes) ? this.#header.bodyLength : this.#begin(i + 1);
  }

  async #sealed(from: number, to: number): Promise<Bytes> {
    const [begin, end] = [this.#begin(from), this.#end(to - 1)];
    const first = this.#first;
    if (from === 0) this.#first = null;
    if (first !== null && first.length >= end) return first.slice(begin, end);
    const sealed = await this.#take(this.#prefix + begin, this.#prefix + end);
    if (sealed.length !== end - begin) throw new SealError("truncated", `${sealed.length} bytes of ${end - begin}`);
    return sealed;
  }

  async #open(piece: number, sealed: Bytes): Promise<Bytes> {
    const chunks: Promise<Bytes>[] = [];
    for (let at = 0; at < sealed.length; at += sealedChunk) {
      chunks.push(this.#opening.chunk(piece * chunksInPiece + chunks.length, copy(sealed.subarray(at, at + sealedChunk))));
    }
    const content = concat(...(await Promise.all(chunks).catch((e: unknown) => Promise.reject(refusal(e)))));
    const hash = this.#pieces.hashes.subarray(piece * hashSize, (piece + 1) * hashSize);
    if (!equal(await sha256(content), hash)) throw new SealError("wrong-hash", "another piece than the one that was described");
    return content;
  }
}

function refusal(e: unknown): unknown {
  return e instanceof BodyError ? new SealError(e.reason, "a part of the body does not open") : e;
}
