// Feeds the parts of a clip to a video as they are needed: what is about to be shown is
// fetched, and nothing else.

import type { Track } from "../worker/protocol.ts";
import type { Opening } from "./openings.svelte.ts";

/** Gives a part of the clip. */
export type Part = (n: number) => Promise<Opening<{ bytes: Uint8Array<ArrayBuffer> }>>;

const ahead = 15; // seconds that are fetched before they are shown
const behind = 5; // seconds that stay when a browser has no room for more
const again = 2000; // milliseconds after which a server that did not answer is asked again

/** Whether this browser can be fed what is made so. */
export function feeds(type: string): boolean {
  return typeof MediaSource !== "undefined" && MediaSource.isTypeSupported(type);
}

/** Which part is to be fetched next for a video that is at `time`; null if there is enough. */
export function nextPart(track: Pick<Track, "parts">, there: ReadonlySet<number>, time: number): number | null {
  const { parts } = track;
  const zero = parts[0]?.start ?? 0;
  let n = Math.max(0, parts.findLastIndex((p) => p.start - zero <= time));
  while (there.has(n)) n++;
  const next = parts[n];
  return next !== undefined && next.start - zero <= time + ahead ? n : null;
}

/** Why a video is fed no more: its parts cannot be had, or the browser does not take them. */
export type Unfed = "unavailable" | "unplayable";

export class Feed {
  readonly #video: HTMLVideoElement;
  readonly #track: Track;
  readonly #part: Part;
  readonly #failed: (why: Unfed) => void;
  readonly #source = new MediaSource();
  readonly #there = new Set<number>();
  readonly #stop = new AbortController();
  #buffer: SourceBuffer | null = null;
  #feeding = false;

  constructor(video: HTMLVideoElement, track: Track, part: Part, failed: (why: Unfed) => void) {
    this.#video = video;
    this.#track = track;
    this.#part = part;
    this.#failed = failed;
    const { signal } = this.#stop;
    const address = URL.createObjectURL(this.#source);
    this.#source.addEventListener("sourceopen", () => (URL.revokeObjectURL(address), void this.#begin()), { once: true, signal });
    for (const event of ["seeking", "timeupdate", "waiting"]) video.addEventListener(event, () => void this.#feed(), { signal });
    video.src = address;
  }

  /** Fetches nothing more. */
  close(): void {
    this.#stop.abort();
  }

  async #begin(): Promise<void> {
    const { parts, type, head } = this.#track;
    try {
      this.#source.duration = parts.at(-1)!.end - parts[0]!.start;
      this.#buffer = this.#source.addSourceBuffer(type);
      await this.#append(head);
    } catch {
      return this.#failed("unplayable");
    }
    await this.#feed();
  }

  async #feed(): Promise<void> {
    if (this.#feeding || this.#buffer === null) return;
    this.#feeding = true;
    try {
      for (let n = this.#next(); n !== null && !this.#stop.signal.aborted; n = this.#next()) await this.#fetch(n);
      this.#end();
    } catch {
      if (!this.#stop.signal.aborted) this.#failed("unplayable");
    } finally {
      this.#feeding = false;
    }
  }

  #next(): number | null {
    return nextPart(this.#track, this.#there, this.#video.currentTime);
  }

  async #fetch(n: number): Promise<void> {
    const came = await this.#part(n);
    if (this.#stop.signal.aborted) return;
    if (came.is === "unreachable") return new Promise((go) => setTimeout(go, again));
    // Whoever shows the video hears of a refusal by itself.
    if (came.is !== "opened") {
      this.close();
      return this.#failed("unavailable");
    }
    await this.#append(came.bytes).catch(async (e: unknown) => {
      if (!(e instanceof DOMException) || e.name !== "QuotaExceededError") throw e;
      await this.#makeRoom();
      await this.#append(came.bytes);
    });
    this.#there.add(n);
    this.#skipGap();
  }

  /** Where pictures wait for later ones, some browsers begin a moment after zero. */
  #skipGap(): void {
    const { buffered, currentTime } = this.#video;
    if (currentTime === 0 && buffered.length > 0 && buffered.start(0) > 0 && buffered.start(0) < 1) this.#video.currentTime = buffered.start(0);
  }

  /** Nothing comes behind the last part. */
  #end(): void {
    if (this.#there.has(this.#track.parts.length - 1) && this.#source.readyState === "open") this.#source.endOfStream();
  }

  async #append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#buffer!.appendBuffer(bytes);
    await this.#done();
  }

  /** Lets go of what is not about to be shown. */
  async #makeRoom(): Promise<void> {
    const time = this.#video.currentTime;
    const zero = this.#track.parts[0]!.start;
    for (const [from, to] of [[0, time - behind], [time + ahead, Infinity]] as const) {
      if (to <= from) continue;
      this.#buffer!.remove(from, to);
      await this.#done();
      for (const n of [...this.#there]) {
        const part = this.#track.parts[n]!;
        if (part.end - zero > from && part.start - zero < to) this.#there.delete(n);
      }
    }
  }

  #done(): Promise<void> {
    const buffer = this.#buffer!;
    return new Promise((done, failed) => {
      buffer.addEventListener("updateend", () => done(), { once: true });
      buffer.addEventListener("error", () => failed(new Error("the browser takes no more")), { once: true });
    });
  }
}
