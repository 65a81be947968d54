// How long something took, as people say it.

import { words } from "../words.ts";

/** Microseconds in words: 8 s, 1 min 5 s, 2 h 3 min. What took time at all took a second. */
export function length(us: number): string {
  const seconds = Math.max(1, Math.round(us / 1e6));
  if (seconds < 60) return words.length.seconds(seconds);
  if (seconds < 3600) return words.length.minutes(Math.floor(seconds / 60), seconds % 60);
  return words.length.hours(Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60));
}

/** What is left until `until` (milliseconds), as m:ss; never below zero. */
export function countdown(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
