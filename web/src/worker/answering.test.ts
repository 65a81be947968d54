// Answering an invitation, beside what invitations.test.ts shows: what the link's place at
// the server must say, and what a browser does that has answered before.

import { beforeEach, expect, it, vi } from "vitest";
import { idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import { InviteKeys, type Link, linkText, parseLink } from "./invite.ts";
import type { Invited } from "./members.ts";
import { ada, admitted, asGuest, asResident, ben, home, house, joined, meet, server } from "./standin/company.ts";
import { Browser, passkey } from "./standin/browser.ts";
import { good } from "./standin/house.ts";
import { type Body, refusal, type Reply } from "./standin/reply.ts";
import type { Arrived } from "./standin/server.ts";

beforeEach(meet);

const isPlace = (q: Arrived, method: string): boolean => q.method === method && q.path.startsWith("/v1/joins/");
const invited = (how: Parameters<typeof ada.members.invite>[0] = asResident): Promise<Invited> => good(ada.members.invite(how));
const slotOf = async (link: string): Promise<string> => (await InviteKeys.of(parseLink(link)!.secret)).slot;

/** Whether a call is still waiting after a moment. */
async function waits(call: Promise<unknown>): Promise<boolean> {
  const late = new Promise<"late">((end) => setTimeout(() => end("late"), 500));
  return (await Promise.race([call, late])) === "late";
}

it("is not read from another link's place", async () => {
  const [{ link }, { link: other }] = [await invited(), await invited()];
  const slot = await slotOf(other);
  server.bend = (q, a) => (isPlace(q, "GET") ? ({ ...a, body: { ...(a.body as Body), slot } } as Reply) : a);
  expect(await ben.members.readInvitation(link)).toMatchObject({ ok: false, trouble: "crossed", what: "name" });
});

it.each([
  ["home", (l: Link): Link => ({ ...l, home: idText("home", random(32)) })],
  ["number of a deed", (l: Link): Link => ({ ...l, head: { ...l.head, seq: 1 } })],
  ["deed", (l: Link): Link => ({ ...l, head: { ...l.head, hash: "ab".repeat(32) } })],
])("is not read by a link to another %s", async (_, change) => {
  const { link } = await invited();
  const bent = linkText("http://localhost", change(parseLink(link)!), "");
  expect(await ben.members.readInvitation(bent)).toMatchObject({ ok: false, reason: "wrong-home" });
});

it("is waited for by nobody who has not answered", async () => {
  const { link } = await invited();
  expect(await ben.members.watchAdmission(link)).toMatchObject({ ok: false, reason: "order" });
});

it("that is answered once more is so with the same keys, whatever the server says but no", async () => {
  const { link } = await invited();
  await good(ben.members.answerInvitation(link));
  const first = server.answers.get(await slotOf(link))!;
  await good(ben.members.answerInvitation(link)); // the server has an answer already
  server.answers.delete(await slotOf(link));
  await good(ben.members.answerInvitation(link));
  expect(server.answers.get(await slotOf(link))).toEqual(first);
  server.bend = (q, a) => (isPlace(q, "PUT") ? refusal(403, "expired") : a);
  expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "refused", reason: "expired" });
  server.bend = (q, a) => (isPlace(q, "PUT") ? null : a);
  expect(await ben.members.answerInvitation(link)).toMatchObject({ ok: false, trouble: "offline" });
});

it("is answered anew, and by other keys, if another was answered before", async () => {
  const before = await invited();
  await good(ben.members.answerInvitation(before.link));
  const first = ben.keep.kept.get(home)!.secrets!.person;
  await good(ada.members.withdraw(before.invite));
  await admitted(await invited());
  expect(ben.keep.kept.get(home)!.secrets!.person).not.toBe(first);
});

it("is answered by nobody whom an earlier one has let in meanwhile", async () => {
  const [first, second] = [await invited(asGuest), await invited(asGuest)];
  await good(ben.members.answerInvitation(first.link));
  await good(ada.members.watchInvite(first.invite));
  await good(ada.members.admit(first.invite, false));
  expect(await ben.members.answerInvitation(second.link)).toMatchObject({ ok: false, reason: "already-placed" });
  expect(ben.keep.kept.get(home)).toMatchObject({ stage: "in", secrets: { next: null, answer: null } });
});

it("leaves the keys of other homes alone", async () => {
  const other = idText("home", random(32));
  const kept = { ...house.keep.kept.get(home)!, home: other };
  ben.keep.kept.set(other, kept);
  await joined(asResident);
  expect(ben.keep.kept.get(other)).toEqual(kept);
  expect(ben.keep.kept.get(home)!.secrets!.person).not.toBe(kept.secrets!.person);
});

it("shows its words once, and then waits; nobody who cannot be reached says no", async () => {
  const { invite, link } = await invited();
  await good(ben.members.answerInvitation(link));
  expect(await waits(ben.members.watchAdmission(link))).toBe(true); // nobody has seen the answer yet
  await good(ada.members.watchInvite(invite));
  expect(await good(ben.members.watchAdmission(link))).toMatchObject({ state: "phrase" });
  expect(await waits(ben.members.watchAdmission(link))).toBe(true);
  server.away = (path) => path.startsWith("/v1/joins/");
  expect(await ben.members.watchAdmission(link)).toMatchObject({ ok: false, trouble: "offline" });
  server.away = (path) => path.startsWith("/v1/sessions");
  expect(await ben.members.watchAdmission(link)).toMatchObject({ ok: false, trouble: "offline" });
});

it("is turned down when its place is closed, and lets in whoever stands in the home by then", async () => {
  const { invite, link } = await invited();
  await good(ben.members.answerInvitation(link));
  await good(ada.members.watchInvite(invite));
  await good(ben.members.watchAdmission(link));
  await good(ada.members.admit(invite, false));
  let asked = 0;
  server.bend = (q, a) => (q.path === "/v1/sessions/person" && asked++ === 0 ? refusal(403, "refused") : a);
  expect(await good(ben.members.watchAdmission(link))).toMatchObject({ state: "admitted", home });
  expect(asked).toBeGreaterThan(1);

  const other = await invited();
  const eve = new Browser(server);
  await eve.signUp("eve@example.org", { passkey: passkey() });
  await good(eve.members.answerInvitation(other.link));
  await good(ada.members.withdraw(other.invite));
  expect(await good(eve.members.watchAdmission(other.link))).toMatchObject({ state: "refused" });
});

it("ends when its time has come", async () => {
  const { link } = await invited();
  await good(ben.members.answerInvitation(link));
  const now = Date.now();
  const clock = vi.spyOn(Date, "now").mockReturnValue(now + 8 * 24 * 3_600_000);
  try {
    expect(await good(ben.members.watchAdmission(link))).toMatchObject({ state: "expired" });
  } finally {
    clock.mockRestore();
  }
});

it("to somebody in the home already is put beside the keys that are there", async () => {
  await joined(asResident);
  const { person } = ben.keep.kept.get(home)!.secrets!;
  const { invite, link } = await good(ada.members.inviteBack(person));
  await admitted({ invite, link, expires: 0 });
  expect(ben.keep.kept.get(home)!.secrets).toMatchObject({ person, next: null, answer: null });
  ben.reload();
  await good(ben.desk.open(home));
});
