// What a guest may see: in words, and as a form that is filled in.

import { dayOf, isZone, moments, wall, when } from "../parts/time.ts";
import { words } from "../words.ts";
import type { CameraID, Rights, Role, Sees } from "../worker/protocol.ts";

export const kinds: readonly Sees[] = ["thumbnail", "clip", "description", "live", "footage"];

const w = words.rights;
const day = 24 * 3600 * 1e6;

/** What words are made with: the home's cameras by name (null where nobody knows names: they are counted), the time and the home's zone. */
export interface Reading {
  cameras: ReadonlyMap<CameraID, string> | null;
  now: number;
  zone: string;
}

/** What somebody may see, in one line: "Front door only; pictures; until Sunday, 18:00". */
export function seesSays(role: Role, rights: Rights | null, reading: Reading): string {
  if (role === "owner" || role === "resident" || rights === null) return words.people.seesAll;
  const parts = [camerasSay(rights, reading), kindsSay(rights)];
  if (rights.until > 0) {
    const end = when(rights.until, reading.now, reading.zone);
    parts.push(rights.until > reading.now ? w.until(end) : w.ended(end));
  }
  return w.sentence(parts);
}

// A camera that has left the home is covered no more, and has no name any more.
function camerasSay({ cameras }: Rights, reading: Reading): string {
  if (cameras === null) return w.all;
  if (reading.cameras === null) return w.some(cameras.length);
  const names = cameras.flatMap((c) => reading.cameras?.get(c) ?? []).sort((a, b) => a.localeCompare(b));
  if (names.length === 0) return w.noCamera;
  return names.length === 1 ? w.only(names[0] ?? "") : w.cameras(w.and(names));
}

function kindsSay({ kinds: some }: Rights): string {
  const have = kinds.filter((k) => some.includes(k));
  return have.length === kinds.length ? w.everything : w.and(have.map((k) => w.kind[k]));
}

export type Until = "forever" | keyof typeof w.presets;

/** Rights as a person fills them in; `end` is what a field for day and time has: 2026-11-29T18:00. */
export interface Draft {
  role: Exclude<Role, "link">;
  every: boolean;
  cameras: CameraID[];
  kinds: Sees[];
  until: Until;
  end: string;
}

/** Somebody's rights to be changed, or a fresh form. */
export function draftOf(role: Role, rights: Rights | null, zone: string): Draft {
  return {
    role: role === "link" ? "guest" : role,
    every: rights === null || rights.cameras === null,
    cameras: rights?.cameras ?? [],
    kinds: rights?.kinds ?? ["thumbnail", "clip", "description"],
    until: rights && rights.until > 0 ? "other" : "forever",
    end: rights && rights.until > 0 ? fieldOf(rights.until, zone) : "",
  };
}

/** The rights that a form comes to, null for whoever sees everything; or which rule it breaks. */
export function rightsOf(draft: Draft, now: number, zone: string): { ok: true; rights: Rights | null } | { ok: false; rule: keyof typeof w.rule } {
  if (draft.role !== "guest") return { ok: true, rights: null };
  if (!draft.every && draft.cameras.length === 0) return { ok: false, rule: "cameras" };
  if (draft.kinds.length === 0) return { ok: false, rule: "kinds" };
  const until = endOf(draft, now, zone);
  if (until === null || (until !== 0 && until <= now)) return { ok: false, rule: "until" };
  const cameras = draft.every ? null : [...draft.cameras].sort();
  return { ok: true, rights: { kinds: kinds.filter((k) => draft.kinds.includes(k)), until, cameras } };
}

function endOf({ until, end }: Draft, now: number, zone: string): number | null {
  if (until === "forever") return 0;
  if (until === "days3") return now + 3 * day;
  if (until === "week") return now + 7 * day;
  if (until === "other") return momentOf(end, zone);
  // Tonight's midnight is the beginning of the day that comes next on the home's clock.
  return moments(now, now + 1.5 * day, 0, zone).find((m) => dayOf(m, zone) !== dayOf(now, zone)) ?? now + day;
}

/** The moment at which the home's clock shows that day and time, null if it never does or nothing is given. */
export function momentOf(field: string, zone: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)/.exec(field);
  if (!parts || !isZone(zone)) return null;
  const noon = Date.parse(`${parts[1]}T12:00:00Z`) * 1000;
  const minute = Number(parts[2]) * 60 + Number(parts[3]);
  return moments(noon - 1.5 * day, noon + 1.5 * day, minute, zone).find((m) => dayOf(m, zone) === parts[1]) ?? null;
}

/** A moment as a field for day and time has it, on the home's clock. */
export function fieldOf(us: number, zone: string): string {
  const { hour, minute } = wall(us, zone);
  return `${dayOf(us, zone)}T${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

/** Whether somebody who had those rights comes to see the whole home, or ceases to. */
export function turns(before: Role, after: Role): "widens" | "narrows" | null {
  const sees = (role: Role) => role === "owner" || role === "resident";
  return sees(before) === sees(after) ? null : sees(after) ? "widens" : "narrows";
}
