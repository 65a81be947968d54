// Times as people read them: in the home's zone, whatever the zone of the browser is.
// Everything here is given microseconds of UTC, as they stand in a binding.

import { locale, words } from "../words.ts";

/** A calendar day in some zone, as 2006-01-02. */
export type Day = string;

/** What a clock on the wall of the home shows. */
export interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const halfDay = 12 * 3600 * 1e6;

// Making a formatter is slow (a millisecond), and a page of events needs hundreds of times.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string, what: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${what} ${zone}`;
  let made = formatters.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(what === "wall" ? "en-US" : locale(), { ...options, timeZone: zone });
    formatters.set(key, made);
  }
  return made;
}

/** Whether this browser knows the zone of that name. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone !== "";
  } catch {
    return false;
  }
}

/** The zone of this browser. */
export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** Every zone that can be chosen; `also` is among them in any case. */
export function zones(also: string): string[] {
  const all = new Set(Intl.supportedValuesOf("timeZone"));
  all.add("UTC");
  if (isZone(also)) all.add(also);
  return [...all].sort();
}

/** What the home's clock shows at that moment. */
export function wall(us: number, zone: string): Wall {
  const parts = formatter(zone, "wall", {
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(us / 1000);
  const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  return { year: of("year"), month: of("month"), day: of("day"), hour: of("hour"), minute: of("minute"), second: of("second") };
}

const two = (n: number) => String(n).padStart(2, "0");

/** The home's calendar day at that moment. */
export function dayOf(us: number, zone: string): Day {
  const w = wall(us, zone);
  return `${w.year}-${two(w.month)}-${two(w.day)}`;
}

/** The day before, by the calendar: a day may have 23 or 25 hours. */
export function dayBefore(day: Day): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 24 * 3600 * 1000).toISOString().slice(0, 10);
}

/** The day after, by the calendar. */
export function dayAfter(day: Day): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 24 * 3600 * 1000).toISOString().slice(0, 10);
}

/** When a day of the home begins, and when the next one does: 23, 24 or 25 hours later, and no time at all for a day that its calendar left out. */
export function dayBounds(day: Day, zone: string): { from: number; to: number } {
  return { from: beginning(day, zone), to: beginning(dayAfter(day), zone) };
}

/** The first moment that is of that day or a later one. Midnight may be left out. */
function beginning(day: Day, zone: string): number {
  let [before, there] = [-26 * 3600, 26 * 3600];
  const midnight = Date.parse(`${day}T00:00:00Z`) / 1000;
  while (there - before > 1) {
    const middle = Math.floor((before + there) / 2);
    if (dayOf((midnight + middle) * 1e6, zone) < day) before = middle;
    else there = middle;
  }
  return (midnight + there) * 1e6;
}

/** Where in its day a moment lies, 0 at midnight and 1 at the next, as on the face of a clock. */
export function partOfDay(us: number, zone: string): number {
  const w = wall(us, zone);
  return (w.hour * 3600 + w.minute * 60 + w.second) / 86400;
}

/** Minutes by which the home's clock is ahead of UTC at that moment. */
export function ahead(us: number, zone: string): number {
  const w = wall(us, zone);
  const asUTC = Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second);
  return Math.round((asUTC - Math.floor(us / 1e6) * 1000) / 60000);
}

/** Whether the home's clock shows this time twice: an hour is repeated when summer time ends. */
export function isRepeated(us: number, zone: string): boolean {
  const now = ahead(us, zone);
  return [us - halfDay, us + halfDay].some((near) => {
    const other = ahead(near, zone);
    return other !== now && ahead(us + (now - other) * 60e6, zone) === other;
  });
}

/** The moments between two at which the home's clock shows that minute of the day: none in an hour left out, two in one that is repeated. */
export function moments(from: number, to: number, minute: number, zone: string): number[] {
  const found = new Set<number>();
  const first = Math.floor(from / (2 * halfDay)) - 1;
  for (let day = first; day * 2 * halfDay <= to + halfDay; day++) {
    const asUTC = day * 2 * halfDay + minute * 60e6;
    for (const offset of [ahead(asUTC - 2 * halfDay, zone), ahead(asUTC + 2 * halfDay, zone)]) {
      const at = asUTC - offset * 60e6;
      if (ahead(at, zone) === offset && at >= from && at <= to) found.add(at);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** The moments between two at which the home's clock jumps: summer time begins or ends. */
export function jumps(from: number, to: number, zone: string): number[] {
  const found: number[] = [];
  for (let at = from; at < to; at += 2 * halfDay) {
    let [low, high] = [at, Math.min(at + 2 * halfDay, to)];
    if (ahead(low, zone) === ahead(high, zone)) continue;
    const before = ahead(low, zone);
    while (high - low > 1e6) {
      const middle = Math.floor((low + high) / 2);
      if (ahead(middle, zone) === before) low = middle;
      else high = middle;
    }
    found.push(Math.floor(high / 1e6) * 1e6);
  }
  return found;
}

/** The time of day with seconds. In an hour that comes twice it says which of the two it is. */
export function clock(us: number, zone: string): string {
  const said = formatter(zone, "clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(us / 1000);
  return isRepeated(us, zone) ? `${said} ${offset(us, zone)}` : said;
}

/** The time of day to the minute. */
export function shortClock(us: number, zone: string): string {
  return formatter(zone, "short", { hour: "2-digit", minute: "2-digit" }).format(us / 1000);
}

function offset(us: number, zone: string): string {
  const minutes = ahead(us, zone);
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${rest ? `:${two(rest)}` : ""}`;
}

/** The weekday of a day. */
export function weekday(day: Day): string {
  return formatter("UTC", "weekday", { weekday: "long" }).format(Date.parse(`${day}T12:00:00Z`));
}

/** A day in words; the year only if it is not `today`'s. */
export function date(day: Day, today: Day): string {
  const year = day.slice(0, 4) === today.slice(0, 4);
  const options: Intl.DateTimeFormatOptions = year ? { day: "numeric", month: "long" } : { day: "numeric", month: "long", year: "numeric" };
  return formatter("UTC", year ? "date" : "date and year", options).format(Date.parse(`${day}T12:00:00Z`));
}

/** A moment as it is said on that day: "14:02", "yesterday, 14:02", "3 November, 14:02". */
export function when(us: number, now: number, zone: string): string {
  const [day, today] = [dayOf(us, zone), dayOf(now, zone)];
  const said = shortClock(us, zone);
  if (day === today) return said;
  if (day === dayBefore(today)) return words.when.yesterday(said);
  if (dayBefore(day) === today) return words.when.tomorrow(said);
  // Within the week to come a weekday is plain; of the past it could be any.
  const soon = us > now && us - now < 6 * 2 * halfDay;
  return words.when.day(soon ? weekday(day) : date(day, today), said);
}

/** A moment in full: day and time, as the title of a picture has it. */
export function moment(us: number, zone: string): string {
  const day = dayOf(us, zone);
  return words.moment(weekday(day), date(day, ""), clock(us, zone));
}
