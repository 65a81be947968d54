// The part of a day that is looked at, and where in it things lie. A view is a stretch of
// time that is as wide as the lanes; places are parts of that width, 0 to 1.

import type { Stretch } from "../worker/protocol.ts";

const second = 1_000_000;

/** Nobody looks closer than a minute. */
export const closest = 60 * second;
/** One step of a wheel or a key. */
export const step = 1.5;

/** What lies at a place. */
export function timeAt(view: Stretch, place: number): number {
  return Math.round(view.from + (view.until - view.from) * place);
}

export function placeOf(view: Stretch, at: number): number {
  return (at - view.from) / (view.until - view.from);
}

/** That long a part of the day, as near to there as the day lets it. */
function fit(from: number, length: number, day: Stretch): Stretch {
  const begins = Math.round(Math.min(Math.max(from, day.from), day.until - length));
  return { from: begins, until: begins + length };
}

/** Closer by that factor, with what is at that time staying where it is. */
export function zoomed(view: Stretch, factor: number, at: number, day: Stretch): Stretch {
  const length = Math.round(Math.min(day.until - day.from, Math.max(closest, (view.until - view.from) / factor)));
  const place = Math.min(1, Math.max(0, placeOf(view, at)));
  return fit(at - place * length, length, day);
}

/** Pushed by parts of its width. */
export function moved(view: Stretch, by: number, day: Stretch): Stretch {
  const length = view.until - view.from;
  return fit(view.from + by * length, length, day);
}

/** The view, moved no more than it takes for that time to be in it. */
export function showing(view: Stretch, at: number, day: Stretch): Stretch {
  const edge = 0.05;
  const place = placeOf(view, at);
  if (place < 0 || place > 1) return moved(view, place - 0.5, day);
  if (place < edge) return moved(view, place - edge, day);
  return place > 1 - edge ? moved(view, place - 1 + edge, day) : view;
}

/** Something of a lane as it is drawn. */
export interface Drawn<T> {
  of: T;
  left: number;
  width: number;
}

/**
 * Where stretches lie in a view, those outside left out. What would not be seen is made
 * `least` wide, and of those that would then lie over one another, alike as they are, one
 * is drawn for all: so many things of a day are never more than a lane can show.
 */
export function drawn<T extends Stretch>(all: readonly T[], view: Stretch, least: number, alike: (a: T, b: T) => boolean = () => true): Drawn<T>[] {
  const out: Drawn<T>[] = [];
  for (const of of all) {
    if (of.until <= view.from || of.from >= view.until) continue;
    const left = Math.max(0, placeOf(view, of.from));
    const right = Math.max(Math.min(1, placeOf(view, of.until)), left + least);
    const last = out.at(-1);
    if (last !== undefined && left < last.left + last.width && alike(last.of, of)) last.width = Math.max(last.width, right - last.left);
    else out.push({ of, left, width: right - left });
  }
  return out;
}

/** The one of some stretches that a time lies in. */
export function holding<T extends Stretch>(all: readonly T[], at: number): T | null {
  return all.find((s) => at >= s.from && at < s.until) ?? null;
}

/** How much moves, minute by minute from there, as the outline of a hill: minutes to the right, 255 upwards. */
export function outline(motion: Uint8Array): string {
  let path = "";
  let last = 0;
  for (let i = 0; i <= motion.length; i++) {
    const now = motion[i] ?? 0;
    if (now === last) continue;
    path += `${path === "" ? `M${i} 255` : `H${i}`}V${255 - now}`;
    last = now;
  }
  return path === "" ? "" : `${path}Z`;
}
