// People: how they come, change and go, with their devices and invitations (docs/deed.md).

import { compare } from "../../wire.ts";
import { idBytes, type PersonID } from "../../seal/name.ts";
import type { BodyOf, Purpose } from "../body.ts";
import { verifySignature } from "../key.ts";
import { limits } from "../limits.ts";
import { type Person, type Proof, type Rights, type Role, seesAll, type Standing } from "../parts.ts";
import { proofMessage } from "../proof.ts";
import { DeedError } from "../reasons.ts";
import { introduce, introduceID, type Member, type Signed, stands, type State, takeBack } from "../state.ts";
import { givePast, turn } from "./epochs.ts";

export function found(s: State, b: BodyOf<"found">, by: Signed): void {
  s.minVersion = b.minVersion;
  enter(s, b.person, { role: "owner", rights: null }, by);
}

export function invite(s: State, b: BodyOf<"invite">, by: Signed): void {
  if (b.expires <= by.time) throw new DeedError("expired", "an invitation that ends before it begins");
  introduceID(s, "invite", b.invite);
  if (s.invites.filter((i) => i.expires > by.time).length >= limits.invites) throw new DeedError("too-many", "open invitations");
  if (b.to.purpose === "join") checkRights(s, b.to.standing.rights, by);
  if (b.to.purpose === "recover") standing(s, b.to.person);
  introduce(s, b.signing, "invitation", by.seq);
  s.invites = [...s.invites, { id: b.invite, signing: b.signing, expires: b.expires, to: b.to }];
}

export function withdraw(s: State, b: BodyOf<"withdraw">): void {
  const open = s.invites.filter((i) => i.id !== b.invite);
  if (open.length === s.invites.length) throw new DeedError("unknown-invite", "no such invitation is open");
  s.invites = open;
}

export async function admit(s: State, b: BodyOf<"admit">, by: Signed): Promise<void> {
  const to = await answered(s, b.proof, b.person, "join", by);
  const member = enter(s, b.person, to.standing, by);
  checkRights(s, member.rights, by);
  checkGuests(s);
  turn(s, b.turn, seesAll(member.role), by);
  givePast(s, b.past, member, seesAll(member.role), by);
}

export function change(s: State, b: BodyOf<"change">, by: Signed): void {
  const before = standing(s, b.person);
  const after = { ...before, ...b.standing };
  const [saw, sees] = [seesAll(before.role), seesAll(after.role)];
  if (before.id === by.signer.id && !sees) throw new DeedError("not-allowed", "whoever makes the next epoch is not shut out by it");
  if (after.role !== "owner" && !s.people.some((p) => p.role === "owner" && p.id !== before.id)) throw new DeedError("last-owner", "the last owner stays one");
  checkRights(s, after.rights, by);
  put(s, after, by.seq);
  checkGuests(s);
  turn(s, b.turn, saw !== sees, by);
  givePast(s, b.past, after, sees && !saw, by);
}

export function dismiss(s: State, b: BodyOf<"dismiss">, by: Signed): void {
  const person = s.people.find((p) => p.id === b.person);
  if (person === undefined) throw new DeedError("unknown-person", "nobody of that ID stands in the home");
  // An owner stays whenever one dismisses others, so that the last one always does.
  const themselves = person.id === by.signer.id;
  if (themselves !== (by.signer.role === "guest")) throw new DeedError("not-allowed", "owners dismiss others, guests themselves");
  leave(s, person, by.seq);
  turn(s, b.turn, seesAll(person.role), by);
}

export function device(s: State, b: BodyOf<"device">, by: Signed): void {
  introduceID(s, "device", b.device.id);
  if (by.signer.devices.length >= limits.devices) throw new DeedError("too-many", "devices of a person");
  introduce(s, b.device.signing, "device", by.seq, { person: by.signer.id });
  put(s, { ...by.signer, devices: [...by.signer.devices, b.device] }, by.seq);
}

export function strike(s: State, b: BodyOf<"strike">, by: Signed): void {
  const person = s.people.find((p) => p.devices.some((d) => d.id === b.device));
  if (person === undefined) throw new DeedError("unknown-device", "no such device stands in the home");
  if (by.signer.role !== "owner" && person.id !== by.signer.id) throw new DeedError("not-allowed", "somebody else's device");
  takeBack(s, person.devices.find((d) => d.id === b.device)!.signing, by.seq);
  put(s, { ...person, devices: person.devices.filter((d) => d.id !== b.device) }, by.seq);
}

