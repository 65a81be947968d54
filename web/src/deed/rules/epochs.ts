// Epochs: their own statement, those that turn within another, and the past that goes
// with it (docs/deed.md, "Turn", "Past", "epoch").

import { epochsIn, type Past, seesAll, type Turn } from "../parts.ts";
import { DeedError } from "../reasons.ts";
import { has, introduce, type Member, type Signed, type State } from "../state.ts";

export function startEpoch(s: State, t: Turn, seq: number): void {
  if (t.number !== s.epochs.length + 1) throw new DeedError("wrong-epoch", `number ${t.number}, want ${s.epochs.length + 1}`);
  const all = s.people.filter((p) => seesAll(p.role));
  const right = t.wraps.length === all.length && t.wraps.every((w, i) => w.person === all[i]!.id && w.key === all[i]!.kem.id);
  if (!right) throw new DeedError("wrong-wraps", "want one wrap for each who sees the whole home, by ID, under the person's key");
  introduce(s, t.key, "sealed to", seq);
  s.epochs = [...s.epochs, { number: t.number, key: t.key, wraps: t.wraps, since: seq }];
}

/** Takes the turn that must be there, or must not; the people are already what the statement makes of them. */
export function turn(s: State, t: Turn | null, wanted: boolean, by: Signed): void {
  if ((t !== null) !== wanted) throw new DeedError("wrong-epoch", wanted ? "no new epoch" : "a new epoch without need");
  if (t !== null) startEpoch(s, t, by.seq);
}

/** Takes the past that somebody is given, if it may be given. */
export function givePast(s: State, p: Past | null, to: Member, may: boolean, by: Signed): void {
  if (p === null) return;
  if (!may) throw new DeedError("wrong-past", "a past for somebody who is given none");
  if (p.from > by.epoch || epochsIn(p) !== by.epoch - p.from + 1) throw new DeedError("wrong-past", `a past of ${epochsIn(p)} epochs from ${p.from}, and the newest was ${by.epoch}`);
  for (let e = p.from; e <= by.epoch; e++) {
    if (!has(s, by.signer.kem.id, e)) throw new DeedError("wrong-past", `the signer does not have epoch ${e}`);
  }
  s.pasts = [...s.pasts, { ...p, key: to.kem.id, last: by.epoch }];
}
