// What agents have of a day: asked of each for its own cameras, until all are answered,
// and an answer to an earlier question is none.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { House } from "../house.svelte.ts";
import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { AgentID, CameraID, CameraTimeline, Result } from "../worker/protocol.ts";
import { Recorded } from "./recorded.svelte.ts";

type Answer = Result<{ timelines: CameraTimeline[] }>;

const [here, there] = ["here", "there"] as AgentID[] as [AgentID, AgentID];
const [a, b, c] = ["a", "b", "c"] as CameraID[] as [CameraID, CameraID, CameraID];
const day = { from: 1000, until: 2000 };
const of = (camera: CameraID): CameraTimeline => ({ camera, pictures: [], holes: [], motion: new Uint8Array(), saved: [] });
const come = (...cameras: CameraID[]): Answer => ({ ok: true, timelines: cameras.map(of) });

let asked: { agent: AgentID; cameras: CameraID[]; answer: (a: Answer) => Promise<void> }[];
let recorded: Recorded;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  const keeper = {
    timeline: (agent: AgentID, about: { cameras: CameraID[]; from: number; until: number }) => {
      expect(about).toMatchObject({ track: "main", ...day });
      return new Promise<Answer>((come) =>
        asked.push({
          agent,
          cameras: about.cameras,
          answer: async (answer) => {
            come(answer);
            await vi.advanceTimersByTimeAsync(0);
          },
        }),
      );
    },
  };
  const house = { keeper, heard: (answer: Answer) => answer, agentName: (agent: AgentID) => agent, connection: { up: true } };
  const cameras = [{ id: a, agent: here }, { id: b, agent: here }, { id: c, agent: there }];
  recorded = new Recorded(house as unknown as House, () => cameras, () => day);
});

afterEach(() => void vi.useRealTimers());

it("asks each agent for its own cameras, and again for those that had no room", async () => {
  void recorded.ask();
  expect(asked).toMatchObject([{ agent: here, cameras: [a, b] }, { agent: there, cameras: [c] }]);
  await asked[0]!.answer(come(a));
  expect(asked[2]).toMatchObject({ agent: here, cameras: [b] });
  await asked[2]!.answer(come(b));
  await asked[1]!.answer(come(c));
  expect([[...recorded.of.keys()], recorded.unknown, asked.length]).toEqual([[a, b, c], [], 3]);
});

it("takes no answer to an earlier question", async () => {
  void recorded.ask();
  void recorded.ask();
  await asked[0]!.answer(come(a, b));
  await asked[1]!.answer({ ok: false, trouble: "away" });
  expect([recorded.of.size, recorded.unknown]).toEqual([0, []]);
  await asked[2]!.answer(come(a, b));
  expect([...recorded.of.keys()]).toEqual([a, b]);
});

it("says of which agent nothing is known, and why, until it answers", async () => {
  void recorded.ask();
  await asked[0]!.answer({ ok: false, trouble: "away" });
  await asked[1]!.answer({ ok: false, trouble: "offline" });
  const gone = { agent: here, away: true, says: words.timeline.away(here) };
  expect(recorded.unknown).toEqual([gone, { agent: there, away: false, says: words.timeline.trouble(there, troubleSays({ trouble: "offline" })) }]);
  void recorded.ask();
  await asked[2]!.answer({ ok: false, trouble: "away" });
  await asked[3]!.answer(come(c));
  expect([[...recorded.of.keys()], recorded.unknown]).toEqual([[c], [gone]]);
});

it("gives up on an agent that never says all", async () => {
  void recorded.ask();
  for (let round = 0; asked.length > round; round++) await asked[round]!.answer(come());
  expect(asked.filter((q) => q.agent === here)).toHaveLength(64);
});
