// What is no answer about footage, and no question, as no other test says it.

import { describe, expect, it } from "vitest";
import { ContentError, ContentObject } from "../fields.ts";
import { idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import { Carried, maxTimeline, readFootageCommand, readPieces, readStrip, readTimelines } from "./footage.ts";

const object = (o: unknown): ContentObject => ContentObject.parse(new TextEncoder().encode(JSON.stringify(o)));
const bytes = (...b: number[]) => new Uint8Array(b);
const camera = idText("camera", random(16));

describe("a still", () => {
  const strip = (...b: number[]) => readStrip(object({ stills: [{ time: 5, bytes: 4 }], until: 9 }), new Carried(bytes(...b)));

  it("begins as a JPEG does", () => {
    expect(strip(0xff, 0xd8, 0xff, 1).stills).toHaveLength(1);
    for (const b of [[0, 0xd8, 0xff, 1], [0xff, 0, 0xff, 1], [0xff, 0xd8, 0, 1]]) expect(() => strip(...b), `${b}`).toThrow(ContentError);
  });

  it("has all the bytes that it says", () => {
    expect(() => strip(0xff, 0xd8, 0xff)).toThrow(ContentError);
  });
});

describe("a piece", () => {
  const piece = { sequence: 7, time: 5, lasts: 2, key: true, motion: 9, damaged: false, offset: 0, of: 3, bytes: 3 };
  const read = (change: object, n: number) => readPieces(object({ type: "", init: "", pieces: [{ ...piece, ...change }], more: false, group: 0, offset: 0 }), new Carried(random(n)));

  it("lies in its group, and has bytes if it is not damaged and only then", () => {
    expect(read({}, 3).pieces).toHaveLength(1);
    expect(read({ damaged: true, bytes: 0, of: 0 }, 0).pieces).toHaveLength(1);
    for (const [change, n] of [[{ of: 2 }, 3], [{ damaged: true }, 3], [{ bytes: 0 }, 0]] as const) expect(() => read(change, n), JSON.stringify(change)).toThrow(ContentError);
  });
});

describe("a stretch", () => {
  const timeline = (from: number, until: number, cameras: unknown[] = [camera]) => readFootageCommand("timeline", object({ cameras, track: "main", from, until }));

  it("has some length, and of a timeline none of more than three days", () => {
    expect(timeline(5, 5 + maxTimeline)).toMatchObject({ from: 5 });
    for (const [from, until] of [[5, 5], [6, 5], [5, 6 + maxTimeline]] as const) expect(() => timeline(from, until), `${from} ${until}`).toThrow(ContentError);
  });

  it("is of cameras", () => {
    for (const strange of ["x", 5, null]) expect(() => timeline(5, 9, [strange])).toThrow(ContentError);
    expect(() => readTimelines(object({ timelines: [{ camera: "x", pictures: [], holes: [], motion: "", saved: [] }] }))).toThrow(ContentError);
  });
});
