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
  /** What of its footage was lost, "" for nothing. */
  lost: string;
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
  if (copy && !up) return { up, state: words.release.clonedState, copy, lost: "", lines: [] };
  if (said?.state === "refused") return { up, state, copy, lost: "", lines: [w.unverified] };
  if (said?.state !== "verified") return { up, state, copy, lost: "", lines: up ? [w.untold] : [] };
  const { clock, spool, disk, footage, version, started } = said.condition;
  const spooled = spool.objects === 0 ? w.spoolEmpty : spool.says || w.spoolWaits(spool.objects, size(spool.bytes));
  const free = disk.says || (disk.free > 0 ? w.disk(size(disk.free)) : "");
  const kept = footage === null ? "" : footage.says || w.footage(size(footage.bytes));
  const lines = [spooled, kept, free, w.clock[clock.quality], version ? w.version(version, when(started, now, zone)) : ""];
  const lost = footage?.lost ? w.footageLost(when(footage.lost, now, zone)) : "";
  return { up, state, copy, lost, lines: lines.filter(Boolean) };
}
