// What plays, read back from the screen: the clock that a painted camera burns into its
// picture for programs (demo/paint/strip.go).

import type { Locator, Page } from "playwright-core";

/** A picture that was on the screen. */
export interface Seen {
  /** The number of the camera's scene. */
  scene: number;
  /** When it was painted, and when it was shown; milliseconds of this machine's clock. */
  painted: number;
  shown: number;
  /** What the video element says that it shows. */
  said: string;
}

/** A still on the screen. */
export interface Standing {
  /** The camera's ID, of its lane. */
  lane: string;
  scene: number;
  /** When it was painted, milliseconds; and when it is said to be taken. */
  painted: number;
  said: number;
}

/** Everything that a page has shown in video elements since it was asked to look. */
export interface Watched {
  seen: Seen[];
  /** Pictures whose clock could not be read. */
  unread: number;
}

type Reader = (source: HTMLVideoElement | HTMLImageElement) => { scene: number; painted: number; shown: number } | null;

/** Has a page keep what its video elements show, from now on and after every load. */
export async function lookAtVideos(page: Page): Promise<void> {
  const look = (): void => {
    const kept: Watched = { seen: [], unread: 0 };
    (window as unknown as { latchkeySeen: Watched }).latchkeySeen = kept;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 360];
    const pen = canvas.getContext("2d", { willReadFrequently: true })!;
    const known = new WeakSet<HTMLVideoElement>();

    /** The four bits from the top down of each of the eleven groups, null if they do not check. */
    function read(source: HTMLVideoElement | HTMLImageElement | HTMLCanvasElement): ReturnType<Reader> {
      pen.drawImage(source, 0, 0, 640, 360);
      const { data } = pen.getImageData(12, 353, 616, 1);
      const groups = Array.from({ length: 11 }, (_, g) => [0, 1, 2, 3].reduce((sum, b) => sum * 2 + (data[((g * 4 + b) * 14 + 7) * 4]! > 128 ? 1 : 0), 0));
      if (groups.reduce((a, b) => a ^ b, 0) !== 15) return null;
      const [shown, ms] = [Date.now(), groups.slice(1, 10).reduce((sum, g) => sum * 16 + g, 0)];
      // The clock of the strip begins anew every two years.
      return { scene: groups[0]!, painted: shown - ((shown % 2 ** 36) - ms), shown };
    }
    (window as unknown as { latchkeyRead: Reader }).latchkeyRead = read;

    (window as unknown as { latchkeyStills: () => Standing[] }).latchkeyStills = () =>
      [...document.querySelectorAll<HTMLCanvasElement>("[data-lane] canvas")].flatMap((canvas) => {
        const is = canvas.dataset["time"] ? read(canvas) : null;
        return is === null ? [] : [{ lane: canvas.closest<HTMLElement>("[data-lane]")!.dataset["lane"]!, scene: is.scene, painted: is.painted, said: Number(canvas.dataset["time"]) / 1000 }];
      });

    function watch(video: HTMLVideoElement): void {
      known.add(video);
      const next = (): void => {
        const shown = Date.now();
        const is = read(video);
        if (is === null) kept.unread++;
        else kept.seen.push({ ...is, shown, said: video.ariaLabel ?? "" });
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    }

    setInterval(() => {
      for (const video of document.querySelectorAll("video")) if (!known.has(video)) watch(video);
    }, 20);
  };
  await page.addInitScript(look);
  await page.evaluate(look);
}

/** What a still shows of a page that was asked to look; null if its clock cannot be read. */
export function readStill(still: Locator): Promise<{ scene: number; painted: number; shown: number } | null> {
  return still.evaluate(async (img: HTMLImageElement) => {
    await img.decode();
    return (window as unknown as { latchkeyRead: Reader }).latchkeyRead(img);
  });
}

/** What was shown since the last time that somebody asked. */
export function takeSeen(page: Page): Promise<Watched> {
  return page.evaluate(() => {
    const kept = (window as unknown as { latchkeySeen: Watched }).latchkeySeen;
    const all = { seen: kept.seen.splice(0), unread: kept.unread };
    kept.unread = 0;
    return all;
  });
}

/** The stills that the lanes of a timeline show now. */
export function stillsOf(page: Page): Promise<Standing[]> {
  return page.evaluate(() => (window as unknown as { latchkeyStills: () => Standing[] }).latchkeyStills());
}

/** The middle and nearly the largest of some numbers. */
export function spread(of: number[]): { p50: number; p95: number } {
  const sorted = [...of].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
  return { p50: at(0.5), p95: at(0.95) };
}
