// Something that is being changed here while it may be changed elsewhere: what was
// typed stays, what was not typed follows, and it is known when both have happened.

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export class Edit<T> {
  readonly #now: () => T;
  #typed = $state.raw<{ from: T; value: T } | null>(null);

  /** `now` is what the home has. */
  constructor(now: () => T) {
    this.#now = now;
  }

  get value(): T {
    return this.#typed ? this.#typed.value : this.#now();
  }

  set value(value: T) {
    const from = this.#typed ? this.#typed.from : this.#now();
    this.#typed = same(from, value) ? null : { from, value };
  }

  /** Whether there is something to save. */
  get changed(): boolean {
    return this.#typed !== null && !same(this.#typed.value, this.#now());
  }

  /** Whether the home has something else by now than what was begun with, and than what was typed. */
  get elsewhere(): boolean {
    return this.changed && !same(this.#typed?.from, this.#now());
  }

  discard(): void {
    this.#typed = null;
  }
}
