// The private keys of epochs: made by an owner's browser, wrapped for each person
// who sees the whole home, opened by each of them (docs/deed.md, "epoch").

import { type Bytes, label, random, Writer } from "../wire.ts";
import { type PrivateKey, privateKey, seal, seedSize } from "../hpke.ts";
import { type HomeID, idBytes, type KeyID, type PersonID } from "../seal/name.ts";
import { type Body, type Wrap } from "./deed.ts";
import { type Key, publicKey } from "./key.ts";
import type { Title } from "./title.ts";

/** The private key of one epoch. */
export interface EpochSecret {
  readonly epoch: number;
  readonly id: KeyID;
  readonly seed: Bytes;
  readonly key: PrivateKey;
}

/** A wrap that its person cannot open, or that holds another key than the deed gives. */
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

/** Makes the key of the epoch that is to follow and wraps it for everybody who sees the whole home. */
export async function newEpoch(title: Title): Promise<{ body: Body; secret: EpochSecret }> {
  const number = title.epoch + 1;
  const secret = await epochOf(number, random(seedSize));
  const wraps: Wrap[] = [];
  for (const p of title.people) {
    const sealed = await seal(p.kem.bytes, wrapInfo(title.home, number, secret.id, p.kem.id), secret.seed);
    wraps.push({ person: p.id, key: p.kem.id, sealed });
  }
  const key: Key = await publicKey("X-Wing", secret.key.publicKey);
  return { body: { type: "epoch", number, key, wraps }, secret };
}

/** Opens every epoch that was wrapped for this person, and compares each with its deed. */
export async function openEpochs(title: Title, person: PersonID, kem: PrivateKey): Promise<EpochSecret[]> {
  const id = (await publicKey("X-Wing", kem.publicKey)).id;
  const secrets: EpochSecret[] = [];
  for (let number = 1; number <= title.epoch; number++) {
    const wrap = title.wraps(number).find((w) => w.person === person && w.key === id);
    if (wrap === undefined) continue; // from before this person saw the whole home
    const inDeed = title.epochKey(number)!.id;
    const seed = await kem.open(wrapInfo(title.home, number, inDeed, id), wrap.sealed);
    if (seed?.length !== seedSize) throw new EpochError(number);
    const secret = await epochOf(number, seed);
    if (secret.id !== inDeed) throw new EpochError(number);
    secrets.push(secret);
  }
  return secrets;
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
