// What a chain of deeds comes to. Server, agent and browser fold the same bytes by
// the rules of docs/deed.md, in the order given there, and take nobody's word for
// the outcome.

import { type Bytes, equal, hex, unhex } from "../wire.ts";
import { type AgentID, type CameraID, type DeviceID, type HomeID, idBytes, idText, type KeyID, type PersonID } from "../seal/name.ts";
import { type Body, type Deed, deedHash, type Device, limits, parseDeed, type Person, type Place, signedMessage, type Wrap } from "./deed.ts";
import type { Head } from "./head.ts";
import { type Key, verifySignature } from "./key.ts";
import { DeedError } from "./reasons.ts";

/** An agent, placed at the deed numbered since. */
export interface Agent {
  readonly id: AgentID;
  readonly signing: Key;
  readonly kem: Key;
  readonly since: number;
}

/** A camera, placed with its agent. Only what that agent signed is taken for it. */
export interface Camera {
  readonly id: CameraID;
  readonly agent: AgentID;
  readonly since: number;
}

interface Epoch {
  readonly key: Key;
  readonly wraps: readonly Wrap[];
  readonly since: number;
}

type Role = "person" | "device" | "agent" | "sealed to";

interface Holder {
  readonly key: Key;
  readonly role: Role;
}

interface State {
  home: HomeID | null;
  minVersion: number;
  last: number;
  deeds: Bytes[];
  hashes: string[];
  people: Person[];
  agents: Agent[];
  cameras: Camera[];
  epochs: Epoch[];
  keys: Map<KeyID, Holder>;
}

/** A folded chain. It never changes; append makes another. */
export class Title {
  readonly #s: State;

  private constructor(s: State) {
    this.#s = s;
  }

  /** Folds the chain of a home from its first deed; another home's chain is wrong-home. */
  static async fold(home: HomeID, deeds: readonly Bytes[]): Promise<Title> {
    const first = deeds[0];
    if (first !== undefined && first.length <= limits.deed && !equal(await deedHash(first), idBytes("home", home))) {
      await parseDeed(first);
      throw new DeedError("wrong-home", "the first deed is not the one that gave the home its name");
    }
    return Title.start(deeds);
  }

  /** Folds a chain for whoever does not know yet which home it is. */
  static async start(deeds: readonly Bytes[]): Promise<Title> {
    if (deeds.length === 0) throw new DeedError("not-found", "no deeds");
    const s: State = { home: null, minVersion: 0, last: 0, deeds: [], hashes: [], people: [], agents: [], cameras: [], epochs: [], keys: new Map() };
    await extend(s, deeds);
    return new Title(s);
  }

  /** The title after more deeds. If one is refused none is taken. */
  async append(deeds: readonly Bytes[]): Promise<Title> {
    const s = this.#s;
    const next: State = {
      ...s,
      deeds: [...s.deeds],
      hashes: [...s.hashes],
      people: [...s.people],
      agents: [...s.agents],
      cameras: [...s.cameras],
      epochs: [...s.epochs],
      keys: new Map(s.keys),
    };
    await extend(next, deeds);
    return new Title(next);
  }

  get home(): HomeID {
    return this.#s.home!;
  }

