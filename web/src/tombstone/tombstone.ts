// The signed statement by which something recorded is deleted, written by docs/tombstone.md.

import { type Head, headBytes } from "../deed/head.ts";
import type { Signer } from "../deed/key.ts";
import { type CameraID, type EventID, type HomeID, idBytes } from "../seal/name.ts";
import { type Bytes, compare, label, Writer } from "../wire.ts";

/** What is to go: some events, what a camera recorded in a span of time, in microseconds, or the home itself. */
export type What = { readonly events: readonly EventID[] } | { readonly camera: CameraID; readonly from: number; readonly to: number } | "home";

/** At most so many tombstones are in one request. */
export const atOnce = 32;

/** At most so many events are in one tombstone. */
export const maxEvents = 256;

/** Makes a tombstone at that head. The signer's key must be a person's. */
export async function signTombstone(signer: Signer, home: HomeID, head: Head, time: number, what: What): Promise<Bytes> {
  const w = new Writer().u8(1).raw(idBytes("home", home)).u64(time).raw(headBytes(head)).raw(idBytes("key", signer.key.id));
  if (what === "home") {
    w.u8(3);
  } else if ("events" in what) {
    const events = [...new Set(what.events)].map((e) => idBytes("event", e)).sort(compare);
    w.u8(1).u16(events.length);
    for (const e of events) w.raw(e);
  } else {
    w.u8(2).raw(idBytes("camera", what.camera)).u64(what.from).u64(what.to);
  }
  const statement = w.bytes();
  const signature = await signer.sign(new Writer().raw(label("latchkey tombstone v1")).raw(statement).bytes());
  return new Writer().raw(statement).u8(1).lp16(signature).bytes();
}
