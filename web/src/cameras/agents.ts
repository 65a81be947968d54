// How it stands with an agent, in words.

import { size } from "../parts/size.ts";
import { when } from "../parts/time.ts";
import { words } from "../words.ts";
import type { AgentCondition } from "../worker/protocol.ts";

export interface AgentSays {
  up: boolean;
  /** "connected", or "away, last heard 14:02". */
  state: string;
  /** What is said of a copy of it, "" if there was none. */
  copy: string;
  /** Why something is not kept, and what was lost. */
  bad: string[];
  lines: string[];
}

/** What there is to say of an agent; what was not verified says nothing. */
export function agentSays(said: AgentCondition | undefined, now: number, zone: string): AgentSays {
  const w = words.agents;
  const up = said?.connected ?? false;
  const heard = said !== undefined && said.received > 0;
  const state = said === undefined ? w.untold : up ? w.connected : heard ? w.away(when(said.received, now, zone)) : w.never;
  const copied = up ? words.release.copied : words.release.cloned;
  const copy = said?.cloned ? copied(when(said.cloned, now, zone)) : "";
  if (copy && !up) return { up, state: words.release.clonedState, copy, bad: [], lines: [] };
  if (said?.state === "refused") return { up, state, copy, bad: [], lines: [w.unverified] };
  if (said?.state !== "verified") return { up, state, copy, bad: [], lines: up ? [w.untold] : [] };
  const { clock, spool, disk, footage, version, started } = said.condition;
  const spooled = spool.objects > 0 ? w.spoolWaits(spool.objects, size(spool.bytes)) : spool.says ? "" : w.spoolEmpty;
  const free = disk.says || (disk.free > 0 ? w.disk(size(disk.free)) : "");
  const kept = footage === null ? "" : w.footage(size(footage.bytes));
  const lines = [spooled, kept, free, w.clock[clock.quality], version ? w.version(version, when(started, now, zone)) : ""];
  const lost = footage?.lost ? w.footageLost(when(footage.lost, now, zone)) : "";
  const bad = [spool.says, footage?.says ?? "", lost];
  return { up, state, copy, bad: bad.filter(Boolean), lines: lines.filter(Boolean) };
}
