// Whatever is done to the bytes of an object or a chain: it is refused with a reason, or
// it says what it said. Nothing else is thrown, and nothing else is opened.

import { expect, it } from "vitest";
import { sha256 } from "../deed/key.ts";
import { DeedError } from "../deed/reasons.ts";
import { headText } from "../deed/head.ts";
import { Title } from "../deed/title.ts";
import { Source } from "../source.ts";
import { type Bytes, concat, hex, unbase64 } from "../wire.ts";
import type { ObjectVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";
import { parseName } from "./name.ts";
import { open } from "./open.ts";
import { SealError } from "./reasons.ts";

const homes = await readHomes(homesFile());

/** Numbers that are the same every time. */
function dice(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}

/** The bytes with a bit turned, a piece cut out, a piece doubled, or a run of ones. */
function bent(b: Bytes, roll: (n: number) => number): Bytes {
  const at = roll(b.length);
  const n = 1 + roll(40);
  switch (roll(4)) {
    case 0:
      return b.map((x, i) => (i === at ? x ^ (1 << roll(8)) : x));
    case 1:
      return concat(b.subarray(0, at), b.subarray(at + n));
    case 2:
      return concat(b.subarray(0, at + n), b.subarray(at));
    default:
      return b.map((x, i) => (i >= at && i < at + n ? 255 : x));
  }
}

it("opens to what was sealed or not at all", async () => {
  const good = [...vectors<ObjectVector>("sealed", "go"), ...vectors<ObjectVector>("sealed", "ts")].filter((v) => v.expect === "opened" && v.file.length < 4000);
  expect(good.length).toBeGreaterThan(8);
  const roll = dice(1);
  const reasons = new Set<string>();
  for (let i = 0; i < 700; i++) {
    const v = good[i % good.length]!;
    const home = homes[v.home]!;
    const file = bent(unbase64(v.file)!, roll);
    try {
      const { content } = await open(new Source(file), v.asked === "" ? null : parseName(v.asked), { title: home.title, ring: home.ring, own: home.own });
      expect(hex(await sha256(content.slice()))).toBe(v.sha256);
    } catch (e) {
      if (!(e instanceof SealError)) throw e;
      reasons.add(e.reason);
    }
  }
  expect(reasons.size).toBeGreaterThan(8);
});

it.each([
  ["A", 2, 5],
  ["D", 3, 5],
])("folds home %s to what was signed or not at all", async (name, seed, many) => {
  const { deeds, title } = homes[name]!;
  const roll = dice(seed);
  const reasons = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const at = roll(deeds.length);
    const chain = deeds.map((d, n) => (n === at ? bent(d, roll) : d));
    try {
      expect(headText((await Title.fold(title.home, chain)).head)).toBe(headText(title.head));
    } catch (e) {
      if (!(e instanceof DeedError)) throw e;
      reasons.add(e.reason);
    }
  }
  expect(reasons.size).toBeGreaterThan(many);
});
