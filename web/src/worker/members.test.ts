// People through the worker's door: invited, admitted, changed, removed, with new keys;
// against a server that can be told to misbehave.

import { beforeEach, describe, expect, it } from "vitest";
import { headText } from "../deed/head.ts";
import { signDeed } from "../deed/deed.ts";
import { signerOf } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import { nameOf } from "../seal/binding.ts";
import { type CameraID, type HomeID, idText, nameText } from "../seal/name.ts";
import { base64, type Bytes, concat, random } from "../wire.ts";
import { turn } from "../deed/epoch.ts";
import { InviteKeys, linkText, parseAnswer, parseLink } from "./invite.ts";
import type { Invited, Rights } from "./members.ts";
import { Browser, passkey } from "./standin/browser.ts";
import { good, TestHouse } from "./standin/house.ts";
import type { StandIn } from "./standin/server.ts";

const jpeg = (): Bytes => concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), random(200));

const bensKey = passkey();

let house: TestHouse;
let server: StandIn;
let home: HomeID;
let camera: CameraID;
let ada: TestHouse["page"];
let ben: Browser;

/** Ada's home with an agent and a camera; Ben has an account at the same server. */
beforeEach(async () => {
  house = await TestHouse.make();
  server = house.server;
  home = server.title!.home;
  camera = await house.camera();
  ada = house.page;
  ben = new Browser(server);
  await ben.signUp("ben@example.org", { passkey: bensKey });
});

const guest: Rights = { kinds: ["thumbnail"], until: 0, cameras: null };
const asGuest = { name: "Ben", role: "guest", rights: guest, days: 7 } as const;
const asResident = { name: "Ben", role: "resident", rights: null, days: 7 } as const;

/** Ben answers, both look at the words, and Ada says yes. */
async function admitted({ invite, link }: Invited, who = ben, past = false): Promise<void> {
  await good(who.members.answerInvitation(link));
  const shown = await good(ada.members.watchInvite(invite));
  const read = await good(who.members.watchAdmission(link));
  expect(read).toMatchObject({ state: "phrase" });
  if (shown.state !== "answered" || read.state !== "phrase") throw new Error("no phrase");
  expect(read.phrase).toEqual(shown.phrase);
  await good(ada.members.admit(invite, past));
  expect(await good(who.members.watchAdmission(link))).toMatchObject({ state: "admitted", home });
}

async function joined(how: Parameters<TestHouse["page"]["members"]["invite"]>[0], past = false): Promise<void> {
  await admitted(await good(ada.members.invite(how)), ben, past);
  await good(ben.desk.open(home));
}

/** An object of now, with an envelope for each who may see it. */
async function recorded(): Promise<{ name: ReturnType<typeof nameText>; picture: Bytes }> {
  const picture = jpeg();
  const made = await house.agent.seal(server.title!, camera, "thumbnail", picture);
  server.events = [{ event: made.binding.event, objects: [made.row] }];
  server.put(nameOf(made.binding), made.file);
  return { name: nameText(nameOf(made.binding)), picture };
}

async function sees(who: { desk: Browser["desk"] }, name: Awaited<ReturnType<typeof recorded>>["name"]): Promise<string> {
  await good(who.desk.events());
  const o = await who.desk.thumbnail(name);
  return o.state === "refused" ? o.reason : o.state;
}

