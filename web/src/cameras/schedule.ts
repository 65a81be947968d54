// When a camera is off: by hand, or by hours of the week on the home's clock.

import { dayBefore, dayOf, jumps, moments, wall } from "../parts/time.ts";
import { words } from "../words.ts";
import type { Hours } from "../worker/protocol.ts";

/** What says when a camera is off. */
export interface Privacy {
  off: boolean;
  offWhen: readonly Hours[];
}

/** How it stands at a moment, and when that changes (microseconds; null if it does not by itself). */
export interface Off {
  off: boolean;
  byHand: boolean;
  until: number | null;
}

/** So many rules a camera may have. */
export const mostHours = 16;

const week = 8 * 24 * 3600e6;

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

function weekdayOf(day: string): number {
  return new Date(`${day}T12:00:00Z`).getUTCDay() || 7;
}

function byHours(hours: readonly Hours[], us: number, zone: string): boolean {
  const day = dayOf(us, zone);
  const w = wall(us, zone);
  const minute = w.hour * 60 + w.minute;
  const [today, yesterday] = [weekdayOf(day), weekdayOf(dayBefore(day))];
  return hours.some(({ days, from, to }) => {
    const [begins, ends] = [minuteOf(from), minuteOf(to)];
    if (ends > begins) return days.includes(today) && minute >= begins && minute < ends;
    return (days.includes(today) && minute >= begins) || (days.includes(yesterday) && minute < ends);
  });
}

/** Whether the camera is to be off at that moment, on the clock of the home. */
export function offAt(privacy: Privacy, us: number, zone: string): Off {
  if (privacy.off) return { off: true, byHand: true, until: null };
  const now = byHours(privacy.offWhen, us, zone);
  if (privacy.offWhen.length === 0) return { off: false, byHand: false, until: null };
  // Where the clock may pass a begin or an end, or jump over one.
  const clocks = [...new Set(privacy.offWhen.flatMap((h) => [minuteOf(h.from), minuteOf(h.to)]))];
  const passes = clocks.flatMap((minute) => moments(us, us + week, minute, zone));
  const next = [...passes, ...jumps(us, us + week, zone)].sort((a, b) => a - b).find((at) => at > us && byHours(privacy.offWhen, at, zone) !== now);
  return { off: now, byHand: false, until: next ?? null };
}

/** "Monday to Friday", "Saturday and Sunday", "every day". */
export function daysSay(days: readonly number[]): string {
  const w = words.schedule;
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  if (sorted.length === 7) return w.everyDay;
  const runs: number[][] = [];
  for (const day of sorted) {
    const run = runs.at(-1);
    if (run && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const parts = runs.flatMap((run) => {
    const names = run.map((day) => w.days[day - 1] ?? "");
    return run.length > 2 ? [w.fromTo(names[0] ?? "", names.at(-1) ?? "")] : names;
  });
  return w.and(parts);
}

/** One rule as a sentence: "Off Monday to Friday, 07:00–17:00." */
export function hoursSay({ days, from, to }: Hours): string {
  const w = words.schedule;
  if (days.length === 0) return w.noDay;
  if (!hoursFit({ days, from, to })) return w.noTime;
  if (from === to) return w.wholeDays(daysSay(days), from === "00:00" ? "" : from);
  return minuteOf(to) > minuteOf(from) ? w.off(daysSay(days), from, to) : w.offOver(daysSay(days), from, to);
}

/** Whether a rule can be saved. */
export function hoursFit({ days, from, to }: Hours): boolean {
  return days.length > 0 && /^([01]\d|2[0-3]):[0-5]\d$/.test(from) && /^([01]\d|2[0-3]):[0-5]\d$/.test(to);
}
