// A session of a device: when it is begun, when it has ended, and what is told of it.

import { beforeEach, expect, it } from "vitest";
import { good, TestHouse } from "./standin/house.ts";
import type { Arrived } from "./standin/server.ts";
import { refusal } from "./standin/reply.ts";

let house: TestHouse;

beforeEach(async () => {
  house = await TestHouse.make();
});

const signIns = (): number => house.server.arrived.filter((a) => a.path === "/v1/sessions").length;
const isList = (q: Arrived): boolean => q.path.endsWith("/events");

it("that is begun anew for a request that is refused then leaves it at that", async () => {
  const { server, desk } = house;
  server.signedIn = false;
  server.bend = (q, a) => (isList(q) && a.status === 200 ? refusal(409, "conflict", { home: server.title!.home }) : a);
  expect(await desk.events()).toMatchObject({ ok: false, trouble: "refused", status: 409, reason: "conflict" });
  server.bend = (_, a) => a;
  server.signedIn = false;
  await good(desk.events());
});

it.each([
  [403, "refused"],
  [404, "not-found"],
  [401, "signed-out"],
])("that the server does not begin, %i %s, is signed out, and no more is asked", async (status, reason) => {
  const { server, desk } = house;
  server.signedIn = false;
  server.bend = (q, a) => (q.path === "/v1/sessions" ? refusal(status, reason) : a);
  expect(await desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
  const before = server.arrived.length;
  expect(await desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
  expect(server.arrived.length).toBe(before);
});

it("that the server cannot begin just now is asked for again", async () => {
  const { server, desk } = house;
  server.signedIn = false;
  server.bend = (q, a) => (q.path === "/v1/sessions" ? refusal(503, "busy") : a);
  expect(await desk.events()).toMatchObject({ ok: false, trouble: "busy" });
  server.bend = (_, a) => a;
  await good(desk.events());
});

it("that was ended is not begun again by what was under way", async () => {
  const { server, page } = house;
  const { session } = page.hall.room.home;
  let ended = (): void => undefined;
  const end = new Promise<void>((go) => (ended = go));
  server.bend = (q, a) => (isList(q) ? refusal(401, "signed-out") : a);
  server.mac = async (q) => (isList(q) ? end.then(() => null) : null);
  const underWay = session.ask("GET", "/events?limit=1");
  const before = signIns();
  await session.signOut();
  ended();
  await expect(underWay).rejects.toMatchObject({ trouble: { trouble: "signed-out" } });
  await expect(session.socket("/changes")).rejects.toMatchObject({ trouble: { trouble: "signed-out" } });
  expect(signIns()).toBe(before);
});

it("tells of an answer to another question, and not of one to that report", async () => {
  const { server, desk } = house;
  const isReport = (q: Arrived): boolean => q.path.endsWith("/reports");
  server.mac = async (q) => (isList(q) || isReport(q) ? "" : null);
  expect(await desk.events()).toMatchObject({ ok: false, trouble: "crossed" });
  await expect.poll(() => server.reports()).toHaveLength(1);
  server.mac = async (q) => (isReport(q) ? "" : null);
  for (let i = 0; i < 3; i++) await good(desk.events());
  expect(server.reports()).toHaveLength(1);
});
