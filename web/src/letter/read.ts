// Contents of letters, taken apart and put together. What is taken and refused is what
// the Go code takes and refuses (docs/letter.md, "Contents").

import { ContentError, ContentObject } from "../fields.ts";
import { type Head, parseHead } from "../deed/head.ts";
import { type CameraID, parseID } from "../seal/name.ts";
import { motionJSON, readMotion } from "../settings/camera.ts";
import { base64, type Bytes, maxInt } from "../wire.ts";
import { Carried, readFootageCommand, readPieces, readStrip, readTimelines } from "./footage.ts";
import type { CameraCondition, CameraDescription, CameraSource, Command, Condition, Device, Finding, Found, FoundStream, Pin, Progress, Replies, Reply, Still } from "./content.ts";

const maxAddress = 2048;
const maxSecret = 256;
const maxWord = 128;
const maxSays = 600;
const maxStill = 512 << 10;
const maxStreams = 32;
const maxFindings = 64;
const maxDevices = 256;
const maxCameras = 256;
const maxBoots = 64;
const maxRate = 1000;
const maxPicture = 1 << 16;
const maxBitrate = 10_000_000_000;
const maxKeyGap = 24 * 3600 * 1000;
const maxName = 64;
const publicKeySize = 1216;

/** The content, or null if it is none. */
export function reading<T>(b: Bytes, read: (o: ContentObject) => T): T | null {
  try {
    const o = ContentObject.parse(b);
    if (o.count("v") !== 1) return null;
    return read(o);
  } catch (e) {
    if (e instanceof ContentError) return null;
    throw e;
  }
}

/** The bytes of a command, with the public key that replies to it are sealed to. */
export function commandBytes(c: Command, reply: Bytes): Bytes {
  const motion = c.do === "would-fire" ? { do: c.do, camera: c.camera, ...motionJSON(c) } : c;
  return new TextEncoder().encode(JSON.stringify({ v: 1, reply: base64(reply), ...motion }));
}

/** Reads a command and the public key that replies to it are to be sealed to. */
export function readCommand(o: ContentObject): { command: Command; reply: Bytes } {
  const reply = o.bytes("reply", publicKeySize);
  if (reply.length !== publicKeySize) throw new ContentError("no public key");
  return { command: commandOf(o), reply };
}

function commandOf(o: ContentObject): Command {
  const what = o.text("do", maxWord);
  switch (what) {
    case "probe":
      return { do: what, address: o.filled("address", maxAddress), user: o.text("user", maxSecret), password: o.text("password", maxSecret) };
    case "discover":
    case "confirm-head":
      return { do: what };
    case "add-camera":
      return { do: what, ...readSource(o) };
    case "change-camera":
      return { do: what, camera: readCamera(o), ...readSource(o) };
    case "describe-camera":
    case "forget-camera":
    case "accept-device":
    case "still":
      return { do: what, camera: readCamera(o) };
    case "would-fire":
      return { do: what, camera: readCamera(o), ...readMotion(o) };
  }
  const footage = readFootageCommand(what, o);
  if (footage !== null) return footage;
  throw new ContentError(`"${what}" is no command`);
}

function readCamera(o: ContentObject): CameraID {
  const id = parseID("camera", o.text("camera", maxWord));
  if (id === null) throw new ContentError("no camera's ID");
  return id;
}

function readSource(o: ContentObject): CameraSource {
  return {
    name: o.filled("name", maxName),
    main: o.filled("main", maxAddress),
    sub: o.text("sub", maxAddress),
    user: o.text("user", maxSecret),
    password: o.text("password", maxSecret),
    pin: readPin(o.object("pin")),
  };
}

function readPin(o: ContentObject): Pin {
  return { mac: o.text("mac", maxWord), serial: o.text("serial", maxWord), certificate: o.text("certificate", maxWord) };
}

/** Reads a reply to a command, with the bytes behind its JSON; null if it is none. */
export function readReply<D extends keyof Replies>(b: Bytes, to: D): Reply<D> | null {
  const end = b.indexOf(0); // which no JSON has
  const carried = end < 0 ? null : new Carried(b.subarray(end + 1));
  return reading(end < 0 ? b : b.subarray(0, end), (o) => {
    const reply = replyOf(o, to, carried ?? new Carried(new Uint8Array(0)));
    const carries = reply.is === "last" && (to === "stills" || to === "footage");
    if (carries !== (carried !== null)) throw new ContentError("bytes behind a reply that has none, or none behind one that has");
    carried?.done();
    return reply;
  });
}

function replyOf<D extends keyof Replies>(o: ContentObject, to: D, carried: Carried): Reply<D> {
  if (o.has("progress")) return { is: "progress", progress: readProgress(o.object("progress")) };
  if (o.has("error")) {
    const e = o.object("error");
    return { is: "error", reason: e.text("reason", maxWord), message: e.text("message", maxSays) };
  }
  return { is: "last", reply: last[to](o, carried) };
}

function readProgress(o: ContentObject): Progress {
  return { says: o.text("says", maxSays), done: o.count("done"), of: o.count("of"), still: o.has("still") ? readJPEG(o, "still") : null };
}

