// A home's chain being written, for vectors: everything about a deed can be another
// than it should.

import type { Body } from "../src/deed/body.ts";
import { deedHash, firstPlace, type Place, signDeed, signedMessage } from "../src/deed/deed.ts";
import { publicKey, type Signer, signerOf } from "../src/deed/key.ts";
import { type Person, type Wrap, wrapSize } from "../src/deed/parts.ts";
import { privateKey } from "../src/hpke.ts";
import { type AgentID, idText } from "../src/seal/name.ts";
import { type Bytes, random, Writer } from "../src/wire.ts";

/** One chain before it is written. */
export interface ChainDraft {
  name: string;
  says: string;
  deeds: Bytes[];
  expect: string;
  at?: number;
}

export const moment = Date.UTC(2026, 4, 4, 3, 2, 1) * 1000;
export const minute = 60_000_000;

/** A home being written: whoever signs next, what the next deed follows. */
export class Chain {
  deeds: Bytes[] = [];
  time = moment;

  protected constructor(
    readonly person: Person,
    readonly owner: Signer,
    readonly device: Signer,
  ) {}

  static async make(): Promise<Chain> {
    const [owner, device] = await Promise.all([signerOf(random(32)), signerOf(random(32))]);
    const kem = await kemKey();
    const person = { id: idText("person", random(16)), signing: owner.key, kem, devices: [{ id: idText("device", random(16)), signing: device.key }] };
    return new Chain(person, owner, device);
  }

  foundBody(change: object = {}): Body {
    return { type: "found", salt: random(32), minVersion: 1, person: this.person, ...change };
  }

  /** Where the next deed belongs. */
  async next(): Promise<Place> {
    const n = this.deeds.length;
    return n === 0 ? firstPlace : { home: await deedHash(this.deeds[0]!), seq: n, prev: await deedHash(this.deeds[n - 1]!) };
  }

  /** Appends a statement; anything about it can be another than it should. */
  async add(body: Body, change: { signer?: Signer; place?: Partial<Place>; time?: number } = {}): Promise<this> {
    const place = { ...(await this.next()), ...change.place };
    this.deeds.push(await signDeed(change.signer ?? this.owner, place, change.time ?? (this.time += minute), body));
    return this;
  }

  /** Appends a deed whose bytes are bent and then signed by the owner. */
  async addBent(body: Body, bend: (statement: Bytes) => Bytes, signatures?: (right: Bytes) => Bytes[]): Promise<this> {
    const right = await signDeed(this.owner, await this.next(), (this.time += minute), body);
    const statement = bend(right.slice(0, right.length - 67));
    const signature = await this.owner.sign(signedMessage(statement));
    const all = signatures?.(signature) ?? [signature];
    const w = new Writer().raw(statement).u8(all.length);
    for (const s of all) w.lp16(s);
    this.deeds.push(w.bytes());
    return this;
  }

  wrap(change: Partial<Wrap> = {}): Wrap {
    return { person: this.person.id, key: this.person.kem.id, sealed: random(wrapSize), ...change };
  }

  async epochBody(change: object = {}): Promise<Body> {
    return { type: "epoch", number: 1, key: await kemKey(), wraps: [this.wrap()], ...change } as Body;
  }
}

export async function kemKey(): ReturnType<typeof publicKey> {
  return publicKey("X-Wing", (await privateKey(random(32))).publicKey);
}

export async function agentBody(change: object = {}): Promise<Body> {
  const signer = await signerOf(random(32));
  return { type: "place agent", agent: idText("agent", random(16)), signing: signer.key, kem: await kemKey(), ...change } as Body;
}

export function cameraBody(agent: AgentID): Body {
  return { type: "place camera", camera: idText("camera", random(16)), agent };
}

export const agentOf = (b: Body): AgentID => (b as Extract<Body, { agent: AgentID }>).agent;

export type Add = (name: string, says: string, expect: string, c: Chain | Bytes[]) => void;
