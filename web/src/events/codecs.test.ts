import { expect, test } from "vitest";

import { madeOf, playsH265 } from "./codecs.ts";

const box = (...names: string[]) => new Blob([new Uint8Array([0, 0, 0, 24]), "ftypisom", new Uint8Array(700), ...names, new Uint8Array(900)]);

test.each([
  [["avc1", "mp4a"], { sound: true, h265: false }],
  [["avc1"], { sound: false, h265: false }],
  [["hvc1", "mp4a"], { sound: true, h265: true }],
  [["hev1"], { sound: false, h265: true }],
])("a clip of %j is %j", async (names, made) => expect(await madeOf(box(...names))).toEqual(made));

test("what only looks like it far inside the clip does not count", async () => {
  expect(await madeOf(new Blob([box("avc1"), new Uint8Array(1 << 17), "mp4a hvc1"]))).toEqual({ sound: false, h265: false });
});

test("a browser is asked whether it plays H.265", () => {
  expect(playsH265({ canPlayType: () => "" })).toBe(false);
  expect(playsH265({ canPlayType: (type) => (type.includes("hev1") ? "maybe" : "") })).toBe(true);
});
