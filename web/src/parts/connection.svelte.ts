// Whether the server answers, since when it does not, and when it is asked again.

/** Milliseconds until the next try: 2 s, doubled up to 30 s, spread so that pages do not come back in step. */
export function pause(attempt: number, random: number): number {
  const base = Math.min(30_000, 2000 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.8 + 0.4 * random));
}

/** The state of the line to the server. One house has one. */
export class Connection {
  /** When the server went silent (milliseconds), or null while it answers. */
  since = $state<number | null>(null);
  /** When it is asked again, or null while it is being asked. */
  retryAt = $state<number | null>(null);

  readonly #ask: () => Promise<void>;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  /** `ask` makes a request and tells heard or silent what came of it. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  get up(): boolean {
    return this.since === null;
  }

  /** An answer came, whatever it was. */
  heard(): void {
    this.#stop();
    this.#attempt = 0;
    this.since = null;
    this.retryAt = null;
  }

  /** No answer came, or one that asks for `atLeast` milliseconds of patience. */
  silent(atLeast = 0): void {
    this.since ??= Date.now();
    if (this.#timer !== undefined) return; // several requests failed at once: one try for all
    const wait = Math.max(atLeast, pause(this.#attempt++, Math.random()));
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.now();
    }, wait);
  }

  /** Asks at once. */
  async now(): Promise<void> {
    if (this.#asking) return;
    this.#stop();
    this.retryAt = null;
    this.#asking = true;
    try {
      await this.#ask();
    } finally {
      this.#asking = false;
      // The pause may have ended while this was being asked: then nothing is planned any more.
      if (!this.up && this.#timer === undefined) this.silent();
    }
  }

  close(): void {
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
