// What a lane says of a time, in words and as what is drawn.

import { words } from "../words.ts";
import type { CameraTimeline, EventRow } from "../worker/protocol.ts";
import { holding } from "./view.ts";

/** What there is of a camera at a time. `loss`: it is missing, and was wanted. */
export interface Here {
  is: "recorded" | "gap" | "unknown" | "to-come";
  loss: boolean;
  says: string;
}

const w = words.timeline;

export function hereOf(of: CameraTimeline | undefined, at: number, now: number): Here {
  if (at > now) return { is: "to-come", loss: false, says: w.toCome };
  if (of === undefined) return { is: "unknown", loss: false, says: w.unknown };
  const hole = holding(of.holes, at);
  if (hole !== null) return { is: "gap", loss: hole.loss, says: hole.says };
  // The newest pictures are on their way to the disk.
  return { is: "recorded", loss: false, says: w.recorded };
}

// How long pictures are on their way to the disk.
const onTheirWay = 30_000_000;

/** Without what seems to be missing at the very end, because it is not on the disk yet. `asked`: when. */
export function settled(of: CameraTimeline, asked: number): CameraTimeline {
  return { ...of, holes: of.holes.filter((h) => h.reason !== "not-running" || h.from < asked - onTheirWay) };
}

/** The events of a camera in a day, oldest first; an event is where its first picture is. */
export function eventsOf(rows: readonly EventRow[], camera: string, day: { from: number; until: number }): { key: string; from: number; until: number }[] {
  const all: { key: string; from: number; until: number }[] = [];
  for (const { key, camera: of, time } of rows) if (of === camera && time !== null && time >= day.from && time < day.until) all.push({ key, from: time, until: time + 1 });
  return all.sort((a, b) => a.from - b.from);
}
