// Pieces on their way into a SourceBuffer that a test has in hand.

import { expect, it } from "vitest";

import { FakeBuffer } from "./standin.ts";
import { Track } from "./track.ts";

const piece = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
const enter = (track: Track, buffer: FakeBuffer, zero: number): void => track.enter(buffer as unknown as SourceBuffer, zero);

function track(): { track: Track; buffer: FakeBuffer; faults: () => number } {
  let faults = 0;
  return { track: new Track(() => undefined, () => faults++), buffer: new FakeBuffer(), faults: () => faults };
}

it("begins with the newest group, the init segment first", () => {
  const { track: t, buffer } = track();
  expect(t.take(piece(9), true, 0), "before any run").toBe(true);
  t.begin("a", piece(1));
  t.take(piece(10), false, 1e6);
  expect(t.beginning, "no key frame yet").toBeNull();
  t.take(piece(20), true, 2e6);
  t.take(piece(21), false, 3e6);
  t.take(piece(30), true, 4e6);
  t.take(piece(31), false, 5e6);
  expect(t.beginning).toBe(4e6);
  enter(t, buffer, 4e6);
  t.take(piece(32), false, 6e6);
  buffer.settle();
  expect(buffer.did).toEqual(["1", "30", "31", "32"]);
  expect(buffer.timestampOffset).toBe(0);
});

it("puts another run where the agent's clock says, of whatever type it is", () => {
  const { track: t, buffer } = track();
  t.begin("a", piece(1));
  t.take(piece(10), true, 1e6);
  enter(t, buffer, 1e6);
  t.begin("b", piece(2));
  t.take(piece(20), true, 31e6);
  buffer.settle();
  expect(buffer.did).toEqual(["1", "10", "type b", "2", "20"]);
  expect(buffer.timestampOffset).toBe(30);
});

it("leaves out what a busy browser does not take, up to the next key frame", () => {
  const { track: t, buffer } = track();
  t.begin("a", piece(1));
  t.take(piece(10), true, 0);
  enter(t, buffer, 0);
  const left = [5, 4, 3, 2].map(() => t.take(piece(3 << 20), false, 1));
  expect(left).toEqual([false, false, true, true]);
  expect(t.take(piece(40), true, 2)).toBe(false);
  buffer.settle();
  expect(buffer.did).toEqual(["1", "10", "40"]);
});

it("keeps no group that is too large for anybody to begin with", () => {
  const { track: t } = track();
  t.begin("a", piece(1));
  t.take(piece(10), true, 0);
  for (let i = 0; i < 6; i++) t.take(piece(3 << 20), false, i);
  expect(t.beginning).toBeNull();
});

it("cuts off what was shown long ago, and says when the buffer refuses", () => {
  const { track: t, buffer, faults } = track();
  t.begin("a", piece(1));
  t.take(piece(10), true, 0);
  enter(t, buffer, 0);
  buffer.settle();
  buffer.ranges = [[0, 30]];
  t.forget(11);
  expect(buffer.did.at(-1)).toBe("10");
  t.forget(20);
  expect(buffer.did.at(-1)).toBe("remove 0 to 14");
  buffer.settle();
  buffer.fails = new DOMException("full", "QuotaExceededError");
  t.take(piece(11), false, 1);
  expect(faults()).toBe(1);
});
