// A clock that measures how old things are. It never goes back; it goes on while the
// machine sleeps, when the browser's own may stand still; and a wall clock that is set
// forward makes things look older than they are, never newer.

export class Steady {
  readonly #wall: () => number;
  readonly #going: () => number;
  #shown: number;
  #last: { wall: number; going: number };

  /** The wall clock, and one that is not set but may stand still, both in milliseconds. */
  constructor(wall: () => number = () => Date.now(), going: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#going = going;
    this.#shown = wall();
    this.#last = { wall: this.#shown, going: going() };
  }

  /** Milliseconds; only differences mean anything. */
  now(): number {
    const read = { wall: this.#wall(), going: this.#going() };
    this.#shown += Math.max(read.wall - this.#last.wall, read.going - this.#last.going, 0);
    this.#last = read;
    return this.#shown;
  }
}

/** Worker and page have one each. They begin with what the wall clock shows, so that a moment of one can be told to the other. */
export const steady = new Steady();
