// Epochs as people open them: by wraps, in pasts, with new keys; and what is refused of
// whoever made them wrong.

import { describe, expect, it } from "vitest";
import { Family, owner, resident, somebody, type Somebody } from "../../vectors/family.ts";
import { hex, random } from "../wire.ts";
import { EpochError, newEpoch, openEpochs, pastFrom, sealPast, turn } from "./epoch.ts";
import type { Past, Turn } from "./parts.ts";
import { Title } from "./title.ts";

const title = (f: Family): Promise<Title> => Title.start(f.deeds);
const opened = async (f: Family, who: Somebody): Promise<number[]> => (await openEpochs(await title(f), who.person.id, who.kem)).map((s) => s.epoch);

/** A home whose owner can open its epochs. */
async function home(epochs: number): Promise<Family> {
  const f = await Family.founded();
  for (let n = 0; n < epochs; n++) await f.do((await newEpoch(await title(f))).body);
  return f;
}

async function admit(f: Family, who: Somebody, past: Past | null, made: Turn): Promise<void> {
  const i = await f.invite({ purpose: "join", standing: resident });
  await f.do(await f.admitBody(i, who, { past, turn: made }));
}

describe("epochs", () => {
  it("are opened by those for whom they were wrapped, from then on", async () => {
    const f = await home(1);
    const anna = await somebody();
    const { turn: made, secret } = await turn(await title(f), [anna.person, f.person]);
    await admit(f, anna, null, made);
    await f.do((await newEpoch(await title(f))).body);
    expect(await opened(f, f.me)).toEqual([1, 2, 3]);
    expect(await opened(f, anna)).toEqual([2, 3]);
    expect((await title(f)).epochKey(2)!.id).toBe(secret.id);
    const last = await turn(await title(f), [f.person]);
    await f.do({ type: "dismiss", person: anna.person.id, turn: last.turn });
    expect(await opened(f, anna), "and no more when they are gone").toEqual([2, 3]);
  });

  it("are given on in a past, and taken along with new keys", async () => {
    const f = await home(3);
    const anna = await somebody();
    const secrets = await openEpochs(await title(f), f.person.id, f.me.kem);
    const past = await sealPast(await title(f), secrets, 2, anna.person);
    await admit(f, anna, past, (await turn(await title(f), [anna.person, f.person])).turn);
    const hers = await openEpochs(await title(f), anna.person.id, anna.kem);
    expect(hers.map((s) => s.epoch)).toEqual([2, 3, 4]);
    expect(hex(hers[0]!.seed)).toBe(hex(secrets[1]!.seed));
    const from = pastFrom(hers, 4);
    expect(from).toBe(2);
    const next = await somebody({ id: anna.person.id });
    const along = await sealPast(await title(f), hers, from, next.person);
    await f.do({ type: "rekey", person: next.person, proof: null, past: along, turn: (await turn(await title(f), [next.person, f.person])).turn }, anna.signer);
    expect(await opened(f, next)).toEqual([2, 3, 4, 5]);
    expect(await opened(f, anna), "the old key opens what it opened").toEqual([2, 3, 4]);
  });

  it("are refused if a past holds another key than the deed gives", async () => {
    const f = await home(2);
    const anna = await somebody();
    const secrets = await openEpochs(await title(f), f.person.id, f.me.kem);
    const forged = secrets.map((s) => (s.epoch === 2 ? { ...s, seed: random(32) } : s));
    await admit(f, anna, await sealPast(await title(f), forged, 1, anna.person), (await turn(await title(f), [anna.person, f.person])).turn);
    await expect(opened(f, anna)).rejects.toEqual(new EpochError(2));
  });

  it("are refused if a past is sealed to somebody else", async () => {
    const f = await home(2);
    const anna = await somebody();
    const secrets = await openEpochs(await title(f), f.person.id, f.me.kem);
    await admit(f, anna, await sealPast(await title(f), secrets, 1, f.person), (await turn(await title(f), [anna.person, f.person])).turn);
    await expect(opened(f, anna)).rejects.toEqual(new EpochError(1));
  });

  it("are refused if the wrap does not open", async () => {
    const f = await home(1);
    const anna = await f.join(owner); // Family's own wraps open for nobody
    await expect(opened(f, anna)).rejects.toEqual(new EpochError(2));
  });
});

describe("a past", () => {
  const secret = (epoch: number): never => ({ epoch }) as never;
  it("goes back as far as nothing is missing", () => {
    expect(pastFrom([1, 2, 4, 5].map(secret), 5)).toBe(4);
    expect(pastFrom([1, 2].map(secret), 2)).toBe(1);
    expect(pastFrom([1, 2].map(secret), 3)).toBe(0);
    expect(pastFrom([], 0)).toBe(0);
    expect(pastFrom(Array.from({ length: 2000 }, (_, i) => secret(i + 1)), 2000), "1,024 epochs at most").toBe(977);
  });

  it("is not sealed without all of its keys", async () => {
    const f = await home(2);
    const secrets = await openEpochs(await title(f), f.person.id, f.me.kem);
    await expect(sealPast(await title(f), secrets.slice(1), 1, f.person)).rejects.toThrow("no past");
    await expect(sealPast(await title(f), secrets, 3, f.person)).rejects.toThrow("no past");
  });
});
