// In which order a browser shows the cameras of a home: as somebody has put them here,
// and those that were not put anywhere behind, as they come.

import type { CameraID, HomeID } from "../worker/protocol.ts";

const most = 512;
const id = /^[a-z2-7]{26}$/;
const keyOf = (home: HomeID) => `latchkey order ${home}`;

/** What this browser has kept. What lies in a browser may be anything. */
export function keptOrder(home: HomeID, kept: Pick<Storage, "getItem"> = localStorage): CameraID[] {
  try {
    const value: unknown = JSON.parse(kept.getItem(keyOf(home)) ?? "[]");
    return Array.isArray(value) ? (value.filter((v) => typeof v === "string" && id.test(v)).slice(0, most) as CameraID[]) : [];
  } catch {
    return [];
  }
}

/** Keeps an order; a browser that keeps nothing shows it until the page is closed. */
export function keepOrder(home: HomeID, order: readonly CameraID[], keep: Pick<Storage, "setItem"> = localStorage): void {
  try {
    keep.setItem(keyOf(home), JSON.stringify(order));
  } catch {
    // Full, or not allowed: nothing is lost but the order.
  }
}

/** The cameras in that order. */
export function inOrder<C extends { id: CameraID }>(cameras: readonly C[], order: readonly CameraID[]): C[] {
  const placed = order.flatMap((o) => cameras.find((c) => c.id === o) ?? []);
  return [...placed, ...cameras.filter((c) => !order.includes(c.id))];
}

/** The order after one of them was moved by so many places. */
export function moved<C extends { id: CameraID }>(shown: readonly C[], camera: CameraID, by: number): CameraID[] {
  const order = shown.map((c) => c.id).filter((c) => c !== camera);
  const at = shown.findIndex((c) => c.id === camera) + by;
  order.splice(Math.max(0, Math.min(order.length, at)), 0, camera);
  return order;
}
