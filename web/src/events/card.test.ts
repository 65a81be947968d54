import { expect, test } from "vitest";

import type { Description, EventRow, NameText, ObjectRow } from "../worker/protocol.ts";
import { badgeOf, incidentSays, clipOf, lengthOf, openable, pictureOf, qualityOf, savable } from "./card.ts";

const start = 1_700_000_000_000_000;
const minute = 60e6;

type Kind = "thumbnail" | "clip" | "description";

const verified = (kind: Kind, more: Partial<Extract<ObjectRow, { state: "verified" }>> = {}): ObjectRow => ({
  state: "verified",
  name: kind as string as NameText,
  kind,
  time: start,
  quality: "synchronised",
  bytes: 1,
  openable: true,
  ...more,
});
const refused = (kind: Kind | null): ObjectRow => ({ state: "refused", name: null, kind, word: "misroute", reason: "wrong-camera" });
const row = (...objects: ObjectRow[]): EventRow => ({ key: "k", event: null, camera: null, time: start, reviewed: false, objects });
const description = (start: number, end: number): Description => ({ start, end, cause: "motion", saw: [], score: null, continues: null, clip: null, names: null });

test("a picture is shown by name only if its row verified and there is a key for it", () => {
  expect(pictureOf(row(verified("thumbnail")))).toEqual({ is: "name", name: "thumbnail" });
  expect(pictureOf(row(verified("thumbnail", { openable: false })))).toEqual({ is: "refused", word: "unknown-key", reported: null });
  expect(pictureOf(row(refused("thumbnail")))).toEqual({ is: "refused", word: "misroute", reported: null });
  expect(pictureOf(row(refused(null)))).toEqual({ is: "refused", word: "misroute", reported: null });
  expect(pictureOf(row(verified("clip")))).toEqual({ is: "waiting" });
  expect(pictureOf(row())).toEqual({ is: "waiting" });
});

test("of two rows of a kind the verified one counts, whichever comes first", () => {
  expect(pictureOf(row(refused("thumbnail"), verified("thumbnail"))).is).toBe("name");
  expect(clipOf(row(refused("clip"), verified("clip")), start).is).toBe("ready");
});

test.each([
  ["just begun", row(verified("thumbnail")), 5e6, "recording"],
  ["still going", row(verified("thumbnail")), 2 * minute, "recording"],
  ["longer than any event", row(verified("thumbnail")), 6 * minute, "on-its-way"],
  ["ended", row(verified("thumbnail"), verified("description")), 5e6, "on-its-way"],
  ["an hour ago", row(verified("thumbnail"), verified("description")), 60 * minute, "on-its-way"],
  ["three weeks ago", row(verified("thumbnail"), verified("description")), 21 * 1440 * minute, "lost"],
  ["here", row(verified("thumbnail"), verified("clip")), 5e6, "ready"],
  ["crossed", row(verified("thumbnail"), refused("clip")), 5e6, "refused"],
  ["without a key", row(verified("thumbnail"), verified("clip", { openable: false })), 5e6, "refused"],
])("a clip %s", (_, r, age, is) => expect(clipOf(r, start + age).is).toBe(is));

test("the corner says how long and where the clip is", () => {
  const d = description(start, start + 65e6);
  expect(badgeOf({ is: "ready", name: "n" as NameText }, d)).toBe("1 min 5 s");
  expect(badgeOf({ is: "ready", name: "n" as NameText }, null)).toBe("");
  expect(badgeOf({ is: "on-its-way" }, d)).toBe("1 min 5 s · clip on its way");
  expect(badgeOf({ is: "on-its-way" }, null)).toBe("clip on its way");
  expect(badgeOf({ is: "recording" }, null)).toBe("recording…");
  expect(badgeOf({ is: "lost" }, null)).toBe("no clip");
  expect(badgeOf({ is: "refused", word: "corrupt", reported: null }, d)).toBe("1 min 5 s · clip not verified");
});

test("a description that ends before it begins gives no length", () => {
  expect(lengthOf(description(start, start + 8e6))).toBe(8e6);
  expect(lengthOf(description(start, start - 1))).toBe(null);
  expect(lengthOf(null)).toBe(null);
});

test("the time is as sure as the least sure object", () => {
  expect(qualityOf(row(verified("thumbnail")))).toBe("synchronised");
  expect(qualityOf(row(verified("thumbnail"), verified("clip", { quality: "unknown" })))).toBe("unknown");
  expect(qualityOf(row(verified("thumbnail", { quality: "estimated" }), verified("clip", { quality: "unknown" })))).toBe("estimated");
  expect(qualityOf(row(verified("thumbnail", { quality: "unknown", corrected: true }), verified("clip")))).toBe("corrected");
  expect(qualityOf(row(verified("thumbnail", { quality: "unknown", corrected: true }), verified("clip", { quality: "unknown" })))).toBe("unknown");
});

test("only what verified and opens can be opened or saved", () => {
  expect(openable(row(refused("clip")), "clip")).toBe(null);
  expect(openable(row(verified("clip", { openable: false })), "clip")).toBe(null);
  expect(savable(row(verified("thumbnail"), verified("clip")))).toBe("clip");
  expect(savable(row(verified("thumbnail"), refused("clip")))).toBe("thumbnail");
  expect(savable(row(refused("thumbnail")))).toBe(null);
});

test("several events that are one say how many there are, and how long it went on", () => {
  const parts = [row(verified("description")), row(verified("description")), row(verified("thumbnail"))];
  const told = [description(start, start + 60e6), description(start + 60e6, start + 125e6)];
  expect(incidentSays(parts, () => told.shift() ?? null)).toBe("2 min 5 s · 3 clips");
  expect(incidentSays(parts, () => null)).toBe("3 clips");
});
