// Somebody watches a camera: which of its streams, what comes of it, and how late that
// is, as state for the screen.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";
import { steady } from "../steady.ts";
import type { CameraID, Piece, StreamName, Trouble, Waits } from "../worker/protocol.ts";
import { LivePlayer, playsPieces, playsType } from "./player.ts";

/** Which picture somebody wants: the large one, the small one, or whichever does. */
export type Quality = "auto" | "main" | "sub";

/** Why another picture is shown than was wanted first. */
export type Fell = "h265" | "type" | "slow" | "missing" | "stills";

/** What is more than that behind is not called live. */
export const fresh = 3000;
const beat = 250;
// A line on which the large picture is so late for so long does not bear it, nor one on
// which so many gaps come within a while.
const lateFor = 8000;
const mostGaps = 3;
const gapsWithin = 20_000;
// A page that nobody looks at stops after a while.
const unseenFor = 20_000;
// With these nothing is shown at all, not even what has come.
const shut: ReadonlySet<Waits> = new Set<Waits>(["frozen", "not-allowed", "held", "closed", "off"]);
// How long a gap is said.
const gapSaid = 8000;

const h265 = /codecs="?(hvc1|hev1)/;

export class Watching {
  /** Why nothing comes, null while something does. */
  waits = $state<Waits | null>("line");
  /** Milliseconds by which what is on the screen lies behind at most, null before anything is. */
  behind = $state<number | null>(null);
  /** A picture of now is on the screen. */
  shown = $state(false);
  fell = $state<Fell | null>(null);
  /** There is no video to be had here: stills are shown. */
  stills = $state(!playsPieces());
  /** How many pieces are missing, 0 once that was said long enough; -1 if this device was too slow. */
  gap = $state(0);
  quality = $state<Quality>("auto");
  sound = $state(false);
  /** The camera was asked for its sound, and has none. */
  mute = $state(false);
  ended = $state.raw<Trouble | null>(null);

  readonly #house: House;
  readonly #camera: CameraID;
  readonly #small: boolean;
  #video: HTMLVideoElement | null = null;
  #player: LivePlayer | null = null;
  #stream: StreamName = "main";
  #seen: number | null = null;
  #late: number | null = null;
  #gaps: number[] = [];
  #gapAt = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | null = null;
  #stopSound: (() => void) | null = null;

  /** Made while a component is made; `small`: the small picture will do. */
  constructor(house: House, camera: CameraID, small: boolean) {
    this.#house = house;
    this.#camera = camera;
    this.#small = small;
    $effect(() => {
      const timer = setInterval(() => this.#look(), beat);
      let unseen: ReturnType<typeof setTimeout> | undefined;
      const look = () => {
        clearTimeout(unseen);
        if (document.visibilityState === "visible") this.#resume();
        else unseen = setTimeout(() => document.pictureInPictureElement !== this.#video && this.#end(), unseenFor);
      };
      document.addEventListener("visibilitychange", look);
      return () => {
        clearInterval(timer);
        clearTimeout(unseen);
        document.removeEventListener("visibilitychange", look);
      };
    });
  }

  /** Live is what the camera saw a moment ago, and nothing else. */
  get live(): boolean {
    return this.shown && this.behind !== null && this.behind <= fresh;
  }

  /** When what is on the screen was taken, microseconds by the agent's clock. */
  get at(): number | null {
    return this.#player?.at ?? null;
  }

  /** An attachment for the element that shows it. */
  readonly show = (video: HTMLVideoElement): (() => void) => {
    this.#video = video;
    untrack(() => this.#begin());
    return () => {
      this.#end();
      this.#video = null;
    };
  };

  choose(quality: Quality): void {
    this.quality = quality;
    this.fell = null;
    this.#end();
    this.#begin();
  }

  hear(wants: boolean): void {
    this.sound = wants;
    if (this.#video) this.#video.muted = !wants;
    this.#player?.hear(wants);
    if (wants) this.#beginSound();
    else this.#endSound();
  }

  #begin(): void {
    this.#go(this.quality === "auto" ? (this.#small || this.#house.spared.includes("live-quality") ? "sub" : "main") : this.quality);
  }

  #go(stream: StreamName): void {
    const video = this.#video;
    if (video === null || this.stills || this.ended !== null) return;
    this.#end();
    this.#stream = stream;
    this.#player = this.#newPlayer(video);
    this.#stop = this.#house.keeper.live(this.#camera, stream, (piece) => this.#take(piece));
    if (this.sound) this.hear(true);
  }

  #newPlayer(video: HTMLVideoElement): LivePlayer {
    return new LivePlayer(video, {
      shown: () => (this.shown = true),
      failed: () => this.#fall("type"),
      left: () => this.#missed(-1),
    });
  }

  #resume(): void {
    if (this.#video !== null && this.#player === null) this.#go(this.#stream);
  }

  /** Nothing of it stays on the screen. */
  #end(): void {
    this.#endSound();
    this.#stop?.();
    this.#stop = null;
    this.#player?.close();
    this.#player = null;
    this.#forget();
    this.waits = "line";
  }

