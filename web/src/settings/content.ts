// What a settings document says: names and the time zone (docs/deed.md, "Settings").

import { type Bytes } from "../wire.ts";
import { type CameraID, parseID } from "../seal/name.ts";

export interface Content {
  readonly home: string;
  /** A name of the IANA database. */
  readonly zone: string;
  readonly cameras: Readonly<Record<CameraID, { readonly name: string }>>;
}

const zoneName = /^[A-Za-z0-9_+/-]{1,64}$/;

// Control characters, and those that turn the direction of text: with one of them one
// name looks like another.
const refused = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Whether a home or a camera may be called that. */
export function nameFits(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= 64 && !refused.test(name);
}

/** The content, or null if that is none. */
export function parseContent(b: Bytes): Content | null {
  let top: unknown;
  try {
    top = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b));
  } catch {
    return null;
  }
  if (!isObject(top) || top["v"] !== 1 || !isObject(top["cameras"])) return null;
  const { home, zone } = top;
  if (typeof home !== "string" || typeof zone !== "string") return null;
  const cameras: Record<CameraID, { name: string }> = {};
  for (const [text, camera] of Object.entries(top["cameras"])) {
    const id = parseID("camera", text);
    if (id === null || !isObject(camera) || typeof camera["name"] !== "string") return null;
    cameras[id] = { name: camera["name"] };
  }
  const content = { home, zone, cameras };
  return contentFits(content) ? content : null;
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

/** Whether a document may say that. */
export function contentFits(c: Content): boolean {
  return nameFits(c.home) && zoneName.test(c.zone) && Object.values(c.cameras).every((camera) => nameFits(camera.name));
}

/** The content's bytes. */
export function contentBytes(c: Content): Bytes {
  return new TextEncoder().encode(JSON.stringify({ v: 1, home: c.home, zone: c.zone, cameras: c.cameras }));
}
