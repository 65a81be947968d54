// What a chain of deeds comes to. Server, agent and browser fold the same bytes by
// the rules of docs/deed.md, in the order given there, and take nobody's word for
// the outcome.

import { type Bytes, equal } from "../wire.ts";
import { type AgentID, type CameraID, type DeviceID, type HomeID, idBytes, type InviteID, type KeyID, type Kind, type PersonID } from "../seal/name.ts";
import { deedHash, parseDeed, type Place } from "./deed.ts";
import { extend, placeAfter } from "./fold.ts";
import type { Head } from "./head.ts";
import type { Key } from "./key.ts";
import { limits } from "./limits.ts";
import { type Device, type Role, seesAll, type Sight, type Wrap } from "./parts.ts";
import { DeedError } from "./reasons.ts";
import { type Agent, type AgentKeys, type Camera, fork, type GivenPast, has, heldAt, type Holder, type Invite, type Member, nothing, stands, type State } from "./state.ts";

export type { Agent, Camera, GivenPast, Holder, Invite, Member } from "./state.ts";
export { heldAt } from "./state.ts";

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
    const s = nothing();
    await extend(s, deeds);
    return new Title(s);
  }

  /** The title after more deeds. If one is refused none is taken. */
  async append(deeds: readonly Bytes[]): Promise<Title> {
    const next = fork(this.#s);
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

  /** When the newest deed was made. */
  get time(): number {
    return this.#s.time;
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

  /** Whether its people have stopped it: it hands out no media. */
  get frozen(): boolean {
    return this.#s.frozen;
  }

  /** How long and how much its recordings are kept, 0 for no bound. */
  get retention(): { readonly days: number; readonly bytes: number } {
    return this.#s.retention;
  }

  /** Whether its people have said so; otherwise there is no bound because nobody was asked. */
  get retained(): boolean {
    return this.#s.retained;
  }

  /** The deed by which it was handed over last, 0 if it never was. */
  get handedOver(): number {
    return this.#s.handedOver;
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

  /** The pasts that were given to whoever has that KEM key. */
  pasts(kem: KeyID): GivenPast[] {
    return this.#s.pasts.filter((p) => p.key === kem);
  }

  /** Whether that person's present key opens that epoch, by a wrap or in a past. */
  has(person: PersonID, epoch: number): boolean {
    const p = this.person(person);
    return p !== null && has(this.#s, p.kem.id, epoch);
  }

  /** Those who stand in the home, in ascending order of their IDs. */
  get people(): readonly Member[] {
    return this.#s.people;
  }

  /** Those of them who see the whole home, and share the epoch's key. */
  get wholeHome(): Member[] {
    return this.#s.people.filter((p) => seesAll(p.role));
  }

  person(id: PersonID): Member | null {
    return this.#s.people.find((p) => p.id === id) ?? null;
  }

  personBySigningKey(id: KeyID): Member | null {
    return this.#s.people.find((p) => p.signing.id === id) ?? null;
  }

  /** Whose device that is, null if it does not stand in the home. */
  personByDevice(id: DeviceID): Member | null {
    return this.#s.people.find((p) => p.devices.some((d) => d.id === id)) ?? null;
  }

  device(id: DeviceID): Device | null {
    return this.personByDevice(id)?.devices.find((d) => d.id === id) ?? null;
  }

  /** The invitations that stand open; of some the time may be over. */
  get invites(): readonly Invite[] {
    return this.#s.invites;
  }

  invite(id: InviteID): Invite | null {
    return this.#s.invites.find((i) => i.id === id) ?? null;
  }

  get agents(): Agent[] {
    return this.#s.agents.filter(stands);
  }

  /** Former ones too. */
  get allAgents(): readonly Agent[] {
    return this.#s.agents;
  }

  agent(id: AgentID): Agent | null {
    return this.#s.agents.find((a) => a.id === id && stands(a)) ?? null;
  }

  /** The agent that has or had that signing key. */
  agentByKey(id: KeyID): Agent | null {
    const holder = this.holder(id);
    return this.#s.agents.find((a) => a.id === holder?.agent) ?? null;
  }

  /** The agents that stood in the home when the deed with that number was the last, with the keys of then. */
  agentsAt(seq: number): (AgentKeys & Pick<Agent, "id">)[] {
    return this.#s.agents.flatMap((a) => a.keys.filter((k) => heldAt(k, seq)).map((k) => ({ ...k, id: a.id })));
  }

  get cameras(): Camera[] {
    return this.#s.cameras.filter(stands);
  }

  /** Former ones too. */
  get allCameras(): readonly Camera[] {
    return this.#s.cameras;
  }

  /** A camera that stands in the home. */
  camera(id: CameraID): Camera | null {
    return this.#s.cameras.find((c) => c.id === id && stands(c)) ?? null;
  }

  /** A camera that stands or stood in the home. */
  anyCamera(id: CameraID): Camera | null {
    return this.#s.cameras.find((c) => c.id === id) ?? null;
  }

  /** Whose a key of the chain is or was, if it signs. */
  holder(id: KeyID): Holder | null {
    const holder = this.#s.keys.get(id);
    return holder === undefined || holder.kind === "sealed to" ? null : holder;
  }

  /** Who that person's signing key was when the deed with that number was the last. */
  signerAt(id: KeyID, seq: number): { readonly person: PersonID; readonly role: Role } | null {
    const holder = this.holder(id);
    if (holder?.person === undefined || holder.kind !== "person" || !heldAt(holder, seq)) return null;
    const role = this.#s.roles.get(holder.person)?.findLast((r) => r.since <= seq)?.role;
    return role == null ? null : { person: holder.person, role };
  }

  /** Whether that is or was a key to which is sealed for a person, or for a link. */
  kemOf(id: KeyID): "person" | "link" | null {
    const holder = this.#s.keys.get(id);
    if (holder?.person === undefined || holder.kind !== "sealed to") return null;
    return this.#s.roles.get(holder.person)![0]!.role === "link" ? "link" : "person";
  }

  /**
   * Whether an agent's key signs for that camera, at a head, in an incarnation, with a
   * sequence number: neither of them was taken back by then, and what is known to be
   * the last that the key signed comes no earlier.
   */
  signs(key: KeyID, camera: CameraID, head: number, incarnation: number, sequence: number): boolean {
    const keys = this.agentByKey(key)?.keys.find((k) => k.signing.id === key);
    const placed = this.anyCamera(camera);
    if (keys === undefined || placed === null) return false;
    if ([keys, placed].some((x) => x.until !== null && head >= x.until)) return false;
    const last = keys.lasts.find((l) => l.camera === camera);
    return last === undefined || incarnation < last.incarnation || (incarnation === last.incarnation && sequence <= last.sequence);
  }

  /** Whether a person's device may be shown that of a camera at that moment. */
  sees(device: DeviceID, person: PersonID, camera: CameraID, what: Sight, at: number): boolean {
    const p = this.personByDevice(device);
    return p?.id === person && this.#covers(p, camera, what, at);
  }

  /** Whether a person who stands in the home may see that of a camera at that moment. */
  covers(person: PersonID, camera: CameraID, what: Sight, at: number): boolean {
    const p = this.person(person);
    return p !== null && this.#covers(p, camera, what, at);
  }

  // Whether rights have ended is asked of the later of the clock and the newest deed: a
  // clock that is slow gives nobody more.
  #covers({ role, rights }: Member, camera: CameraID, what: Sight, at: number): boolean {
    if (this.anyCamera(camera) === null) return false;
    if (seesAll(role)) return true;
    const { sees, until, cameras } = rights!;
    return this.camera(camera) !== null && (cameras === "every" || cameras.includes(camera)) && sees.includes(what) && (until === 0 || Math.max(at, this.#s.time) < until);
  }

  /**
   * The guests and links who get an envelope of their own for an object that is sealed
   * at that head. `at` is what the clock shows; one that cannot be believed is not
   * `sure`, and then nobody whose rights end gets one.
   */
  recipients(camera: CameraID, kind: Kind, head: number, at: number, sure: boolean): Member[] {
    return this.#s.people.filter((p) => p.rights !== null && p.since <= head && (sure || p.rights.until === 0) && this.#covers(p, camera, kind, at));
  }
}
