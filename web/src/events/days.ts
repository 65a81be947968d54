// Events by day, in the home's zone.

import { date, type Day, dayBefore, dayOf, partOfDay, weekday } from "../parts/time.ts";
import { words } from "../words.ts";
import type { EventRow } from "../worker/protocol.ts";

/** One day of events, newest first. `day` is "" for rows of which nothing verified at all. */
export interface DayOfEvents {
  day: Day;
  rows: EventRow[];
  /** Where in the day its events lie, 0 to 1. */
  marks: number[];
}

/**
 * Groups rows, newest first. A row without a verified time has no place of its own: it
 * stays where the list had it, beside its neighbour.
 */
export function byDay(rows: readonly EventRow[], zone: string): DayOfEvents[] {
  const days: DayOfEvents[] = [];
  const known = new Map<Day, DayOfEvents>();
  let last = firstDay(rows, zone);
  for (const row of rows) {
    if (row.time !== null) last = dayOf(row.time, zone);
    let day = known.get(last);
    if (!day) {
      day = { day: last, rows: [], marks: [] };
      known.set(last, day);
      days.push(day);
    }
    day.rows.push(row);
    if (row.time !== null) day.marks.push(partOfDay(row.time, zone));
  }
  return days.sort((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : 0));
}

function firstDay(rows: readonly EventRow[], zone: string): Day {
  const timed = rows.find((r) => r.time !== null);
  return timed?.time == null ? "" : dayOf(timed.time, zone);
}

/** What stands over a day: its name and its date. */
export function heading(day: Day, now: number, zone: string): { name: string; date: string } {
  if (day === "") return { name: words.events.noDay, date: "" };
  const today = dayOf(now, zone);
  const said = date(day, today);
  if (day === today) return { name: words.events.today, date: words.day(weekday(day), said) };
  if (day === dayBefore(today)) return { name: words.events.yesterday, date: words.day(weekday(day), said) };
  return { name: weekday(day), date: said };
}
