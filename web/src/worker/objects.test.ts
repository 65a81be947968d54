// What becomes of an object between the server and the page: beside what desk.test.ts
// shows, every way in which one is refused.

import { beforeEach, expect, it } from "vitest";
import { nameOf } from "../seal/binding.ts";
import { type CameraID, type NameText, nameText } from "../seal/name.ts";
import { type Bytes, concat, random } from "../wire.ts";
import { ada, asGuest, ben, camera, guest, house as company, joined, meet } from "./standin/company.ts";
import type { Made } from "./standin/agent.ts";
import { good, TestHouse } from "./standin/house.ts";
import { type Body, refusal } from "./standin/reply.ts";

let house: TestHouse;
let cameras: CameraID[];

beforeEach(async () => {
  house = await TestHouse.make();
  cameras = [await house.camera(), await house.camera()];
});

const jpeg = (): Bytes => concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), random(200));
const called = (m: Made): NameText => nameText(nameOf(m.binding));
const described = (names: Body): Bytes => new TextEncoder().encode(JSON.stringify({ v: 1, start: 7, end: 9, cause: "motion", names }));

/** Seals, stores and lists them, each as an event of its own. */
async function listed(...objects: { camera?: CameraID; kind?: "thumbnail" | "description"; content?: Bytes }[]): Promise<Made[]> {
  const { server, agent, desk } = house;
  const made = await Promise.all(objects.map((o) => agent.seal(server.title!, o.camera ?? cameras[0]!, o.kind ?? "thumbnail", o.content ?? jpeg())));
  server.events = made.map((m) => ({ event: m.binding.event, objects: [m.row] }));
  for (const m of made) server.put(nameOf(m.binding), m.file);
  await good(desk.events());
  return made;
}

it("a description is given as it was written, and tells whoever can read the settings nothing", async () => {
  const names = { home: "Our house", camera: "Door", zone: "UTC" };
  const [made] = await listed({ kind: "description", content: described(names) });
  house.heard.length = 0;
  expect(await house.desk.description(called(made!))).toMatchObject({ state: "opened", description: { start: 7, end: 9, cause: "motion", names } });
  expect(house.heard).not.toContainEqual({ changed: "settings" });
});

it("a description tells a guest what home and camera are called, once", async () => {
  await meet();
  await joined({ ...asGuest, rights: { ...guest, kinds: ["description"] } });
  const { agent, server } = company;
  const names = { home: "Our house", camera: "Door", zone: "UTC" };
  const made = await agent.seal(server.title!, camera, "description", described(names), undefined, {}, server.title!.people.find((p) => p.role === "guest")!.kem);
  server.events = [{ event: made.binding.event, objects: [made.row] }];
  server.put(nameOf(made.binding), made.file);
  expect((await good(ada.desk.events())).events[0]!.objects).toMatchObject([{ state: "verified", openable: false }]); // it is for Ben alone
  expect((await good(ben.desk.events())).events[0]!.objects).toMatchObject([{ state: "verified", openable: true }]);
  for (const told of [[{ changed: "settings" }], []]) {
    ben.heard.length = 0;
    expect(await ben.desk.description(called(made))).toMatchObject({ state: "opened" });
    expect(ben.heard).toEqual(told);
  }
  expect((await good(ben.desk.settings())).settings).toMatchObject({ home: "Our house", cameras: { [camera]: { name: "Door" } } });
});

it("a description that is none is refused, whoever signed it", async () => {
  const [made] = await listed({ kind: "description", content: jpeg() });
  expect(await house.desk.description(called(made!))).toMatchObject({ state: "refused", word: "corrupt", reason: "malformed" });
});

it("an object is asked for as what it is", async () => {
  const [made] = await listed({});
  for (const opened of [house.desk.description(called(made!)), house.desk.clip(called(made!)), house.desk.thumbnail("v1/nonsense" as NameText)]) {
    expect(await opened).toMatchObject({ state: "trouble", status: 404, reason: "not-listed" });
  }
  expect(house.server.arrived.filter((q) => q.path.startsWith("/v1/objects/"))).toEqual([]);
});

it("that is not there, or damaged at the server, is no misroute", async () => {
  const [gone, damaged] = await listed({}, {});
  house.server.put(nameOf(gone!.binding), refusal(404, "not-found"));
  house.server.put(nameOf(damaged!.binding), refusal(502, "corrupt"));
  expect(await house.desk.thumbnail(called(gone!))).toMatchObject({ state: "trouble", trouble: "refused", status: 404 });
  expect(house.server.reports()).toEqual([]);
  expect(await house.desk.thumbnail(called(damaged!))).toMatchObject({ state: "refused", word: "corrupt", reason: "corrupt" });
  expect(house.server.reports()).toMatchObject([{ asked: called(damaged!), word: "corrupt", reason: "corrupt", header: "" }]);
});

it("whose answer breaks off is trouble, and can be asked for again", async () => {
  const [made] = await listed({});
  const broken = new ReadableStream<Bytes>({ pull: (to) => to.error(new TypeError("the connection was lost")) });
  house.server.put(nameOf(made!.binding), { status: 200, body: broken });
  expect(await house.desk.thumbnail(called(made!))).toMatchObject({ state: "trouble", trouble: "offline" });
  house.server.put(nameOf(made!.binding), made!.file);
  expect(await house.desk.thumbnail(called(made!))).toMatchObject({ state: "opened" });
});

it("that was listed alone is kept as a file", async () => {
  const { server, agent, desk } = house;
  const unlisted = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
  server.put(nameOf(unlisted.binding), unlisted.file);
  for (const name of [called(unlisted), "v1/nonsense" as NameText]) {
    expect(await desk.exportObject(name)).toMatchObject({ ok: false, trouble: "refused", status: 404, reason: "not-listed" });
  }
});

it("that is another's is not kept as a file", async () => {
  const { server, desk } = house;
  const [hall, garden] = await listed({}, { camera: cameras[1]! });
  server.put(nameOf(hall!.binding), garden!.file);
  expect(await desk.exportObject(called(hall!))).toMatchObject({ ok: false, trouble: "refused", reason: "wrong-camera" });
  const neighbour = await TestHouse.make();
  const theirs = await neighbour.agent.seal(neighbour.server.title!, await neighbour.camera(), "thumbnail", jpeg());
  server.put(nameOf(hall!.binding), theirs.file);
  expect(await desk.exportObject(called(hall!))).toMatchObject({ ok: false, trouble: "refused", reason: "wrong-home" });
  server.put(nameOf(hall!.binding), { status: 200, body: new ReadableStream<Bytes>({ pull: (to) => to.error(new TypeError("the connection was lost")) }) });
  expect(await desk.exportObject(called(hall!))).toMatchObject({ ok: false, trouble: "offline" });
  server.put(nameOf(hall!.binding), hall!.file);
  expect(await desk.exportObject(called(hall!))).toMatchObject({ ok: true });
});
