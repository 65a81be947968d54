// The page's worker as far as filmstrips go, with an agent beside it that has a still of
// every ten seconds.

import type { CameraID } from "../../src/seal/name.ts";
import { Strips } from "../../src/worker/strips.ts";
import { painted } from "./still.ts";

/** What the page asks: to have a time fetched, or for the stills of a moment. */
export type Ask = { id: number; cameras: CameraID[] } & ({ do: "ahead"; from: number; until: number } | { do: "glance"; at: number; step: number });

const interval = 10_000_000;
const scenes = 64;
let stills: Promise<Blob[]> | null = null;

const strips = new Strips(
  async (camera, { from, until }, most) => {
    // Painted once: an agent has them on its disk.
    const all = await (stills ??= Promise.all(Array.from({ length: scenes }, (_, i) => painted(i))));
    const step = Math.max(interval, (until - from) / most);
    const strip = [];
    for (let at = from; at < until; at += step) {
      const time = Math.ceil(at / interval) * interval;
      // Each its own copy: what is kept has its size.
      const blob = all[(time / interval + camera.charCodeAt(0)) % scenes]!;
      strip.push({ time, blob: blob.slice(0, blob.size, blob.type) });
    }
    return { stills: strip, until };
  },
  () => self.postMessage({ change: { changed: "stills" } }),
);

self.onmessage = ({ data }: MessageEvent<Ask>) => {
  if (data.do === "ahead") strips.ahead(data.cameras, data);
  const result = data.do === "glance" ? { ok: true, ...strips.glance(data.cameras, data.at, data.step) } : { ok: true };
  self.postMessage({ id: data.id, result });
};
