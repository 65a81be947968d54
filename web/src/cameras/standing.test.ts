import { expect, test } from "vitest";

import type { AgentID, CameraID, EventRow, HomeID, TitleView } from "../worker/protocol.ts";
import { agentsOf, camerasOf } from "./standing.ts";

const title = {
  home: "h" as HomeID,
  head: "",
  epoch: 1,
  agents: [{ id: "a1" as AgentID }, { id: "a2" as AgentID }],
  cameras: ["c1", "c2", "c3"].map((id) => ({ id: id as CameraID, agent: "a1" as AgentID })),
} satisfies TitleView;
const names: Record<string, string> = { c1: "Yard", c2: "Door", c3: "Door" };
const row = (camera: string | null, time: number | null): EventRow => ({ key: "", event: null, camera: camera as CameraID | null, time, objects: [] });

test("cameras stand by name, each with its newest event", () => {
  const rows = [row("c1", 5), row("c1", 9), row("c2", null), row(null, 100), row("gone", 50)];
  expect(camerasOf(title, (id) => names[id] ?? "", rows).map((c) => [c.id, c.name, c.newest])).toEqual([
    ["c2", "Door", null],
    ["c3", "Door", null],
    ["c1", "Yard", 9],
  ]);
});

test("agents stand with the number of their cameras", () => {
  expect(agentsOf(title)).toEqual([
    { id: "a1", cameras: 3 },
    { id: "a2", cameras: 0 },
  ]);
  expect([agentsOf(null), camerasOf(null, () => "", [])]).toEqual([[], []]);
});