  get head(): Head {
    const seq = this.#s.hashes.length - 1;
    return { seq, hash: this.#s.hashes[seq]! };
  }

  get minVersion(): number {
    return this.#s.minVersion;
  }

  /** Where the next deed belongs. */
  get next(): Place {
    return placeAfter(this.#s);
  }

  /** Whether that is a deed of this chain. A head beyond the end is not, yet. */
  onChain(h: Head): boolean {
    return this.#s.hashes[h.seq] === h.hash;
  }

  deeds(from = 0): Bytes[] {
    return this.#s.deeds.slice(from);
  }

  /** The newest epoch, 0 if there is none. */
  get epoch(): number {
    return this.#s.epochs.length;
  }

  /** The epoch that held when the deed with that number was the last. */
  epochAt(seq: number): number {
    return this.#s.epochs.filter((e) => e.since <= seq).length;
  }

  epochKey(epoch: number): Key | null {
    return this.#s.epochs[epoch - 1]?.key ?? null;
  }

  wraps(epoch: number): readonly Wrap[] {
    return this.#s.epochs[epoch - 1]?.wraps ?? [];
  }

  get people(): readonly Person[] {
    return this.#s.people;
  }

  get agents(): readonly Agent[] {
    return this.#s.agents;
  }

  get cameras(): readonly Camera[] {
    return this.#s.cameras;
  }

  agent(id: AgentID): Agent | null {
    return this.#s.agents.find((a) => a.id === id) ?? null;
  }

  /** The agent whose signing key that is. */
  agentByKey(id: KeyID): Agent | null {
    return this.#s.agents.find((a) => a.signing.id === id) ?? null;
  }

  camera(id: CameraID): Camera | null {
    return this.#s.cameras.find((c) => c.id === id) ?? null;
  }

  person(id: PersonID): Person | null {
    return this.#s.people.find((p) => p.id === id) ?? null;
  }

  personBySigningKey(id: KeyID): Person | null {
    return this.#s.people.find((p) => p.signing.id === id) ?? null;
  }

  /** The key of that ID if it signs in this home, whosever it is. */
  signingKey(id: KeyID): Key | null {
    const holder = this.#s.keys.get(id);
    return holder === undefined || holder.role === "sealed to" ? null : holder.key;
  }

  device(id: DeviceID): Device | null {
    return this.#s.people.map((p) => p.device).find((d) => d.id === id) ?? null;
  }
}

async function extend(s: State, deeds: readonly Bytes[]): Promise<void> {
  for (const [i, b] of deeds.entries()) {
    try {
      await take(s, b);
    } catch (e) {
      if (e instanceof DeedError) e.at = i;
      throw e;
    }
  }
}

/** Checks one deed in the order of docs/deed.md and takes it in. */
async function take(s: State, b: Bytes): Promise<void> {
  const d = await parseDeed(b);
  follows(s, d);
  await signed(s, d);
  if (s.deeds.length >= limits.chain) throw new DeedError("too-many", "deeds");
  state(s, d);
  const hash = await deedHash(b);
  if (d.seq === 0) s.home = idText("home", hash);
  s.last = d.time;
  s.deeds.push(b.slice());
  s.hashes.push(hex(hash));
}

function placeAfter(s: State): Place {
  const n = s.hashes.length;
  return { home: s.home === null ? new Uint8Array(32) : idBytes("home", s.home), seq: n, prev: n === 0 ? new Uint8Array(32) : unhex(s.hashes[n - 1]!)! };
}


function follows(s: State, d: Deed): void {
  const first = s.deeds.length === 0;
  if (first && d.body.type !== "found") throw new DeedError("not-found", `the first deed is "${d.body.type}"`);
  if (!first && d.body.type === "found") throw new DeedError("replayed", "a home is founded once");
  const place = placeAfter(s);
  if (!equal(d.home, place.home)) throw new DeedError("wrong-home", "it names another home");
  if (d.seq < place.seq) throw new DeedError("replayed", `number ${d.seq}, want ${place.seq}`);
  if (d.seq > place.seq) throw new DeedError("gap", `number ${d.seq}, want ${place.seq}`);
  if (!equal(d.prev, place.prev)) throw new DeedError("fork", `it follows another deed ${d.seq - 1}`);
  if (d.time + limits.backdate < s.last) throw new DeedError("backdated", "more than five minutes before the deed it follows");
}

async function signed(s: State, d: Deed): Promise<void> {
  const who = signerIn(s, d);
  if (who === null) throw new DeedError("unknown-signer", "no such signing key in this home");
  if (!(await verifySignature(who.key, signedMessage(d.statement), d.signature))) throw new DeedError("bad-signature", "the signature does not verify");
  if (who.role !== "person") throw new DeedError("not-allowed", `only an owner signs "${d.body.type}"`);
}

function signerIn(s: State, d: Deed): Holder | null {
  if (d.body.type === "found") {
    const key = d.body.person.signing;
    return key.id === d.signer ? { key, role: "person" } : null;
  }
  const who = s.keys.get(d.signer);
  return who === undefined || who.role === "sealed to" ? null : who;
}

/** Checks the statement's own rules and does what it says. */
function state(s: State, d: Deed): void {
  const b = d.body;
  switch (b.type) {
    case "found":
      introduce(s, b.person.signing, "person");
      introduce(s, b.person.kem, "sealed to");
      introduce(s, b.person.device.signing, "device");
      s.minVersion = b.minVersion;
      s.people.push(b.person);
      break;
    case "epoch":
      startEpoch(s, b, d.seq);
      break;
    case "place agent":
      if (s.agents.some((a) => a.id === b.agent)) throw new DeedError("already-placed", "the agent stands in the chain");
      if (s.agents.length >= limits.agents) throw new DeedError("too-many", "agents");
      introduce(s, b.signing, "agent");
      introduce(s, b.kem, "sealed to");
      s.agents.push({ id: b.agent, signing: b.signing, kem: b.kem, since: d.seq });
      break;
    case "place camera":
      if (!s.agents.some((a) => a.id === b.agent)) throw new DeedError("unknown-agent", "no such agent in this home");
      if (s.cameras.some((c) => c.id === b.camera)) throw new DeedError("already-placed", "the camera stands in the chain");
      if (s.cameras.length >= limits.cameras) throw new DeedError("too-many", "cameras");
      s.cameras.push({ id: b.camera, agent: b.agent, since: d.seq });
      break;
  }
}

function startEpoch(s: State, b: Extract<Body, { type: "epoch" }>, seq: number): void {
  if (b.number !== s.epochs.length + 1) throw new DeedError("wrong-epoch", `number ${b.number}, want ${s.epochs.length + 1}`);
  const right = b.wraps.length === s.people.length && b.wraps.every((w, i) => w.person === s.people[i]!.id && w.key === s.people[i]!.kem.id);
  if (!right) throw new DeedError("wrong-wraps", "want one wrap for each person, by ID, under the person's key");
  introduce(s, b.key, "sealed to");
  s.epochs.push({ key: b.key, wraps: b.wraps, since: seq });
}

/** Takes a key into the chain, in which each stands once. */
function introduce(s: State, key: Key, role: Role): void {
  if (s.keys.has(key.id)) throw new DeedError("reused-key", "the key stood in the chain before");
  s.keys.set(key.id, { key, role });
}
