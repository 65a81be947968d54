// What the settings say of one camera (docs/deed.md, "Settings").

import { ContentError, type ContentObject, isWhole } from "../fields.ts";

export type Sensitivity = "low" | "medium" | "high";

/** Ten-thousandths of the picture's width and height, from the upper left corner. */
export type Point = readonly [x: number, y: number];

export interface Zone {
  name: string;
  points: Point[];
}

export interface Mask {
  points: Point[];
}

/** What counts as motion. */
export interface MotionSettings {
  sensitivity: Sensitivity;
  /** Where motion counts; none is the whole picture. */
  zones: Zone[];
  /** Where it does not. */
  masks: Mask[];
}

/** On each of these days (Monday is 1) from one time to the other, which is the next day's if it is not later. */
export interface Hours {
  days: number[];
  from: string;
  to: string;
}

export interface CameraSettings extends MotionSettings {
  name: string;
  /** Off by hand. */
  off: boolean;
  /** Off by the clock of the home. */
  offWhen: Hours[];
}

const sensitivities = ["low", "medium", "high"] as const;
const maxHours = 16;
const maxShapes = 16;
const minPoints = 3;
const maxPoints = 32;
const edge = 10_000;
const maxName = 64;
const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Reads sensitivity, zones and masks, each of which may be left out. */
export function readMotion(o: ContentObject): MotionSettings {
  return {
    sensitivity: o.has("sensitivity") ? o.oneOf("sensitivity", sensitivities) : "medium",
    zones: o.has("zones") ? o.objects("zones", maxShapes).map((z) => ({ name: z.filled("name", maxName), points: readPoints(z) })) : [],
    masks: o.has("masks") ? o.objects("masks", maxShapes).map((m) => ({ points: readPoints(m) })) : [],
  };
}

/** Reads what a document says of a camera; throws a ContentError. */
export function readCamera(o: ContentObject): CameraSettings {
  return {
    name: o.filled("name", maxName),
    off: o.has("off") ? o.boolean("off") : false,
    offWhen: o.has("off_when") ? o.objects("off_when", maxHours).map(readHours) : [],
    ...readMotion(o),
  };
}

function readPoints(o: ContentObject): Point[] {
  const points = o.list("points", maxPoints).map((p): Point => {
    if (!Array.isArray(p) || p.length !== 2) throw new ContentError("a point is no pair");
    const [x, y] = p as unknown[];
    if (!isWhole(x, 0, edge) || !isWhole(y, 0, edge)) throw new ContentError("a point is not in the picture");
    return [x, y];
  });
  if (points.length < minPoints) throw new ContentError(`a shape of ${points.length} points`);
  return points;
}

function readHours(o: ContentObject): Hours {
  const days = o.list("days", 7).map((d) => {
    if (!isWhole(d, 1, 7)) throw new ContentError("a day is a number from 1 to 7");
    return d;
  });
  const [from, to] = [o.text("from", 5), o.text("to", 5)];
  if (days.length === 0 || new Set(days).size !== days.length) throw new ContentError("hours on no day, or twice on one");
  if (!timeOfDay.test(from) || !timeOfDay.test(to)) throw new ContentError("no time of day");
  return { days, from, to };
}

/** The members of sensitivity, zones and masks that say something else than is said without them. */
export function motionJSON({ sensitivity, zones, masks }: MotionSettings): Record<string, unknown> {
  return {
    ...(sensitivity === "medium" ? {} : { sensitivity }),
    ...(zones.length === 0 ? {} : { zones: zones.map(({ name, points }) => ({ name, points })) }),
    ...(masks.length === 0 ? {} : { masks: masks.map(({ points }) => ({ points })) }),
  };
}

/** A camera as a document has it. */
export function cameraJSON(c: CameraSettings): Record<string, unknown> {
  return {
    name: c.name,
    ...(c.off ? { off: true } : {}),
    ...(c.offWhen.length === 0 ? {} : { off_when: c.offWhen.map(({ days, from, to }) => ({ days, from, to })) }),
    ...motionJSON(c),
  };
}

/** What holds for a camera of which nothing is said but its name. */
export function cameraNamed(name: string): CameraSettings {
  return { name, off: false, offWhen: [], sensitivity: "medium", zones: [], masks: [] };
}
