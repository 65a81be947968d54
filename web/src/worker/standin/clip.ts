// A clip as an agent writes it, as far as its boxes go: what is in them is noise.

import { ascii, type Bytes, concat, random, Writer } from "../../wire.ts";

function box(name: string, content: Bytes): Bytes {
  return new Writer().u32(8 + content.length).raw(ascii(name)).raw(content).bytes();
}

/** A clip whose parts have so many bytes and last two seconds each. */
export function clipOf(sizes: readonly number[]): { content: Bytes; head: number; parts: Bytes[] } {
  const rate = 90_000;
  const head = concat(box("ftyp", ascii("iso6")), box("moov", random(600)));
  const index = new Writer().u32(1 << 24).u32(1).u32(rate).u64(0).u64(0).u16(0).u16(sizes.length);
  for (const size of sizes) index.u32(size).u32(2 * rate).u32(0x9000_0000);
  const parts = sizes.map((size) => noise(size));
  return { content: concat(head, box("sidx", index.bytes()), ...parts), head: head.length, parts };
}

// The browser's own random bytes come 64 KiB at a time.
function noise(n: number): Bytes {
  const out = new Uint8Array(n);
  for (let at = 0; at < n; at += 65_536) out.set(random(Math.min(65_536, n - at)), at);
  return out;
}
