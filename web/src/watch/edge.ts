// How a player stays near the newest picture: a little faster while it is behind, a jump
// when it is far behind, and more room when it runs dry. The constants are those at which
// a browser plays without standing still (bench/README.md has what comes of them).

/** Seconds of room that a player begins with, for pictures alone and with sound. */
export const roomFor = { pictures: 0.12, sound: 0.3 } as const;

const mostRoom = 1;
const moreRoom = 0.08;
const calm = 5000; // milliseconds without standing still, after which there may be less room
const lessRoom = 0.04;

const jumpAt = 2.5; // seconds beyond the room
const hurryAt = 0.5;
const nudgeAt = 0.08; // and until nothing is left of it
// At the beginning what is kept of a group comes at once: one jump to its end is better
// than seconds of hurry.
const arriving = 1500; // milliseconds
const arrivingJumpAt = 0.3;
const arrivingPause = 400;
// A browser that buffers anew at every other rate is never given one: it jumps, seldom.
const gentleJumpAt = 3;
const gentlePause = 5000;

export type Step = { readonly rate: number } | { readonly jump: number };

export class Edge {
  readonly #least: number;
  readonly #gentle: boolean;
  readonly #began: number;
  #room: number;
  #calmSince: number;
  #jumped = Number.NEGATIVE_INFINITY;
  #nudging = false;

  /** `gentle`: never change the rate. */
  constructor(least: number, gentle: boolean, now: number) {
    this.#least = this.#room = gentle ? 3 * least : least;
    this.#gentle = gentle;
    this.#calmSince = this.#began = now;
  }

  /** Seconds that are kept in hand. */
  get room(): number {
    return this.#room;
  }

  /** The player has run dry; while the first pictures arrive that says nothing. */
  dry(now: number): void {
    if (now - this.#began < arriving) return;
    this.#room = Math.min(this.#room + moreRoom, Math.max(mostRoom, this.#least));
    this.#calmSince = now;
  }

  /** What to do with so many seconds in hand: another rate, or a jump to so many seconds before the end. */
  step(lead: number, now: number): Step {
    if (now - this.#calmSince > calm) {
      this.#calmSince = now;
      this.#room = Math.max(this.#room - lessRoom, this.#least);
    }
    const over = lead - this.#room;
    if (this.#gentle) {
      if (over < gentleJumpAt || now - this.#jumped < gentlePause) return { rate: 1 };
      this.#jumped = now;
      return { jump: this.#room };
    }
    const early = now - this.#began < arriving && over > arrivingJumpAt && now - this.#jumped > arrivingPause;
    if (over > jumpAt || early) {
      this.#jumped = now;
      this.#nudging = false;
      return { jump: this.#room };
    }
    this.#nudging = over > (this.#nudging ? 0 : nudgeAt);
    return { rate: over > hurryAt ? 1.25 : this.#nudging ? 1.08 : 1 };
  }
}
