// Every statement as it is written and read, and what a chain comes to where two of a
// kind stand beside each other: a statement about one leaves the other alone.

import { describe, expect, it } from "vitest";
import { Family, guest, owner, past, resident, rights, somebody } from "../../vectors/family.ts";
import { kemKey } from "../../vectors/chain.ts";
import { idBytes, idText, type KeyID } from "../seal/name.ts";
import { ascii, concat, random } from "../wire.ts";
import { type Body, bodyBytes, parseBody, typeNumber } from "./body.ts";
import { newEpoch, openEpochs, sealPast, turn } from "./epoch.ts";
import { extend } from "./fold.ts";
import { signerOf } from "./key.ts";
import { limits } from "./limits.ts";
import { personBytes } from "./parts.ts";
import { nothing } from "./state.ts";
import { Title } from "./title.ts";

const title = (f: Family): Promise<Title> => Title.start(f.deeds);

/** A number as eight bytes, the largest first. */
function u64(n: number): Uint8Array<ArrayBuffer> {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, BigInt(n));
  return b;
}

describe("a statement", () => {
  it("is read as it was written", async () => {
    const f = await Family.home();
    const { person } = await somebody();
    const [signing, kem] = [(await signerOf(random(32))).key, await kemKey()];
    const [agent, camera, invite] = [idText("agent", random(16)), idText("camera", random(16)), idText("invite", random(16))];
    const proof = { invite, signature: random(64) };
    const made = await f.turn();
    const lasts = [{ camera, incarnation: 3, sequence: 4 }];
    const all: Body[] = [
      f.foundBody({ minVersion: 7 }),
      { type: "epoch", ...made },
      { type: "place agent", agent, signing, kem },
      { type: "place camera", camera, agent },
      await f.inviteBody({ purpose: "join", standing: guest({ until: 5, cameras: [camera] }) }),
      await f.inviteBody({ purpose: "recover", person: person.id }),
      await f.inviteBody({ purpose: "hand over" }),
      { type: "withdraw", invite },
      { type: "admit", proof, person, past: past(2, 3), turn: made },
      { type: "change", person: person.id, standing: resident, past: null, turn: made },
      { type: "dismiss", person: person.id, turn: null },
      await f.deviceBody(),
      { type: "strike", device: person.devices[0]!.id },
      { type: "rekey", person, proof, past: past(1, 1), turn: null },
      { type: "rekey", person, proof: null, past: null, turn: made },
      { type: "replace agent", agent, signing, kem, lasts },
      { type: "release agent", agent, lasts },
      { type: "release camera", camera },
      { type: "hand over", proof, person, turn: made },
      { type: "lend", person, rights: rights({ until: 9 }) },
      { type: "freeze" },
      { type: "thaw" },
      { type: "retain", days: 8, bytes: 9 },
    ];
    for (const b of all) expect(await parseBody(typeNumber(b.type), bodyBytes(b)), b.type).toEqual(b);
  });

  it("says of a past of no epochs that it has no length", async () => {
    const { person } = await somebody();
    const b = bodyBytes({ type: "change", person: person.id, standing: resident, past: null, turn: null });
    b[b.length - 2] = 1; // the last byte of its length; behind it, whether there is a turn
    await expect(parseBody(typeNumber("change"), b)).rejects.toMatchObject({ reason: "malformed" });
  });

  it("may make an owner of the only one", async () => {
    const f = await Family.home();
    await f.do({ type: "change", person: f.person.id, standing: owner, past: null, turn: null });
    expect((await title(f)).person(f.person.id)!.role).toBe("owner");
  });

  it("brings a person with one device", async () => {
    const { person } = await somebody();
    expect(() => personBytes({ ...person, devices: [] })).toThrow("one device");
  });
});