const last: { [D in keyof Replies]: (o: ContentObject, carried: Carried) => Replies[D] } = {
  probe: (o) => ({ found: readFound(o.object("found")) }),
  discover: (o) => ({ devices: o.objects("devices", maxDevices).map(readDevice) }),
  "add-camera": (o) => ({ camera: readCamera(o) }),
  "change-camera": () => ({}),
  "describe-camera": readDescription,
  "forget-camera": () => ({}),
  "accept-device": () => ({}),
  still: readStill,
  "would-fire": (o) => ({ times: o.count("times"), since: o.count("since") }),
  "confirm-head": (o) => ({ head: readHeadText(o) }),
  timeline: readTimelines,
  stills: readStrip,
  footage: readPieces,
  save: () => ({}),
  unsave: () => ({}),
  "delete-footage": () => ({}),
};

function readHeadText(o: ContentObject): Head {
  const head = parseHead(o.text("head", maxWord));
  if (head === null) throw new ContentError("no head");
  return head;
}

function readFound(o: ContentObject): Found {
  const clock = o.object("clock");
  return {
    host: o.text("host", maxAddress),
    brand: o.text("brand", maxWord),
    streams: o.objects("streams", maxStreams).map(readStream),
    clock: { known: clock.boolean("known"), offsetMs: clock.int("offset_ms", -maxInt, maxInt) },
    pin: readPin(o.object("pin")),
    findings: o.objects("findings", maxFindings).map(readFinding),
  };
}

function readStream(o: ContentObject): FoundStream {
  return {
    role: o.oneOf("role", ["main", "sub", "other"] as const),
    address: o.text("address", maxAddress),
    codec: o.text("codec", maxWord),
    profile: o.text("profile", maxWord),
    width: o.int("width", 0, maxPicture),
    height: o.int("height", 0, maxPicture),
    rate: o.number("rate", 0, maxRate),
    keyIntervalMs: o.int("key_interval_ms", 0, maxKeyGap),
    bFrames: o.boolean("b_frames"),
    bitrate: o.int("bitrate", 0, maxBitrate),
    audio: o.text("audio", maxWord),
    still: readJPEG(o, "still"),
    findings: o.objects("findings", maxFindings).map(readFinding),
  };
}

function readFinding(o: ContentObject): Finding {
  return {
    severity: o.oneOf("severity", ["good", "warning", "bad"] as const),
    code: o.filled("code", maxWord),
    says: o.text("says", maxSays),
    fix: o.text("fix", maxSays),
  };
}

/** A picture, of which only the beginning is looked at; null if it is empty. */
function readJPEG(o: ContentObject, name: string): Blob | null {
  const b = o.bytes(name, maxStill);
  if (b.length === 0) return null;
  if (b.length < 4 || b[0] !== 0xff || b[1] !== 0xd8 || b[2] !== 0xff) throw new ContentError(`"${name}" is no JPEG`);
  return new Blob([b], { type: "image/jpeg" });
}

function readDevice(o: ContentObject): Device {
  return { host: o.text("host", maxAddress), name: o.text("name", maxWord), hardware: o.text("hardware", maxWord), address: o.text("address", maxAddress) };
}

function readDescription(o: ContentObject): CameraDescription {
  return { name: o.text("name", maxWord), main: o.text("main", maxAddress), sub: o.text("sub", maxAddress), user: o.text("user", maxSecret), pin: readPin(o.object("pin")) };
}

function readStill(o: ContentObject): Still {
  const blob = readJPEG(o, "jpeg");
  if (blob === null) throw new ContentError("no picture");
  return { blob, width: o.int("width", 1, maxPicture), height: o.int("height", 1, maxPicture), time: o.count("time") };
}

/** Reads a condition. */
export function readCondition(o: ContentObject): Condition {
  const [clock, spool, disk] = [o.object("clock"), o.object("spool"), o.object("disk")];
  return {
    version: o.text("version", maxWord),
    name: o.text("name", maxWord),
    started: o.count("started"),
    clock: {
      quality: clock.oneOf("quality", ["unknown", "synchronised", "estimated"] as const),
      boots: clock.objects("boots", maxBoots).map((b) => ({ boot: readBoot(b), correction: b.int("correction", -maxInt, maxInt) })),
    },
    cameras: o.objects("cameras", maxCameras).map(readCameraCondition),
    spool: { objects: spool.count("objects"), bytes: spool.count("bytes"), limit: spool.count("limit"), says: spool.text("says", maxSays) },
    disk: { free: disk.count("free"), says: disk.text("says", maxSays) },
    footage: o.has("footage") ? readKept(o.object("footage")) : null,
  };
}

function readKept(o: ContentObject): Condition["footage"] {
  return { bytes: o.count("bytes"), limit: o.count("limit"), state: o.filled("state", maxWord), says: o.text("says", maxSays), lost: o.has("lost") ? o.count("lost") : 0 };
}

function readBoot(o: ContentObject): string {
  const id = parseID("boot", o.text("boot", maxWord));
  if (id === null) throw new ContentError("no boot's ID");
  return id;
}

function readCameraCondition(o: ContentObject): CameraCondition {
  return {
    camera: readCamera(o),
    state: o.filled("state", maxWord),
    recording: o.boolean("recording"),
    since: o.count("since"),
    says: o.text("says", maxSays),
    last: o.count("last"),
    width: o.count("width"),
    height: o.count("height"),
    codec: o.text("codec", maxWord),
    rate: o.number("rate", 0, maxRate),
    audio: o.text("audio", maxWord),
    motion: o.text("motion", maxSays),
    events24h: o.count("events_24h"),
  };
}
