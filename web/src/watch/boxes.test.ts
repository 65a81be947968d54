import { expect, it } from "vitest";

import { beginningOf, ticksOf } from "./boxes.ts";

function box(type: string, ...parts: number[][]): number[] {
  const body = parts.flat();
  return [...word(8 + body.length), ...[...type].map((c) => c.charCodeAt(0)), ...body];
}
const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const long = (n: number): number[] => [...word(Math.floor(n / 2 ** 32)), ...word(n >>> 0)];
const buffer = (...parts: number[][]): ArrayBuffer => new Uint8Array(parts.flat()).buffer;

const init = (mdhd: number[]): ArrayBuffer => buffer(box("ftyp", word(1)), box("moov", box("mvhd", word(0)), box("trak", box("tkhd", word(0)), box("mdia", box("mdhd", mdhd)))));
const media = (tfdt: number[]): ArrayBuffer => buffer(box("styp", word(1)), box("moof", box("mfhd", word(0)), box("traf", box("tfhd", word(0)), box("tfdt", tfdt))), box("mdat", word(9)));

it("reads both versions", () => {
  expect(ticksOf(init([0, 0, 0, 0, ...word(1), ...word(2), ...word(90_000), ...word(0)]))).toBe(90_000);
  expect(ticksOf(init([1, 0, 0, 0, ...long(1), ...long(2), ...word(48_000), ...long(0)]))).toBe(48_000);
  expect(beginningOf(media([0, 0, 0, 0, ...word(1234)]))).toBe(1234);
  expect(beginningOf(media([1, 0, 0, 0, ...long(2 ** 40)]))).toBe(2 ** 40);
});

it("says nothing of what is no such thing, whatever is cut off or altered", () => {
  const whole = new Uint8Array(media([1, 0, 0, 0, ...long(5)]));
  for (let n = 0; n < whole.length - 12; n++) expect(beginningOf(whole.slice(0, n).buffer)).toBeNull();
  let state = 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647);
  for (let i = 0; i < 20_000; i++) {
    const bent = whole.slice();
    for (let k = 0; k < 3; k++) bent[random() % bent.length] = random() & 255;
    beginningOf(bent.buffer);
    ticksOf(bent.buffer);
  }
});
