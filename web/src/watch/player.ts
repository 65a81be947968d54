// Plays a camera's pieces in a video element through MediaSource, as near to now as they
// come. One player belongs to one element and one camera; when it is closed the element
// is empty.

import { Edge, roomFor } from "./edge.ts";
import { Track } from "./track.ts";

declare global {
  /** Where there is no MediaSource: on phones of Apple. */
  var ManagedMediaSource: typeof MediaSource | undefined;
}

const beat = 100;
// So many new beginnings within so long are too many: then it is given up.
const mostFaults = 3;
const faultsWithin = 60_000;
// Seconds by which sound may stop coming before the pictures go on without it.
const soundLate = 2;
// Seconds: what is nearer than that to the end of what has come has run dry.
const dry = 0.02;
const nearlyDry = 0.03;

/** What a player tells. */
export interface Told {
  /** A picture of the stream is on the screen. */
  shown: () => void;
  /** The browser cannot play it. */
  failed: () => void;
  /** Something had to be left out. */
  left: () => void;
}

/** What plays pieces here, if anything does. */
export function source(): typeof MediaSource | undefined {
  return globalThis.MediaSource ?? globalThis.ManagedMediaSource;
}

/** Whether this browser plays pieces at all. */
export function playsPieces(): boolean {
  return source() !== undefined;
}

/** Whether this browser says that it plays that. */
export function playsType(type: string): boolean {
  return source()?.isTypeSupported(type) ?? false;
}

// Whoever has this one buffers anew at every other rate than 1.
const gentle = (): boolean => globalThis.ManagedMediaSource !== undefined;

export class LivePlayer {
  readonly #video: HTMLVideoElement;
  readonly #told: Told;
  readonly #pictures = new Track(() => this.#look(), () => this.#fault());
  readonly #sound = new Track(() => undefined, () => this.#fault());
  readonly #beat: ReturnType<typeof setInterval>;
  #wantsSound = false;
  #hasSound = false;
  #soundLost = 0;
  #media: MediaSource | null = null;
  #url = "";
  #zero = 0;
  #edge: Edge | null = null;
  #faults: number[] = [];
  #closed = false;

