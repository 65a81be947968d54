// How a player stays near the newest picture: a little faster while it is behind, a little
// slower while it is too near, a jump when it is far behind, and more room when it runs dry.
// What counts is what is still in hand when the next pieces come: how much there is just after
// they have come depends on how far apart a camera's pictures are.

/** Seconds that a player has in hand, for pictures alone and with sound, when the next pieces come. */
export const roomFor = { pictures: 0.05, sound: 0.2 } as const;

const mostRoom = 1;
const moreRoom = 0.08;
const calm = 5000; // milliseconds without standing still, after which there may be less room
const lessRoom = 0.04;

// Seconds between two pictures for which a place is good that is jumped to. What was too much
// or too little is made up for.
const apart = 0.08;

const jumpAt = 2.5; // seconds beyond the room
const hurryAt = 0.5;
const hurry = 1.25;
// Below that what is left over, or lacks, is measured for a while and made up for in one piece.
const measured = 1000; // milliseconds
const nudgeAt = 0.03;
const nudge = 0.08; // of the rate
// At the beginning what is kept of a group comes at once: one jump to its end is better
// than seconds of hurry.
const arriving = 1500; // milliseconds
const arrivingJumpAt = 0.3;
const arrivingPause = 400;
// A browser that buffers anew at every other rate is never given one: it keeps more in
// hand, and jumps, seldom.
const gentleRoom = 0.2;
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
  #nudged = 1;
  #nudgedUntil = Number.NEGATIVE_INFINITY;
  #measuredSince: number;
  #leftOver = Number.POSITIVE_INFINITY; // the least of what was beyond the room since then

  /** `gentle`: never change the rate. */
  constructor(least: number, gentle: boolean, now: number) {
    this.#least = this.#room = gentle ? least + gentleRoom : least;
    this.#gentle = gentle;
    this.#calmSince = this.#began = this.#measuredSince = now;
  }

  /** Seconds that are kept in hand when the next pieces come. */
  get room(): number {
    return this.#room;
  }

  /** Seconds before the end from which a player goes on that has just taken all there is. */
  get landing(): number {
    return this.#room + apart;
  }

  /** The player has run dry; while the first pictures arrive that says nothing. */
  dry(now: number): void {
    if (now - this.#began < arriving) return;
    this.#room = Math.min(this.#room + moreRoom, Math.max(mostRoom, this.#least));
    this.#calmSince = now;
    this.#measure(now);
  }

  /** So many seconds are in hand, just before something comes. */
  low(lead: number, now: number): void {
    if (now >= this.#measuredSince) this.#leftOver = Math.min(this.#leftOver, lead - this.#room);
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
      return { jump: this.landing };
    }
    const early = now - this.#began < arriving && over > arrivingJumpAt && now - this.#jumped > arrivingPause;
    if (over > jumpAt || early) {
      this.#jumped = now;
      this.#measure(now);
      return { jump: this.landing };
    }
    if (over > hurryAt) {
      this.#measure(now);
      return { rate: hurry };
    }
    if (now < this.#nudgedUntil) return { rate: this.#nudged };
    this.low(lead, now);
    if (now - this.#measuredSince < measured) return { rate: 1 };
    const leftOver = this.#leftOver;
    this.#measure(now);
    if (Math.abs(leftOver) < nudgeAt) return { rate: 1 };
    this.#nudged = 1 + Math.sign(leftOver) * nudge;
    this.#nudgedUntil = this.#measuredSince = now + (Math.abs(leftOver) / nudge) * 1000;
    return { rate: this.#nudged };
  }

  #measure(now: number): void {
    this.#nudgedUntil = Number.NEGATIVE_INFINITY;
    this.#measuredSince = now;
    this.#leftOver = Number.POSITIVE_INFINITY;
  }
}
