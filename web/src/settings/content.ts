// What a settings document says: names, the time zone, and how each camera is to be
// watched (docs/deed.md, "Settings").

import { type Bytes } from "../wire.ts";
import { ContentError, ContentObject, textFits } from "../fields.ts";
import { type CameraID, parseID, type PersonID } from "../seal/name.ts";
import { cameraJSON, type CameraSettings, readCamera } from "./camera.ts";

export interface Content {
  readonly home: string;
  /** A name of the IANA database. */
  readonly zone: string;
  readonly cameras: Readonly<Record<CameraID, CameraSettings>>;
  /** What people are called, former ones too. */
  readonly people: Readonly<Record<PersonID, string>>;
  /** Members that this page does not know; the next document has them too. */
  readonly more: Readonly<Record<string, unknown>>;
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
  const people: Record<PersonID, string> = {};
  const named = o.has("people") ? o.object("people") : null;
  for (const text of named?.names() ?? []) {
    const id = parseID("person", text);
    if (id === null) throw new ContentError("no person's ID");
    people[id] = named!.object(text).filled("name", maxName);
  }
  return { home, zone, cameras, people, more: o.others("v", "home", "zone", "cameras", "people") };
}

/** Whether a document may say that. */
export function contentFits(c: Content): boolean {
  return parseContent(contentBytes(c)) !== null;
}

/** The content's bytes. */
export function contentBytes(c: Content): Bytes {
  const cameras = Object.fromEntries(Object.entries(c.cameras).map(([id, camera]) => [id, cameraJSON(camera)]));
  const people = Object.fromEntries(Object.entries(c.people).map(([id, name]) => [id, { name }]));
  const known = { v: 1, home: c.home, zone: c.zone, cameras, ...(Object.keys(people).length === 0 ? {} : { people }) };
  return new TextEncoder().encode(JSON.stringify({ ...known, ...c.more }));
}
