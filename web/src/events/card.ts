// What a card shows of an event: decided from verified rows and the clock alone.

import { length } from "../parts/length.ts";
import { words } from "../words.ts";
import type { Description, EventRow, NameText, ObjectRow, Reported, Word } from "../worker/protocol.ts";

type Verified = Extract<ObjectRow, { state: "verified" }>;

/** The picture's place in a card. */
export type Picture = { is: "name"; name: NameText } | { is: "refused"; word: Word; reported: Reported | null } | { is: "waiting" };

/** The state of an event's clip. */
export type Clip =
  | { is: "ready"; name: NameText }
  | { is: "refused"; word: Word; reported: Reported | null }
  | { is: "recording" }
  | { is: "on-its-way" }
  | { is: "lost" };

// An event is cut off after five minutes; some seconds after that it is not being
// recorded any more, whether or not its end has been heard of.
const longest = 330e6;

// A clip waits in the agent's spool for as long as the house is offline. What has not
// come after a fortnight is not promised any more.
const patience = 14 * 24 * 3600e6;

function object(row: EventRow, kind: ObjectRow["kind"]): ObjectRow | undefined {
  return row.objects.find((o) => o.kind === kind && o.state === "verified") ?? row.objects.find((o) => o.kind === kind);
}

/** The verified object of that kind, if there is one that this browser has a key for. */
export function openable(row: EventRow, kind: Verified["kind"]): Verified | null {
  const o = object(row, kind);
  return o?.state === "verified" && o.openable ? o : null;
}

/** Which picture a card shows. A row that names no kind counts as the picture: nothing else is seen of it. */
export function pictureOf(row: EventRow): Picture {
  const o = object(row, "thumbnail") ?? row.objects.find((other) => other.kind === null);
  if (!o) return { is: "waiting" };
  if (o.state === "refused") return { is: "refused", word: o.word, reported: null };
  return o.openable ? { is: "name", name: o.name } : { is: "refused", word: "unknown-key", reported: null };
}

/** What there is of the clip, `now` being microseconds. */
export function clipOf(row: EventRow, now: number): Clip {
  const o = object(row, "clip");
  if (o?.state === "refused") return { is: "refused", word: o.word, reported: null };
  if (o) return o.openable ? { is: "ready", name: o.name } : { is: "refused", word: "unknown-key", reported: null };
  const age = now - (row.time ?? 0);
  const ended = object(row, "description") !== undefined;
  if (!ended && age < longest) return { is: "recording" };
  return age < patience ? { is: "on-its-way" } : { is: "lost" };
}

/** Microseconds that an event took, once its description says so. */
export function lengthOf(description: Description | null): number | null {
  return description && description.end >= description.start ? description.end - description.start : null;
}

/** How sure the time is: as sure as that of the least sure object. `corrected` was wrong once and has been put right. */
export function qualityOf(row: EventRow): Verified["quality"] | "corrected" {
  const all = row.objects.flatMap((o) => (o.state === "verified" ? [o.corrected ? "corrected" : o.quality] : []));
  return (["estimated", "unknown", "corrected"] as const).find((q) => all.includes(q)) ?? "synchronised";
}

/** What can be saved of an event: the clip, or else the picture. */
export function savable(row: EventRow): NameText | null {
  return (openable(row, "clip") ?? openable(row, "thumbnail"))?.name ?? null;
}

/** What the corner of a picture says of several events that are one: how many there are, and how long it went on. */
export function incidentSays(parts: readonly EventRow[], description: (name: NameText) => Description | null): string {
  const told = parts.flatMap((r) => {
    const name = openable(r, "description")?.name;
    const one = name ? description(name) : null;
    return one === null ? [] : [one];
  });
  const took = Math.max(...told.map((d) => d.end)) - Math.min(...told.map((d) => d.start));
  return words.events.parts(parts.length, took > 0 ? length(took) : "");
}

/** What the corner of a picture says: how long it was, and where its clip is. */
export function badgeOf(clip: Clip, description: Description | null): string {
  const took = lengthOf(description);
  const long = took === null ? "" : length(took);
  const w = words.events;
  if (clip.is === "ready") return long;
  if (clip.is === "recording") return w.recording;
  return w.lengthAnd(long, clip.is === "refused" ? w.clipRefused : clip.is === "lost" ? w.lost : w.onItsWay);
}
