// What an object is, for ever: 204 bytes, signed, and the context of the encryption
// (docs/seal.md, "Binding").

import { type Bytes, Reader, Writer } from "../wire.ts";
import { type Head, headBytes, readHead } from "../deed/head.ts";
import { type CameraID, dayOf, type EventID, type HomeID, idBytes, idText, type KeyID, type Kind, kindNumber, kindOf, type Name, type ObjectID } from "./name.ts";
import { SealError } from "./reasons.ts";

export const bindingSize = 204;
const version = 1;
const suite = 1;

export type Quality = "unknown" | "synchronised" | "estimated";
const qualities: Quality[] = ["unknown", "synchronised", "estimated"];

export interface Binding {
  readonly kind: Kind;
  readonly quality: Quality;
  readonly home: HomeID;
  readonly camera: CameraID;
  readonly event: EventID;
  readonly object: ObjectID;
  /** The ID of the agent's signing key. */
  readonly agentKey: KeyID;
  readonly incarnation: number;
  readonly sequence: number;
  /** Microseconds of UTC. */
  readonly time: number;
  readonly boot: Bytes;
  readonly monotonic: number;
  /** The head that the agent knew when it sealed. */
  readonly head: Head;
}

/** Reads a binding: version first, then suite, length, and the fields in order. */
export function parseBinding(b: Bytes): Binding {
  if (b[0]! > version) throw new SealError("future-version", `binding of version ${b[0]}`);
  if (b[0] === 0) throw new SealError("malformed", "binding of version 0");
  if (b.length > 1 && b[1] !== suite) throw new SealError("unknown-suite", `suite ${b[1]}`);
  if (b.length < bindingSize) throw new SealError("truncated", `binding of ${b.length} bytes`);
  if (b.length > bindingSize) throw new SealError("malformed", `binding of ${b.length} bytes`);
  const r = new Reader(b);
  r.u16(); // version and suite
  const kind = kindOf(r.u8());
  const quality = qualities[r.u8()];
  if (kind === null) throw new SealError("malformed", "unknown kind");
  if (quality === undefined) throw new SealError("malformed", "unknown quality of time");
  const binding: Binding = {
    kind,
    quality,
    home: idText("home", r.raw(32)),
    camera: idText("camera", r.raw(16)),
    event: idText("event", r.raw(16)),
    object: idText("object", r.raw(16)),
    agentKey: idText("key", r.raw(32)),
    incarnation: r.u64(),
    sequence: r.u64(),
    time: r.u64(),
    boot: r.raw(16),
    monotonic: r.u64(),
    head: readHead(r),
  };
  if (binding.incarnation === 0 || binding.sequence === 0) throw new SealError("malformed", "incarnation and sequence count from 1");
  return binding;
}

/** The 204 bytes of a binding. */
export function bindingBytes(b: Binding): Bytes {
  return new Writer()
    .u8(version)
    .u8(suite)
    .u8(kindNumber(b.kind))
    .u8(qualities.indexOf(b.quality))
    .raw(idBytes("home", b.home))
    .raw(idBytes("camera", b.camera))
    .raw(idBytes("event", b.event))
    .raw(idBytes("object", b.object))
    .raw(idBytes("key", b.agentKey))
    .u64(b.incarnation)
    .u64(b.sequence)
    .u64(b.time)
    .raw(b.boot)
    .u64(b.monotonic)
    .raw(headBytes(b.head))
    .bytes();
}

/** The name under which the object is stored and asked for. */
export function nameOf(b: Binding): Name {
  return { home: b.home, camera: b.camera, day: dayOf(b.time), kind: b.kind, object: b.object };
}
