// A clip that is read in parts, whoever hands them out: it is the one that a description
// of its own home, camera and event told of, and its beginning is fetched once.

import { beforeEach, expect, it } from "vitest";
import { homesFile } from "../../vectors/folders.ts";
import { readHomes, type TestHome } from "../../vectors/homes.ts";
import { assemble, envelope, pieces, question } from "../../vectors/pieces.ts";
import { sha256 } from "../deed/key.ts";
import { type Bytes, concat, equal, random } from "../wire.ts";
import { type Binding, parseBinding } from "./binding.ts";
import { idText } from "./name.ts";
import { PieceReader, type Pieces, pieceSize } from "./pieces.ts";

const { A: home, B: stranger } = (await readHomes(homesFile())) as Record<"A" | "B", TestHome>;
const parts = [random(pieceSize / 4), random(1000)];
const content = concat(...Array<Bytes>(4).fill(parts[0]!), parts[1]!);
const made = await pieces(home, { kind: "clip", content });
const file = assemble({ ...made, envelopes: [] }); // as a server sends it
const is = parseBinding(made.binding);
const whole: Pieces = { object: is.object, bytes: content.length, hashes: concat(await sha256(content.slice(0, pieceSize)), await sha256(content.slice(pieceSize))) };
const reader = { title: home.title, ring: home.ring, own: home.own, envelopes: async () => [await envelope(made, home.epochs.length)] };

/** How often bytes were asked for, and where what there is of them ends. */
let taken: number;
let ends: number;

beforeEach(() => void ([taken, ends] = [0, Infinity]));

function begin(of: Partial<Binding> = {}, says: Partial<Pieces> = {}): Promise<PieceReader> {
  const take = async (from: number, to: number): Promise<Bytes> => (taken++, file.slice(from, Math.min(to, ends)));
  return PieceReader.begin(question(made), { ...is, ...of }, { ...whole, ...says }, reader, take);
}

it("is the one that was described: of that home, camera and event, and that object", async () => {
  for (const [of, says] of [
    [{ home: stranger.home }, {}],
    [{ camera: home.cameras[1]!.id }, {}],
    [{ event: idText("event", random(16)) }, {}],
    [{}, { object: idText("object", random(16)) }],
    [{}, { hashes: whole.hashes.slice(32) }],
    [{}, { bytes: content.length - 1 }],
  ] as const)
    await expect(begin(of, says), JSON.stringify([of, Object.keys(says)])).rejects.toMatchObject({ reason: "wrong-hash" });
  await begin();
});

it("has a body, as far as that is read", async () => {
  ends = file.length - made.body.length + 5;
  await expect(begin()).rejects.toMatchObject({ reason: "truncated" });
});

it("is read in any order, and what came with its beginning is there for whoever asks first", async () => {
  const of = async (r: PieceReader, from: number, to: number): Promise<boolean> => equal(concat(...(await r.read(from, to))), content.slice(from * pieceSize, to * pieceSize));
  const reader = await begin();
  expect([await of(reader, 1, 2), taken]).toEqual([true, 2]);
  expect([await of(reader, 0, 1), taken]).toEqual([true, 2]);
  expect([await of(reader, 0, 1), taken]).toEqual([true, 3]);
  expect(await of(await begin(), 0, 2)).toBe(true);
});
