// The stand-in's footage: painted stills and films of any time, with holes at the same
// hours of every day, and what is kept and deleted as long as the page is open.

import type { CameraID, CameraTimeline, Glance, Hole, Part, Pieces, Stretch } from "../worker/protocol.ts";
import { film, paint } from "./paint.ts";
import { cameras, names, scenes } from "./stage.ts";

const second = 1_000_000;
const hour = 3600 * second;
const dayLong = 24 * hour;

const within = (s: Stretch, { from, until }: Stretch) => ({ from: Math.max(s.from, from), until: Math.min(s.until, until) });

export class FakeRecorded {
  #saved: Part[] = [];
  #erased: Part[] = [];

  timeline(camera: CameraID, asked: Stretch): CameraTimeline {
    const until = Math.min(asked.until, Date.now() * 1000);
    const holes = this.#holes(camera, { from: asked.from, until });
    const pictures: Stretch[] = [];
    let at = asked.from;
    for (const h of holes) {
      if (h.from > at) pictures.push({ from: at, until: h.from });
      at = Math.max(at, h.until);
    }
    if (at < until) pictures.push({ from: at, until });
    const minutes = Math.floor((asked.until - 1) / 60 / second) - Math.floor(asked.from / 60 / second) + 1;
    const seed = cameras.indexOf(camera) + 1;
    const motion = new Uint8Array(minutes).map((_, i) => {
      const t = asked.from + i * 60 * second;
      const busy = Math.sin(i / (40 + 13 * seed)) + Math.sin(i / 7 + seed) - 1.1;
      return t > until || holes.some((h) => t >= h.from && t < h.until) ? 0 : Math.max(0, Math.min(255, Math.round(busy * 260)));
    });
    const saved = this.#saved.filter((s) => s.camera === camera).map((s) => within(s, asked)).filter((s) => s.from < s.until);
    return { camera, pictures, holes, motion, saved };
  }

  #holes(camera: CameraID, asked: Stretch): Hole[] {
    const all: Hole[] = [];
    const seed = cameras.indexOf(camera);
    for (let day = Math.floor(asked.from / dayLong) * dayLong; day < asked.until; day += dayLong) {
      all.push({ from: day + (2 + seed) * hour, until: day + (3 + seed) * hour, reason: "offline", says: "The camera did not send.", loss: false });
      all.push({ from: day + (7 + seed) * hour, until: day + (7 + seed) * hour + 12 * 60 * second, reason: "slow", says: "The disk did not keep up.", loss: true });
    }
    for (const e of this.#erased) if (e.camera === camera) all.push({ from: e.from, until: e.until, reason: "deleted", says: "Somebody deleted it.", loss: false });
    return all.map((h) => ({ ...h, ...within(h, asked) })).filter((h) => h.from < h.until).sort((a, b) => a.from - b.from);
  }

  async glances(which: CameraID[], at: number, step: number): Promise<Glance[]> {
    const time = Math.floor(at / step) * step;
    const seen = which.filter((c) => cameras.includes(c));
    return Promise.all(seen.map(async (camera) => ({ camera, time, blob: await this.#paint(camera, time) })));
  }

  #paint(camera: CameraID, time: number): Promise<Blob> {
    const i = cameras.indexOf(camera);
    return paint(scenes[i] ?? "door", names[i] ?? "", new Date(time / 1000));
  }

  /** One group of what was recorded, and nothing behind it. */
  async pieces({ camera, from, group }: { camera: CameraID; from: number; group: number }): Promise<Pieces> {
    const nothing = { type: "", init: new Uint8Array(0), pieces: [], more: false, group: 0, offset: 0 };
    if (group > 0) return nothing;
    const i = cameras.indexOf(camera);
    const recorded = await film(scenes[i] ?? "door", names[i] ?? "", new Date(from / 1000));
    const bytes = new Uint8Array(await recorded.arrayBuffer());
    return { ...nothing, type: recorded.type, pieces: [{ sequence: 1, time: from, lasts: 1_600_000, key: true, motion: 0, damaged: false, offset: 0, of: bytes.length, bytes }] };
  }

  save(part: Part): void {
    this.#saved.push(part);
  }

  unsave({ camera, from, until }: Part): void {
    this.#saved = this.#saved.filter((s) => s.camera !== camera || s.from !== from || s.until !== until);
  }

  erase(part: Part): void {
    this.#erased.push(part);
  }
}
