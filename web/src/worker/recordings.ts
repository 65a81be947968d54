// What an agent answers of its footage, compared with what it was asked. The reply is that
// of the very command and of the very agent already (agents.ts); here it is made sure that
// it speaks of the cameras and of the time that the page asked for, so that no picture is
// ever shown in another lane or at another hour.

import { broken } from "../api.ts";
import type { CameraTimeline, FootageCommand, Pieces, Stretch, Strip } from "../letter/footage.ts";

/** What is asked, without the name of the question. */
export type Asked<D extends FootageCommand["do"]> = Omit<Extract<FootageCommand, { do: D }>, "do">;

/** A part of what a camera recorded, to keep, to let go of or to delete. */
export type Part = Asked<"save" | "unsave" | "delete-footage">;

const minute = 60_000_000;

/** Timelines of cameras that were asked for, each once, within the time; those that are missing are to be asked for again. */
export function checkTimelines(all: CameraTimeline[], asked: Asked<"timeline">): CameraTimeline[] {
  const open = new Set(asked.cameras);
  const minutes = Math.floor((asked.until - 1) / minute) - Math.floor(asked.from / minute) + 1;
  for (const t of all) {
    if (!open.delete(t.camera)) throw broken("a timeline of a camera that was not asked for");
    if (t.motion.length !== 0 && t.motion.length !== minutes) throw broken("motion of another time");
    for (const s of [t.pictures, t.holes]) if (!s.every((one) => within(one, asked))) throw broken("a timeline of another time");
    if (!t.saved.every((one) => one.from < asked.until && one.until > asked.from)) throw broken("what is saved of another time");
  }
  if (all.length === 0 && asked.cameras.length > 0) throw broken("a timeline of nothing");
  return all;
}

/** Stills within the time, in order, no more than were asked for. */
export function checkStrip(strip: Strip, asked: Asked<"stills">): Strip {
  let last = asked.from;
  for (const { time } of strip.stills) {
    if (time < last || time >= asked.until) throw broken("a still of another time");
    last = time;
  }
  const answers = strip.until === asked.until || (strip.stills.length > 0 && strip.until > last && strip.until < asked.until);
  if (!answers || strip.stills.length > asked.most) throw broken("other stills than were asked for");
  return strip;
}

/** Groups that have something of the time, one after the other from the one that was asked for, no more bytes than wanted. */
export function checkPieces(film: Pieces, asked: Asked<"footage">): Pieces {
  let next = { group: asked.group, offset: asked.offset };
  let bytes = 0;
  for (const p of film.pieces) {
    if (!p.damaged || p.sequence !== 0) {
      const continues = p.sequence === next.group;
      if (p.sequence < Math.max(next.group, 1) || (p.offset !== (continues ? next.offset : 0) && !p.damaged)) throw broken("another group than comes next");
      if (p.time >= asked.until || p.time + p.lasts <= asked.from) throw broken("a group of another time");
      const whole = p.damaged || p.offset + p.bytes.length === p.of;
      next = whole ? { group: p.sequence + 1, offset: 0 } : { group: p.sequence, offset: p.offset + p.bytes.length };
    }
    bytes += p.bytes.length;
  }
  const goesOn = film.group > next.group || (film.group === next.group && film.offset === next.offset);
  if (bytes > asked.most || (film.more && (!goesOn || film.pieces.length === 0)) || (!film.more && next.offset !== 0 && film.pieces.length > 0)) throw broken("other pieces than were asked for");
  return film;
}

function within(s: Stretch, asked: Stretch): boolean {
  return s.from >= asked.from && s.until <= asked.until;
}
