// A place in a home's chain of deeds: the newest deed that somebody knew.

import { type Bytes, hex, type Reader, unhex, Writer } from "../wire.ts";

export interface Head {
  readonly seq: number;
  /** SHA-256 of the deed, in hexadecimal. */
  readonly hash: string;
}

/** SEQ:HEX. */
export function headText(h: Head): string {
  return `${h.seq}:${h.hash}`;
}

/** The inverse of headText, or null for any other spelling. */
export function parseHead(text: string): Head | null {
  const m = /^(0|[1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text);
  if (m === null || Number(m[1]) > Number.MAX_SAFE_INTEGER) return null;
  return { seq: Number(m[1]), hash: m[2]! };
}

/** u64(seq) || hash. */
export function headBytes(h: Head): Bytes {
  return new Writer().u64(h.seq).raw(unhex(h.hash)!).bytes();
}

export function readHead(r: Reader): Head {
  return { seq: r.u64(), hash: hex(r.raw(32)) };
}

export function sameHead(a: Head, b: Head): boolean {
  return a.seq === b.seq && a.hash === b.hash;
}
