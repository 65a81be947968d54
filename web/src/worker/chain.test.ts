// A chain is fetched as far as the server has it, and believed in nothing that does not
// follow what was seen.

import { beforeEach, expect, it } from "vitest";
import { signDeed } from "../deed/deed.ts";
import { signerOf } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import { idText } from "../seal/name.ts";
import { base64, type Bytes, random } from "../wire.ts";
import { good, TestHouse } from "./standin/house.ts";
import { type Body, refusal, type Reply } from "./standin/reply.ts";
import type { Arrived } from "./standin/server.ts";

let house: TestHouse;
let known: Title;

beforeEach(async () => {
  house = await TestHouse.make();
  await house.camera();
  known = house.server.title!;
});

const textOf = (t: Title): string => `${t.head.seq}:${t.head.hash}`;
const isRead = (q: Arrived): boolean => q.method === "GET" && q.path.endsWith("/deeds");
const isWrite = (q: Arrived): boolean => q.method === "POST" && q.path.endsWith("/deeds");
const count = (is: (q: Arrived) => boolean): number => house.server.arrived.filter(is).length;

/** What the server says of deeds, other than it has them. */
function says(change: (body: Body) => Body): void {
  house.server.bend = (q, a) => (isRead(q) ? ({ ...a, body: { ...(a.body as Body), ...change(a.body as Body) } } as Reply) : a);
}

/** Another page goes on with the chain. */
async function grown(by = 3): Promise<Title> {
  const other = house.newPage();
  await good(other.desk.open());
  for (let i = 0; i < by; i++) await good(i % 2 === 0 ? other.members.freeze() : other.members.thaw());
  return house.server.title!;
}

it("is asked for when somebody speaks of a head beyond it, and only then", async () => {
  house.server.arrived.length = 0;
  await good(house.desk.events());
  expect(count(isRead)).toBe(0);
  const { head } = await grown(1);
  await good(house.desk.events());
  expect(house.page.hall.room.home.title.head).toEqual(head);
});

it("comes in parts, and no part of it is the end", async () => {
  const whole = await grown();
  says((body) => ({ deeds: (body["deeds"] as string[]).slice(0, 1) }));
  house.server.arrived.length = 0;
  expect((await good(house.desk.title())).title.head).toBe(textOf(whole));
  expect(count(isRead)).toBe(3);
});

it("that does not come is none", async () => {
  await grown();
  says(() => ({ deeds: [] }));
  expect(await house.desk.title()).toMatchObject({ ok: false, trouble: "broken" });
  expect(house.page.hall.room.home.title.head).toEqual(known.head);
});

it("that leads elsewhere than the server says is a fork", async () => {
  const { head } = await grown(1);
  says(() => ({ head: `${head.seq}:${known.head.hash}` }));
  expect(await house.desk.title()).toMatchObject({ ok: false, trouble: "fork", offered: `${head.seq}:${known.head.hash}` });
});

it("that goes on with another home's deeds, with its own once more or with others is a fork", async () => {
  const neighbour = await TestHouse.make();
  await neighbour.camera();
  const theirs = neighbour.server.title!;
  const last = known.deeds().at(-1)!;
  let forked = await Title.fold(known.home, known.deeds().slice(0, -1));
  const owner = await signerOf([...house.keep.kept.values()][0]!.secrets!.signing);
  for (let i = 0; i < 2; i++) {
    const body = { type: "place camera", camera: idText("camera", random(16)), agent: house.agent.body.agent } as const;
    forked = await forked.append([await signDeed(owner, forked.next, Date.now() * 1000, body)]);
  }
  const offers: [string, Bytes][] = [["theirs", theirs.deeds()[known.head.seq]!], ["its own once more", last], ["the first", known.deeds()[0]!], ["another", forked.deeds().at(-1)!]];
  for (const [what, deed] of offers) {
    says(() => ({ head: `${known.head.seq + 1}:${theirs.head.hash}`, deeds: [base64(deed)] }));
    expect([what, await house.desk.title()]).toMatchObject([what, { ok: false, trouble: "fork", seen: textOf(known) }]);
  }
  says(() => ({ head: `${known.head.seq + 1}:${theirs.head.hash}`, deeds: [base64(last.slice(0, -1))] }));
  expect(await house.desk.title()).toMatchObject({ ok: false, trouble: "bad-chain", at: known.head.seq + 1 });
});

it("that this browser has kept is folded again, because what lies there may have been bent", async () => {
  const kept = house.keep.kept.get(known.home)!;
  const deeds = kept.deeds.map((d, i) => (i === 1 ? d.map((b, at) => (at === d.length - 1 ? b ^ 1 : b)) : d));
  house.keep.kept.set(known.home, { ...kept, deeds });
  expect(await house.newDesk().open()).toMatchObject({ ok: false, trouble: "bad-chain", reason: "bad-signature", at: 1 });
});

it("is not gone on with by a deed that the server refuses, whatever it sends with the refusal", async () => {
  const { members } = house.page;
  house.server.bend = (q, a) => (isWrite(q) ? refusal(403, "not-allowed", { home: known.home, head: textOf(known), deeds: [] }) : a);
  house.server.title = known;
  expect(await members.freeze()).toMatchObject({ ok: false, trouble: "refused", reason: "not-allowed" });
  expect(count(isWrite)).toBeGreaterThan(0);
  house.server.bend = (q, a) => (isWrite(q) ? null : a);
  expect(await members.freeze()).toMatchObject({ ok: false, trouble: "offline" });
});

it("is heard first if somebody else was quicker, and then gone on with once", async () => {
  const whole = await grown(2);
  const { title } = await good(house.page.members.freeze());
  expect(house.server.title!.deeds().slice(0, whole.deeds().length)).toEqual(whole.deeds());
  expect(title.head).toBe(textOf(house.server.title!));
  expect(house.server.title!.head.seq).toBe(whole.head.seq + 1);
});

it("is given back before it is gone on with", async () => {
  house.server.title = await Title.fold(known.home, known.deeds().slice(0, 2));
  await good(house.page.members.freeze());
  expect(house.server.title.deeds().slice(0, -1)).toEqual(known.deeds());
});

it("is not gone on with if somebody else has done the same", async () => {
  const { head } = await grown(1);
  await good(house.page.members.freeze());
  expect(house.server.title!.head).toEqual(head);
});
