// Where the parts of a clip are: an agent writes an index before them (package media).

import type { Bytes } from "../wire.ts";

/** A part that plays by itself: its bytes, and when it is shown, in seconds. */
export interface IndexedPart {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

export interface Index {
  /** How long the head before the index is: file type and movie box. */
  readonly head: number;
  readonly parts: readonly IndexedPart[];
}

const maxParts = 4096;

/** Reads the index at the beginning of a clip of so many bytes; null if there is none, or one that is not of this clip. */
export function parseIndex(begins: Bytes, bytes: number): Index | null {
  const view = new DataView(begins.buffer, begins.byteOffset, begins.byteLength);
  let at = 0;
  for (const name of ["ftyp", "moov"]) {
    const size = boxSize(view, at, name);
    if (size === null) return null;
    at += size;
  }
  const size = boxSize(view, at, "sidx");
  if (size === null || at + size > begins.length || size < 40 || view.getUint8(at + 8) !== 1) return null;
  const rate = view.getUint32(at + 16);
  const count = view.getUint16(at + 38);
  if (rate === 0 || count === 0 || count > maxParts || size !== 40 + 12 * count) return null;
  let shown = Number(view.getBigUint64(at + 20));
  let from = at + size + Number(view.getBigUint64(at + 28));
  const parts: IndexedPart[] = [];
  for (let i = 0; i < count; i++) {
    const entry = at + 40 + 12 * i;
    const length = view.getUint32(entry);
    const lasts = view.getUint32(entry + 4);
    if (length === 0 || length >= 2 ** 31 || lasts === 0) return null; // an index of indexes
    parts.push({ from, to: from + length, start: shown / rate, end: (shown + lasts) / rate });
    from += length;
    shown += lasts;
  }
  return from === bytes ? { head: at, parts } : null;
}

function boxSize(view: DataView, at: number, name: string): number | null {
  if (at + 8 > view.byteLength) return null;
  const size = view.getUint32(at);
  for (let i = 0; i < 4; i++) if (view.getUint8(at + 4 + i) !== name.charCodeAt(i)) return null;
  return size < 8 || at + size > view.byteLength ? null : size;
}
