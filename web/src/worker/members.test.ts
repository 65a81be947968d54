// People through the worker's door once they are in: changed, removed, with new keys;
// against a server that can be told to misbehave.

import { beforeEach, describe, expect, it } from "vitest";
import { headText } from "../deed/head.ts";
import { idText } from "../seal/name.ts";
import { base64, random, unbase64 } from "../wire.ts";
import { ada, admitted, asGuest, asResident, ben, bensKey, camera, guest, home, house, joined, meet, recorded, sees, server } from "./standin/company.ts";
import { Browser, passkey } from "./standin/browser.ts";
import { good, TestHouse } from "./standin/house.ts";

beforeEach(meet);

describe("people", () => {
  it("become residents, guests and owners, and see accordingly", async () => {
    await joined(asGuest);
    const person = ben.keep.kept.get(home)!.secrets!.person;
    await good(ada.members.changePerson(person, "resident", null, false));
    expect(server.title!.epoch).toBe(2);
    const seen = await recorded();
    await good(ben.desk.title());
    expect(await sees(ben, seen.name)).toBe("opened");
    await good(ada.members.changePerson(person, "guest", { ...guest, kinds: ["clip"] }, false));
    expect(server.title!.epoch).toBe(3);
    const hidden = await recorded();
    await good(ben.desk.title());
    expect(await sees(ben, hidden.name)).toBe("no-envelope");
    await good(ada.members.changePerson(person, "owner", null, true));
    await good(ben.desk.title());
    expect(await sees(ben, hidden.name)).toBe("opened");
    expect((await good(ben.desk.saveSettings({ home: "Ben's too" }))).settings.home).toBe("Ben's too");
  });

  it("who are removed are shut out at once, and open nothing that is made after", async () => {
    await joined(asResident);
    const person = ben.keep.kept.get(home)!.secrets!.person;
    const before = await recorded();
    expect(await sees(ben, before.name)).toBe("opened");
    const { people } = await good(ada.members.dismiss(person));
    expect(people.map((p) => p.me)).toEqual([true]);
    expect(server.title!.epoch).toBe(3);
    expect(await ben.desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
    expect(await ben.desk.open(home)).toMatchObject({ ok: false, trouble: "signed-out" });
    // Removed from a home, nobody is locked out of their account.
    expect((await good(ben.account.standing())).standing).toMatchObject({ state: "open" });
  });

  it("leave as guests; the home is gone from browser and vault", async () => {
    await joined(asGuest);
    await good(ben.members.leave());
    expect(server.title!.people).toHaveLength(1);
    expect((await good(ben.desk.homes())).homes).toEqual([]);
    expect(ben.keep.kept.has(home)).toBe(false);
  });

  it("who see the whole home do not leave by themselves, and the last owner not at all", async () => {
    await joined(asResident);
    expect(await ben.members.leave()).toMatchObject({ ok: false, reason: "not-allowed" });
    const me = server.title!.people.find((p) => p.role === "owner")!.id;
    expect(await ada.members.changePerson(me, "resident", null, false)).toMatchObject({ ok: false, reason: "last-owner" });
    expect(await ada.members.dismiss(me)).toMatchObject({ ok: false });
  });

  it("do not sign what only owners sign", async () => {
    await joined(asResident);
    const person = server.title!.people.find((p) => p.role === "owner")!.id;
    expect(await ben.members.dismiss(person)).toMatchObject({ ok: false, reason: "not-allowed" });
    expect(await ben.members.invite(asGuest)).toMatchObject({ ok: false, reason: "not-allowed" });
    expect((await good(ben.members.freeze())).title.frozen).toBe(true);
    expect(await ben.members.thaw()).toMatchObject({ ok: false, reason: "not-allowed" });
    expect((await good(ada.members.thaw())).title.frozen).toBe(false);
  });

  it("have names, and their devices too", async () => {
    await joined(asResident);
    const device = ben.keep.kept.get(home)!.secrets!.device;
    const { people } = await good(ben.members.nameDevice(device, "Ben's phone"));
    expect(people.find((p) => p.me)!.devices).toEqual([{ device, name: "Ben's phone", here: true }]);
    const hers = (await good(ada.members.people())).people;
    expect(hers.find((p) => !p.me)!.devices).toEqual([{ device, name: "", here: false }]);
    const mine = hers.find((p) => p.me)!.devices[0]!.device;
    expect((await good(ada.members.nameDevice(mine, "Kitchen"))).people.find((p) => p.me)!.devices[0]!.name).toBe("Kitchen"); // without an account
    expect(await ada.members.namePerson(hers[0]!.person, "\u202e")).toMatchObject({ ok: false, reason: "name" });
  });

  it("come back with new keys, after they have lost everything", async () => {
    await joined(asResident);
    const person = ben.keep.kept.get(home)!.secrets!.person;
    const seen = await recorded();
    const again = new Browser(server);
    await again.signUp("ben2@example.org", { passkey: passkey() });
    const invited = await good(ada.members.inviteBack(person));
    expect((await good(again.members.readInvitation(invited.link))).invitation).toMatchObject({ purpose: "recover", role: null });
    await admitted(invited, again, true);
    await good(again.desk.open(home));
    expect(again.keep.kept.get(home)!.secrets!.person).toBe(person);
    expect(await sees(again, seen.name)).toBe("opened");
    expect(await ben.desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
    expect((await good(ada.members.people())).people.map((p) => p.name).sort()).toEqual(["", "Ben"]);
  });
});

describe("handing over", () => {
  it("makes whoever comes the only owner, with an epoch of their own", async () => {
    const before = await recorded();
    const invited = await good(ada.members.handOver());
    await good(ben.members.answerInvitation(invited.link));
    await good(ada.members.watchInvite(invited.invite));
    await good(ben.members.watchAdmission(invited.link));
    expect(await good(ada.members.admit(invited.invite, true))).toEqual({ ok: true, people: [], invites: [] });
    expect((await good(ada.desk.homes())).homes).toEqual([]);
    expect(await good(ben.members.watchAdmission(invited.link))).toMatchObject({ state: "admitted" });
    const { title, settings } = await good(ben.desk.open(home));
    expect(title).toMatchObject({ me: { role: "owner" }, epoch: 2 });
    expect(settings.cameras).toEqual({}); // the names were those of whoever lived there
    expect(await sees(ben, before.name)).not.toBe("opened");
    expect((await good(ben.desk.saveSettings({ home: "Ben's house" }))).settings.home).toBe("Ben's house");
    await good(ben.desk.open(home));
  });

  it("is put off if people of the home have changed since", async () => {
    const invited = await good(ada.members.handOver());
    await good(ben.members.answerInvitation(invited.link));
    await good(ada.members.watchInvite(invited.invite));
    const carla = new Browser(server);
    await carla.signUp("carla@example.org", { passkey: passkey() });
    await admitted(await good(ada.members.invite({ ...asResident, name: "Carla" })), carla);
    expect(await ada.members.admit(invited.invite, false)).toMatchObject({ ok: false, reason: "wrong-epoch" });
  });
});

describe("a lost phone", () => {
  beforeEach(async () => {
    await joined(asResident, true);
  });

  const signing = (): string => base64(ben.keep.kept.get(home)!.secrets!.signing);

  it("opens nothing that is made after, and its person goes on with new keys and all of the past", async () => {
    const before = await recorded();
    const stolen = new Browser(server);
    for (const [h, row] of ben.keep.kept) stolen.keep.kept.set(h, row);
    stolen.keep.known = { ...ben.keep.known!, open: null };
    const old = signing();
    await good(ben.members.lostDevice());
    expect(signing()).not.toBe(old);
    expect(ben.keep.kept.get(home)!.secrets!.next).toBeNull();
    expect(server.title!.people.find((p) => p.role === "resident")!.devices).toHaveLength(1);
    expect(await sees(ben, before.name)).toBe("opened");
    expect(await stolen.desk.open(home)).toMatchObject({ ok: false, trouble: "signed-out" });
    ben.reload();
    await good(ben.desk.open(home));
  });

  it("goes on with new keys even if something is asked with the old ones meanwhile", async () => {
    const desk = ben.desk;
    let asked: Promise<unknown> = Promise.resolve();
    server.bend = (q, a) => {
      if (q.method === "POST" && q.path.endsWith("/deeds") && a.status === 201) asked = desk.title();
      return a;
    };
    await good(ben.members.lostDevice());
    server.bend = (_, a) => a;
    await asked;
    expect((await good(ben.account.standing())).standing).toMatchObject({ state: "open" });
    expect(ben.keep.kept.get(home)!.secrets).not.toBeNull();
    await good(ben.desk.open(home));
  });

  it("has no session of the account any more by the time that the vault has the new keys", async () => {
    const phone = new Browser(server);
    await good(phone.account.signInPasskey(bensKey));
    const stolen = server.accounts.newest.id;
    await good(ben.members.lostDevice());
    expect(await phone.account.account()).toMatchObject({ ok: false, trouble: "locked" });
    const paths = server.arrived.map((a) => `${a.method} ${a.path.replace(/^.*\/accounts\/[a-z2-7]{26}\//, "account/").replace(/^.*\/deeds$/, "deeds")}`);
    const ended = paths.lastIndexOf(`DELETE account/sessions/${stolen}`);
    const [put, deed] = [paths.indexOf("PUT account/vault", ended), paths.lastIndexOf("POST deeds")];
    expect(ended).toBeGreaterThan(0);
    expect(put).toBeGreaterThan(ended);
    expect(deed).toBeGreaterThan(put);
  });

  it.each(["vault", "deeds", "settings"])("loses nothing if the browser stops before the answer to %s", async (at) => {
    const before = await recorded();
    server.bend = (q, a) => (q.method !== "GET" && q.path.endsWith(at) ? null : a);
    await ben.members.lostDevice();
    server.bend = (_, a) => a;
    ben.reload();
    await good(ben.desk.open(home));
    await good(ben.members.lostDevice());
    expect(await sees(ben, before.name)).toBe("opened");
    expect(server.title!.people.filter((p) => p.role === "resident")).toHaveLength(1);
  });

  it.each(["vault", "deeds"])("loses nothing if %s is never reached", async (at) => {
    const before = await recorded();
    server.away = (path) => path.endsWith(at);
    expect(await ben.members.lostDevice()).toMatchObject({ ok: false, trouble: "offline" });
    server.away = () => false;
    ben.reload();
    await good(ben.desk.open(home));
    expect(await sees(ben, before.name)).toBe("opened");
    await good(ben.members.lostDevice());
    expect(await sees(ben, before.name)).toBe("opened");
  });

  describe("of somebody with two homes", () => {
    let mill: TestHouse;

    beforeEach(async () => {
      mill = await TestHouse.make();
      server.beside = mill.server;
      const { invite, link } = await good(mill.page.members.invite({ ...asResident, name: "Benjamin" }));
      await good(ben.members.answerInvitation(link));
      await good(mill.page.members.watchInvite(invite));
      await good(ben.members.watchAdmission(link));
      await good(mill.page.members.admit(invite, true));
      expect(await good(ben.members.watchAdmission(link))).toMatchObject({ state: "admitted" });
    });

    it("opens neither any more", async () => {
      const [before, there] = [ben.keep.kept.get(home)!, ben.keep.kept.get(mill.server.title!.home)!];
      await good(ben.members.lostDevice());
      for (const [{ title }, row] of [[server, before], [mill.server, there]] as const) {
        expect(title!.device(row.secrets!.device)).toBeNull();
        const now = ben.keep.kept.get(row.home)!.secrets!;
        expect(title!.device(now.device)).not.toBeNull();
        expect(now.next).toBeNull();
      }
      expect((await good(ben.desk.title())).title.home).toBe(home); // the one that was open all along
      ben.reload();
      await good(ben.desk.open(mill.server.title!.home));
    });

    it("says in which of them it could not be done", async () => {
      mill.server.away = () => true;
      const done = await ben.members.lostDevice();
      expect(done).toMatchObject({ ok: false, reason: "other-homes", message: expect.stringContaining("Our house") });
      expect(server.title!.people.find((p) => p.role === "resident")!.devices[0]!.id).toBe(ben.keep.kept.get(home)!.secrets!.device);
      mill.server.away = () => false;
      ben.reload();
      await good(ben.desk.open(mill.server.title!.home));
      await good(ben.members.lostDevice());
    });
  });

  it("takes up the keys that another browser was about to put into the deed", async () => {
    house.obeys(async (c) => [await house.agent.reply(server.title!, c, 1, { head: headText(server.title!.head) })]);
    const tablet = new Browser(server);
    await good(tablet.account.signInPasskey(bensKey));
    await good(tablet.desk.open(home));
    server.away = (path) => path.endsWith("/deeds"); // the keys are in the vault, and no deed
    expect(await tablet.members.lostDevice()).toMatchObject({ ok: false, trouble: "offline" });
    server.away = () => false;
    const begun = base64(tablet.keep.kept.get(home)!.secrets!.next!.signing);
    await good(ben.account.signInPasskey(bensKey)); // the tablet has ended this browser's session
    await good(ben.desk.open(home));
    await good(ben.members.lostDevice());
    expect(signing()).toBe(begun);
  });

  it("is told to the next browser by the vault, whichever of the two pairs of keys holds", async () => {
    house.obeys(async (c) => [await house.agent.reply(server.title!, c, 1, { head: headText(server.title!.head) })]);
    await house.says(9);
    server.bend = (q, a) => (q.method === "POST" && q.path.endsWith("/deeds") ? null : a); // the deed stands, and nobody here heard
    await ben.members.lostDevice();
    server.bend = (_, a) => a;
    const next = new Browser(server);
    next.keep.known = ben.keep.known;
    await good(next.desk.open(home));
    expect(server.title!.people.find((p) => p.role === "resident")!.devices).toHaveLength(2);
  });
});

describe("cameras and agents", () => {
  it("are released, and the settings sealed to those who stay", async () => {
    const numberBefore = (await good(ada.desk.settings())).settings.number;
    const { title, settings } = await good(ada.members.releaseCamera(camera));
    expect(title.cameras).toEqual([]);
    expect(settings.number).toBe(numberBefore + 1);
    const released = await good(ada.members.releaseAgent(house.agent.body.agent));
    expect(released.title.agents).toEqual([]);
    expect(released.settings.number).toBe(numberBefore + 2);
  });

  it("get new keys only from the very agent that answers", async () => {
    const { link, slot } = await good(ada.desk.openJoin());
    server.answers.set(slot, await house.agent.answer(link, server.announcements.get(slot)!));
    await good(ada.desk.watchJoin(slot));
    expect(await ada.members.replaceAgent(idText("agent", random(16)), slot)).toMatchObject({ ok: false, reason: "wrong-agent" });
  });

  it("keep what the home wants, for how long it wants", async () => {
    expect((await good(ada.members.retain(30, 5_000_000))).title.retention).toEqual({ days: 30, bytes: 5_000_000 });
    const { seq } = server.title!.head;
    await good(ada.members.retain(30, 5_000_000));
    expect(server.title!.head.seq).toBe(seq);
  });

  it("delete what several cameras recorded, each by a tombstone of its own", async () => {
    const cameras = Array.from({ length: 33 }, () => idText("camera", random(16)));
    await good(ada.members.deleteSpans(cameras, 5, 9));
    const asked = server.arrived.filter((q) => q.path.endsWith("/tombstones")).map((q) => (q.body["tombstones"] as string[]).map((t) => unbase64(t)!));
    expect(asked.map((all) => all.length)).toEqual([32, 1]);
    expect(asked.flat().map((t) => idText("camera", t.subarray(114, 130)))).toEqual(cameras);
  });
});

describe("what is signed in", () => {
  it("is listed, and ended one by one", async () => {
    await joined(asResident);
    const { sessions } = await good(ben.members.sessions());
    const mine = sessions.find((s) => s.here)!;
    expect(mine.device).toBe(ben.keep.kept.get(home)!.secrets!.device);
    const other = sessions.find((s) => !s.here)!;
    expect((await good(ben.members.endSession(other.session))).sessions.some((s) => s.session === other.session)).toBe(false);
  });

  it("is said on the trust page, with what was refused", async () => {
    await recorded();
    server.events = [{ event: idText("event", random(16)), objects: [{ name: "", problem: "misroute" }] }];
    await good(ada.desk.events());
    await expect.poll(async () => (await good(ada.members.trust())).trust.refused).toMatchObject([{ what: "answer", reason: "misroute" }]);
    const { trust } = await good(ada.members.trust());
    expect(trust).toMatchObject({ head: headText(server.title!.head), deeds: server.title!.deeds().length, epoch: 1, confirmed: "memory", gaveBack: 0 });
    expect(trust.words).toHaveLength(10);
  });
});
