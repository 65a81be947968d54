import { describe, expect, test, vi } from "vitest";

import type { Held, Trouble } from "../worker/protocol.ts";
import { hueOf } from "./colour.ts";
import { Connection, pause } from "./connection.svelte.ts";
import { countdown, length } from "./length.ts";
import { isName } from "./name.ts";
import { deedRefusals } from "../words/deeds.ts";
import { isGrave, statement, troubleSays } from "./trouble.ts";

test.each([
  [0, "1 s"],
  [400_000, "1 s"],
  [8_400_000, "8 s"],
  [59_400_000, "59 s"],
  [59_600_000, "1 min"],
  [65e6, "1 min 5 s"],
  [3599e6, "59 min 59 s"],
  [3600e6, "1 h"],
  [7380e6, "2 h 3 min"],
])("%i microseconds are %s", (us, says) => expect(length(us)).toBe(says));

test.each([
  [1_800_000, "30:00"],
  [59_001, "1:00"],
  [9_000, "0:09"],
  [0, "0:00"],
  [-5_000, "0:00"],
])("%i milliseconds are left: %s", (left, says) => expect(countdown(1e12 + left, 1e12)).toBe(says));

describe("what is held", () => {
  const at = (scope: Held["scope"], says = ""): Trouble => ({ trouble: "held", scope, since: 1, says });
  test("is said of what it is, and in the operator's words if there are some", () => {
    expect(statement(at("home")).title).toBe("Whoever runs the server has stopped this home");
    expect(statement(at("everything", "We are looking into it.")).next).toBe("They say: “We are looking into it.”");
    expect(statement(at("server")).next).toBe("");
  });
  test("is said in a sentence beside what does not work, and that nothing is lost", () => {
    expect(troubleSays(at("route"))).toBe("Whoever runs the server has stopped this for now. Nothing is lost.");
    expect(troubleSays(at("route", "Soon."))).toBe("Whoever runs the server has stopped this for now. Nothing is lost. They say: “Soon.”");
  });
});

describe("a home's colour", () => {
  const ids = Array.from({ length: 60 }, (_, i) => "abcdefghijklmnopqrstuvwxyz234567"[i % 32]! + "k3".repeat(i) + "q".repeat(51));
  test("is the same every time", () => expect(ids.map(hueOf)).toEqual(ids.map(hueOf)));
  test("differs between homes", () => expect(new Set(ids.map(hueOf)).size).toBeGreaterThan(8));
});

test.each([
  ["Front door", true],
  ["  Tür 2 ", true],
  ["🏡", true],
  ["x".repeat(64), true],
  ["🏡".repeat(64), true],
  ["x".repeat(65), false],
  ["", false],
  ["   ", false],
  ["a\u202eb", false],
  ["a\nb", false],
  ["a\u0000", false],
])("%j is a name: %s", (text, is) => expect(isName(text)).toBe(is));

describe("the line to the server", () => {
  test("pauses grow, are bounded and spread", () => {
    expect([0, 1, 2, 3, 4, 50].map((n) => pause(n, 0.5))).toEqual([2000, 4000, 8000, 16000, 30000, 30000]);
    expect([pause(2, 0), pause(2, 1)]).toEqual([6400, 9600]);
  });

  test("many failures at once are one silence and one try", async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    let asked = 0;
    const line: Connection = new Connection(async () => {
      asked++;
      if (asked < 3) line.silent();
      else line.heard();
    });
    expect(line.up).toBe(true);
    for (let i = 0; i < 5; i++) line.silent();
    expect([line.up, line.since]).toEqual([false, 1_000_000]);
    expect(line.retryAt).toBeGreaterThan(1_000_000);
    await vi.advanceTimersByTimeAsync(2500);
    expect([asked, line.since]).toEqual([1, 1_000_000]); // since the first silence
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked, line.up, line.retryAt]).toEqual([3, true, null]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(3);
    vi.useRealTimers();
  });

  test("a try that takes longer than the pause is not the last one", async () => {
    vi.useFakeTimers({ now: 0 });
    let asked = 0;
    const line: Connection = new Connection(async () => {
      asked++;
      if (asked === 2) return line.heard();
      line.silent(); // one request failed at once, another hangs for a minute
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });
    line.silent();
    await vi.advanceTimersByTimeAsync(62_500);
    expect([asked, line.up]).toEqual([1, false]);
    expect(line.retryAt).toBeGreaterThan(Date.now());
    await vi.advanceTimersByTimeAsync(40_000);
    expect([asked, line.up]).toEqual([2, true]);
    vi.useRealTimers();
  });

  test("a busy server is given the time it asks for", async () => {
    vi.useFakeTimers({ now: 0 });
    const line = new Connection(async () => undefined);
    line.silent(20_000);
    expect(line.retryAt).toBe(20_000);
    line.close();
    vi.useRealTimers();
  });
});

test("every trouble has its words", () => {
  const all: Trouble[] = [
    { trouble: "offline" },
    { trouble: "busy", retryAfterMs: 0 },
    { trouble: "crossed", what: "home" },
    { trouble: "fork", seen: "", offered: "" },
    { trouble: "bad-chain", reason: "", at: 0 },
    { trouble: "signed-out" },
    { trouble: "no-home" },
    { trouble: "storage", message: "QuotaExceededError: x" },
    { trouble: "refused", status: 409, reason: "conflict", message: "somebody was faster" },
    { trouble: "away" },
    { trouble: "agent", reason: "wrong-password", message: "The camera refuses this user and password." },
    { trouble: "broken", message: "TypeError: x is undefined" },
  ];
  for (const why of all) {
    const s = statement(why);
    expect(troubleSays(why)).toMatch(/^[A-Z].*\w\.?$/);
    for (const text of [s.title, s.says, s.next]) expect(text, why.trouble).toMatch(/^[A-Z]/);
    // An error of a program is never shown to a person.
    expect(JSON.stringify(s) + troubleSays(why)).not.toContain("Error");
  }
  expect(troubleSays({ trouble: "refused", status: 0, reason: "last-owner", message: deedRefusals["last-owner"]! }), "no server refused that").toBe(deedRefusals["last-owner"]);
  for (const says of Object.values(deedRefusals)) expect(says).toMatch(/^[A-Z].*\w\.$/);
  expect(all.filter(isGrave).map((w) => w.trouble)).toEqual(["fork", "bad-chain"]);
});
