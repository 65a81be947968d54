// The list of events, beside what desk.test.ts shows of it: what a row that is refused
// still says, what is remembered of one, and when it was.

import { beforeEach, describe, expect, it } from "vitest";
import { type Binding, nameOf } from "../seal/binding.ts";
import { type CameraID, type EventID, idText, nameText } from "../seal/name.ts";
import { base32, maxInt, random } from "../wire.ts";
import type { EventRow, ObjectRow } from "./protocol.ts";
import type { Made } from "./standin/agent.ts";
import { good, TestHouse } from "./standin/house.ts";
import type { Body } from "./standin/reply.ts";

let house: TestHouse;
let camera: CameraID;

beforeEach(async () => {
  house = await TestHouse.make();
  camera = await house.camera();
});

const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);
const sealed = (change: Partial<Binding> = {}, of = camera, event?: EventID): Promise<Made> => house.agent.seal(house.server.title!, of, "thumbnail", jpeg, event, change);
const called = (m: Made) => nameText(nameOf(m.binding));

/** The list of one event with these objects. */
async function list(event: string, ...objects: Body[]): Promise<EventRow> {
  house.server.events = [{ event, objects }];
  return (await good(house.desk.events())).events[0]!;
}

async function listOf(m: Made, change: Body = {}): Promise<ObjectRow> {
  house.server.put(nameOf(m.binding), m.file);
  return (await list(m.binding.event, { ...m.row, ...change })).objects[0]!;
}

it("a list says whether it is what an agent has at home", async () => {
  const page = () => good(house.desk.events());
  expect((await page()).porch).toBe(false);
  for (const porch of [true, false]) {
    house.server.bend = (q, a) => (q.path.endsWith("/events") ? { ...a, body: { ...(a.body as Body), porch } } : a);
    expect((await page()).porch).toBe(porch);
  }
});

describe("a row", () => {
  it("that the server found crossed or damaged is named if it is the home's own", async () => {
    const made = await sealed();
    const neighbour = await TestHouse.make();
    const theirs = called(await neighbour.agent.seal(neighbour.server.title!, await neighbour.camera(), "thumbnail", jpeg));
    const event = made.binding.event;
    for (const [name, problem, want] of [
      [called(made), "misroute", { name: called(made), kind: "thumbnail", word: "misroute", reason: "misroute" }],
      [called(made), "corrupt", { name: called(made), kind: "thumbnail", word: "corrupt", reason: "corrupt" }],
      [theirs, "misroute", { name: null, kind: null, word: "misroute", reason: "misroute" }],
      ["nonsense", "corrupt", { name: null, kind: null, word: "corrupt", reason: "corrupt" }],
    ] as const) {
      expect((await list(event, { name, problem })).objects).toEqual([{ state: "refused", ...want }]);
    }
    expect((await list(event, { problem: "misroute" })).objects).toMatchObject([{ state: "refused", name: null }]);
    await expect.poll(() => house.server.reports()).toHaveLength(5);
    expect(house.server.reports()).toMatchObject([
      { asked: called(made), word: "misroute", reason: "misroute" },
      { asked: called(made), word: "corrupt", reason: "corrupt" },
      { asked: "", word: "misroute", reason: "misroute" },
      { asked: "", word: "corrupt", reason: "corrupt" },
      { asked: "", word: "misroute", reason: "misroute" },
    ]);
  });

  it("without a header, or with half of one, is corrupt", async () => {
    const made = await sealed();
    for (const o of [{}, { header: made.row.header.slice(0, 40) }]) {
      expect((await list(made.binding.event, o)).objects).toMatchObject([{ state: "refused", name: null, kind: null, word: "corrupt" }]);
    }
  });

  it("that is refused under another event is named, because it is the home's own", async () => {
    const made = await sealed();
    const { objects } = await list(idText("event", random(16)), { ...made.row });
    expect(objects).toEqual([{ state: "refused", name: called(made), kind: "thumbnail", word: "misroute", reason: "wrong-object" }]);
  });

  it("of another camera in the same event is a misroute", async () => {
    const event = idText("event", random(16));
    const [mine, other] = [await sealed({}, camera, event), await sealed({}, await house.camera(), event)];
    const { objects } = await list(event, { ...mine.row }, { ...other.row });
    expect(objects).toMatchObject([{ state: "verified" }, { state: "refused", name: called(other), word: "misroute", reason: "wrong-camera" }]);
  });

  it("whose envelope is none, of an epoch before the object, or missing cannot be opened", async () => {
    const old = house.server.title!;
    expect(await listOf(await sealed(), { envelope: "AAAA" })).toMatchObject({ state: "verified", openable: false });
    const made = await sealed();
    expect((await list(made.binding.event, { header: made.row.header })).objects).toMatchObject([{ state: "verified", openable: false }]);
    await good(house.page.members.lostDevice());
    const late = await house.agent.seal(old, camera, "thumbnail", jpeg, undefined, { head: house.server.title!.head });
    expect(await listOf(late)).toMatchObject({ state: "verified", openable: false });
    expect(await listOf(await sealed())).toMatchObject({ state: "verified", openable: true });
  });

  it("that is no answer of this protocol is no row", async () => {
    const made = await sealed();
    house.server.events = [{ event: made.binding.event, objects: [{ ...made.row, envelope: "?" }] }];
    expect(await house.desk.events()).toMatchObject({ ok: false });
  });
});

