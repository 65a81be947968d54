// What is asked of an agent's footage and what it answers (docs/letter.md, "Footage"):
// replies in which bytes stand behind the JSON.

import { ContentError, type ContentObject } from "../fields.ts";
import { type CameraID, parseID } from "../seal/name.ts";
import type { Bytes } from "../wire.ts";

export const maxCarried = 896 << 10;
export const maxPieces = 200;
/** Microseconds. */
export const maxTimeline = 3 * 24 * 3600 * 1_000_000;

const maxSpans = 10_000;
const maxMotion = maxTimeline / 60_000_000 + 1;
const maxInit = 64 << 10;
const maxType = 200;
const maxGroup = 32 << 20;
const maxLasts = 60 * 1_000_000;
const maxStill = 512 << 10;
const maxCameras = 256;
const maxWord = 128;
const maxSays = 600;

/** A time from `from` up to `until`, in microseconds. */
export interface Stretch {
  from: number;
  until: number;
}

/** A time of which there are no pictures, and why: a word for programs and a sentence. */
export interface Hole extends Stretch {
  reason: string;
  says: string;
  /** Something is missing that its owner wanted kept. */
  loss: boolean;
}

/** What there is of one camera. */
export interface CameraTimeline {
  camera: CameraID;
  pictures: Stretch[];
  holes: Hole[];
  /** The most that moved in each minute, from the one that the question begins in; empty if nothing did. */
  motion: Bytes;
  saved: Stretch[];
}

/** Pictures of a filmstrip, in order, and up to when the question is answered by them. */
export interface Strip {
  stills: { time: number; blob: Blob }[];
  until: number;
}

/** A group of what was recorded, or a part of it. */
export interface Piece {
  /** Counts the camera's groups, from 1. */
  sequence: number;
  /** Of its first picture. */
  time: number;
  lasts: number;
  /** A decoder can begin here. */
  key: boolean;
  /** How much moves in it, 0 to 255. */
  motion: number;
  /** It was recorded, and does not verify: there are no bytes, and nothing of it is shown. */
  damaged: boolean;
  /** Where the bytes stand in the group, and how many it has in all. */
  offset: number;
  of: number;
  bytes: Bytes;
}

/** What was recorded, in its order and all coded alike; if there is more it begins with `group` and `offset`. */
export interface Pieces {
  type: string;
  init: Bytes;
  pieces: Piece[];
  more: boolean;
  group: number;
  offset: number;
}

export type TrackName = "main" | "sub";

/** The questions about footage. */
export type FootageCommand =
  | ({ do: "timeline"; cameras: CameraID[]; track: TrackName } & Stretch)
  | ({ do: "stills"; camera: CameraID; most: number } & Stretch)
  | ({ do: "footage"; camera: CameraID; track: TrackName; group: number; offset: number; most: number } & Stretch)
  | ({ do: "save" | "unsave" | "delete-footage"; camera: CameraID } & Stretch);

/** Reads a command of that name, null if it is none of footage. */
export function readFootageCommand(what: string, o: ContentObject): FootageCommand | null {
  switch (what) {
    case "timeline":
      return { do: what, cameras: o.list("cameras", maxCameras).map(cameraOf), track: readTrack(o), ...readStretch(o, maxTimeline) };
    case "stills":
      return { do: what, camera: readCamera(o), most: o.int("most", 1, maxPieces), ...readStretch(o) };
    case "footage":
      return { do: what, camera: readCamera(o), track: readTrack(o), group: o.count("group"), offset: o.int("offset", 0, maxGroup), most: o.int("most", 1, maxCarried), ...readStretch(o) };
    case "save":
    case "unsave":
    case "delete-footage":
      return { do: what, camera: readCamera(o), ...readStretch(o) };
  }
  return null;
}

/** Bytes behind a JSON, given out one after the other. */
export class Carried {
  #at = 0;
  readonly #bytes: Bytes;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  take(n: number): Bytes {
    if (this.#at + n > this.#bytes.length) throw new ContentError("there are fewer bytes than it says");
    return this.#bytes.slice(this.#at, (this.#at += n));
  }

  /** Refuses bytes that belong to nothing. */
  done(): void {
    if (this.#at !== this.#bytes.length) throw new ContentError("there are more bytes than it says");
  }
}

export function readTimelines(o: ContentObject): { timelines: CameraTimeline[] } {
  return {
    timelines: o.objects("timelines", maxCameras).map((c) => ({
      camera: readCamera(c),
      pictures: c.objects("pictures", maxSpans).map((s) => readStretch(s)),
      holes: c.objects("holes", maxSpans).map((h) => ({ ...readStretch(h), reason: h.filled("reason", maxWord), says: h.text("says", maxSays), loss: h.boolean("loss") })),
      motion: c.bytes("motion", maxMotion),
      saved: c.objects("saved", maxSpans).map((s) => readStretch(s)),
    })),
  };
}

export function readStrip(o: ContentObject, carried: Carried): Strip {
  const stills = o.objects("stills", maxPieces).map((s) => {
    const time = s.count("time");
    const b = carried.take(s.int("bytes", 4, maxStill));
    if (b[0] !== 0xff || b[1] !== 0xd8 || b[2] !== 0xff) throw new ContentError("a still is no JPEG");
    return { time, blob: new Blob([b], { type: "image/jpeg" }) };
  });
  return { stills, until: o.count("until") };
}

export function readPieces(o: ContentObject, carried: Carried): Pieces {
  return {
    type: o.text("type", maxType),
    init: o.bytes("init", maxInit),
    pieces: o.objects("pieces", maxPieces).map((p) => readPiece(p, carried)),
    more: o.boolean("more"),
    group: o.count("group"),
    offset: o.int("offset", 0, maxGroup),
  };
}

function readPiece(p: ContentObject, carried: Carried): Piece {
  const about = { sequence: p.count("sequence"), time: p.count("time"), lasts: p.int("lasts", 0, maxLasts), key: p.boolean("key"), motion: p.int("motion", 0, 255), damaged: p.boolean("damaged") };
  const at = { offset: p.int("offset", 0, maxGroup), of: p.int("of", 0, maxGroup) };
  const bytes = carried.take(p.int("bytes", 0, maxCarried));
  if (at.offset + bytes.length > at.of || about.damaged !== (bytes.length === 0)) throw new ContentError("a piece that is none of its group");
  return { ...about, ...at, bytes };
}

function cameraOf(text: unknown): CameraID {
  const id = typeof text === "string" ? parseID("camera", text) : null;
  if (id === null) throw new ContentError("no camera's ID");
  return id;
}

function readCamera(o: ContentObject): CameraID {
  return cameraOf(o.text("camera", maxWord));
}

function readTrack(o: ContentObject): TrackName {
  return o.oneOf("track", ["main", "sub"] as const);
}

function readStretch(o: ContentObject, most = Infinity): Stretch {
  const s = { from: o.count("from"), until: o.count("until") };
  if (s.from >= s.until || s.until - s.from > most) throw new ContentError("a stretch of no length, or too long");
  return s;
}
