import { describe, expect, it } from "vitest";
import { base32, maxInt, random } from "../wire.ts";
import { dayOf, nameText, parseDay, parseName } from "./name.ts";

const home = base32(random(32));
const camera = base32(random(16));
const object = base32(random(16));
const good = `v1/${home}/${camera}/2026-05-04/clip/${object}`;

describe("a name", () => {
  it("is written back as it was read", () => expect(nameText(parseName(good)!)).toBe(good));

  it.each([
    ["another version", good.replace("v1/", "v2/")],
    ["capitals", good.toUpperCase()],
    ["no such day", good.replace("05-04", "02-30")],
    ["another spelling of the day", good.replace("05-04", "5-04")],
    ["another kind", good.replace("clip", "constructor")],
    ["a part too many", good + "/x"],
    ["a part too few", good.slice(0, -object.length - 1)],
    ["home and camera exchanged", `v1/${camera}/${home}/2026-05-04/clip/${object}`],
    ["a line end", good + "\n"],
    ["nothing", ""],
  ])("is not %s", (_, text) => expect(parseName(text)).toBe(null));
});

describe("a day", () => {
  it("begins at midnight in UTC", () => {
    const midnight = Date.UTC(2026, 1, 1) * 1000;
    expect([dayOf(midnight - 1), dayOf(midnight)]).toEqual(["2026-01-31", "2026-02-01"]);
    expect([dayOf(0), dayOf(maxInt)]).toEqual(["1970-01-01", "2255-06-05"]);
  });

  it("has one spelling", () => expect(["2024-02-29", "2023-02-29", "2024-2-9", "+002024-01-01"].map((d) => parseDay(d))).toEqual(["2024-02-29", null, null, null]));
});
