// The checks of docs/deed.md, "The deed", in the order given there: the first refusal
// counts.

import { type Bytes, equal, hex, unhex } from "../wire.ts";
import { idBytes, idText } from "../seal/name.ts";
import { type Body, mayBeSignedBy } from "./body.ts";
import { type Deed, deedHash, firstPlace, parseDeed, type Place, signedMessage } from "./deed.ts";
import { verifySignature } from "./key.ts";
import { limits } from "./limits.ts";
import { DeedError } from "./reasons.ts";
import { startEpoch } from "./rules/epochs.ts";
import * as people from "./rules/people.ts";
import * as places from "./rules/places.ts";
import { type Holder, type Member, type Signed, type State } from "./state.ts";

/** Takes deeds in, one after the other. */
export async function extend(s: State, deeds: readonly Bytes[]): Promise<void> {
  for (const [i, b] of deeds.entries()) {
    try {
      await take(s, b);
    } catch (e) {
      if (e instanceof DeedError) e.at = i;
      throw e;
    }
  }
}

async function take(s: State, b: Bytes): Promise<void> {
  const [d, hash] = await Promise.all([parseDeed(b), deedHash(b)]);
  follows(s, d);
  const signer = await signed(s, d);
  if (s.deeds.length >= limits.chain) throw new DeedError("too-many", "deeds");
  await state(s, d.body, { seq: d.seq, time: d.time, signer, epoch: s.epochs.length });
  if (d.seq === 0) s.home = idText("home", hash);
  s.time = d.time;
  s.deeds.push(b.slice());
  s.hashes.push(hex(hash));
}

/** Where the next deed belongs. */
export function placeAfter(s: State): Place {
  const n = s.hashes.length;
  return s.home === null ? firstPlace : { home: idBytes("home", s.home), seq: n, prev: unhex(s.hashes[n - 1]!)! };
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
  if (d.time + limits.backdate < s.time) throw new DeedError("backdated", "more than five minutes before the deed it follows");
}

/** Whoever signed the deed and may, as far as the role says. */
async function signed(s: State, d: Deed): Promise<Member> {
  const holder = signerIn(s, d);
  if (holder === null) throw new DeedError("unknown-signer", "no such signing key in this home");
  if (!(await verifySignature(holder.key, signedMessage(d.statement), d.signature))) throw new DeedError("bad-signature", "the signature does not verify");
  if (d.body.type === "found") return { ...d.body.person, role: "owner", rights: null, since: 0 };
  if (holder.kind !== "person") throw new DeedError("not-allowed", `the key of a ${holder.kind}, who signs no deeds`);
  const signer = s.people.find((p) => p.signing.id === d.signer);
  if (signer === undefined) throw new DeedError("former-signer", "the key was taken back");
  if (!mayBeSignedBy(d.body.type, signer.role)) throw new DeedError("not-allowed", `a ${signer.role} does not sign "${d.body.type}"`);
  return signer;
}

function signerIn(s: State, d: Deed): Pick<Holder, "key" | "kind"> | null {
  if (d.body.type === "found") {
    const key = d.body.person.signing;
    return key.id === d.signer ? { key, kind: "person" } : null;
  }
  const holder = s.keys.get(d.signer);
  return holder === undefined || holder.kind === "sealed to" ? null : holder;
}

/** Checks the statement's own rules and does what it says. */
async function state(s: State, b: Body, by: Signed): Promise<void> {
  switch (b.type) {
    case "found":
      return people.found(s, b, by);
    case "epoch":
      return startEpoch(s, b, by.seq);
    case "place agent":
      return places.placeAgent(s, b, by.seq);
    case "place camera":
      return places.placeCamera(s, b, by.seq);
    case "replace agent":
      return places.replaceAgent(s, b, by.seq);
    case "release agent":
      return places.releaseAgent(s, b, by.seq);
    case "release camera":
      return places.releaseCamera(s, b, by.seq);
    case "invite":
      return people.invite(s, b, by);
    case "withdraw":
      return people.withdraw(s, b);
    case "admit":
      return people.admit(s, b, by);
    case "change":
      return people.change(s, b, by);
    case "dismiss":
      return people.dismiss(s, b, by);
    case "device":
      return people.device(s, b, by);
    case "strike":
      return people.strike(s, b, by);
    case "rekey":
      return people.rekey(s, b, by);
    case "hand over":
      return people.handOver(s, b, by);
    case "lend":
      return people.lend(s, b, by);
    case "freeze":
    case "thaw":
      return freeze(s, b.type === "freeze");
    case "retain":
      s.retention = { days: b.days, bytes: b.bytes };
      s.retained = true;
  }
}

function freeze(s: State, frozen: boolean): void {
  if (s.frozen === frozen) throw new DeedError("wrong-state", frozen ? "the home is frozen" : "the home is not frozen");
  s.frozen = frozen;
}
