// A day as the clock on the home's wall counts it: where it begins and ends, which may be
// 23 or 25 hours apart, and what stands along it. All times are microseconds of UTC.

import { ahead, type Day, dayBounds, jumps, moments, shortClock } from "../parts/time.ts";
import type { Stretch } from "../worker/protocol.ts";

const second = 1_000_000;
const minute = 60 * second;

/** Which of the two it is, of a time that the clock shows twice. */
export type Which = "" | "before" | "after";

/** A time of the day that is written under the lanes. */
export interface Tick {
  at: number;
  /** What the clock shows, to the minute. */
  clock: string;
  which: Which;
}

/** The clock is set: forward, and an hour is left out, or back, and one comes twice. */
export interface Jump {
  at: number;
  /** Minutes, less than nothing if it is set back. */
  by: number;
}

/** A day from its first moment up to the first of the next. */
export function dayIn(day: Day, zone: string): Stretch {
  const { from, to } = dayBounds(day, zone);
  return { from, until: to };
}

/** A day of one home, with what its clock does in it. */
export class Calendar {
  readonly day: Day;
  readonly zone: string;
  readonly whole: Stretch;
  readonly jumps: readonly Jump[];

  constructor(day: Day, zone: string) {
    this.day = day;
    this.zone = zone;
    this.whole = dayIn(day, zone);
    const { from, until } = this.whole;
    this.jumps = jumps(from, until, zone).map((at) => ({ at, by: ahead(at, zone) - ahead(at - second, zone) }));
  }

  /** Which of the two it is, if the clock shows this time twice. */
  which(at: number): Which {
    for (const jump of this.jumps) {
      const twice = -jump.by * minute;
      if (twice <= 0) continue;
      if (at >= jump.at - twice && at < jump.at) return "before";
      if (at >= jump.at && at < jump.at + twice) return "after";
    }
    return "";
  }

  /** The times in a part of the day that are as even as `most` of them can be. */
  ticks({ from, until }: Stretch, most: number): Tick[] {
    const step = (evenly.find((s) => (until - from) / (s * minute) <= most) ?? evenly.at(-1)!) * minute;
    const edges = [this.whole.from, ...this.jumps.map((j) => j.at), this.whole.until];
    const ticks: Tick[] = [];
    for (const [i, begins] of edges.slice(0, -1).entries()) {
      const by = ahead(begins, this.zone) * minute;
      const [first, last] = [Math.max(begins, from), Math.min(edges[i + 1]!, until)];
      for (let wall = Math.ceil((first + by) / step) * step; wall - by < last; wall += step) {
        const at = wall - by;
        // Where the clock is set two of them may lie too near each other to be read.
        if (at - (ticks.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= near * step) ticks.push({ at, clock: shortClock(at, this.zone), which: this.which(at) });
      }
    }
    return ticks;
  }

  /** The moments at which the clock shows "14:05" on this day: none, one, or two. */
  at(clock: string): number[] {
    const [, h = "", m = ""] = /^(\d\d):(\d\d)(?::\d\d)?$/.exec(clock) ?? [];
    if (h === "") return [];
    return moments(this.whole.from, this.whole.until - 1, Number(h) * 60 + Number(m), this.zone);
  }
}

// How near two times may be written, by how far they usually are.
const near = 0.75;
// Minutes between two times that are written.
const evenly = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];
