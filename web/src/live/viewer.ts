// Who watches one stream. What is given out is what the stream's own agent has sealed
// for it and signed, each fragment once, in order; what is missing is said. Nothing here
// sends, waits or asks a clock: bytes and the time are handed in.

import type { Signer } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import type { Bytes } from "../wire.ts";
import { type Fragment, openFragment, parseFragment } from "./fragment.ts";
import { type Grant, type Granted, type Init, openGrant, parseGrant, stands } from "./grant.ts";
import { type Knocked, sealKnock } from "./knock.ts";
import { answers, kindOf, LiveError, type Stream } from "./message.ts";

/** How far behind the camera what is shown as live may be, in microseconds. */
export const fresh = 3 * 1_000_000;

/** What is to be done about a message that was taken, in this order. */
export interface Step {
  /** The agent lets nobody watch, and why, in a word for programs. */
  readonly refused: string | null;
  /** The agent has granted a run; its fragments may be taken. */
  readonly granted: boolean;
  /** So many fragments before this one did not come: a gap to be shown. */
  readonly missing: number;
  /** A run begins with this fragment: the player is given this first. */
  readonly init: Init | null;
  /** To be played; null if nothing is, because a key frame has to come first. */
  readonly media: Bytes | null;
  /** The media begin with a key frame. */
  readonly key: boolean;
  /** Of the media, by the agent's clock. */
  readonly time: number;
  /** The run ends within seconds: knock again. */
  readonly knock: boolean;
}

const nothing: Step = { refused: null, granted: false, missing: 0, init: null, media: null, key: false, time: 0, knock: false };

/** A run that was granted. */
interface Watched {
  readonly grant: Grant;
  readonly run: Extract<Granted, { key: CryptoKey }>;
  /** When the knock was sent. */
  readonly sent: number;
  /** The number of the newest fragment that was opened. */
  last: number;
  /** Something is missing, and no key frame has come since. */
  broken: boolean;
  /** It was said that the run ends. */
  told: boolean;
  /** The time of the newest fragment that was given out. */
  played: number;
}

/**
 * Watches one stream. The moments that it is given are those of one clock that does not
 * jump (in microseconds); which time it shows is of no matter. Messages are taken one
 * after the other, in the order in which they were handed in.
 */
export class Viewer {
  #knocked: Knocked | null;
  #now: Watched | null = null;
  #next: Watched | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly device: Signer,
    private readonly stream: Stream,
    /** A knock that was sent already. */
    knocked: Knocked | null = null,
  ) {
    this.#knocked = knocked;
  }

  /**
   * Makes the knock that is to be sent to the camera's agent. Only the newest is answered;
   * what is played goes on. `time` is what the wall clock shows: the agent compares it with its own.
   */
  knock(title: Title, now: number, time = now): Promise<Bytes> {
    return this.#inTurn(async () => {
      this.#knocked = await sealKnock(this.device, title, this.stream, now, time);
      return this.#knocked.bytes;
    });
  }

  /** Takes a grant or a fragment. What is refused (LiveError) changes nothing. */
  take(b: Bytes, title: Title, now: number): Promise<Step> {
    return this.#inTurn(async () => {
      switch (kindOf(b)) {
        case "grant":
          return this.#takeGrant(await parseGrant(b), title, now);
        case "fragment":
          return this.#takeFragment(parseFragment(b), title);
      }
      throw new LiveError("malformed", "a knock, which no viewer takes");
    });
  }

  /**
   * By how much at most what was last given out lies behind what the camera sees at that
   * moment; null before anything was. The agent's clock is not believed, only that it goes
   * as fast as this one.
   */
  behind(now: number): number | null {
    const w = this.#now;
    return w === null ? null : Math.max(now - w.sent - (w.played - w.grant.time), 0);
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(act);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #takeGrant(grant: Grant, title: Title, now: number): Promise<Step> {
    const run = await openGrant(grant, this.stream, this.#knocked, title, now);
    const { sent } = this.#knocked!;
    this.#knocked = null;
    if (run.run === null) return { ...nothing, refused: run.why };
    const is = this.#now;
    if (is !== null && is.run.run === run.run) {
      // It goes on where it is, and its age is known anew.
      this.#now = { ...is, grant: { ...grant, from: is.grant.from }, run, sent, told: false };
      this.#next = null;
    } else {
      this.#next = { grant, run, sent, last: 0, broken: false, told: false, played: 0 };
    }
    return { ...nothing, granted: true };
  }

  async #takeFragment(f: Fragment, title: Title): Promise<Step> {
    answers(f.stream, this.stream);
    const w = [this.#next, this.#now].find((x) => x?.run.run === f.run);
    if (w == null) throw new LiveError("wrong-run", `run ${f.run} is not watched`);
    if (f.sequence < w.grant.from || f.sequence <= w.last) throw new LiveError("replayed", `fragment ${f.sequence} after ${w.last}`);
    stands(w.grant, title);
    return this.#play(w, f, await openFragment(f, w.run));
  }

  #play(w: Watched, f: Fragment, media: Bytes): Step {
    const begins = w === this.#next;
    const missing = begins ? 0 : f.sequence - w.last - 1;
    w.last = f.sequence;
    if (begins && !f.key) return nothing;
    if (begins) [this.#now, this.#next] = [w, null];
    const knock = f.ending && !w.told && this.#knocked === null && this.#next === null;
    w.told ||= knock;
    w.broken = (w.broken || missing > 0) && !f.key;
    const said = { ...nothing, missing, init: begins ? w.run.init : null, knock };
    if (w.broken) return said;
    w.played = f.time;
    return { ...said, media, key: f.key, time: f.time };
  }
}
