import { describe, expect, test } from "vitest";

import { isGroup, mistyped, tidy } from "./groups.ts";
import { strengthOf } from "./strength.ts";

describe("a recovery code", () => {
  test("is read as people write it", () => {
    expect(tidy(" k7qm-3xwa zp2n ")).toBe("K7QM3XWAZP2N");
    expect(tidy("b0v8")).toBe("BOVB");
    expect(isGroup("zp2n", "ZP2N")).toBe(true);
    expect(isGroup(" 60vg", "6OVG")).toBe(true);
    expect(isGroup("ZP2M", "ZP2N")).toBe(false);
    expect(isGroup("", "ZP2N")).toBe(false);
  });

  test("that cannot be one is not sent", () => {
    const whole = "K7QM-3XWA-ZP2N-UY4D-6RHC-E5JT-BOVG";
    expect(mistyped(whole)).toBeNull();
    expect(mistyped(whole.toLowerCase().replaceAll("-", " "))).toBeNull();
    expect(mistyped(whole.slice(0, -1))).toEqual({ is: "length", length: 27 });
    expect(mistyped(whole.replace("K", "9"))).toEqual({ is: "letters" });
    expect(mistyped(whole.replace("K", "Ä"))).toEqual({ is: "letters" });
  });
});

describe("how hard a passphrase is to guess", () => {
  test.each([
    ["", "empty"],
    ["   ", "empty"],
    ["short", "short"],
    ["  elevenchars   ", "short"],
    ["aaaaaaaaaaaaaaaaaaaa", "weak"],
    ["abcdefghijklmnop", "weak"],
    ["12345678901234567890", "weak"],
    ["passwordpassword", "weak"],
    ["hello hello hello", "weak"],
    ["correct horse", "weak"],
    ["correct horse battery staple", "fair"],
    ["correct horse battery staple lantern", "good"],
    ["kT9#mQ2$vL7!xR4", "good"],
  ])("%j is %s", (typed, is) => expect(strengthOf(typed).is).toBe(is));

  test("says how many characters are missing", () => expect(strengthOf("ten chars!")).toEqual({ is: "short", more: 2 }));
});
