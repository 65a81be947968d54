import { describe, expect, test } from "vitest";

import type { CameraID, Rights } from "../worker/protocol.ts";
import { draftOf, fieldOf, kinds, momentOf, rightsOf, seesSays, turns } from "./rights.ts";

const zone = "Europe/Berlin";
// A Wednesday, 12:00 in Berlin.
const now = Date.parse("2026-11-25T11:00:00Z") * 1000;
const at = (text: string) => Date.parse(text) * 1000;
const [door, garden, gone] = ["door", "garden", "gone"] as CameraID[] as [CameraID, CameraID, CameraID];
const cameras = new Map([
  [door, "Front door"],
  [garden, "Garden"],
]);
const reading = { cameras, now, zone };
const rights = (more: Partial<Rights>): Rights => ({ kinds: ["thumbnail"], until: 0, cameras: null, ...more });

describe("rights in words", () => {
  test.each<[Partial<Rights>, string]>([
    [{ cameras: [door], until: at("2026-11-29T17:00:00Z") }, "Front door only; pictures; until Sunday, 18:00"],
    [{ cameras: [garden, door], kinds: ["clip", "thumbnail"] }, "Front door and Garden; pictures and clips"],
    [{}, "Every camera; pictures"],
    [{ kinds: [...kinds] }, "Every camera; everything"],
    [{ kinds: ["live", "description", "thumbnail"] }, "Every camera; pictures, details and live view"],
    [{ cameras: [gone] }, "No camera any more; pictures"],
    [{ cameras: [gone, door] }, "Front door only; pictures"],
    [{ until: at("2026-11-25T22:00:00Z") }, "Every camera; pictures; until 23:00"],
    [{ until: at("2026-11-24T17:00:00Z") }, "Every camera; pictures; ended yesterday, 18:00"],
  ])("%j", (more, says) => expect(seesSays("guest", rights(more), reading)).toBe(says));

  test("of whoever sees the whole home", () => {
    expect(seesSays("owner", null, reading)).toBe("Sees everything");
    expect(seesSays("resident", null, reading)).toBe("Sees everything");
  });

  test("count the cameras where nobody knows their names", () => expect(seesSays("guest", rights({ cameras: [door, garden] }), { ...reading, cameras: null })).toBe("2 cameras; pictures"));
});

describe("the form", () => {
  const guest = { ...draftOf("guest", null, zone), kinds: ["thumbnail" as const] };

  test("asks nothing of whoever sees everything", () => {
    expect(rightsOf({ ...guest, role: "owner" }, now, zone)).toEqual({ ok: true, rights: null });
    expect(rightsOf({ ...guest, role: "resident", kinds: [] }, now, zone)).toEqual({ ok: true, rights: null });
  });

  test("comes to rights whose parts are in order", () => {
    const draft = { ...guest, every: false, cameras: [garden, door], kinds: ["clip" as const, "thumbnail" as const] };
    expect(rightsOf(draft, now, zone)).toEqual({ ok: true, rights: { kinds: ["thumbnail", "clip"], until: 0, cameras: [door, garden] } });
  });

  test("wants a camera, a kind, and an end that is still to come", () => {
    expect(rightsOf({ ...guest, every: false }, now, zone)).toEqual({ ok: false, rule: "cameras" });
    expect(rightsOf({ ...guest, kinds: [] }, now, zone)).toEqual({ ok: false, rule: "kinds" });
    for (const end of ["", "2026-11-25T11:59", "tomorrow"]) expect(rightsOf({ ...guest, until: "other", end }, now, zone)).toEqual({ ok: false, rule: "until" });
  });

  test.each([
    ["tonight", "2026-11-25T23:00:00Z"],
    ["days3", "2026-11-28T11:00:00Z"],
    ["week", "2026-12-02T11:00:00Z"],
  ] as const)("%s ends when people mean it to", (until, end) => {
    const made = rightsOf({ ...guest, until }, now, zone);
    expect(made.ok && made.rights?.until).toBe(at(end));
  });

  test("an end on the home's clock is that moment, and shows again as it was typed", () => {
    for (const field of ["2026-11-29T18:00", "2026-03-29T03:30", "2026-10-25T02:30"]) expect(fieldOf(momentOf(field, zone)!, zone)).toBe(field);
    expect(momentOf("2026-11-29T18:00", zone)).toBe(at("2026-11-29T17:00:00Z"));
    expect(momentOf("2026-11-29T18:00", "America/Los_Angeles")).toBe(at("2026-11-30T02:00:00Z"));
    expect(momentOf("2026-03-29T02:30", zone)).toBeNull(); // an hour that is left out
  });

  test("of somebody's rights is what they have", () => {
    const had = rights({ cameras: [door], until: at("2026-11-29T17:00:00Z") });
    expect(rightsOf(draftOf("guest", had, zone), now, zone)).toEqual({ ok: true, rights: had });
  });
});

test("who comes to see the whole home, and who ceases to", () => {
  expect([turns("guest", "resident"), turns("owner", "guest"), turns("owner", "resident"), turns("guest", "guest")]).toEqual(["widens", "narrows", null, null]);
});
