// What every message of live view begins with, and why one is refused (docs/live.md).

import type { Format, ParcelReason } from "../seal/parcel.ts";
import { type CameraID, type HomeID, idBytes, idText } from "../seal/name.ts";
import { type Bytes, type Reader as Wire, Writer } from "../wire.ts";

/** One stream of one camera: what a viewer asks for, and what every message says it is about. */
export interface Stream {
  readonly home: HomeID;
  readonly camera: CameraID;
  /** One of `streams`, or a number that a later version has given a name. */
  readonly kind: number;
}

/** The kinds of streams. */
export const streams = { main: 1, sub: 2, sound: 3 } as const;

/** Why a message is refused. */
export type LiveReason =
  | ParcelReason
  | "old-version"
  | "wrong-camera"
  | "wrong-stream"
  | "wrong-knock"
  | "wrong-run"
  | "wrong-agent"
  | "former-signer"
  | "frozen"
  | "expired";

export class LiveError extends Error {
  constructor(
    readonly reason: LiveReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

const misroutes: ReadonlySet<LiveReason> = new Set(["wrong-home", "wrong-camera", "wrong-stream", "wrong-knock"]);

/** The word for a refusal: only what answers another question is a privacy alarm. */
export function wordForLive(reason: LiveReason): "misroute" | "corrupt" {
  return misroutes.has(reason) ? "misroute" : "corrupt";
}

export type LiveKind = "knock" | "grant" | "fragment";
const kinds: (LiveKind | undefined)[] = [undefined, "knock", "grant", "fragment"];

/** Which message that is, by its first two bytes. */
export function kindOf(b: Bytes): LiveKind {
  if (b[0]! > 1) throw new LiveError("future-version", `version ${b[0]}`);
  if (b[0] === 0) throw new LiveError("malformed", "version 0");
  if (b.length < 2) throw new LiveError("truncated", "too short for a message");
  const kind = kinds[b[1]!];
  if (kind === undefined) throw new LiveError("malformed", `a message of kind ${b[1]}`);
  return kind;
}

/** Reads kind and stream of a message that must be of that kind; its version was read. */
export function readStart(kind: LiveKind, r: Wire): Stream {
  const is = kinds[r.u8()];
  if (is !== kind) throw new LiveError("malformed", `a ${is ?? "strange message"} where a ${kind} belongs`);
  const stream = { home: idText("home", r.raw(32)), camera: idText("camera", r.raw(16)), kind: r.u8() };
  if (stream.kind === 0) throw new LiveError("malformed", "stream 0");
  return stream;
}

/** How a message of that kind begins. */
export function writeStart(kind: LiveKind, s: Stream): Writer {
  return new Writer().u8(1).u8(kinds.indexOf(kind)).raw(idBytes("home", s.home)).raw(idBytes("camera", s.camera)).u8(s.kind);
}

/** Refuses what is of another stream than was asked for. */
export function answers(is: Stream, asked: Stream): void {
  if (is.home !== asked.home) throw new LiveError("wrong-home", `a stream of home ${is.home}`);
  if (is.camera !== asked.camera) throw new LiveError("wrong-camera", `a stream of camera ${is.camera}`);
  if (is.kind !== asked.kind) throw new LiveError("wrong-stream", `stream ${is.kind}`);
}

/** How a knock or a grant is sealed: to one recipient. */
export function sealedToOne(name: "knock" | "grant", limit: number, recipient: "agent" | "asker"): Format {
  return {
    name,
    limit,
    recipients: [recipient],
    count(r) {
      const count = r.u8();
      if (count !== 1) throw new LiveError("malformed", `${count} recipients`);
      return count;
    },
    writeCount: (w, n) => w.u8(n),
    refusal: (reason, message) => new LiveError(reason, message),
  };
}
