import { expect, test } from "vitest";

import type { Keeps } from "../keeper.ts";
import type { NameText, Opened, Trouble } from "../worker/protocol.ts";
import { Openings } from "./openings.svelte.ts";

const name = "v1/a" as NameText;
const timings = { notified: 0, listed: 0, fetched: 0, opened: 0 };

function made(...answers: Opened<{ blob: Blob }>[]) {
  const heard: (Trouble["trouble"] | null)[] = [];
  let calls = 0;
  const thumbnail = async () => answers[Math.min(calls++, answers.length - 1)];
  const openings = new Openings({ thumbnail, clip: thumbnail, description: thumbnail } as unknown as Keeps, (t) => heard.push(t && t.trouble));
  return { openings, heard, calls: () => calls };
}

test("what was refused is asked for, and reported, once", async () => {
  const { openings, calls } = made({ state: "refused", word: "misroute", reason: "wrong-home", reported: "confirmed" });
  for (let i = 0; i < 3; i++) expect(await openings.thumbnail(name)).toEqual({ is: "refused", word: "misroute", reported: "confirmed" });
  expect(calls()).toBe(1);
  expect(openings.refused.size).toBe(1);
});

test("a picture is opened anew each time: nothing keeps it", async () => {
  const { openings, calls } = made({ state: "opened", blob: new Blob(["x"]), timings });
  await openings.thumbnail(name);
  const again = await openings.thumbnail(name);
  expect([again.is, calls()]).toEqual(["opened", 2]);
});

test("without the server there is another try later; after any other trouble there is none", async () => {
  const { openings, heard } = made({ state: "trouble", trouble: "offline" }, { state: "trouble", trouble: "busy", retryAfterMs: 1 }, { state: "trouble", trouble: "broken", message: "" });
  expect((await openings.thumbnail(name)).is).toBe("unreachable");
  expect((await openings.thumbnail(name)).is).toBe("unreachable");
  expect((await openings.thumbnail(name)).is).toBe("failed");
  expect(heard).toEqual(["offline", "busy", "broken"]);
  expect(openings.refused.size).toBe(0);
});

test("a description is opened once, and again only if it could not be had", async () => {
  const description = { start: 1, end: 2, cause: "motion", score: null, clip: null };
  const opened = { state: "opened", description, timings } as unknown as Opened<{ blob: Blob }>;
  const { openings, calls } = made({ state: "trouble", trouble: "offline" }, { state: "trouble", trouble: "held", scope: "route", since: 5, says: "" }, opened);
  await openings.describe(name);
  await openings.describe(name);
  expect(openings.description(name)).toBe(null);
  await Promise.all([openings.describe(name), openings.describe(name)]);
  await openings.describe(name);
  expect(openings.description(name)).toEqual(description);
  expect(calls()).toBe(3);
});
