// A home of several people being written, for vectors. Wraps and pasts are of the right
// length and open for nobody: no fold can tell.

import type { Body, BodyOf, Purpose } from "../src/deed/body.ts";
import { deedHash } from "../src/deed/deed.ts";
import { publicKey, type Signer, signerOf } from "../src/deed/key.ts";
import { type Past, type Person, type Proof, type Rights, type Standing, type Turn, wrapSize } from "../src/deed/parts.ts";
import { proofMessage } from "../src/deed/proof.ts";
import { type PrivateKey, privateKey } from "../src/hpke.ts";
import { idBytes, idText, type HomeID, type InviteID } from "../src/seal/name.ts";
import { type Bytes, compare, concat, random, Writer } from "../src/wire.ts";
import { type Add, agentBody, cameraBody, Chain, kemKey, minute } from "./chain.ts";

export const hour = 60 * minute;
export const owner: Standing = { role: "owner", rights: null };
export const resident: Standing = { role: "resident", rights: null };

/** A guest who sees thumbnails and clips of every camera, for ever. */
export function guest(change: Partial<Rights> = {}): Standing {
  return { role: "guest", rights: rights(change) };
}

export function rights(change: Partial<Rights> = {}): Rights {
  return { sees: ["thumbnail", "clip"], until: 0, cameras: "every", ...change };
}

/** Somebody with their secrets. */
export interface Somebody {
  readonly person: Person;
  readonly signer: Signer;
  readonly device: Signer;
  readonly kem: PrivateKey;
}

/** New keys, of somebody new unless an ID is given. */
export async function somebody(change: Partial<Person> = {}): Promise<Somebody> {
  const [signer, device] = await Promise.all([signerOf(random(32)), signerOf(random(32))]);
  const kem = await privateKey(random(32));
  const person = { id: idText("person", random(16)), signing: signer.key, kem: await publicKey("X-Wing", kem.publicKey), devices: [{ id: idText("device", random(16)), signing: device.key }], ...change };
  return { person, signer, device, kem };
}

/** An invitation with its secret. */
export interface Invitation {
  readonly id: InviteID;
  readonly signer: Signer;
}

/** An agent with its secrets and its cameras, in ascending order of their IDs. */
export interface Placed {
  readonly agent: BodyOf<"place agent">;
  readonly signer: Signer;
  readonly kem: PrivateKey;
  readonly cameras: BodyOf<"place camera">[];
}

/** A past of so many epochs. */
export function past(from: number, epochs: number): Past {
  return { from, sealed: random(1136 + 32 * epochs) };
}

/** What bends the body of a statement and gives it the length that it then has. */
export function bent(bend: (body: Bytes) => Bytes): (statement: Bytes) => Bytes {
  const at = 118;
  return (s) => {
    const body = bend(s.slice(at));
    return concat(s.subarray(0, at - 4), new Writer().u32(body.length).bytes(), body);
  };
}

/** The body with bytes set; a negative place counts from the end. */
export function set(at: number, ...bytes: number[]): (statement: Bytes) => Bytes {
  return bent((b) => {
    b.set(bytes, at < 0 ? b.length + at : at);
    return b;
  });
}

export class Family extends Chain {
  /** Those who see the whole home. */
  whole: Person[] = [];
  /** The newest epoch. */
  epoch = 0;

  /** A home of one owner, with an epoch. */
  static async home(): Promise<Family> {
    const f = await Family.founded();
    return f.do({ type: "epoch", ...(await f.turn()) });
  }

  private constructor(readonly me: Somebody) {
    super(me.person, me.signer, me.device);
  }

  static async founded(): Promise<Family> {
    const f = new Family(await somebody());
    f.whole = [f.person];
    return f.add(f.foundBody());
  }

  get home(): Promise<HomeID> {
    return deedHash(this.deeds[0]!).then((hash) => idText("home", hash));
  }

  /** Appends a statement that holds, and remembers its epoch. */
  async do(body: Body, by: Signer = this.owner): Promise<this> {
    if (body.type === "epoch" || ("turn" in body && body.turn !== null)) this.epoch++;
    return this.add(body, { signer: by });
  }

  /** The epoch that is to follow, wrapped for those people. */
  async turn(people: readonly Person[] = this.whole, change: Partial<Turn> = {}): Promise<Turn> {
    const wraps = [...people]
      .sort((a, b) => compare(idBytes("person", a.id), idBytes("person", b.id)))
      .map((p) => ({ person: p.id, key: p.kem.id, sealed: random(wrapSize) }));
    return { number: this.epoch + 1, key: await kemKey(), wraps, ...change };
  }

