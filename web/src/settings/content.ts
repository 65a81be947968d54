// What a settings document says: names, the time zone, and how each camera is to be
// watched (docs/deed.md, "Settings").

import { type Bytes } from "../wire.ts";
import { ContentError, ContentObject, textFits } from "../fields.ts";
import { type CameraID, parseID } from "../seal/name.ts";
import { cameraJSON, type CameraSettings, readCamera } from "./camera.ts";

export interface Content {
  readonly home: string;
  /** A name of the IANA database. */
  readonly zone: string;
  readonly cameras: Readonly<Record<CameraID, CameraSettings>>;
}

const zoneName = /^[A-Za-z0-9_+/-]{1,64}$/;
const maxName = 64;

/** Whether a home or a camera may be called that. */
export function nameFits(name: string): boolean {
  return name !== "" && textFits(name, maxName);
}

/** The content, or null if that is none. */
export function parseContent(b: Bytes): Content | null {
  try {
    return read(ContentObject.parse(b));
  } catch (e) {
    if (e instanceof ContentError) return null;
    throw e;
  }
}

function read(o: ContentObject): Content {
  if (o.count("v") !== 1) throw new ContentError("another version");
  const [home, zone, list] = [o.filled("home", maxName), o.text("zone", maxName), o.object("cameras")];
  if (!zoneName.test(zone)) throw new ContentError("no time zone");
  const cameras: Record<CameraID, CameraSettings> = {};
  for (const text of list.names()) {
    const id = parseID("camera", text);
    if (id === null) throw new ContentError("no camera's ID");
    cameras[id] = readCamera(list.object(text));
  }
  return { home, zone, cameras };
}

/** Whether a document may say that. */
export function contentFits(c: Content): boolean {
  return parseContent(contentBytes(c)) !== null;
}

/** The content's bytes. */
export function contentBytes(c: Content): Bytes {
  const cameras = Object.fromEntries(Object.entries(c.cameras).map(([id, camera]) => [id, cameraJSON(camera)]));
  return new TextEncoder().encode(JSON.stringify({ v: 1, home: c.home, zone: c.zone, cameras }));
}