describe("an invitation", () => {
  it("is read by whoever has the link: the home, who invites, as what", async () => {
    await good(ada.members.namePerson((await good(ada.members.people())).people[0]!.person, "Ada"));
    const { link } = await good(ada.members.invite({ ...asGuest, rights: { ...guest, cameras: [camera] } }));
    const { invitation } = await good(ben.members.readInvitation(link));
    expect(invitation).toMatchObject({ home, name: "Our house", from: "Ada", purpose: "join", role: "guest", rights: { kinds: ["thumbnail"], cameras: [camera] } });
    const said = JSON.stringify(server.arrived);
    for (const secret of ["Our house", "Ada", "Ben", parseLink(link)!.secret]) expect(said).not.toContain(typeof secret === "string" ? `"${secret}"` : base64(secret));
  });

  it("lets a resident in, who sees what is made from then on, and names", async () => {
    const before = await recorded();
    await joined(asResident);
    const { title, settings } = await good(ben.desk.open(home));
    expect(title).toMatchObject({ epoch: 2, me: { role: "resident", rights: null } });
    expect(settings.cameras[camera]).toMatchObject({ name: "Door" });
    expect((await good(ben.members.people())).people.map((p) => p.name).sort()).toEqual(["", "Ben"]);
    expect(await sees(ben, before.name)).toBe("no-envelope");
    const after = await recorded();
    expect(await sees(ben, after.name)).toBe("opened");
    expect((await good(ben.members.trust())).trust.confirmed).toBe("link");
    expect(await sees(ada, after.name)).toBe("opened");
  });

  it("lets a resident see the past if the owner chose so", async () => {
    const before = await recorded();
    await joined(asResident, true);
    expect(await sees(ben, before.name)).toBe("opened");
  });

  it("lets a guest in, who turns no epoch and reads no settings", async () => {
    await joined(asGuest);
    const { title, settings } = await good(ben.desk.open(home));
    expect(title).toMatchObject({ epoch: 1, me: { role: "guest", rights: guest } });
    expect(settings).toMatchObject({ number: 0, home: "Our house", cameras: {} });
    expect(server.arrived.filter((a) => a.path.endsWith("/settings")).length).toBeGreaterThan(0); // others read them
    const { people } = await good(ada.members.people());
    expect(people.find((p) => p.name === "Ben")).toMatchObject({ role: "guest", rights: guest, me: false, devices: [{ here: false, name: "" }] });
  });

  it("comes from the browser that made it, which alone has the link; another may withdraw", async () => {
    const { invite, link } = await good(ada.members.invite(asGuest));
    expect((await good(house.newPage().members.people().then((r) => (r.ok ? r : ada.members.people())))).invites).toMatchObject([{ invite, link, name: "Ben", purpose: "join", role: "guest", rights: guest, expired: false }]);
    const elsewhere = house.newPage();
    await good(elsewhere.desk.open());
    await house.keep.change(home, (s) => ({ ...s, invites: [] })); // as in a browser that did not make it
    expect((await good(elsewhere.members.people())).invites).toMatchObject([{ invite, link: "", name: "" }]);
    expect(await elsewhere.members.watchInvite(invite)).toMatchObject({ ok: false, reason: "not-here" });
    expect((await good(elsewhere.members.withdraw(invite))).invites).toEqual([]);
  });

  it("is nobody's any more once it is withdrawn", async () => {
    const { invite, link } = await good(ada.members.invite(asGuest));
    const waiting = ada.members.watchInvite(invite);
    await good(ben.members.answerInvitation(link));
    await good(waiting);
    await good(ada.members.withdraw(invite));
    expect(await good(ben.members.watchAdmission(link))).toEqual({ ok: true, state: "refused" });
    expect(await ada.members.admit(invite, false)).toMatchObject({ ok: false });
    expect(await new Browser(server).members.readInvitation(link)).toMatchObject({ ok: false, reason: "not-found" });
  });

  it("waits until it is stopped", async () => {
    const { invite } = await good(ada.members.invite(asGuest));
    const waiting = ada.members.watchInvite(invite);
    await new Promise((r) => setTimeout(r, 20));
    await good(ada.members.stopInvite(invite));
    expect(await good(waiting)).toEqual({ ok: true, state: "stopped" });
  });

  it("is answered only by somebody with an account that is open", async () => {
    const { link } = await good(ada.members.invite(asGuest));
    expect(await new Browser(server).members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "locked" });
    await good(ben.account.lock());
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "locked" });
  });

  it("is a ticket for whoever has no account", async () => {
    const { link } = await good(ada.members.invite(asGuest));
    const { slot } = await InviteKeys.of(parseLink(link)!.secret);
    server.setup = slot;
    await good(new Browser(server).account.beginSignUp({ invite: link }, "carla@example.org"));
    expect(server.arrived.at(-1)!.body["ticket"]).toBe(slot);
  });

  it("may be answered again after the answer to that was lost, and with the same keys", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    server.bend = (q, a) => (q.path.startsWith("/v1/joins/") && q.method === "PUT" ? null : a);
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "offline" });
    server.bend = (_, a) => a;
    ben.reload();
    await admitted({ invite, link, expires: 0 });
  });

  it("is answered with no keys that are not in the vault", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    server.away = (path) => path.endsWith("/account/vault");
    await good(ben.members.readInvitation(link));
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "offline" });
    server.away = () => false;
    server.bend = (q, a) => (q.method === "PUT" && q.path.endsWith("/account/vault") ? { status: 503, body: { error: { reason: "full", message: "", retry_after_ms: 0 } } } : a);
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false });
    expect(server.answers.size).toBe(1); // the agent's, of long ago
    server.bend = (_, a) => a;
    ben.reload();
    await admitted({ invite, link, expires: 0 });
    const next = new Browser(server);
    await good(next.account.signInPasskey(bensKey));
    expect((await good(next.desk.homes())).homes).toMatchObject([{ home, here: false }]);
  });

  it("lets somebody in again who was removed, with other keys", async () => {
    await joined(asResident);
    const before = ben.keep.kept.get(home)!.secrets!.person;
    const { link } = await good(ada.members.invite(asResident));
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, reason: "already-placed" });
    await good(ada.members.dismiss(before));
    await joined(asGuest);
    const { secrets } = ben.keep.kept.get(home)!;
    expect(secrets).toMatchObject({ next: null, answer: null });
    expect(secrets!.person).not.toBe(before);
    ben.reload();
    await good(ben.desk.open(home));
    const next = new Browser(server);
    await good(next.account.signInPasskey(bensKey));
    expect(await next.desk.open(home)).toMatchObject({ ok: false, trouble: "unconfirmed" }); // a guest hears of no agent
    await good(next.members.confirmHead("compared"));
  });

  it("ends in the vault too, so that the home is there in the next browser", async () => {
    await joined(asResident);
    const homes = (await good(ben.desk.homes())).homes;
    expect(homes).toEqual([{ home, name: "Our house", here: true }]);
  });
});

