// Pictures under the finger, whatever a worker answers: of the cameras that were asked
// for, each its own, and near the time.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { House } from "../house.svelte.ts";
import type { CameraID, Glance, Result, Trouble } from "../worker/protocol.ts";
import { finest, Glances } from "./glances.svelte.ts";

const hour = 3600 * 1_000_000;
const [a, b, other] = ["a", "b", "other"] as CameraID[] as [CameraID, CameraID, CameraID];
const at = 100 * hour;
const still = (camera: CameraID, time = at): Glance => ({ camera, time, blob: new Blob([camera]) });

type Answer = Result<{ glances: Glance[]; why: Trouble | null }>;

let asked: { cameras: CameraID[]; at: number; step: number; answer: (a: Answer) => Promise<void> }[];
let heard: string[];
let cameras: CameraID[];
let glances: Glances;

beforeEach(() => {
  vi.useFakeTimers();
  [asked, heard, cameras] = [[], [], [a, b]];
  const keeper = {
    glance: (of: CameraID[], at: number, step: number) =>
      new Promise<Answer>((come) =>
        asked.push({
          cameras: of,
          at,
          step,
          answer: async (answer) => {
            come(answer);
            await vi.advanceTimersByTimeAsync(0);
          },
        }),
      ),
  };
  const house = { keeper, heard: (answer: Result<object>) => heard.push(answer.ok ? "well" : answer.trouble) };
  glances = new Glances(house as unknown as House, () => cameras);
});

afterEach(() => void vi.useRealTimers());

const come = (...some: Glance[]): Answer => ({ ok: true, glances: some, why: null });

it("are of the cameras that were asked for alone", async () => {
  glances.look(at, hour);
  expect(asked).toMatchObject([{ cameras: [a, b], at, step: hour }]);
  await asked[0]!.answer(come(still(a), still(other)));
  expect([a, b, other].map((c) => glances.near(c, at)?.camera)).toEqual([a, undefined, undefined]);
  expect(heard).toEqual([]);
});

it("are near the time: one of another day is none", async () => {
  glances.look(at, hour);
  await asked[0]!.answer(come(still(a)));
  for (const [off, is] of [[hour, true], [-hour, true], [hour + 1, false], [-hour - 1, false]] as const) expect(glances.near(a, at + off) !== undefined, `${off}`).toBe(is);
});

it("are asked for one question at a time, the newest next, and finer ones where a finger rests", async () => {
  for (const step of [1, 2, 3]) glances.look(at + step, step);
  expect(asked).toHaveLength(1);
  await asked[0]!.answer(come());
  expect(asked.map((q) => q.at)).toEqual([at + 1, at + 3]);
  await asked[1]!.answer(come());
  expect(asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(150);
  expect(asked[2]).toMatchObject({ at: at + 3, step: finest });
});

it("are asked for of cameras, and not of none", async () => {
  cameras = [];
  glances.look(at, hour);
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual([]);
});

it("stay when an answer is a refusal, which is said", async () => {
  glances.look(at, hour);
  await asked[0]!.answer({ ok: true, glances: [still(a)], why: { trouble: "away" } });
  glances.look(at, hour);
  await asked[1]!.answer({ ok: false, trouble: "offline" });
  expect([heard, glances.near(a, at)?.camera]).toEqual([["away", "offline"], a]);
});