describe("what is remembered", () => {
  it("is when a row was listed first, and when a hint had said that there is something", async () => {
    const [before, hinted, after] = [await sealed(), await sealed(), await sealed()];
    const { events } = house.page.hall.room;
    events.hinted();
    await good(house.desk.events("a place further down")); // is not what the hint was about
    expect(house.server.arrived.at(-1)).toMatchObject({ query: "?limit=50&before=a%20place%20further%20down" });
    await listOf(hinted);
    await listOf(after);
    expect(house.server.arrived.at(-1)).toMatchObject({ query: "?limit=50" });
    const first = events.row(called(hinted))!;
    expect(first.notified).toBeGreaterThan(0);
    expect(first.listed).toBeGreaterThanOrEqual(first.notified);
    await listOf(hinted);
    expect(events.row(called(hinted))).toBe(first);
    expect(events.row(called(after))!.notified).toBe(0);
    expect(events.row(called(before))).toBeNull();
    events.hinted();
    house.server.events = [{ event: before.binding.event, objects: [before.row] }];
    await good(house.desk.events("further down"));
    expect(events.row(called(before))!.notified).toBe(0);
  });

  it("is no other object's envelope", async () => {
    const { events } = house.page.hall.room;
    const [listed, unlisted] = [await sealed(), await sealed()];
    await listOf(listed);
    expect(await events.envelopes(listed.header)).toHaveLength(1);
    expect(await events.envelopes(unlisted.header)).toEqual([]);
  });
});

describe("a time that nobody could tell", () => {
  const boot = random(16);
  const said = (correction: number, of = boot): Promise<unknown> => house.says(2, { clock: { quality: "synchronised", boots: [{ boot: base32(of), correction }] } });
  const unknown = (time: number): Promise<Made> => sealed({ quality: "unknown", boot, time });

  it.each([
    ["before all time", -2_000_000],
    ["after all time", maxInt],
  ])("is not corrected to one %s", async (_, by) => {
    await said(by);
    const row = await listOf(await unknown(1_000_000));
    expect(row).toMatchObject({ time: 1_000_000 });
    expect(row).not.toHaveProperty("corrected");
  });

  it("is corrected by what is known of that very boot", async () => {
    await said(1_790_000_000_000_000, random(16));
    expect(await listOf(await unknown(1_000_000))).not.toHaveProperty("corrected");
  });
});

it("asks for a camera and a time as they are chosen", async () => {
  await good(house.desk.events("next-one", { camera, from: 5, until: 7 }));
  await good(house.desk.events(undefined, { until: 7 }));
  const asked = house.server.arrived.filter((q) => q.path.endsWith("/events")).slice(-2);
  expect(asked.map((q) => q.query)).toEqual([`?limit=50&before=next-one&camera=${camera}&from=5&until=7`, "?limit=50&until=7"]);
});
