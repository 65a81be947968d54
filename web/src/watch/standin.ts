// A SourceBuffer that a test has in hand.

import { expect } from "vitest";

/** Says what it was given, one thing after the other as the real one does. */
export class FakeBuffer extends EventTarget {
  updating = false;
  timestampOffset = 0;
  readonly did: string[] = [];
  fails: DOMException | null = null;
  ranges: [number, number][] = [];

  get buffered(): TimeRanges {
    return { length: this.ranges.length, start: (i) => this.ranges[i]![0], end: (i) => this.ranges[i]![1] };
  }

  appendBuffer(b: ArrayBuffer): void {
    if (this.fails) throw this.fails;
    this.#does(`${b.byteLength}`);
  }

  remove(from: number, to: number): void {
    this.#does(`remove ${from} to ${to}`);
  }

  changeType(type: string): void {
    this.did.push(`type ${type}`);
  }

  /** Everything that it was asked for is done. */
  settle(): void {
    while (this.updating) {
      this.updating = false;
      this.dispatchEvent(new Event("updateend"));
    }
  }

  #does(what: string): void {
    expect(this.updating).toBe(false);
    this.updating = true;
    this.did.push(what);
  }
}
