// One stream on its way into a SourceBuffer: pieces wait their turn, in bounded memory,
// and the newest group is kept, so that another source can begin at once.

import { beginningOf, ticksOf } from "./boxes.ts";

// What may wait while the browser is busy; beyond it pieces are left out up to the next
// key frame.
const mostWaiting = 8 << 20;
// A group that is larger is not kept.
const mostKept = 16 << 20;
// Seconds that stay behind what is shown, and when they are cut down to that.
const keptBehind = 6;
const trimAt = 12;

interface Run {
  readonly type: string;
  readonly segment: ArrayBuffer;
  readonly ticks: number;
}

interface Media {
  readonly run: Run;
  readonly media: ArrayBuffer;
  readonly key: boolean;
  /** Microseconds by the agent's clock. */
  readonly time: number;
}

export class Track {
  #run: Run | null = null;
  #buffer: SourceBuffer | null = null;
  #waiting: Media[] = [];
  #size = 0;
  #group: Media[] = [];
  #kept = 0;
  #dropping = false;
  /** The run whose init segment the buffer has. */
  #in: Run | null = null;
  #next: Media | null = null;
  #trim: number | null = null;
  #zero = 0;
  readonly #fed: () => void;
  readonly #fault: () => void;

  /** `fed`: everything that came is in the buffer. `fault`: the buffer does not do what it should. */
  constructor(fed: () => void, fault: () => void) {
    this.#fed = fed;
    this.#fault = fault;
  }

  /** What is played now, or would be. */
  get type(): string {
    return this.#run?.type ?? "";
  }

  /** Of the first picture that can be shown, by the agent's clock; null while there is none. */
  get beginning(): number | null {
    return this.#group[0]?.time ?? null;
  }

  /** Seconds up to which it has come, null before anything has. */
  get end(): number | null {
    const ranges = this.#buffer?.buffered;
    return ranges === undefined || ranges.length === 0 ? null : ranges.end(ranges.length - 1);
  }

  /** A run begins. */
  begin(type: string, segment: ArrayBuffer): void {
    this.#run = { type, segment, ticks: ticksOf(segment) };
  }

  /** Takes a piece; whether it had to be left out. */
  take(media: ArrayBuffer, key: boolean, time: number): boolean {
    if (this.#run === null) return true;
    const piece = { run: this.#run, media, key, time };
    if (key) {
      this.#forget();
      this.#dropping = false;
    }
    if (this.#dropping) return true;
    // Whoever begins with this group begins with its key frame.
    if (key || this.#group.length > 0) this.#add(piece);
    if (this.#buffer === null) return false;
    this.#waiting.push(piece);
    this.#size += media.byteLength;
    if (this.#size > mostWaiting) {
      this.#empty();
      this.#dropping = true;
      this.#forget();
      return true;
    }
    this.#work();
    return false;
  }

  /** Goes on in that buffer, from the newest group; `zero` is the time at which its own begins. */
  enter(buffer: SourceBuffer, zero: number): void {
    this.leave();
    this.#buffer = buffer;
    this.#zero = zero;
    this.#waiting = [...this.#group];
    this.#size = this.#kept;
    buffer.addEventListener("updateend", this.#work);
    this.#work();
  }

  /** The buffer is gone. */
  leave(): void {
    this.#buffer?.removeEventListener("updateend", this.#work);
    this.#buffer = null;
    this.#in = null;
    this.#next = null;
    this.#trim = null;
    this.#empty();
  }

  /** Lets go of what was shown long ago. */
  forget(shown: number): void {
    const ranges = this.#buffer?.buffered;
    if (ranges === undefined || ranges.length === 0 || ranges.start(0) > shown - trimAt) return;
    this.#trim = shown - keptBehind;
    this.#work();
  }

  #forget(): void {
    this.#group = [];
    this.#kept = 0;
  }

  #add(piece: Media): void {
    this.#group.push(piece);
    this.#kept += piece.media.byteLength;
    if (this.#kept > mostKept) this.#forget();
  }

  #empty(): void {
    this.#waiting = [];
    this.#size = 0;
  }

  readonly #work = (): void => {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating) return;
    try {
      this.#feed(buffer);
    } catch (e) {
      if (!(e instanceof DOMException)) throw e;
      this.#fault(); // it is full, or takes nothing any more
    }
  };

  #feed(buffer: SourceBuffer): void {
    if (this.#trim !== null) {
      const until = this.#trim;
      this.#trim = null;
      return buffer.remove(0, until);
    }
    const piece = this.#next ?? this.#waiting.shift();
    this.#next = null;
    if (piece === undefined) return this.#fed();
    if (this.#in !== piece.run) {
      this.#enterRun(buffer, piece);
      this.#next = piece;
      return;
    }
    this.#size -= piece.media.byteLength;
    buffer.appendBuffer(piece.media);
  }

  /** Its own time begins anew with each run; on the line it stands where the agent's clock says. */
  #enterRun(buffer: SourceBuffer, first: Media): void {
    const { run } = first;
    if (this.#in !== null && this.#in.type !== run.type) buffer.changeType(run.type);
    const begins = run.ticks === 0 ? 0 : (beginningOf(first.media) ?? 0) / run.ticks;
    buffer.timestampOffset = (first.time - this.#zero) / 1e6 - begins;
    this.#in = run;
    buffer.appendBuffer(run.segment);
  }
}