  constructor(video: HTMLVideoElement, told: Told) {
    this.#video = video;
    this.#told = told;
    video.disableRemotePlayback = true;
    video.addEventListener("error", this.#fault);
    video.addEventListener("waiting", this.#waiting);
    this.#beat = setInterval(() => this.#look(), beat);
  }

  /** When what is on the screen was taken, by the agent's clock (microseconds); null while nothing is. */
  get at(): number | null {
    return this.#edge !== null ? this.#zero + this.#video.currentTime * 1e6 : null;
  }

  /** Seconds that have come and are not shown yet. */
  get lead(): number {
    const ranges = this.#video.buffered;
    return ranges.length === 0 ? 0 : Math.max(ranges.end(ranges.length - 1) - this.#video.currentTime, 0);
  }

  /** A run begins. */
  begin(of: "pictures" | "sound", type: string, segment: ArrayBuffer): void {
    (of === "sound" ? this.#sound : this.#pictures).begin(type, segment);
  }

  take(of: "pictures" | "sound", media: ArrayBuffer, key: boolean, time: number): void {
    if (this.#closed) return;
    if (!this.#video.seeking) this.#edge?.low(this.lead, performance.now());
    const left = (of === "sound" ? this.#sound : this.#pictures).take(media, key, time);
    if (left && of === "pictures") this.#told.left();
    if (this.#media === null && this.#pictures.beginning !== null) this.#open();
    // A source that has begun takes no second buffer: with sound there is another source.
    else if (of === "sound" && this.#wantsSound && !this.#hasSound && this.#edge !== null) this.#open();
  }

  /** With sound, or without. */
  hear(wants: boolean): void {
    this.#wantsSound = wants;
    if (!wants && this.#hasSound) this.#open();
  }

  /** Ends; nothing of what was played stays in the element. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#beat);
    this.#video.removeEventListener("error", this.#fault);
    this.#video.removeEventListener("waiting", this.#waiting);
    this.#leave();
  }

  #leave(): void {
    this.#pictures.leave();
    this.#sound.leave();
    this.#media = null;
    this.#edge = null;
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  /** Begins a source, with what is kept of the newest group. */
  #open(): void {
    if (this.#media !== null) this.#leave();
    const Source = source();
    if (Source === undefined) return this.#told.failed();
    this.#hasSound = this.#wantsSound && this.#sound.type !== "" && playsType(this.#sound.type);
    const media = (this.#media = new Source());
    media.addEventListener("sourceopen", () => media === this.#media && this.#guarded(() => this.#enter(media)), { once: true });
    this.#url = URL.createObjectURL(media);
    this.#video.src = this.#url;
  }

  #enter(media: MediaSource): void {
    const zero = this.#pictures.beginning;
    if (zero === null) return this.#leave(); // the next key frame opens another
    this.#zero = zero;
    const pictures = media.addSourceBuffer(this.#pictures.type);
    const sound = this.#hasSound ? media.addSourceBuffer(this.#sound.type) : null;
    this.#pictures.enter(pictures, zero);
    if (sound !== null) this.#sound.enter(sound, zero);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (e) {
      if (!(e instanceof DOMException)) throw e;
      this.#fault();
    }
  }

  readonly #fault = (): void => {
    if (this.#closed || this.#media === null) return;
    const now = performance.now();
    this.#faults = [...this.#faults.filter((at) => at > now - faultsWithin), now];
    this.#leave();
    if (this.#faults.length > mostFaults) return this.#told.failed();
    this.#told.left();
    if (this.#pictures.beginning !== null) this.#open();
  };

  readonly #waiting = (): void => {
    // It waits after every jump, too, and then there is something in hand.
    if (!this.#video.seeking && this.lead < nearlyDry) this.#edge?.dry(performance.now());
  };

  #look(): void {
    if (this.#media?.readyState === "open") this.#guarded(() => this.#steer());
  }

  #steer(): void {
    const ranges = this.#video.buffered;
    if (ranges.length === 0) return;
    const end = ranges.end(ranges.length - 1);
    const edge = this.#edge;
    if (edge === null) return this.#start(end);
    const shown = this.#video.currentTime;
    this.#pictures.forget(shown);
    this.#sound.forget(shown);
    const [seen, heard] = [this.#pictures.end, this.#sound.end];
    if (this.#hasSound && seen !== null && heard !== null && seen - heard > soundLate) {
      this.hear(false);
      this.#wantsSound = ++this.#soundLost < mostFaults; // it joins again when it comes
      return;
    }
    this.#pass(ranges, shown);
    const step = edge.step(end - this.#video.currentTime, performance.now());
    if ("jump" in step) this.#video.currentTime = Math.max(end - step.jump, ranges.start(ranges.length - 1));
    else if (this.#video.playbackRate !== step.rate) this.#video.playbackRate = step.rate;
    if (this.#video.paused) void this.#video.play().catch(() => undefined);
  }

  /** Goes over a hole: nothing comes into it any more. */
  #pass(ranges: TimeRanges, shown: number): void {
    for (let i = 0; i < ranges.length; i++) {
      if (shown >= ranges.start(i) && shown < ranges.end(i) - dry) return;
      if (ranges.start(i) > shown) {
        this.#video.currentTime = ranges.start(i) + dry / 2;
        return;
      }
    }
  }

  #start(end: number): void {
    const edge = (this.#edge = new Edge(this.#hasSound ? roomFor.sound : roomFor.pictures, gentle(), performance.now()));
    this.#video.currentTime = Math.max(end - edge.landing, this.#video.buffered.start(this.#video.buffered.length - 1));
    const mine = this.#media;
    const shown = (): void => {
      if (mine === this.#media) this.#told.shown();
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(shown);
    else (this.#video as HTMLVideoElement).addEventListener("timeupdate", shown, { once: true });
    void this.#video.play().catch(() => undefined);
  }
}
