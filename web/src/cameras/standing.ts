// What stands in a home, out of its verified title.

import type { AgentID, CameraID, EventRow, TitleView } from "../worker/protocol.ts";

export interface Camera {
  id: CameraID;
  agent: AgentID;
  name: string;
  /** The time of the newest event that is in the list, or null. */
  newest: number | null;
}

/** The cameras by name. */
export function camerasOf(title: TitleView | null, name: (id: CameraID) => string, rows: readonly EventRow[]): Camera[] {
  const newest = new Map<CameraID, number>();
  for (const row of rows) {
    if (row.camera === null || row.time === null) continue;
    newest.set(row.camera, Math.max(row.time, newest.get(row.camera) ?? 0));
  }
  return (title?.cameras ?? [])
    .map((c) => ({ id: c.id, agent: c.agent, name: name(c.id), newest: newest.get(c.id) ?? null }))
    .sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
}

/** The agents, in the order in which they were placed, with the number of their cameras. */
export function agentsOf(title: TitleView | null): { id: AgentID; cameras: number }[] {
  return (title?.agents ?? []).map((a) => ({ id: a.id, cameras: title?.cameras.filter((c) => c.agent === a.id).length ?? 0 }));
}
