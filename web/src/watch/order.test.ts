import { expect, it } from "vitest";

import type { CameraID, HomeID } from "../worker/protocol.ts";
import { inOrder, keepOrder, keptOrder, moved } from "./order.ts";

const [a, b, c] = ["a", "b", "c"].map((l) => l.repeat(26)) as [CameraID, CameraID, CameraID];
const home = "h".repeat(52) as HomeID;
const cameras = [a, b, c].map((id) => ({ id }));

it("shows cameras as they were put, and others behind", () => {
  expect(inOrder(cameras, [c, a]).map((x) => x.id)).toEqual([c, a, b]);
  expect(inOrder(cameras.slice(0, 1), [c, a])).toEqual([{ id: a }]);
});

it("moves one, as far as there are places", () => {
  expect(moved(cameras, a, 1)).toEqual([b, a, c]);
  expect(moved(cameras, a, -1)).toEqual([a, b, c]);
  expect(moved(cameras, a, 9)).toEqual([b, c, a]);
});

it("believes nothing that lies in the browser, and does without it", () => {
  const kept = new Map<string, string>();
  const store = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) };
  keepOrder(home, [b, a], store);
  expect(keptOrder(home, store)).toEqual([b, a]);
  expect(keptOrder("g".repeat(52) as HomeID, store)).toEqual([]);
  for (const bad of ["", "7", "{}", "[1,null]", '["<b>"]']) expect(keptOrder(home, { getItem: () => bad })).toEqual([]);
  const full = (): never => {
    throw new DOMException("full", "QuotaExceededError");
  };
  expect(() => keepOrder(home, [a], { setItem: full })).not.toThrow();
  expect(keptOrder(home, { getItem: full })).toEqual([]);
});
