// What letters say: commands, the replies to them, and the condition of an agent
// (docs/letter.md, "Contents").

import type { Head } from "../deed/head.ts";
import type { AgentID, CameraID } from "../seal/name.ts";
import type { MotionSettings } from "../settings/camera.ts";
import type { CameraTimeline, FootageCommand, Pieces, Strip } from "./footage.ts";

/** Where a camera's pictures come from, as its person gives it to an agent. */
export interface CameraSource {
  name: string;
  /** rtsp://… of the stream that is recorded. */
  main: string;
  /** Of a smaller one, "" for none. */
  sub: string;
  user: string;
  /** Empty in a change: the agent keeps the one that it has. */
  password: string;
  pin: Pin;
}

/** What tells a device from another one at the same address; "" is not known. */
export interface Pin {
  mac: string;
  serial: string;
  /** SHA-256 of the certificate that it shows, in hexadecimal. */
  certificate: string;
}

export interface Finding {
  severity: "good" | "warning" | "bad";
  /** For programs. */
  code: string;
  says: string;
  /** What to do, "" if nothing is to be done. */
  fix: string;
}

export interface FoundStream {
  role: "main" | "sub" | "other";
  address: string;
  codec: string;
  profile: string;
  width: number;
  height: number;
  /** Pictures a second, as they came. */
  rate: number;
  keyIntervalMs: number;
  bFrames: boolean;
  /** Bits a second. */
  bitrate: number;
  /** Its codec, "" for none. */
  audio: string;
  still: Blob | null;
  findings: Finding[];
}

/** What a camera offers. */
export interface Found {
  host: string;
  brand: string;
  streams: FoundStream[];
  /** The camera's own clock, and the milliseconds by which it is ahead. */
  clock: { known: boolean; offsetMs: number };
  pin: Pin;
  findings: Finding[];
}

/** A camera that says of itself that it is there. */
export interface Device {
  host: string;
  name: string;
  hardware: string;
  address: string;
}

/** What an agent keeps of a camera, without its password. */
export interface CameraDescription {
  name: string;
  main: string;
  sub: string;
  user: string;
  pin: Pin;
}

/** A picture of now. */
export interface Still {
  blob: Blob;
  width: number;
  height: number;
  /** Microseconds. */
  time: number;
}

/** How often a camera would have told of motion, and since when that is known (microseconds). */
export interface WouldHaveFired {
  times: number;
  since: number;
}

/** What is asked of an agent. */
export type Command =
  | { do: "probe"; address: string; user: string; password: string }
  | { do: "discover" | "confirm-head" }
  | ({ do: "add-camera" } & CameraSource)
  | ({ do: "change-camera"; camera: CameraID } & CameraSource)
  | { do: "describe-camera" | "forget-camera" | "accept-device" | "still"; camera: CameraID }
  | ({ do: "would-fire"; camera: CameraID } & MotionSettings)
  | FootageCommand;

/** The last reply to each command. */
export interface Replies {
  probe: { found: Found };
  discover: { devices: Device[] };
  "add-camera": { camera: CameraID };
  "change-camera": object;
  "describe-camera": CameraDescription;
  "forget-camera": object;
  "accept-device": object;
  still: Still;
  "would-fire": WouldHaveFired;
  /** The newest deed that the agent knows. */
  "confirm-head": { head: Head };
  timeline: { timelines: CameraTimeline[] };
  stills: Strip;
  footage: Pieces;
  save: object;
  unsave: object;
  "delete-footage": object;
}

/** How far a command has come; `of` is 0 if nobody knows. */
export interface Progress {
  says: string;
  done: number;
  of: number;
  still: Blob | null;
}

/** What a reply says. */
export type Reply<D extends keyof Replies> =
  | { is: "progress"; progress: Progress }
  | { is: "error"; reason: string; message: string }
  | { is: "last"; reply: Replies[D] };

/** How one camera is. Times are microseconds. */
export interface CameraCondition {
  camera: CameraID;
  /** For programs: "recording", "off", "another-device" … */
  state: string;
  recording: boolean;
  /** Since when it is in that state. */
  since: number;
  says: string;
  /** When the last good picture came, 0 for never. */
  last: number;
  width: number;
  height: number;
  codec: string;
  rate: number;
  /** Its codec, "" for none. */
  audio: string;
  /** Why nothing is told of motion, "" if it is. */
  motion: string;
  events24h: number;
}

/** How an agent and its cameras are. */
export interface Condition {
  version: string;
  /** What its machine is called. */
  name: string;
  started: number;
  clock: { quality: "unknown" | "synchronised" | "estimated"; boots: { boot: string; correction: number }[] };
  cameras: CameraCondition[];
  spool: { objects: number; bytes: number; limit: number; says: string };
  disk: { free: number; says: string };
  /** What is recorded without end: its bytes and their bound (0 for none), a word for programs, and what is wrong; null if nothing is said of it. */
  footage: { bytes: number; limit: number; state: string; says: string; /** Until when that was of which some went before its time; 0 for nothing. */ lost: number } | null;
}

/**
 * The condition of an agent, as far as it verified. `cloned` is when the server last turned
 * away a copy of it, or itself after it was restored; that is the server's word.
 */
export type AgentCondition = { agent: AgentID; connected: boolean; received: number; cloned?: number } & (
  | { state: "verified"; condition: Condition }
  | { state: "none" }
  | { state: "refused"; reason: string }
);
