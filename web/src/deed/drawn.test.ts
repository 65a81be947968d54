// Histories of a home drawn by dice: whatever is tried by whomever, the fold refuses it
// with a reason or the home is as docs/deed.md says a home always is.

import { describe, expect, it } from "vitest";
import { Family, guest, hour, owner, past, resident, rights, somebody, type Somebody } from "../../vectors/family.ts";
import { idBytes, idText } from "../seal/name.ts";
import { type Bytes, compare, concat, random } from "../wire.ts";
import type { Body } from "./body.ts";
import { DeedError } from "./reasons.ts";
import { Title } from "./title.ts";

/** Numbers that are the same every time. */
function dice(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}

/** What always holds once there is an epoch. */
function check(t: Title): void {
  expect(t.people.some((p) => p.role === "owner"), "an owner").toBe(true);
  const order = t.people.map((p) => idBytes("person", p.id));
  expect([...order].sort(compare), "people ascend").toEqual(order);
  // Nobody comes or goes without an epoch that is theirs, or is theirs no more.
  expect(t.wraps(t.epoch).map((w) => [w.person, w.key])).toEqual(t.wholeHome.map((p) => [p.id, p.kem.id]));
  for (const p of t.people) {
    expect(t.holder(p.signing.id)).toMatchObject({ person: p.id, until: null });
    for (const d of p.devices) expect(t.holder(d.signing.id)).toMatchObject({ person: p.id, until: null });
    expect(p.rights === null).toBe(p.role === "owner" || p.role === "resident");
    expect(t.signerAt(p.signing.id, t.head.seq)).toEqual({ person: p.id, role: p.role });
    if (p.rights === null) expect(t.has(p.id, t.epoch)).toBe(true);
  }
}

/** A home, everybody who was ever there, and dice. */
class History {
  readonly all: Somebody[];
  readonly reasons = new Set<string>();
  accepted = 0;

  constructor(
    readonly f: Family,
    readonly roll: (n: number) => number,
    public title: Title,
  ) {
    this.all = [f.me];
  }

  /** Mostly somebody who stands in the home with the keys of now. */
  any(): Somebody {
    const now = this.all.filter((s) => this.title.personBySigningKey(s.signer.key.id) !== null);
    const among = this.roll(4) === 0 ? this.all : now;
    return among[this.roll(among.length)]!;
  }

  /** Those who see the whole home, without somebody or with them. */
  #people(who: Somebody): Somebody["person"][] {
    const others = this.title.wholeHome.filter((p) => p.id !== who.person.id);
    return this.roll(2) === 0 ? others : [...others, who.person];
  }

  async draw(): Promise<{ body: Body; next: Somebody | null }> {
    const { f, roll } = this;
    const who = this.any();
    f.epoch = this.title.epoch;
    const turn = roll(3) === 0 ? null : await f.turn(this.#people(who));
    const given = roll(4) === 0 && f.epoch > 0 ? past(1 + roll(f.epoch), 1 + roll(f.epoch)) : null;
    const standing = [owner, resident, guest()][roll(3)]!;
    switch (roll(12) === 0 ? 8 : roll(8)) {
      case 0: {
        const next = await somebody();
        const i = await f.invite({ purpose: "join", standing }, hour, this.ownerNow());
        const wraps = [...this.title.wholeHome, ...(standing.rights === null ? [next.person] : [])];
        return { next, body: await f.admitBody(i, next, { past: given, turn: standing.rights === null ? await f.turn(wraps) : null }) };
      }
      case 1:
        return { next: null, body: { type: "change", person: who.person.id, standing, past: given, turn } };
      case 2:
        return { next: null, body: { type: "dismiss", person: who.person.id, turn } };
      case 3: {
        const next = await somebody({ id: who.person.id });
        const stands = this.title.wholeHome.some((p) => p.id === who.person.id);
        const wraps = [...this.title.wholeHome.filter((p) => p.id !== who.person.id), next.person];
        return { next, body: { type: "rekey", person: next.person, proof: null, past: given, turn: stands ? await f.turn(wraps) : turn } };
      }
      case 4: {
        const next = await somebody();
        return { next, body: { type: "lend", person: next.person, rights: rights({ until: f.time + 1e12 }) } };
      }
      case 5:
        return { next: null, body: await f.deviceBody() };
      case 6:
        return { next: null, body: { type: "strike", device: who.person.devices[0]!.id } };
      case 7:
        return { next: null, body: { type: roll(2) === 0 ? "freeze" : "thaw" } };
      default: {
        const next = await somebody();
        return { next, body: await f.handOverBody(await f.invite({ purpose: "hand over" }, hour, this.ownerNow()), next) };
      }
    }
  }

  /** Tries a statement; what is refused has not happened. */
  async step(): Promise<void> {
    const before = this.f.deeds.length;
    const { body, next } = await this.draw();
    const signer = this.roll(3) === 0 ? this.any().signer : this.ownerNow();
    await this.f.add(body, { signer });
    try {
      this.title = await this.title.append(this.f.deeds.slice(this.title.head.seq + 1));
      if (next !== null) this.all.push(next);
      this.accepted++;
    } catch (e) {
      if (!(e instanceof DeedError)) throw e;
      this.reasons.add(e.reason);
      this.f.deeds = this.f.deeds.slice(0, before);
    }
    check(this.title);
    // Whatever key is nobody's any more was taken back.
    for (const { signer, device } of this.all) {
      expect(this.title.holder(signer.key.id)!.until === null).toBe(this.title.personBySigningKey(signer.key.id) !== null);
      const devices = this.title.people.flatMap((p) => p.devices.map((d) => d.signing.id));
      expect(this.title.holder(device.key.id)!.until === null).toBe(devices.includes(device.key.id));
    }
  }

  ownerNow(): Somebody["signer"] {
    const ids = this.title.people.filter((p) => p.role === "owner").map((p) => p.signing.id);
    return this.all.find((s) => ids.includes(s.signer.key.id))!.signer;
  }
}

