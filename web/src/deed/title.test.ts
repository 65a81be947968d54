// What a title answers about people, agents and cameras that come, change and go.

import { describe, expect, it } from "vitest";
import { Family, guest, hour, owner, past, resident, somebody } from "../../vectors/family.ts";
import { kemKey } from "../../vectors/chain.ts";
import { type CameraID, idText, type PersonID } from "../seal/name.ts";
import { random } from "../wire.ts";
import { signerOf } from "./key.ts";
import { Title } from "./title.ts";

const title = (f: Family): Promise<Title> => Title.start(f.deeds);
const ids = (people: readonly { id: PersonID }[]): PersonID[] => people.map((p) => p.id);

describe("people", () => {
  it("stand with role, rights, devices and the deed that brought them", async () => {
    const f = await Family.home();
    const anna = await f.join(resident);
    const ben = await f.join(guest({ sees: ["live"] }));
    const since = f.deeds.length - 1;
    const { device } = await f.deviceBody();
    await f.do({ type: "device", device }, ben.signer);
    const t = await title(f);
    expect(t.people.length).toBe(3);
    expect(t.person(ben.person.id)).toMatchObject({ role: "guest", rights: { sees: ["live"], until: 0, cameras: "every" }, since });
    expect(t.person(ben.person.id)!.devices.map((d) => d.id)).toEqual([ben.person.devices[0]!.id, device.id]);
    expect(t.personByDevice(device.id)!.id).toBe(ben.person.id);
    expect(t.personBySigningKey(anna.signer.key.id)!.role).toBe("resident");
    expect(new Set(ids(t.wholeHome))).toEqual(new Set([f.person.id, anna.person.id]));
    await f.dismiss(ben);
    const later = await title(f);
    expect(later.person(ben.person.id)).toBe(null);
    expect(later.device(device.id)).toBe(null);
    expect(later.personBySigningKey(ben.signer.key.id)).toBe(null);
    expect(later.holder(ben.signer.key.id)).toMatchObject({ kind: "person", until: f.deeds.length - 1 });
    expect(t.person(ben.person.id), "a title never changes").not.toBe(null);
  });

  it("have the epochs that were wrapped for their key or given to it", async () => {
    const f = await Family.home();
    const anna = await f.join(resident);
    const ben = await f.join(owner, past(1, 2));
    const t = await title(f);
    const had = (of: Title, id: PersonID): number[] => [1, 2, 3, 4].filter((e) => of.has(id, e));
    expect(had(t, f.person.id)).toEqual([1, 2, 3]);
    expect(had(t, anna.person.id)).toEqual([2, 3]);
    expect(had(t, ben.person.id)).toEqual([1, 2, 3]);
    expect(t.pasts(ben.person.kem.id)).toMatchObject([{ from: 1, last: 2 }]);
    const next = await somebody({ id: anna.person.id });
    await f.do(await f.rekeyBody(anna, next), anna.signer);
    expect(had(await title(f), anna.person.id), "new keys open what is made from then on").toEqual([4]);
    await f.do({ type: "change", person: ben.person.id, standing: guest(), past: null, turn: await f.turn([f.person, next.person]) });
    expect(had(await title(f), ben.person.id), "a guest keeps what they had").toEqual([1, 2, 3, 4]);
  });

  it("signed as what they were at a deed", async () => {
    const f = await Family.home();
    const anna = await f.join(owner);
    const came = f.deeds.length - 1;
    await f.do({ type: "change", person: anna.person.id, standing: resident, past: null, turn: null });
    await f.dismiss(anna);
    const t = await title(f);
    const role = (seq: number): string | null => t.signerAt(anna.signer.key.id, seq)?.role ?? null;
    expect([came - 1, came, came + 1, came + 2].map(role)).toEqual([null, "owner", "resident", null]);
    expect(t.signerAt(anna.device.key.id, came), "a device signs no deeds").toBe(null);
  });

  it("are known by their KEM keys, and links apart from them", async () => {
    const f = await Family.home();
    const ben = await f.join(guest());
    const link = await f.lend();
    await f.dismiss(ben);
    const t = await title(f);
    expect([ben.person.kem.id, link.person.kem.id, f.owner.key.id, t.epochKey(1)!.id].map((id) => t.kemOf(id))).toEqual(["person", "link", null, null]);
  });

  it("are at most 64", async () => {
    const f = await Family.home();
    for (let n = 0; n < 31; n++) await f.join(resident);
    for (let n = 0; n < 32; n++) await f.lend();
    expect((await title(f)).people.length).toBe(64);
    await f.join(resident);
    await expect(title(f)).rejects.toMatchObject({ reason: "too-many", at: f.deeds.length - 1 });
  });
});

