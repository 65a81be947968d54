// Bytes that come in pieces, taken in the sizes that a format has.

import type { Bytes } from "./wire.ts";

/** Takes pieces of a stream, or of bytes that are there already, in other sizes than they come. */
export class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null;
  #held: Uint8Array;

  constructor(from: ReadableStream<Uint8Array> | Uint8Array) {
    this.#reader = from instanceof Uint8Array ? null : from.getReader();
    this.#held = from instanceof Uint8Array ? from : new Uint8Array(0);
  }

  /** The next n bytes, fewer only at the end. */
  async take(n: number): Promise<Bytes> {
    const out = new Uint8Array(n);
    const have = await this.into(out);
    return have < n ? out.slice(0, have) : out;
  }

  /** Fills out and returns how much there was, less than its length only at the end. */
  async into(out: Uint8Array): Promise<number> {
    let have = 0;
    while (have < out.length) {
      if (this.#held.length === 0 && !(await this.#more())) break;
      const part = this.#held.subarray(0, out.length - have);
      out.set(part, have);
      have += part.length;
      this.#held = this.#held.subarray(part.length);
    }
    return have;
  }

  /** Wants nothing more; whoever sends may stop. */
  async cancel(): Promise<void> {
    await this.#reader?.cancel().catch(() => undefined);
  }

  async #more(): Promise<boolean> {
    if (this.#reader === null) return false;
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#held = value;
    return true;
  }
}
