// Pictures on a canvas that a test has in hand, each decoded when the test says so.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Still } from "./still.ts";

const [a, b] = [new Blob(["a"]), new Blob(["b"])];

class FakeCanvas {
  did: string[] = [];
  #size = [320, 180];

  get width(): number {
    return this.#size[0]!;
  }

  get height(): number {
    return this.#size[1]!;
  }

  /** A canvas that is given a size is empty, whatever size it had. */
  set width(width: number) {
    this.#size[0] = width;
    this.did.push(`${width} wide`);
  }

  set height(height: number) {
    this.#size[1] = height;
    this.did.push(`${height} high`);
  }

  getContext = () => ({
    drawImage: ({ name }: { name: string }) => this.did.push(name),
    clearRect: (_x: number, _y: number, width: number, height: number) => this.did.push(`nothing on ${width} by ${height}`),
  });
}

let canvas: FakeCanvas;
let still: Still;
/** What is being decoded, in the order in which it was wanted. */
let decoding: { is: (width?: number, height?: number) => void; fails: () => void }[];

beforeEach(() => {
  [canvas, decoding] = [new FakeCanvas(), []];
  still = new Still(canvas as unknown as HTMLCanvasElement);
  vi.stubGlobal("createImageBitmap", (blob: Blob) => {
    const name = blob === a ? "a" : "b";
    return new Promise((is, fails) => decoding.push({ is: (width = 320, height = 180) => is({ name, width, height, close: () => undefined }), fails: () => fails(new Error("no picture")) }));
  });
});

afterEach(() => void vi.unstubAllGlobals());

it("is painted, in a canvas of its size", async () => {
  const shown = still.show(a);
  decoding[0]!.is();
  expect([await shown, canvas.did]).toEqual([true, ["a"]]);
  for (const [width, height] of [[640, 180], [640, 360]] as const) {
    canvas.did = [];
    const next = still.show(new Blob(["b"]));
    decoding.at(-1)!.is(width, height);
    await next;
    expect(canvas.did).toEqual([`${width} wide`, `${height} high`, "b"]);
  }
});

it("that is wanted already is not decoded again", async () => {
  const shown = still.show(a);
  expect(await still.show(a)).toBe(false);
  decoding[0]!.is();
  await shown;
  expect(decoding).toHaveLength(1);
});

it("that is decoded late is not painted over a newer one, and may be before it", async () => {
  const [first, second] = [still.show(a), still.show(b)];
  decoding[1]!.is();
  expect(await second).toBe(true);
  decoding[0]!.is();
  expect([await first, canvas.did]).toEqual([false, ["b"]]);
  const [third, fourth] = [still.show(a), still.show(b)];
  decoding[2]!.is();
  expect(await third).toBe(true);
  decoding[3]!.is();
  expect([await fourth, canvas.did]).toEqual([true, ["b", "a", "b"]]);
});

it("is gone as soon as none is wanted, and one that was on its way does not come", async () => {
  const first = still.show(a);
  expect([await still.show(null), canvas.did]).toEqual([true, ["nothing on 320 by 180"]]);
  decoding[0]!.is();
  expect([await first, canvas.did]).toEqual([false, ["nothing on 320 by 180"]]);
});

it("that is no picture leaves nothing of the one before, but a newer one where it is", async () => {
  const first = still.show(a);
  decoding[0]!.fails();
  expect([await first, canvas.did]).toEqual([false, ["nothing on 320 by 180"]]);
  const [second, third] = [still.show(b), still.show(a)];
  decoding[2]!.is();
  await third;
  decoding[1]!.fails();
  expect([await second, canvas.did.at(-1)]).toEqual([false, "a"]);
});