describe("what a person may see", () => {
  it("is what role and rights say, on a device of theirs", async () => {
    const f = await Family.home();
    const { cameras } = await f.place(3);
    const [front, back, shed] = cameras.map((c) => c.camera) as [CameraID, CameraID, CameraID];
    const until = f.time + 9 * hour;
    const ben = await f.join(guest({ sees: ["thumbnail", "live"], until, cameras: [front, shed] }));
    const eve = await f.join(guest());
    await f.do({ type: "release camera", camera: shed });
    const t = await title(f);
    const [device, ofEve] = [ben.person.devices[0]!.id, eve.person.devices[0]!.id];
    const [mine, id] = [f.person.devices[0]!.id, ben.person.id];
    expect(t.sees(device, id, front, "thumbnail", until - 1)).toBe(true);
    expect(t.sees(device, id, front, "live", 0), "a slow clock").toBe(true);
    expect(t.sees(device, id, front, "thumbnail", until), "the end").toBe(false);
    expect(t.sees(device, id, front, "clip", 0), "another kind").toBe(false);
    expect(t.sees(device, id, back, "thumbnail", 0), "another camera").toBe(false);
    expect(t.sees(device, id, shed, "thumbnail", 0), "a camera that was released").toBe(false);
    expect(t.sees(mine, f.person.id, shed, "clip", 0), "but for those who see the whole home").toBe(true);
    expect(t.sees(ofEve, id, front, "thumbnail", 0), "another's device").toBe(false);
    expect(t.sees(ofEve, eve.person.id, shed, "thumbnail", 0), "every camera that stands").toBe(false);
    expect(t.sees(mine, f.person.id, idText("camera", random(16)), "clip", 0), "no camera").toBe(false);
    await f.do({ type: "strike", device }, ben.signer);
    expect((await title(f)).sees(device, id, front, "thumbnail", 0), "a device that was struck").toBe(false);
    f.time = until;
    await f.do({ type: "freeze" });
    expect((await title(f)).covers(id, front, "live", 0), "a clock before the newest deed").toBe(false);
  });

  it("is sealed to guests and links who stood there at the head", async () => {
    const f = await Family.home();
    const { cameras } = await f.place(1);
    const camera = cameras[0]!.camera;
    const ben = await f.join(guest());
    const head = f.deeds.length - 1;
    const link = await f.lend({ until: f.time + 9 * hour, sees: ["clip"] });
    const t = await title(f);
    const now = head + 1;
    const to = (...args: Parameters<Title["recipients"]>): Set<PersonID> => new Set(ids(t.recipients(...args)));
    expect(to(camera, "clip", now, 0, true)).toEqual(new Set([ben.person.id, link.person.id]));
    expect(to(camera, "thumbnail", now, 0, true)).toEqual(new Set([ben.person.id]));
    expect(to(camera, "clip", head, 0, true), "who came later").toEqual(new Set([ben.person.id]));
    expect(to(camera, "clip", now, 0, false), "a clock that nobody believes").toEqual(new Set([ben.person.id]));
    expect(to(camera, "clip", now, f.time + 9 * hour, true), "the end").toEqual(new Set([ben.person.id]));
  });
});

