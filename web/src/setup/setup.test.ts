import { describe, expect, test } from "vitest";

import { fitness, type Has } from "./browser.ts";
import { parseLink, parsePasted } from "./link.ts";

const here = "https://example.org";
const home = "a".repeat(52);
const head = `7:${"0f".repeat(32)}`;

describe("links", () => {
  test("to set up, with and without an agent", () => {
    expect(parseLink("#setup=AbC_-9+/=12", here)).toEqual({ is: "setup", setup: "AbC_-9+/=12", join: "" });
    expect(parseLink("#setup=abcdefgh&join=ijklmnop", here)).toEqual({ is: "setup", setup: "abcdefgh", join: "ijklmnop" });
    expect(parseLink("join=ijklmnop&setup=abcdefgh", here)).toEqual({ is: "setup", setup: "abcdefgh", join: "ijklmnop" });
  });

  test("for an agent", () => {
    expect(parseLink(`#join=abcdefgh&home=${home}&head=${head}`, here)).toEqual({ is: "join", link: `${here}/#join=abcdefgh&home=${home}&head=${head}` });
    expect(parseLink("#join=abcdefgh", here)).toEqual({ is: "join", link: `${here}/#join=abcdefgh` });
  });

  test("for a person, whole or not at all", () => {
    const link = `${here}/#invite=abcdefgh&home=${home}&head=${head}&trust=${"0f".repeat(32)}`;
    expect(parseLink(new URL(link).hash, here)).toEqual({ is: "invite", link });
    expect(parseLink(`#invite=abcdefgh&home=${home}`, here)).toEqual({ is: "none" });
    expect(parseLink(`#invite=abcdefgh&home=${home}&head=7:aa`, here)).toEqual({ is: "none" });
  });

  test("to a copy, of which less is asked than of a server, at this machine alone", () => {
    expect(parseLink("#open=ABCDEFGHIJKLMNOPQRSTUVWXYZ", "http://127.0.0.1:40123")).toEqual({ is: "open", secret: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" });
    for (const origin of [here, "http://example.org:80", "https://127.0.0.1:40123", "http://localhost:8080", "http://127.0.0.1", "http://127.0.0.1.example.org:8080"])
      expect(parseLink("#open=ABCDEFGHIJKLMNOPQRSTUVWXYZ", origin), origin).toEqual({ is: "none" });
  });

  test("that were pasted, with what stands around them", () => {
    expect(parsePasted(` ${here}/#setup=abcdefgh\n`, here)).toEqual({ is: "setup", setup: "abcdefgh", join: "" });
    expect(parsePasted("#setup=abcdefgh", here)).toEqual({ is: "setup", setup: "abcdefgh", join: "" });
    expect(parsePasted("https://other.example/#setup=abcdefgh", here)).toEqual({ is: "elsewhere", host: "https://other.example" });
    expect(parsePasted("https://other.example/", here)).toEqual({ is: "none" });
    expect(parsePasted("a letter", here)).toEqual({ is: "none" });
  });

  test.each(["", "#", "#setup=", "#setup=short", "#setup", "#join=a b c d e f g", `#setup=${"a".repeat(300)}`, "#other=abcdefgh", "#__proto__=abcdefgh"])("%j is none", (text) =>
    expect(parseLink(text, here)).toEqual({ is: "none" }),
  );

  test("nothing gets into the command that is shown but IDs", () => {
    const evil = "#join=abcdefgh&home=';reboot;'&head=7:x&also='$(reboot)'";
    expect(parseLink(evil, here)).toEqual({ is: "join", link: `${here}/#join=abcdefgh` });
    expect(parseLink("#join=abcdefgh';reboot;'", here)).toEqual({ is: "none" });
  });
});

describe("browsers", () => {
  const all: Has = { secure: true, subtle: true, ed25519: true, worker: true, storage: true, dialog: true, observer: true, zones: true };

  test("that have everything", () => expect(fitness(all)).toEqual({ is: "fit" }));
  test("that are too old are told what they lack", () => expect(fitness({ ...all, ed25519: false, zones: false })).toEqual({ is: "old", lacks: ["ed25519", "zones"] }));
  test("an address that is not secure is that, and not an old browser", () => expect(fitness({ ...all, secure: false, subtle: false, ed25519: false })).toEqual({ is: "insecure" }));
});