describe("of two", () => {
  it("invitations the other stays open", async () => {
    const f = await Family.home();
    const standing = guest();
    const [one, two, three] = [await f.invite({ purpose: "join", standing }), await f.invite({ purpose: "join", standing }), await f.invite({ purpose: "hand over" })];
    await f.do({ type: "withdraw", invite: two.id });
    expect((await title(f)).invites.map((i) => i.id)).toEqual([one.id, three.id]);
    await f.do(await f.admitBody(one, await somebody()));
    const t = await title(f);
    expect(t.invites.map((i) => i.id)).toEqual([three.id]);
    expect([t.invite(three.id)?.to.purpose, t.invite(one.id)]).toEqual(["hand over", null]);
  });

  it("devices the other stays", async () => {
    const f = await Family.home();
    const more = await f.deviceBody();
    await f.do(more);
    const mine = f.person.devices[0]!;
    expect((await title(f)).device(more.device.id)!.signing.id).toBe(more.device.signing.id);
    await f.do({ type: "strike", device: more.device.id });
    const t = await title(f);
    expect([t.device(mine.id)?.signing.id, t.device(more.device.id)]).toEqual([mine.signing.id, null]);
    expect([t.holder(mine.signing.id)!.until, t.holder(more.device.signing.id)!.until]).toEqual([null, f.deeds.length - 1]);
  });

  it("agents each has its own", async () => {
    const f = await Family.home();
    const [one, two] = [await f.place(1), await f.place(1)];
    const t = await title(f);
    for (const { agent } of [one, two]) expect(t.agent(agent.agent)!.signing.id).toBe(agent.signing.id);
    expect([t.agent(idText("agent", random(16))), t.holder(one.agent.kem.id)]).toEqual([null, null]);
  });

  it("cameras one that was released before stays released", async () => {
    const f = await Family.home();
    const { agent, cameras } = await f.place(2);
    await f.do({ type: "release camera", camera: cameras[0]!.camera });
    const first = f.deeds.length - 1;
    await f.do({ type: "release agent", agent: agent.agent, lasts: [] });
    const t = await title(f);
    expect(cameras.map((c) => t.anyCamera(c.camera)!.until)).toEqual([first, f.deeds.length - 1]);
  });

  it("cameras none is the one that is not there", async () => {
    const f = await Family.home();
    await f.place(2);
    await f.do({ type: "release camera", camera: idText("camera", random(16)) });
    await expect(title(f)).rejects.toMatchObject({ reason: "unknown-camera" });
  });

  it("replacements of an agent each ends the keys before", async () => {
    const f = await Family.home();
    const { agent, cameras } = await f.place(1);
    const from = f.deeds.length;
    for (const sequence of [1, 2]) {
      const signing = (await signerOf(random(32))).key;
      await f.do({ type: "replace agent", agent: agent.agent, signing, kem: await kemKey(), lasts: [{ camera: cameras[0]!.camera, incarnation: 1, sequence }] });
    }
    const { keys } = (await title(f)).agent(agent.agent)!;
    expect(keys.map((k) => [k.until, k.lasts[0]?.sequence])).toEqual([[from, 1], [from + 1, 2], [null, undefined]]);
  });

  it("epochs one is given and the one before is not", async () => {
    const f = await Family.home();
    await f.do({ type: "epoch", ...(await f.turn()) });
    const ben = await f.join(resident, past(2, 1));
    const t = await title(f);
    expect([1, 2, 3].filter((e) => t.has(ben.person.id, e))).toEqual([2, 3]);
  });
});

describe("nobody", () => {
  it("signs deeds with a key that was taken back, or for a camera that is none", async () => {
    const f = await Family.home();
    const { signer } = await f.place(1);
    const anna = await f.join(resident);
    const next = await somebody({ id: anna.person.id });
    await f.do(await f.rekeyBody(anna, next), anna.signer);
    const last = f.deeds.length - 1;
    const t = await title(f);
    const signs = (key: { id: KeyID }, at: number): string | null => t.signerAt(key.id, at)?.role ?? null;
    expect([signs(anna.signer.key, last - 1), signs(anna.signer.key, last), signs(next.signer.key, last)]).toEqual(["resident", null, "resident"]);
    expect(signs((await signerOf(random(32))).key, last)).toBe(null);
    expect(t.signs(signer.key.id, idText("camera", random(16)), last, 1, 1)).toBe(false);
  });

  it("has an epoch or sees a camera", async () => {
    const f = await Family.home();
    const { cameras } = await f.place(1);
    const t = await title(f);
    const no = idText("person", random(16));
    expect([t.has(no, 1), t.covers(no, cameras[0]!.camera, "clip", 0)]).toEqual([false, false]);
  });

  it("has a home of no deeds", async () => {
    await expect(Title.fold(idText("home", random(32)), [])).rejects.toMatchObject({ reason: "not-found" });
  });
});

it("a chain has an end", async () => {
  const f = await Family.home();
  const s = nothing();
  await extend(s, f.deeds);
  await f.do({ type: "freeze" });
  s.deeds = Array.from({ length: limits.chain }, () => f.deeds[0]!);
  await expect(extend(s, f.deeds.slice(-1))).rejects.toMatchObject({ reason: "too-many" });
});

describe("what is sealed to somebody", () => {
  it("opens with what docs/deed.md says that it is bound to", async () => {
    const f = await Family.founded();
    await f.do((await newEpoch(await title(f))).body);
    const before = await title(f);
    const home = idBytes("home", before.home);
    const mine = idBytes("key", f.person.kem.id);
    const made = await turn(before, [f.person]);
    const epoch = idBytes("key", made.secret.id);
    const seed = await f.me.kem.open(concat(ascii("latchkey epoch v1\0"), home, u64(2), epoch, mine), made.turn.wraps[0]!.sealed);
    expect(seed).toEqual(made.secret.seed);
    await f.do({ type: "epoch", ...made.turn });
    const after = await title(f);
    const secrets = await openEpochs(after, f.person.id, f.me.kem);
    const given = await sealPast(after, secrets, 1, f.person);
    const seeds = await f.me.kem.open(concat(ascii("latchkey past v1\0"), home, u64(1), u64(2), mine), given.sealed);
    expect(seeds).toEqual(concat(...secrets.map((s) => s.seed)));
  });

  it("is a past of so many epochs at most", async () => {
    const { person } = await somebody();
    const home = idText("home", random(32));
    const secrets = Array.from({ length: limits.past + 1 }, (_, i) => ({ epoch: i + 1, seed: random(32) }) as never);
    await expect(sealPast({ home, epoch: limits.past + 1 } as Title, secrets, 1, person)).rejects.toThrow("no past");
  });
});