  #forget(): void {
    this.#seen = this.#late = this.behind = null;
    this.#gaps = [];
    this.shown = false;
  }

  /** Empties the screen, and goes on listening. */
  #clear(): void {
    const video = this.#video;
    if (video === null || this.#player === null || !this.shown) return;
    this.#player.close();
    this.#forget();
    this.#player = this.#newPlayer(video);
  }

  #beginSound(): void {
    if (this.#stopSound !== null || this.#player === null) return;
    this.#stopSound = this.#house.keeper.live(this.#camera, "sound", (piece) => {
      if (piece.is === "init") this.#player?.begin("sound", piece.type, piece.segment);
      if (piece.is === "media") this.#player?.take("sound", piece.media, piece.key, piece.time);
      if (piece.is === "misroute") this.#house.crossed = true;
      if (piece.is === "waits" && piece.why === "no-stream") {
        this.mute = true;
        this.hear(false);
      }
    });
  }

  #endSound(): void {
    this.#stopSound?.();
    this.#stopSound = null;
  }

  #take(piece: Piece): void {
    switch (piece.is) {
      case "init":
        if (!playsType(piece.type)) return this.#fall(h265.test(piece.type) ? "h265" : "type");
        return this.#player?.begin("pictures", piece.type, piece.segment);
      case "media":
        this.waits = null;
        this.#seen = piece.seen;
        return this.#player?.take("pictures", piece.media, piece.key, piece.time);
      case "gap":
        return this.#missed(piece.missing);
      case "waits":
        this.waits = piece.why;
        if (shut.has(piece.why)) this.#clear();
        if (piece.why === "no-stream" && this.#stream === "sub") this.#withoutSmall();
        return undefined;
      case "misroute":
        this.#house.crossed = true;
        return undefined;
      case "ended":
        this.#end();
        this.ended = piece.why;
        this.#house.heard({ ok: false, ...piece.why });
    }
  }

  #missed(pieces: number): void {
    const now = steady.now();
    this.gap = pieces;
    this.#gapAt = now;
    this.#gaps = [...this.#gaps.filter((at) => at > now - gapsWithin), now];
    if (this.#gaps.length >= mostGaps) this.#tooSlow();
  }

  #look(): void {
    const now = steady.now();
    if (this.gap !== 0 && now - this.#gapAt > gapSaid) this.gap = 0;
    if (this.#seen === null) return;
    this.behind = now - this.#seen + (this.#player?.lead ?? 0) * 1000;
    // What comes late is a slow line; what does not come is something else.
    if (this.waits !== null || this.behind <= fresh) this.#late = null;
    else this.#late ??= now;
    if (this.#late !== null && now - this.#late > lateFor) this.#tooSlow();
  }

  #tooSlow(): void {
    this.#late = null;
    if (this.#stream === "main" && this.quality === "auto" && this.fell !== "missing") this.#fallTo("sub", "slow");
  }

  /** This stream cannot be played here: the other can, or nothing. */
  #fall(why: "h265" | "type"): void {
    if (this.#stream === "main" && this.fell !== "missing") this.#fallTo("sub", why);
    else this.#toStills();
  }

  /** The camera has no small picture: the large one is shown, unless it cannot be played. */
  #withoutSmall(): void {
    if (this.fell === "h265" || this.fell === "type") this.#toStills();
    else this.#fallTo("main", "missing");
  }

  #toStills(): void {
    this.#end();
    this.fell = "stills";
    this.stills = true;
  }

  #fallTo(stream: StreamName, why: Fell): void {
    this.fell = why;
    this.#go(stream);
  }
}
