// What a lane says of a time: of its own camera, and never that there is nothing where
// nobody knows.

import { describe, expect, it } from "vitest";
import { words } from "../words.ts";
import type { CameraID, CameraTimeline, EventRow } from "../worker/protocol.ts";
import { eventsOf, hereOf, settled } from "./lanes.ts";

const w = words.timeline;
const second = 1_000_000;
const hole = (from: number, until: number, reason = "off", loss = false) => ({ from, until, reason, says: `It was ${reason}.`, loss });
const of = (...holes: CameraTimeline["holes"]): CameraTimeline => ({ camera: "a" as CameraID, pictures: [], holes, motion: new Uint8Array(), saved: [] });

it("says what there is at a time, and that it does not know", () => {
  const timeline = of(hole(10, 20), hole(30, 40, "full", true));
  expect(hereOf(timeline, 5, 50)).toEqual({ is: "recorded", loss: false, says: w.recorded });
  expect(hereOf(timeline, 10, 50)).toEqual({ is: "gap", loss: false, says: "It was off." });
  expect(hereOf(timeline, 30, 50)).toEqual({ is: "gap", loss: true, says: "It was full." });
  expect(hereOf(undefined, 5, 50)).toEqual({ is: "unknown", loss: false, says: w.unknown });
  expect(hereOf(timeline, 50, 50).is).toBe("recorded");
  expect(hereOf(timeline, 51, 50)).toEqual({ is: "to-come", loss: false, says: w.toCome });
});

it("takes nothing for missing that is on its way to the disk", () => {
  const asked = 1000 * second;
  const kept = (h: CameraTimeline["holes"][number]) => settled(of(h), asked).holes.length === 1;
  const way = asked - 30 * second;
  expect(kept(hole(way, asked, "not-running"))).toBe(false);
  expect(kept(hole(way - 1, asked, "not-running"))).toBe(true);
  expect(kept(hole(way, asked, "off"))).toBe(true);
});

describe("the events of a lane", () => {
  const row = (key: string, camera: string, time: number | null) => ({ key, camera, time }) as EventRow;
  const day = { from: 100, until: 200 };

  it("are of its camera and of its day, oldest first", () => {
    const rows = [row("1", "a", 199), row("2", "b", 150), row("3", "a", 100), row("4", "a", 99), row("5", "a", 200), row("6", "a", null)];
    expect(eventsOf(rows, "a", day)).toEqual([{ key: "3", from: 100, until: 101 }, { key: "1", from: 199, until: 200 }]);
    expect(eventsOf(rows, "c", day)).toEqual([]);
  });
});
