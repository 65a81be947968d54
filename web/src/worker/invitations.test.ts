// Invitations through the worker's door: made, answered, compared, and with somebody in
// between; against a server that can be told to misbehave.

import { beforeEach, describe, expect, it } from "vitest";
import { headText } from "../deed/head.ts";
import { signDeed } from "../deed/deed.ts";
import { signerOf } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import { turn } from "../deed/epoch.ts";
import { base64, random } from "../wire.ts";
import { InviteKeys, linkText, parseAnswer, parseLink } from "./invite.ts";
import { ada, admitted, asGuest, asResident, ben, bensKey, camera, guest, home, house, joined, meet, recorded, sees, server } from "./standin/company.ts";
import { Browser, passkey } from "./standin/browser.ts";
import { good } from "./standin/house.ts";
import type { Body, Reply } from "./standin/reply.ts";

beforeEach(meet);

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
    server.away = (path) => path.endsWith("/vault");
    await good(ben.members.readInvitation(link));
    expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "offline" });
    server.away = () => false;
    server.bend = (q, a) => (q.method === "PUT" && q.path.endsWith("/vault") ? { status: 503, body: { error: { reason: "full", message: "", retry_after_ms: 0 } } } : a);
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

  it("cannot show an owner the answer of another place", async () => {
    const { invite, link } = await good(ada.members.invite(asResident));
    await good(ben.members.answerInvitation(link));
    server.bend = (q, a) => (q.method === "GET" && q.path.includes("/joins/") ? ({ ...a, body: { ...(a.body as Body), slot: "another" } } as Reply) : a);
    expect(await ada.members.watchInvite(invite)).toMatchObject({ ok: false, trouble: "crossed", what: "name" });
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
