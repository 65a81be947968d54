// The private keys of epochs: made by an owner's browser, wrapped for each person
// who sees the whole home, given on in a past, opened by each of them (docs/deed.md,
// "epoch", "Past").

import { type Bytes, compare, concat, label, random, Writer } from "../wire.ts";
import { type PrivateKey, privateKey, seal, seedSize } from "../hpke.ts";
import { type HomeID, idBytes, type KeyID, type PersonID } from "../seal/name.ts";
import type { BodyOf } from "./body.ts";
import { publicKey } from "./key.ts";
import { limits } from "./limits.ts";
import { epochsIn, type Past, type Person, type Turn, type Wrap } from "./parts.ts";
import type { GivenPast, Title } from "./title.ts";

/** The private key of one epoch. */
export interface EpochSecret {
  readonly epoch: number;
  readonly id: KeyID;
  readonly seed: Bytes;
  readonly key: PrivateKey;
}

/** A wrap or past that its person cannot open, or that holds another key than the deed gives. */
export class EpochError extends Error {
  constructor(readonly epoch: number) {
    super(`the key of epoch ${epoch} is not the one in the deed`);
  }
}

function wrapInfo(home: HomeID, number: number, epoch: KeyID, person: KeyID): Bytes {
  return new Writer()
    .raw(label("latchkey epoch v1"))
    .raw(idBytes("home", home))
    .u64(number)
    .raw(idBytes("key", epoch))
    .raw(idBytes("key", person))
    .bytes();
}

function pastInfo(home: HomeID, from: number, last: number, person: KeyID): Bytes {
  return new Writer().raw(label("latchkey past v1")).raw(idBytes("home", home)).u64(from).u64(last).raw(idBytes("key", person)).bytes();
}

/** Makes the key of the epoch that is to follow and wraps it for those people: all who then see the whole home. */
export async function turn(title: Pick<Title, "home" | "epoch">, people: readonly Pick<Person, "id" | "kem">[]): Promise<{ turn: Turn; secret: EpochSecret }> {
  const number = title.epoch + 1;
  const secret = await epochOf(number, random(seedSize));
  const wraps: Wrap[] = [];
  for (const p of people.toSorted((a, b) => compare(idBytes("person", a.id), idBytes("person", b.id)))) {
    const sealed = await seal(p.kem.bytes, wrapInfo(title.home, number, secret.id, p.kem.id), secret.seed);
    wraps.push({ person: p.id, key: p.kem.id, sealed });
  }
  return { turn: { number, key: await publicKey("X-Wing", secret.key.publicKey), wraps }, secret };
}

/** Makes the epoch that is to follow for everybody who sees the whole home now. */
export async function newEpoch(title: Title): Promise<{ body: BodyOf<"epoch">; secret: EpochSecret }> {
  const { turn: made, secret } = await turn(title, title.wholeHome);
  return { body: { type: "epoch", ...made }, secret };
}

/** The oldest epoch from which on all are there up to the newest, as far as a past goes back; 0 if there is none. */
export function pastFrom(secrets: readonly EpochSecret[], newest: number): number {
  const held = new Set(secrets.map((s) => s.epoch));
  let from = newest + 1;
  while (held.has(from - 1) && newest - from + 1 < limits.past) from--;
  return from > newest ? 0 : from;
}

/** Seals the keys of the epochs from that one to the newest to somebody. All of them must be among the secrets. */
export async function sealPast(title: Title, secrets: readonly EpochSecret[], from: number, to: Pick<Person, "kem">): Promise<Past> {
  const last = title.epoch;
  const seeds = Array.from({ length: last - from + 1 }, (_, i) => secrets.find((s) => s.epoch === from + i)?.seed);
  if (from < 1 || from > last || seeds.length > limits.past || seeds.includes(undefined)) throw new Error(`internal error: no past from epoch ${from} to ${last}`);
  return { from, sealed: await seal(to.kem.bytes, pastInfo(title.home, from, last, to.kem.id), concat(...(seeds as Bytes[]))) };
}

/** Opens every epoch that this person has with that key, and compares each with its deed. */
export async function openEpochs(title: Title, person: PersonID, kem: PrivateKey): Promise<EpochSecret[]> {
  const id = (await publicKey("X-Wing", kem.publicKey)).id;
  const secrets = new Map<number, EpochSecret>();
  for (let number = 1; number <= title.epoch; number++) {
    const wrap = title.wraps(number).find((w) => w.person === person && w.key === id);
    if (wrap === undefined) continue; // this person did not see the whole home then
    const seed = await kem.open(wrapInfo(title.home, number, title.epochKey(number)!.id, id), wrap.sealed);
    secrets.set(number, await inDeed(title, number, seed));
  }
  for (const past of title.pasts(id)) {
    const seeds = await openPast(title, past, kem);
    for (const [i, seed] of seeds.entries()) secrets.set(past.from + i, await inDeed(title, past.from + i, seed));
  }
  return [...secrets.values()].sort((a, b) => a.epoch - b.epoch);
}

async function openPast(title: Title, p: GivenPast, kem: PrivateKey): Promise<Bytes[]> {
  const seeds = await kem.open(pastInfo(title.home, p.from, p.last, p.key), p.sealed);
  if (seeds === null) throw new EpochError(p.from);
  return Array.from({ length: epochsIn(p) }, (_, i) => seeds.slice(i * seedSize, (i + 1) * seedSize));
}

/** The key of a seed, which is that of the epoch in its deed or is refused. */
async function inDeed(title: Title, epoch: number, seed: Bytes | null): Promise<EpochSecret> {
  if (seed?.length !== seedSize) throw new EpochError(epoch);
  const secret = await epochOf(epoch, seed);
  if (secret.id !== title.epochKey(epoch)!.id) throw new EpochError(epoch);
  return secret;
}

/** The private key that an epoch's seed is. */
export async function epochOf(epoch: number, seed: Bytes): Promise<EpochSecret> {
  const key = await privateKey(seed);
  return { epoch, seed, key, id: (await publicKey("X-Wing", key.publicKey)).id };
}

/** The keys that open what is sealed to these epochs, by the IDs of the public ones. */
export function ringOf(secrets: readonly EpochSecret[]): Map<KeyID, PrivateKey> {
  return new Map(secrets.map((s) => [s.id, s.key]));
}
