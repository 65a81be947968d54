// Plays what a camera recorded in a video element, from a time on: a reply's groups one
// behind the other, each where its own time says, asked for as the buffer runs low. One
// film belongs to one element, one camera and one beginning; when it is closed the
// element is empty.

import { playsType, source } from "../watch/player.ts";
import { Track } from "../watch/track.ts";
import { equal } from "../wire.ts";
import type { Pieces, Result } from "../worker/protocol.ts";

const second = 1_000_000;
// Seconds that are asked for before they are shown.
const ahead = 12;
// Milliseconds after which what was not there is asked for again: the newest groups are
// written every few seconds.
const again = 2000;
// Microseconds: what ends so long ago has nothing new to come.
const lately = 60 * second;
const beat = 200;
// Seconds that are no hole but the edge of two groups.
const seam = 0.5;

/** Asks for what was recorded, from a group and an offset in it on. */
export type AskPieces = (group: number, offset: number) => Promise<Result<Pieces>>;

/** What a film tells. */
export interface FilmTold {
  /** A picture of it is on the screen. */
  shown: () => void;
  /** Microseconds of which there are no pictures were passed over. */
  skipped: (us: number) => void;
  /** Something was recorded and does not verify. */
  damaged: () => void;
  /** There is nothing, or nothing more; `any` says whether there was something. */
  end: (any: boolean) => void;
  failed: (why: "unplayable" | Extract<Result<Pieces>, { ok: false }>) => void;
}

export class Film {
  readonly #video: HTMLVideoElement;
  readonly #from: number;
  readonly #ask: AskPieces;
  readonly #told: FilmTold;
  readonly #track = new Track(() => this.#look(), () => this.#fail());
  readonly #beat: ReturnType<typeof setInterval>;
  readonly #now: () => number;
  #media: MediaSource | null = null;
  #url = "";
  /** The time of the element's zero. */
  #zero = 0;
  #coding: Pick<Pieces, "type" | "init"> | null = null;
  #next = { group: 0, offset: 0 };
  #asking = false;
  #ended = false;
  #closed = false;
  #begun = false;
  /** Up to when something has come. */
  #until = 0;
  #askAt = 0;

  /** Begins at once, at `from` (microseconds). */
  constructor(video: HTMLVideoElement, from: number, ask: AskPieces, told: FilmTold, now: () => number = () => Date.now() * 1000) {
    this.#video = video;
    this.#from = from;
    this.#ask = ask;
    this.#told = told;
    this.#now = now;
    video.disableRemotePlayback = true;
    video.addEventListener("error", this.#fail);
    this.#beat = setInterval(() => this.#look(), beat);
    void this.#fetch();
  }

  /** When what is on the screen was taken; null while nothing is. */
  get at(): number | null {
    return this.#begun ? this.#zero + this.#video.currentTime * second : null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beat);
    this.#video.removeEventListener("error", this.#fail);
    this.#track.leave();
    URL.revokeObjectURL(this.#url);
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  readonly #fail = (): void => {
    if (this.#closed) return;
    this.close();
    this.#told.failed("unplayable");
  };

  async #fetch(): Promise<void> {
    if (this.#asking || this.#ended || performance.now() < this.#askAt) return;
    this.#asking = true;
    const film = await this.#ask(this.#next.group, this.#next.offset);
    if (this.#closed) return;
    if (film.ok) await this.#take(film);
    else this.#missed(film);
    this.#asking = false;
    this.#look();
  }

  /** Whoever already plays waits for what passes by itself. */
  #missed(why: Extract<Result<Pieces>, { ok: false }>): void {
    const passes = why.trouble === "offline" || why.trouble === "busy" || why.trouble === "away";
    if (passes && this.#begun) this.#askAt = performance.now() + again;
    else this.#stop(() => this.#told.failed(why));
  }

  async #take(film: Pieces): Promise<void> {
    const some = film.pieces.filter((p) => !p.damaged);
    if (some.length < film.pieces.length) this.#told.damaged();
    if (some.length > 0) {
      if (!playsType(film.type)) return this.#fail();
      if (this.#media === null) await this.#open(film.type, some[0]!.time);
      if (this.#closed) return;
      this.#code(film);
      for (const p of some) {
        this.#track.take(p.bytes.slice().buffer, p.key && p.offset === 0, p.time);
        this.#until = p.time + p.lasts;
      }
    }
    const last = film.pieces.at(-1);
    if (film.more) this.#next = { group: film.group, offset: film.offset };
    else if (last !== undefined && last.sequence > 0) this.#next = { group: last.sequence + 1, offset: 0 };
    if (film.more) return;
    // What was recorded ends here: for good, or only for now.
    const newest = this.#until || this.#from;
    if (newest < this.#now() - lately) this.#stop(() => this.#told.end(this.#media !== null));
    else this.#askAt = performance.now() + again;
  }

  /** A track is begun anew only where the pictures are coded differently: never in the middle of a group. */
  #code({ type, init }: Pieces): void {
    if (this.#coding !== null && this.#coding.type === type && equal(this.#coding.init, init)) return;
    this.#coding = { type, init };
    this.#track.begin(type, init.slice().buffer);
  }

  /** Nothing more is asked for; what has come is played. */
  #stop(tell: () => void): void {
    this.#ended = true;
    tell();
  }

  async #open(type: string, zero: number): Promise<void> {
    const Source = source();
    if (Source === undefined) return this.#fail();
    const media = (this.#media = new Source());
    this.#zero = zero;
    this.#url = URL.createObjectURL(media);
    this.#video.src = this.#url;
    await new Promise((open) => media.addEventListener("sourceopen", open, { once: true }));
    if (!this.#closed) this.#track.enter(media.addSourceBuffer(type), zero);
  }

  /** Now and then, and whenever something has come: is there enough, and does it play? */
  #look(): void {
    if (this.#closed) return;
    const { buffered, currentTime } = this.#video;
    const end = this.#track.end;
    if (end !== null && buffered.length > 0) {
      this.#begin(buffered, end);
      this.#pass(buffered, this.#video.currentTime);
      this.#track.forget(this.#video.currentTime);
    }
    if (end === null || end - currentTime < ahead) void this.#fetch();
  }

  /** Begins to play when there is something of the time from which on it was wanted. */
  #begin(buffered: TimeRanges, end: number): void {
    const wanted = Math.max((this.#from - this.#zero) / second, buffered.start(0));
    if (this.#begun || end <= wanted) return;
    this.#begun = true;
    this.#video.currentTime = wanted;
    if (buffered.start(0) * second > this.#from - this.#zero + second) this.#told.skipped(this.#zero + buffered.start(0) * second - this.#from);
    const shown = (): void => {
      if (!this.#closed) this.#told.shown();
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(shown);
    else (this.#video as HTMLVideoElement).addEventListener("timeupdate", shown, { once: true });
    void this.#video.play().catch(() => undefined);
  }

  /** Goes over a hole: nothing was recorded there. */
  #pass(buffered: TimeRanges, shown: number): void {
    for (let i = 0; i + 1 < buffered.length; i++) {
      const [end, next] = [buffered.end(i), buffered.start(i + 1)];
      if (shown < end - 0.1 || shown >= next) continue;
      this.#video.currentTime = next + 0.01;
      if (next - end > seam) this.#told.skipped((next - end) * second);
    }
  }
}