describe("a home whose history is drawn", () => {
  it.each([1, 2, 3, 4])("is never in a state that nobody meant (%i)", async (seed) => {
    const f = await Family.home();
    const h = new History(f, dice(seed), await Title.start(f.deeds));
    for (let i = 0; i < 80; i++) await h.step();
    expect(h.accepted).toBeGreaterThan(12);
    expect(h.reasons.size).toBeGreaterThan(5);
  });
});

describe("a statement that is bent and signed all the same", () => {
  it("is refused with a reason, or folded", async () => {
    const f = await Family.home();
    const { agent, cameras } = await f.place(1);
    const camera = cameras[0]!.camera;
    const ben = await f.join(guest({ cameras: [camera] }));
    const base = await Title.start(f.deeds);
    const i = await f.inviteBody({ purpose: "join", standing: guest({ cameras: [camera] }) });
    const bodies: Body[] = [
      i,
      { type: "change", person: ben.person.id, standing: resident, past: past(1, 1), turn: await f.turn([f.person, ben.person]) },
      { type: "dismiss", person: ben.person.id, turn: null },
      { type: "lend", person: (await somebody()).person, rights: rights({ until: f.time + 1e12, cameras: [camera] }) },
      { type: "release agent", agent: agent.agent, lasts: [{ camera, incarnation: 1, sequence: 1 }] },
      { type: "strike", device: idText("device", random(16)) },
      { type: "retain", days: 30, bytes: 1 },
    ];
    const roll = dice(9);
    const reasons = new Set<string>();
    for (let n = 0; n < 400; n++) {
      const deeds = f.deeds.length;
      await f.addBent(bodies[n % bodies.length]!, (b) => bend(b, roll));
      try {
        check(await base.append(f.deeds.slice(deeds)));
      } catch (e) {
        if (!(e instanceof DeedError)) throw e;
        reasons.add(e.reason);
      }
      f.deeds = f.deeds.slice(0, deeds);
    }
    expect(reasons.size).toBeGreaterThan(6);
  });
});

/** Turns a bit, or cuts or doubles a piece and gives the body the length that it then has. */
function bend(statement: Bytes, roll: (n: number) => number): Bytes {
  const at = 118 + roll(statement.length - 118);
  if (roll(3) > 0) return statement.map((x, i) => (i === at ? x ^ (1 << roll(8)) : x));
  const cut = roll(2) === 0 ? concat(statement.subarray(0, at), statement.subarray(at + 16)) : concat(statement.subarray(0, at), statement.subarray(at - 16));
  new DataView(cut.buffer).setUint32(114, cut.length - 118);
  return cut;
}
