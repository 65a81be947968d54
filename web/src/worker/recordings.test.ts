// What is asked of footage and how the answers are compared, through the desk and a stand-in agent.

import { beforeEach, describe, expect, it } from "vitest";
import { maxCarried } from "../letter/footage.ts";
import { idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import { checkPieces, checkStrip, checkTimelines } from "./recordings.ts";
import { good, TestHouse } from "./standin/house.ts";

let house: TestHouse;
let camera: Awaited<ReturnType<TestHouse["camera"]>>;
const agent = () => house.agent.body.agent;
const bytes = (...b: number[]) => new Uint8Array(b);

beforeEach(async () => {
  house = await TestHouse.make();
  camera = await house.camera();
});

/** The agent answers whatever it is asked with that. */
function says(content: Record<string, unknown>, behind?: Uint8Array<ArrayBuffer>): void {
  house.obeys(async (command) => [await house.agent.reply(house.server.title!, command, 1, content, behind)]);
}

describe("a timeline", () => {
  const asked = () => ({ cameras: [camera], track: "main" as const, from: 60_000_000, until: 180_000_000 });
  const one = { pictures: [{ from: 60_000_000, until: 90_000_000 }], holes: [{ from: 90_000_000, until: 180_000_000, reason: "off", says: "It was off.", loss: false }], motion: "AP8=", saved: [] };

  it("is of the cameras and the time that were asked for", async () => {
    says({ timelines: [{ camera, ...one }] });
    const { timelines } = await good(house.desk.timeline(agent(), asked()));
    expect(timelines).toMatchObject([{ camera, pictures: one.pictures, holes: one.holes, motion: bytes(0, 255) }]);
    const other = idText("camera", random(16));
    for (const bad of [
      [{ camera: other, ...one }],
      [{ camera, ...one }, { camera, ...one }],
      [{ camera, ...one, pictures: [{ from: 59_999_999, until: 90_000_000 }] }],
      [{ camera, ...one, motion: "AA==" }],
      [],
    ]) {
      says({ timelines: bad });
      expect(await house.desk.timeline(agent(), asked()), JSON.stringify(bad)).toMatchObject({ ok: false, trouble: "broken" });
    }
  });
});

describe("stills", () => {
  const asked = () => ({ camera, from: 5, until: 9, most: 2 });
  const jpegs = bytes(0xff, 0xd8, 0xff, 1, 0xff, 0xd8, 0xff, 2);

  it("are of the time that was asked for, in order", async () => {
    says({ stills: [{ time: 5, bytes: 4 }, { time: 7, bytes: 4 }], until: 9 }, jpegs);
    const { stills, until } = await good(house.desk.stills(agent(), asked()));
    expect(stills.map((s) => [s.time, s.blob.type, s.blob.size])).toEqual([[5, "image/jpeg", 4], [7, "image/jpeg", 4]]);
    expect(until).toBe(9);
    for (const [a, b, u] of [[4, 7, 9], [5, 9, 9], [7, 5, 9], [5, 7, 10], [5, 7, 7]] as const) {
      says({ stills: [{ time: a, bytes: 4 }, { time: b, bytes: 4 }], until: u }, jpegs);
      expect(await house.desk.stills(agent(), asked()), `${a} ${b} ${u}`).toMatchObject({ ok: false, trouble: "broken" });
    }
    says({ stills: [{ time: 5, bytes: 4 }], until: 9 }, jpegs);
    expect(await house.desk.stills(agent(), asked())).toMatchObject({ ok: false, reason: "content" });
  });
});

describe("footage", () => {
  const asked = (group = 0, offset = 0) => ({ camera, track: "main" as const, from: 5, until: 90, group, offset, most: maxCarried });
  const piece = { sequence: 7, time: 5, lasts: 2, key: true, motion: 9, damaged: false, offset: 0, of: 3, bytes: 3 };
  const film = { type: "video/mp4", init: "AAAA", pieces: [piece], more: true, group: 8, offset: 0 };

  it("comes group after group, and goes on where it was left", async () => {
    says(film, bytes(1, 2, 3));
    const got = await good(house.desk.footage(agent(), asked()));
    expect([got.type, got.init, got.pieces[0]!.bytes, got.more, got.group]).toEqual(["video/mp4", bytes(0, 0, 0), bytes(1, 2, 3), true, 8]);
    says({ ...film, pieces: [{ ...piece, offset: 2, bytes: 1 }], more: false, group: 0 }, bytes(3));
    expect((await good(house.desk.footage(agent(), asked(7, 2)))).pieces).toHaveLength(1);
    says({ ...film, pieces: [{ ...piece, damaged: true, of: 0, bytes: 0 }] }, bytes());
    expect((await good(house.desk.footage(agent(), asked()))).pieces[0]).toMatchObject({ damaged: true, bytes: bytes() });
  });

  it("that is another than comes next is refused", async () => {
    for (const [what, change, ask] of [
      ["an earlier group", { pieces: [piece] }, asked(8)],
      ["another part", { pieces: [piece] }, asked(7, 2)],
      ["a group of later", { pieces: [{ ...piece, time: 90 }] }, asked()],
      ["a group of earlier", { pieces: [{ ...piece, time: 3 }] }, asked()],
      ["a group twice", { pieces: [{ ...piece, bytes: 2, of: 2 }, { ...piece, bytes: 1, of: 1 }] }, asked()],
      ["a part without more", { pieces: [{ ...piece, of: 4 }], more: false }, asked()],
      ["more from before", { group: 7 }, asked()],
      ["too much", {}, { ...asked(), most: 2 }],
    ] as const) {
      says({ ...film, ...change }, bytes(1, 2, 3));
      expect(await house.desk.footage(agent(), ask), what).toMatchObject({ ok: false, trouble: "broken" });
    }
  });

  it("that the agent does not give says why", async () => {
    says({ error: { reason: "frozen", message: "The home is frozen." } });
    expect(await house.desk.footage(agent(), asked())).toMatchObject({ ok: false, trouble: "agent", reason: "frozen" });
  });
});

describe("an answer", () => {
  const a = idText("camera", random(16));
  const minute = 60_000_000;

  it("of timelines may have no motion, and none of no camera", () => {
    const asked = { cameras: [a], track: "main" as const, from: 0, until: 2 * minute };
    const one = { camera: a, pictures: [{ from: 0, until: 2 * minute }], holes: [], motion: bytes(), saved: [] };
    expect(checkTimelines([one], asked)).toEqual([one]);
    expect(() => checkTimelines([{ ...one, pictures: [{ from: 0, until: 2 * minute + 1 }] }], asked)).toThrow();
    // What is saved is said whole: by exactly that stretch it is let go of.
    const later = { ...asked, from: minute };
    const saved = (from: number, until: number) => checkTimelines([{ ...one, pictures: [], saved: [{ from, until }] }], later);
    expect(saved(0, 3 * minute)[0]!.saved).toEqual([{ from: 0, until: 3 * minute }]);
    for (const [from, until] of [[0, minute], [2 * minute, 3 * minute]] as const) expect(() => saved(from, until)).toThrow();
    expect(checkTimelines([], { ...asked, cameras: [] })).toEqual([]);
    expect(() => checkTimelines([], asked)).toThrow();
  });

  it("of stills goes on behind those that it has, and has no more than were wanted", () => {
    const asked = { camera: a, from: 5, until: 9, most: 2 };
    const stills = (...times: number[]) => times.map((time) => ({ time, blob: new Blob() }));
    expect(checkStrip({ stills: stills(5), until: 6 }, asked).until).toBe(6);
    expect(checkStrip({ stills: [], until: 9 }, asked).stills).toEqual([]);
    expect(() => checkStrip({ stills: [], until: 7 }, asked)).toThrow();
    expect(() => checkStrip({ stills: stills(5, 6, 7), until: 9 }, asked)).toThrow();
  });

  describe("of groups", () => {
    const asked = (group = 0, offset = 0) => ({ camera: a, track: "main" as const, from: 5, until: 90, group, offset, most: 8 });
    const piece = { sequence: 7, time: 5, lasts: 2, key: true, motion: 0, damaged: false, offset: 0, of: 3, bytes: bytes(1, 2, 3) };
    const damaged = { ...piece, damaged: true, of: 0, bytes: bytes() };
    const film = { type: "video/mp4", init: bytes(1), pieces: [piece], more: true, group: 8, offset: 0 };

    it("may leave groups out, and begin with another than the one of which there was a part", () => {
      expect(checkPieces({ ...film, group: 9 }, asked()).group).toBe(9);
      expect(checkPieces({ ...film, pieces: [{ ...piece, sequence: 8 }], group: 9 }, asked(7, 2)).pieces).toHaveLength(1);
      expect(checkPieces({ ...film, pieces: [damaged] }, asked(7, 2)).pieces).toHaveLength(1);
      expect(checkPieces({ ...film, pieces: [{ ...damaged, sequence: 0, time: 0 }] }, asked()).pieces).toHaveLength(1);
      expect(checkPieces({ ...film, pieces: [], more: false, group: 0 }, asked(7, 2)).pieces).toEqual([]);
    });

    it.each([
      ["a group without a number", { pieces: [{ ...piece, sequence: 0 }] }],
      ["a damaged group of another time", { pieces: [{ ...damaged, time: 90 }] }],
      ["more that begins in the middle of what was not sent", { pieces: [{ ...piece, of: 4 }], group: 7, offset: 2 }],
      ["more behind nothing", { pieces: [] }],
    ])("has nothing else: %s", (_, change) => {
      expect(() => checkPieces({ ...film, ...change }, asked())).toThrow();
    });
  });
});