describe("somebody in between", () => {
  it("is noticed by the words, if they answered first", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    const eve = new Browser(server);
    await eve.signUp("eve@example.org", { passkey: passkey() });
    await good(eve.members.answerInvitation(link)); // Eve has seen the link
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, reason: "conflict" });
    const shown = await good(ada.members.watchInvite(invite));
    const [hers, his] = [await good(eve.members.watchAdmission(link)), await ben.members.watchAdmission(link)];
    expect(shown.state === "answered" && hers.state === "phrase" && hers.phrase).toEqual(shown.state === "answered" && shown.phrase);
    // The server may show Ben whatever it likes: his words are of his own answer.
    if (his.ok && his.state === "phrase") expect(his.phrase).not.toEqual(shown.state === "answered" && shown.phrase);
  });

  it("gets nowhere with a proof of another secret", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    await good(ben.members.answerInvitation(link));
    const { slot } = await InviteKeys.of(parseLink(link)!.secret);
    const bent = server.answers.get(slot)!.slice();
    bent[bent.length - 1]! ^= 1;
    server.answers.set(slot, bent);
    expect(await ada.members.watchInvite(invite)).toMatchObject({ ok: false, reason: "bad-proof" });
    expect(server.reveals.size).toBe(0);
    expect(await ada.members.admit(invite, false)).toMatchObject({ ok: false, reason: "order" });
  });

  it("cannot put other keys into an answer", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    await good(ben.members.answerInvitation(link));
    const { slot } = await InviteKeys.of(parseLink(link)!.secret);
    const bent = server.answers.get(slot)!.slice();
    bent[0]! ^= 1; // the person's ID
    server.answers.set(slot, bent);
    expect(await ada.members.watchInvite(invite)).toMatchObject({ ok: false, reason: "bad-proof" });
  });

  it("cannot reveal something else than was committed to", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    await good(ben.members.answerInvitation(link));
    await good(ada.members.watchInvite(invite));
    for (const slot of server.reveals.keys()) server.reveals.set(slot, random(32));
    expect(await ben.members.watchAdmission(link)).toMatchObject({ ok: false, reason: "commitment" });
  });

  it("cannot announce in the home's name, or for another link", async () => {
    const { link } = await good(ada.members.invite(asResident));
    const { slot } = await InviteKeys.of(parseLink(link)!.secret);
    const bent = server.announcements.get(slot)!.slice();
    bent[40]! ^= 1;
    server.announcements.set(slot, bent);
    expect(await ben.members.readInvitation(link)).toMatchObject({ ok: false, reason: "join-proof" });
    const { link: other } = await good(ada.members.invite(asResident));
    const mixed = linkText("http://localhost", { ...parseLink(other)!, head: { seq: 1, hash: "ab".repeat(32) } }, "");
    expect(await ben.members.readInvitation(mixed)).toMatchObject({ ok: false, reason: "wrong-home" });
    expect(await ben.members.readInvitation(link.slice(0, -3))).toMatchObject({ ok: false, reason: "join-secret" });
  });

  it("cannot let somebody into another chain than the link's", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    await good(ben.members.answerInvitation(link));
    await good(ada.members.watchInvite(invite));
    await good(ben.members.watchAdmission(link));
    // A chain in which Ben stands all the same, by deeds of Ada's own key, and which is not the link's.
    const { slot } = await InviteKeys.of(parseLink(link)!.secret);
    const [{ person, signature }, whole] = [(await parseAnswer(server.answers.get(slot)!))!, server.title!];
    const owner = await signerOf(house.keep.kept.get(home)!.secrets!.signing);
    const { signing, expires, to } = whole.invite(invite)!;
    const base = await Title.fold(home, whole.deeds().slice(0, -1));
    const now = Date.now() * 1000;
    const invited = await base.append([await signDeed(owner, base.next, now, { type: "invite", invite, signing, expires: expires + 1, to })]);
    const turned = (await turn(invited, [...invited.wholeHome, person])).turn;
    server.title = await invited.append([await signDeed(owner, invited.next, now, { type: "admit", proof: { invite, signature }, person, past: null, turn: turned })]);
    const fork = { ok: false, trouble: "fork", seen: headText(parseLink(link)!.head) };
    expect(await ben.members.watchAdmission(link)).toMatchObject(fork);
    server.compares = false;
    expect(await ben.members.watchAdmission(link)).toMatchObject(fork);
    expect(ben.keep.kept.get(home)!.stage).toBe("invited");
    // The control: on the link's own chain the same page is let in.
    server.title = whole;
    await good(ada.members.admit(invite, false));
    expect(await good(ben.members.watchAdmission(link))).toMatchObject({ state: "admitted" });
  });
});

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
    const paths = server.arrived.map((a) => `${a.method} ${a.path.replace(/^.*\/account\//, "account/").replace(/^.*\/deeds$/, "deeds")}`);
    const ended = paths.lastIndexOf(`DELETE account/sessions/${stolen}`);
    const [put, deed] = [paths.indexOf("PUT account/vault", ended), paths.lastIndexOf("POST deeds")];
    expect(ended).toBeGreaterThan(0);
    expect(put).toBeGreaterThan(ended);
    expect(deed).toBeGreaterThan(put);
  });

  it.each(["account/vault", "deeds", "settings"])("loses nothing if the browser stops before the answer to %s", async (at) => {
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

  it.each(["account/vault", "deeds"])("loses nothing if %s is never reached", async (at) => {
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