export async function rekey(s: State, b: BodyOf<"rekey">, by: Signed): Promise<void> {
  const before = standing(s, b.person.id);
  const themselves = before.id === by.signer.id;
  if (themselves ? b.proof !== null : by.signer.role !== "owner" || b.proof === null) throw new DeedError("not-allowed", "neither the person themselves nor an owner with a proof");
  if (b.proof !== null) await answered(s, b.proof, b.person, "recover", by);
  introduceKeys(s, b.person, by);
  takeBackKeys(s, before, by.seq);
  const after = { ...before, ...b.person };
  put(s, after, by.seq);
  turn(s, b.turn, seesAll(after.role), by);
  givePast(s, b.past, after, seesAll(after.role), by);
}

export async function handOver(s: State, b: BodyOf<"hand over">, by: Signed): Promise<void> {
  await answered(s, b.proof, b.person, "hand over", by);
  for (const p of s.people) leave(s, p, by.seq);
  s.invites = [];
  enter(s, b.person, { role: "owner", rights: null }, by);
  turn(s, b.turn, true, by);
  s.frozen = false;
  s.handedOver = by.seq;
}

export function lend(s: State, b: BodyOf<"lend">, by: Signed): void {
  enter(s, b.person, { role: "link", rights: b.rights }, by);
  checkRights(s, b.rights, by);
  checkGuests(s);
}

/** Somebody who stands in the home and is no link. */
function standing(s: State, id: PersonID): Member {
  const person = s.people.find((p) => p.id === id && p.role !== "link");
  if (person === undefined) throw new DeedError("unknown-person", "nobody of that ID stands in the home");
  return person;
}

type PurposeOf<P extends Purpose["purpose"]> = Extract<Purpose, { purpose: P }>;

/** Checks that a proof answers an open invitation of that purpose, and uses it up. */
async function answered<P extends Purpose["purpose"]>(s: State, proof: Proof, person: Person, purpose: P, by: Signed): Promise<PurposeOf<P>> {
  const open = s.invites.find((i) => i.id === proof.invite && i.to.purpose === purpose);
  if (open === undefined || (open.to.purpose === "recover" && open.to.person !== person.id)) throw new DeedError("unknown-invite", `no such invitation to ${purpose} is open`);
  if (by.time >= open.expires) throw new DeedError("expired", "the invitation has ended");
  if (!(await verifySignature(open.signing, proofMessage(s.home!, proof.invite, person), proof.signature))) throw new DeedError("bad-proof", "the proof does not verify");
  s.invites = s.invites.filter((i) => i !== open);
  return open.to as PurposeOf<P>;
}

function checkRights(s: State, r: Rights | null, by: Signed): void {
  if (r === null) return;
  if (r.until !== 0 && r.until <= by.time) throw new DeedError("expired", "rights that have ended");
  if (r.cameras === "every") return;
  for (const id of r.cameras) {
    if (!s.cameras.some((c) => c.id === id && stands(c))) throw new DeedError("unknown-camera", "no such camera stands in the home");
  }
}

function checkGuests(s: State): void {
  if (s.people.filter((p) => !seesAll(p.role)).length > limits.guests) throw new DeedError("too-many", "guests and links");
}

/** Somebody new, with new keys. */
function enter(s: State, p: Person, as: Standing, by: Signed): Member {
  introduceID(s, "person", p.id);
  if (s.people.length >= limits.people) throw new DeedError("too-many", "people");
  introduceKeys(s, p, by);
  const member = { ...p, ...as, since: by.seq };
  put(s, member, by.seq);
  return member;
}

/** A device and keys of somebody, which are all new. */
function introduceKeys(s: State, p: Person, by: Signed): void {
  const whose = { person: p.id };
  for (const d of p.devices) introduceID(s, "device", d.id);
  introduce(s, p.signing, "person", by.seq, whose);
  introduce(s, p.kem, "sealed to", by.seq, whose);
  for (const d of p.devices) introduce(s, d.signing, "device", by.seq, whose);
}

function takeBackKeys(s: State, p: Member, seq: number): void {
  takeBack(s, p.signing, seq);
  for (const d of p.devices) takeBack(s, d.signing, seq);
}

function leave(s: State, p: Member, seq: number): void {
  takeBackKeys(s, p, seq);
  s.people = s.people.filter((x) => x.id !== p.id);
  noteRole(s, p.id, null, seq);
}

/** Puts somebody in their place among the people, or in place of what they were. */
function put(s: State, p: Member, seq: number): void {
  const others = s.people.filter((x) => x.id !== p.id);
  const at = others.findIndex((x) => compare(idBytes("person", x.id), idBytes("person", p.id)) > 0);
  s.people = others.toSpliced(at < 0 ? others.length : at, 0, p);
  noteRole(s, p.id, p.role, seq);
}

function noteRole(s: State, id: PersonID, role: Role | null, since: number): void {
  const roles = s.roles.get(id) ?? [];
  if (roles.at(-1)?.role !== role) s.roles.set(id, [...roles, { role, since }]);
}
