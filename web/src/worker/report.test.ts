// What came wrong is told to the server: each once, not for ever, and never with a failure.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Bytes } from "../wire.ts";
import { type Refusal, Reporter } from "./report.ts";
import { good, TestHouse } from "./standin/house.ts";
import { refusal } from "./standin/reply.ts";

let house: TestHouse;
let reporter: Reporter;

beforeEach(async () => {
  house = await TestHouse.make();
  reporter = new Reporter(house.page.hall.room.home.session);
});

afterEach(() => void vi.restoreAllMocks());

const header: Bytes = Uint8Array.of(1, 2, 3);
const first: Refusal = { delivery: "a", asked: "", reason: "wrong-home", word: "misroute", header };
const told = (): number => house.server.reports().length;

it("is told once, and anew if it differs in anything that counts", async () => {
  const others: Partial<Refusal>[] = [{ delivery: "b" }, { asked: "v1/b" }, { reason: "wrong-camera" }, { header: Uint8Array.of(1, 2, 4) }];
  for (const change of [{}, {}, ...others]) expect(await reporter.tell({ ...first, ...change })).toBe("confirmed");
  for (const change of [{}, ...others]) await reporter.tell({ ...first, ...change });
  expect(told()).toBe(1 + others.length);
  expect(reporter.refused()).toHaveLength(1 + others.length);
});

it("is confirmed if the server says so, and unsent if it cannot be heard", async () => {
  expect(await reporter.tell({ ...first, word: "corrupt" })).toBe("unconfirmed");
  house.server.bend = () => null;
  expect(await reporter.tell({ ...first, delivery: "b" })).toBe("not-sent");
  house.server.bend = () => refusal(500, "internal");
  expect(await reporter.tell({ ...first, delivery: "c" })).toBe("not-sent");
});

it("is told sixty times in a minute, and again in the next", async () => {
  const now = vi.spyOn(Date, "now").mockReturnValue(1_790_000_000_000);
  const tell = (n: number): Promise<string> => reporter.tell({ ...first, delivery: String(n) });
  for (let n = 0; n < 60; n++) expect(await tell(n)).toBe("confirmed");
  expect(await tell(60)).toBe("not-sent");
  now.mockReturnValue(1_790_000_059_999);
  expect(await tell(61)).toBe("not-sent");
  now.mockReturnValue(1_790_000_060_000);
  expect(await tell(62)).toBe("confirmed");
});

it("is remembered among a thousand others, and not for ever", async () => {
  house.server.away = () => true;
  for (let n = 0; n < 1001; n++) await reporter.tell({ ...first, delivery: String(n) });
  const newest = reporter.refused()[0];
  await reporter.tell({ ...first, delivery: "0" });
  expect(reporter.refused()[0]).toBe(newest);
  await reporter.tell({ ...first, delivery: "1001" });
  await reporter.tell({ ...first, delivery: "0" });
  const shown = reporter.refused();
  expect(shown).toHaveLength(50);
  expect(shown.indexOf(newest!)).toBe(2);
});

it("says what it was about", async () => {
  const { home } = house.page.hall.room;
  const asked = `v1/${home.id}`;
  await reporter.tell({ ...first, asked });
  await reporter.tell({ ...first, reason: "unknown-head" });
  await reporter.tell({ ...first, reason: "replayed", what: "condition" });
  expect(reporter.refused().map((r) => r.what)).toEqual(["condition", "deed", "answer"]);
  await good(house.desk.title());
});
