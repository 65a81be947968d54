// The filmstrips that are kept: of the right camera and near the time that was asked for,
// fetched once, newest question first, in bounded memory.

import { beforeEach, describe, expect, it } from "vitest";
import { Failed } from "../api.ts";
import { type CameraID, idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import * as company from "./standin/company.ts";
import { asResident, ben, guest, joined, meet } from "./standin/company.ts";
import { good, TestHouse } from "./standin/house.ts";
import { mostBytes, mostTiles, perTile, steps, Strips } from "./strips.ts";

const second = 1_000_000;
const day = 86_400 * second;
const [a, b] = [idText("camera", random(16)), idText("camera", random(16))];
const now = 20_000 * day + day / 2;

interface Asked {
  camera: CameraID;
  from: number;
  until: number;
}

let asked: Asked[];
let strips: Strips;
let size: number;
let from: number;
let fails: boolean;
let told: number;
/** How much of a question a reply answers. */
let room: number;
let clock: number;
/** Done before each answer. */
let meanwhile: () => void;

const nearEnough = (of: { time: number }, at: number) => Math.abs(of.time - at);

beforeEach(() => {
  [asked, size, from, fails, told, room, clock, meanwhile] = [[], 10, 0, false, 0, Infinity, now, () => undefined];
  // A filmstrip has a still every ten seconds, of which an answer has the first of each part.
  strips = new Strips(
    async (camera, stretch, most) => {
      asked.push({ camera, ...stretch });
      meanwhile();
      if (fails) throw new Failed({ trouble: "away" });
      const part = (stretch.until - stretch.from) / most;
      const stills = [];
      for (let i = 0; i < most; i++) {
        const time = Math.ceil((stretch.from + i * part) / (10 * second)) * 10 * second;
        if (stills.length === room) return { stills, until: time };
        if (time >= from && time < now) stills.push({ time, blob: new Blob([new Uint8Array(size)], { type: camera }) });
      }
      return { stills, until: stretch.until };
    },
    () => told++,
    () => clock,
  );
});

/** Waits until nothing is fetched any more. */
async function still(): Promise<void> {
  for (let before = -1; before !== asked.length; ) {
    before = asked.length;
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((go) => setTimeout(go, 0));
  }
}

describe("a glance", () => {
  it("is of each camera its own still, near the time, as soon as it is there", async () => {
    const at = now - day / 4 + 3 * second;
    expect(strips.glance([a, b], at, 10 * second)).toEqual({ glances: [], why: null });
    await still();
    expect(told).toBe(2);
    const { glances } = strips.glance([a, b], at, 10 * second);
    expect(glances.map((g) => g.camera)).toEqual([a, b]);
    expect(glances.map((g) => g.blob.type)).toEqual([a, b]);
    for (const g of glances) expect(nearEnough(g, at)).toBeLessThanOrEqual(5 * second);
    expect(asked).toHaveLength(2); // and nothing twice
  });

  it("fetches nothing while it is told to rest, and then what was asked for", async () => {
    const at = now - day / 4;
    strips.rest(true);
    expect(strips.glance([a], at, 10 * second).glances).toEqual([]);
    await still();
    expect([asked.length, told]).toEqual([0, 0]);
    strips.rest(false);
    await still();
    expect(asked).toHaveLength(1);
    expect(strips.glance([a], at, 10 * second).glances).toHaveLength(1);
  });

  it("is coarse until a finer one has come, and never farther off than its step", async () => {
    const at = now - day / 4 + 1234 * second;
    strips.ahead([a], { from: now - day / 2, until: now + day / 2 });
    await still();
    const [first] = strips.glance([a], at, 600 * second).glances;
    expect(nearEnough(first!, at)).toBeLessThanOrEqual(3600 * second);
    await still();
    expect(nearEnough(strips.glance([a], at, 60 * second).glances[0]!, at)).toBeLessThanOrEqual(300 * second);
    await still();
    expect(nearEnough(strips.glance([a], at, 10 * second).glances[0]!, at)).toBeLessThanOrEqual(30 * second);
  });

  it("of a time without stills is none", async () => {
    from = now - 100 * second;
    const at = now - 2 * 3600 * second;
    strips.glance([a], at, 10 * second);
    await still();
    expect(strips.glance([a], at, 10 * second).glances).toEqual([]);
  });

  it("is of no still that is farther off than those that it asks for", async () => {
    const tile = Math.floor((now - day / 4) / (perTile * 10 * second)) * perTile * 10 * second;
    from = tile + 20 * second;
    strips.glance([a], tile, 10 * second);
    await still();
    expect([strips.glance([a], tile, 10 * second).glances, strips.tiles]).toEqual([[], 1]);
    expect(strips.glance([a], tile + 10 * second, 10 * second).glances).toHaveLength(1);
  });

  it("ahead of the question is as fine as two tiles can be", async () => {
    strips.ahead([a], { from: now - day / 2, until: now });
    await still();
    expect(new Set(asked.map((q) => (q.until - q.from) / (perTile * second)))).toEqual(new Set([3600]));
  });

  it("asks for nothing that is to come", async () => {
    strips.glance([a], now + day, 10 * second);
    strips.ahead([a], { from: now + 3600 * second, until: now + 7200 * second });
    await still();
    expect(asked).toEqual([]);
  });

  it("says once what failed, keeps what there is, and does not ask again at once", async () => {
    const at = now - day / 4;
    strips.glance([a], at, 600 * second);
    await still();
    fails = true;
    strips.glance([a], at, 10 * second);
    await still();
    const failed = strips.glance([a], at, 10 * second);
    expect(failed.why).toEqual({ trouble: "away" });
    expect(failed.glances).toHaveLength(1);
    await still();
    expect(strips.glance([a], at, 10 * second).why).toBeNull();
    expect(asked).toHaveLength(2);
  });
});

describe("a tile", () => {
  it("is asked for until it is whole, if a reply has no room", async () => {
    room = 9;
    strips.glance([a], now - day / 4, 600 * second);
    await still();
    expect(asked).toHaveLength(3);
    expect(asked.slice(1).every((q, i) => q.from > asked[i]!.from && q.until === asked[0]!.until)).toBe(true);
  });

  it("is asked for once while it is on its way", async () => {
    strips.glance([a], now - day / 4, 600 * second);
    strips.glance([a], now - day / 4, 600 * second);
    await still();
    expect(asked).toHaveLength(1);
  });

  it("is asked for again while it grows, and is kept once; one of the past is whole", async () => {
    const [past, late] = [now - day / 4, now - 5 * second];
    for (const at of [past, late]) strips.glance([a], at, 10 * second);
    await still();
    const before = strips.bytes;
    for (const at of [past, late]) strips.glance([a], at, 10 * second);
    await still();
    expect(asked).toHaveLength(2);
    clock += 10 * second;
    for (const at of [past, late]) strips.glance([a], at, 10 * second);
    await still();
    expect(asked).toHaveLength(3);
    expect(asked[2]).toEqual(asked[1]);
    expect([strips.bytes, strips.tiles]).toEqual([before, 2]);
  });

  it("that failed is asked for again a little later", async () => {
    fails = true;
    strips.glance([a], now - day / 4, 600 * second);
    await still();
    fails = false;
    clock += 5 * second;
    strips.glance([a], now - day / 4, 600 * second);
    await still();
    expect([asked.length, strips.glance([a], now - day / 4, 600 * second).glances.length]).toEqual([2, 1]);
  });

  it("of the newest questions alone is waited for", async () => {
    for (let i = 0; i < 200; i++) strips.glance([a], now - (i + 1) * perTile * 10 * second, 10 * second);
    await still();
    expect(asked.length).toBeLessThanOrEqual(100);
  });

  it("of the newest question comes first", async () => {
    const places = [1, 2, 3, 4, 5].map((i) => now - i * 3600 * second);
    for (const at of places) strips.glance([a], at, 10 * second);
    await still();
    // Two were under way before the others were asked for.
    const order = asked.map((q) => places.findIndex((at) => at >= q.from && at < q.until));
    expect(order).toEqual([0, 1, 4, 3, 2]);
  });

  it("goes when there are too many bytes, those not looked at first", async () => {
    size = 400 << 10;
    const places = Array.from({ length: 12 }, (_, i) => now - (i + 1) * 5 * 3600 * second);
    for (const at of places) {
      strips.glance([a], at, 600 * second);
      await still();
      strips.glance([a], places[0]!, 600 * second);
      expect(strips.bytes).toBeLessThanOrEqual(mostBytes);
    }
    expect(strips.bytes).toBeGreaterThan(mostBytes / 2);
    const before = asked.length;
    expect(strips.glance([a], places[0]!, 600 * second).glances).toHaveLength(1);
    expect(strips.glance([a], places[1]!, 600 * second).glances).toEqual([]);
    await still();
    expect(asked.length).toBe(before + 1);
  });

  it("goes when there are too many, empty as they may be", async () => {
    from = now;
    const tile = steps.at(-1)! * perTile;
    for (let i = 1; i < mostTiles + 200; i++) {
      strips.glance([a], now - i * tile, 10 * second);
      if (i % 50 === 0) await still();
    }
    await still();
    expect(strips.tiles).toBeLessThanOrEqual(mostTiles);
  });

  it("is not kept when its rest fails after something was deleted", async () => {
    room = 9;
    meanwhile = () => {
      if (asked.length < 2) return;
      strips.forget(a);
      fails = true;
    };
    strips.glance([a], now - day / 4, 600 * second);
    await still();
    expect([asked.length, strips.tiles]).toEqual([2, 0]);
  });

  it("that was on its way when something was deleted is not kept", async () => {
    const at = now - day / 4;
    strips.glance([b], at, 600 * second);
    await still();
    strips.glance([a], at, 600 * second);
    strips.forget(a);
    await still();
    expect(strips.glance([a, b], at, 600 * second).glances.map((g) => g.camera)).toEqual([b]);
    strips.forget();
    expect([strips.bytes, strips.tiles]).toEqual([0, 0]);
  });
});

describe("in a home", () => {
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 1]);
  const tile = perTile * 10 * second;
  const past = Math.floor((Date.now() * 1000 - 7200 * second) / tile) * tile;

  let commands: number;

  function giveStills(house: TestHouse): void {
    commands = 0;
    house.obeys(async (command) => {
      const { command: asks } = command;
      const { title } = house.server;
      commands++;
      if (asks.do !== "stills") return [await house.agent.reply(title!, command, 1, {})];
      return [await house.agent.reply(title!, command, 1, { stills: [{ time: asks.from, bytes: 4 }], until: asks.until }, jpeg)];
    });
  }

  async function withStills(): Promise<{ house: TestHouse; camera: CameraID; look: () => Promise<CameraID[]> }> {
    const house = await TestHouse.make();
    const camera = await house.camera();
    giveStills(house);
    const look = async () => {
      await good(house.desk.glance([camera], past, 10 * second));
      await expect.poll(async () => house.heard.some((c) => c.changed === "stills")).toBe(true);
      return (await good(house.desk.glance([camera], past, 10 * second))).glances.map((g) => g.camera);
    };
    return { house, camera, look };
  }

  it("stills of its cameras come from their agent, and of no other", async () => {
    const { house, camera, look } = await withStills();
    expect(await look()).toEqual([camera]);
    expect((await good(house.desk.glance([idText("camera", random(16))], past, 10 * second))).glances).toEqual([]);
  });

  it("what was deleted is not shown from memory", async () => {
    const { house, camera, look } = await withStills();
    await look();
    await good(house.desk.deleteFootage(house.agent.body.agent, { camera, from: past, until: past + second }));
    expect((await good(house.desk.glance([camera], past, 10 * second))).glances).toEqual([]);
  });

  it("nothing is shown from memory once the home is frozen", async () => {
    const { house, camera, look } = await withStills();
    expect(await look()).toEqual([camera]);
    await good(house.page.members.freeze());
    const before = commands;
    expect((await good(house.desk.glance([camera], past, 10 * second))).glances).toEqual([]);
    await new Promise((go) => setTimeout(go, 300));
    expect(commands).toBe(before); // nothing is asked for, either
    await good(house.page.members.thaw());
    expect((await good(house.desk.glance([camera], past, 10 * second))).glances).toEqual([]);
  });

  it("nothing is shown from memory of a camera that was released", async () => {
    const { house, camera, look } = await withStills();
    await look();
    await good(house.page.members.releaseCamera(camera));
    expect((await good(house.desk.glance([camera], past, 10 * second))).glances).toEqual([]);
  });

  it("nothing is shown from memory to whoever is a guest now", async () => {
    await meet();
    await joined(asResident);
    giveStills(company.house);
    await company.house.says(2); // in the epoch that Ben can open
    const sees = async () => (await good(ben.desk.glance([company.camera], past, 10 * second))).glances.length;
    await expect.poll(sees).toBe(1);
    const { person } = (await good(company.ada.members.people())).people.find((p) => !p.me)!;
    await good(company.ada.members.changePerson(person, "guest", guest, false));
    await good(ben.desk.title());
    expect(await sees()).toBe(0);
  });

  it("a stretch is saved and let go of by the commands that say so", async () => {
    const { house, camera } = await withStills();
    const seen: string[] = [];
    house.obeys(async (command) => {
      seen.push(command.command.do);
      return [await house.agent.reply(house.server.title!, command, 1, {})];
    });
    const about = { camera, from: past, until: past + second };
    await good(house.desk.saveFootage(house.agent.body.agent, about));
    await good(house.desk.unsaveFootage(house.agent.body.agent, about));
    expect(seen).toEqual(["save", "unsave"]);
  });
});