  async inviteBody(to: Purpose, change: Partial<BodyOf<"invite">> = {}): Promise<BodyOf<"invite">> {
    const signer = await signerOf(random(32));
    return { type: "invite", invite: idText("invite", random(16)), signing: signer.key, expires: this.time + hour, to, ...change };
  }

  async invite(to: Purpose, life = hour, by = this.owner): Promise<Invitation> {
    const signer = await signerOf(random(32));
    const body = await this.inviteBody(to, { signing: signer.key, expires: this.time + life });
    await this.do(body, by);
    return { id: body.invite, signer };
  }

  async prove({ id, signer }: Invitation, person: Person): Promise<Proof> {
    return { invite: id, signature: await signer.sign(proofMessage(await this.home, id, person)) };
  }

  async admitBody(i: Invitation, who: Somebody, change: Partial<BodyOf<"admit">> = {}): Promise<BodyOf<"admit">> {
    return { type: "admit", proof: await this.prove(i, who.person), person: who.person, past: null, turn: null, ...change };
  }

  /** Invites somebody and takes them in. */
  async join(standing: Standing, given: Past | null = null): Promise<Somebody> {
    const who = await somebody();
    const i = await this.invite({ purpose: "join", standing });
    if (standing.rights === null) this.whole.push(who.person);
    const turn = standing.rights === null ? await this.turn() : null;
    await this.do(await this.admitBody(i, who, { past: given, turn }));
    return who;
  }

  async lend(change: Partial<Rights> = {}): Promise<Somebody> {
    const who = await somebody();
    await this.do({ type: "lend", person: who.person, rights: rights({ until: this.time + hour, ...change }) });
    return who;
  }

  /** Everybody else who sees the whole home. */
  without(...who: Somebody[]): Person[] {
    return this.whole.filter((p) => !who.some((w) => w.person.id === p.id));
  }

  async dismissBody(who: Somebody, turn: boolean): Promise<BodyOf<"dismiss">> {
    return { type: "dismiss", person: who.person.id, turn: turn ? await this.turn(this.without(who)) : null };
  }

  async dismiss(who: Somebody): Promise<void> {
    const saw = this.whole.some((p) => p.id === who.person.id);
    await this.do(await this.dismissBody(who, saw));
    this.whole = this.without(who);
  }

  /** New keys for somebody, who signs with the old ones. */
  async rekeyBody(who: Somebody, next: Somebody, change: Partial<BodyOf<"rekey">> = {}): Promise<BodyOf<"rekey">> {
    const turn = this.whole.some((p) => p.id === who.person.id) ? await this.turn([...this.without(who), next.person]) : null;
    return { type: "rekey", person: next.person, proof: null, past: null, turn, ...change };
  }

  async handOverBody(i: Invitation, who: Somebody, change: Partial<BodyOf<"hand over">> = {}): Promise<BodyOf<"hand over">> {
    return { type: "hand over", proof: await this.prove(i, who.person), person: who.person, turn: await this.turn([who.person]), ...change };
  }

  async deviceBody(): Promise<BodyOf<"device">> {
    return { type: "device", device: { id: idText("device", random(16)), signing: (await signerOf(random(32))).key } };
  }

  /** Places an agent and so many cameras. */
  async place(cameras: number): Promise<Placed> {
    const [signer, kem] = [await signerOf(random(32)), await privateKey(random(32))];
    const agent = (await agentBody({ signing: signer.key, kem: await publicKey("X-Wing", kem.publicKey) })) as BodyOf<"place agent">;
    await this.do(agent);
    const placed = Array.from({ length: cameras }, () => cameraBody(agent.agent) as BodyOf<"place camera">);
    placed.sort((a, b) => compare(idBytes("camera", a.camera), idBytes("camera", b.camera)));
    for (const c of placed) await this.do(c);
    return { agent, signer, kem, cameras: placed };
  }
}

export type Tell = (name: string, says: string, expect: string, write: (f: Family) => Promise<unknown>) => Promise<void>;

/** Writes vectors of which each begins with a home of one owner and one epoch. */
export function telling(add: Add): Tell {
  return async (name, says, expect, write) => {
    const f = await Family.home();
    await write(f);
    add(name, says, expect, f);
  };
}
