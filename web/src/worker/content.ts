// What opened content must be before a page is given it. The agent signed it; this is
// against an agent that made something else than it says.

import { nameFits } from "../settings/content.ts";
import { maxPieces, pieceCount, type Pieces } from "../seal/pieces.ts";
import { parseID } from "../seal/name.ts";
import { sightings } from "../sightings.ts";
import { type Bytes, unbase64 } from "../wire.ts";
import type { Description } from "./protocol.ts";

const maxDescription = 32 << 10;

/** Whether content begins as a JPEG, or as an MP4 with its file type box. */
export function looksLike(kind: "thumbnail" | "clip", b: Bytes): boolean {
  if (kind === "thumbnail") return b.length > 3 && b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff;
  return b.length > 8 && String.fromCharCode(...b.subarray(4, 8)) === "ftyp";
}

/** A description's content, or null if it is none (docs/seal.md, "Description"). */
export function parseDescription(b: Bytes): Description | null {
  if (b.length > maxDescription) return null;
  let top: unknown;
  try {
    top = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b));
  } catch {
    return null;
  }
  if (!isObject(top) || top["v"] !== 1 || !isTime(top["start"]) || !isTime(top["end"])) return null;
  return {
    start: top["start"],
    end: top["end"],
    cause: typeof top["cause"] === "string" ? top["cause"].slice(0, 64) : "",
    saw: sawOf(top["saw"]),
    score: typeof top["score"] === "number" ? top["score"] : null,
    continues: eventOf(top["continues"]),
    clip: clipOf(top["clip"]),
    names: namesOf(top["names"]),
  };
}

/** What a description says of its clip's pieces, and of what make it is; null if that is not enough to read it in parts. */
export function parsePieces(b: Bytes): { pieces: Pieces; type: string } | null {
  const clip = parseDescription(b)?.clip ?? null;
  if (clip === null) return null;
  const { clip: told } = JSON.parse(new TextDecoder().decode(b)) as { clip: Record<string, unknown> };
  const hashes = typeof told["pieces"] === "string" ? unbase64(told["pieces"]) : null;
  const { object, bytes, type } = clip;
  if (hashes === null || bytes === 0 || pieceCount(bytes) > maxPieces || hashes.length !== 32 * pieceCount(bytes)) return null;
  return { pieces: { object, bytes, hashes }, type };
}

function clipOf(c: unknown): Description["clip"] {
  if (!isObject(c)) return null;
  const { object, type, width, height, duration, bytes } = c;
  if (typeof object !== "string" || typeof type !== "string") return null;
  if (!isTime(width) || !isTime(height) || !isTime(duration) || !isTime(bytes)) return null;
  const stream = c["stream"] === "main" || c["stream"] === "sub" ? c["stream"] : "";
  return { object, type, width, height, duration, bytes, stream };
}

/** What is said to have been seen, as far as it is known what that is. */
function sawOf(said: unknown): Description["saw"] {
  return Array.isArray(said) ? sightings.filter((s) => said.includes(s)) : [];
}

function eventOf(e: unknown): Description["continues"] {
  return typeof e === "string" ? parseID("event", e) : null;
}

function namesOf(n: unknown): Description["names"] {
  if (!isObject(n)) return null;
  const { home, camera, zone } = n;
  const fits = (x: unknown): x is string => typeof x === "string" && nameFits(x);
  if (!fits(home) || !fits(zone) || (camera !== undefined && !fits(camera))) return null;
  return { home, camera: camera ?? "", zone };
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null;
}

// A whole number that is not negative; what is measured in microseconds, pixels, bytes.
function isTime(x: unknown): x is number {
  return typeof x === "number" && Number.isSafeInteger(x) && x >= 0;
}