describe("agents and cameras", () => {
  it("sign at heads and up to objects that came before they were taken back", async () => {
    const f = await Family.home();
    const { agent, signer, cameras } = await f.place(2);
    const [one, two] = cameras.map((c) => c.camera) as [CameraID, CameraID];
    const next = await signerOf(random(32));
    await f.do({ type: "replace agent", agent: agent.agent, signing: next.key, kem: await kemKey(), lasts: [{ camera: one, incarnation: 3, sequence: 7 }] });
    const replaced = f.deeds.length - 1;
    await f.do({ type: "release camera", camera: two });
    const released = f.deeds.length - 1;
    const t = await title(f);
    const signs = (key: typeof signer, camera: CameraID, head: number, incarnation = 1, sequence = 1): boolean => t.signs(key.key.id, camera, head, incarnation, sequence);
    expect(signs(signer, one, replaced - 1, 3, 7)).toBe(true);
    expect(signs(signer, one, 0, 2, 99), "an earlier incarnation, and a head before it was placed").toBe(true);
    expect(signs(signer, one, replaced - 1, 3, 8), "after the last").toBe(false);
    expect(signs(signer, one, replaced - 1, 4, 1), "a later incarnation").toBe(false);
    expect(signs(signer, two, replaced - 1, 9, 9), "a camera whose last nobody knows").toBe(true);
    expect(signs(signer, one, replaced), "the head that took it back").toBe(false);
    expect(signs(next, two, released - 1)).toBe(true);
    expect(signs(next, two, released), "the head that released the camera").toBe(false);
    expect(signs(f.owner, one, 0), "no agent's key").toBe(false);
    expect(t.agentsAt(replaced - 1).map((a) => a.signing.id)).toEqual([signer.key.id]);
    expect(t.agentsAt(replaced).map((a) => a.signing.id)).toEqual([next.key.id]);
    expect(t.agentByKey(signer.key.id)!.id).toBe(agent.agent);
    expect([t.cameras.length, t.allCameras.length, t.camera(two)]).toEqual([1, 2, null]);
  });

  it("leave together", async () => {
    const f = await Family.home();
    const { agent, signer, cameras } = await f.place(1);
    await f.do({ type: "release agent", agent: agent.agent, lasts: [] });
    const until = f.deeds.length - 1;
    const t = await title(f);
    expect([t.agents, t.cameras, t.agent(agent.agent), t.agentsAt(until)]).toEqual([[], [], null, []]);
    expect(t.allAgents).toMatchObject([{ id: agent.agent, until }]);
    expect(t.anyCamera(cameras[0]!.camera)).toMatchObject({ until });
    expect(t.signs(signer.key.id, cameras[0]!.camera, until - 1, 1, 1)).toBe(true);
    expect(t.signs(signer.key.id, cameras[0]!.camera, until, 1, 1)).toBe(false);
  });
});

describe("a home", () => {
  it("is frozen, retains, and is handed over", async () => {
    const f = await Family.home();
    const open = await f.invite({ purpose: "join", standing: guest() });
    expect((await title(f)).retained).toBe(false);
    await f.do({ type: "retain", days: 30, bytes: 5e12 });
    await f.do({ type: "freeze" });
    const before = await title(f);
    expect(before.retained).toBe(true);
    expect([before.frozen, before.retention, before.handedOver]).toEqual([true, { days: 30, bytes: 5e12 }, 0]);
    expect(before.invite(open.id)).toMatchObject({ to: { purpose: "join", standing: guest() } });
    const buyer = await somebody();
    await f.do(await f.handOverBody(await f.invite({ purpose: "hand over" }), buyer));
    const after = await title(f);
    expect([after.frozen, after.handedOver, after.invites, ids(after.people)]).toEqual([false, f.deeds.length - 1, [], [buyer.person.id]]);
    expect(after.time).toBe(f.time);
  });
});
