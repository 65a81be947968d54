import { expect, test } from "vitest";

import type { CameraID, EventID, EventRow } from "../worker/protocol.ts";
import { mergeNewest, mergeOlder, withLastingKeys } from "./list.ts";

const rows = (keys: string, version = 0): EventRow[] => [...keys].map((key) => ({ key, event: null, camera: `${key < "h" ? "door" : "yard"}` as CameraID, time: version, reviewed: false, objects: [] }));
const text = (list: readonly EventRow[]) => list.map((r) => r.key).join("");

test.each([
  ["the same again", "edcba", "edc", true, "edcba", "", true],
  ["new ones on top", "edcba", "gfedc", true, "gfedcba", "gf", true],
  ["one was deleted in between", "edcba", "ec", true, "ecba", "", true],
  ["the newest was deleted", "edcba", "dc", true, "dcba", "", true],
  ["the page is all there is", "edcba", "fed", false, "fed", "f", true],
  ["all are gone", "edcba", "", false, "", "", true],
  ["the first page", "", "cba", true, "cba", "cba", true],
  ["the page does not reach the list", "cba", "igf", true, "igf", "igf", false],
])("%s", (_, list, page, more, want, added, joined) => {
  const merged = mergeNewest(rows(list), rows(page), more);
  expect([text(merged.rows), merged.added.join(""), merged.joined]).toEqual([want, added, joined]);
});

test("the newer form of a row is taken, above and below", () => {
  expect(mergeNewest(rows("ba", 1), rows("b", 2), true).rows.map((r) => r.time)).toEqual([2, 1]);
  expect(mergeOlder(rows("cb", 1), rows("ba", 2)).map((r) => [r.key, r.time])).toEqual([
    ["c", 1],
    ["b", 2],
    ["a", 2],
  ]);
});

test("an older page that overlaps repeats nothing", () => {
  expect(text(mergeOlder(rows("edc"), rows("cba")))).toBe("edcba");
  expect(text(mergeOlder(rows("edc"), []))).toBe("edc");
});

test("a row of which nothing verified keeps its key from one answer to the next", () => {
  const page = (answer: string, keys: string): EventRow[] =>
    [...keys].map((key, i) => ({ key: key === "?" ? `${answer}-${i}` : key, event: key === "?" ? null : (key as EventID), camera: null, time: null, reviewed: false, objects: [] }));
  const first = withLastingKeys(page("1", "d?c??b?"));
  const second = withLastingKeys(page("2", "ed?c??b?"));
  expect(second.slice(1, 7).map((r) => r.key)).toEqual(first.slice(0, 6).map((r) => r.key));
  expect(new Set(second.map((r) => r.key)).size).toBe(second.length);
  expect(mergeNewest(first, second.slice(0, 7), true).added).toEqual(["e"]);
  expect(withLastingKeys(page("1", "??")).map((r) => r.key)).toEqual(withLastingKeys(page("2", "??")).map((r) => r.key));
});
