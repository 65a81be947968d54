// Agents and cameras: placed, replaced and released (docs/deed.md).

import type { BodyOf } from "../body.ts";
import { limits } from "../limits.ts";
import type { Last } from "../parts.ts";
import { DeedError } from "../reasons.ts";
import { type Agent, introduce, introduceID, stands, type State, takeBack } from "../state.ts";
import type { AgentID } from "../../seal/name.ts";

export function placeAgent(s: State, b: BodyOf<"place agent">, seq: number): void {
  introduceID(s, "agent", b.agent);
  if (s.agents.filter(stands).length >= limits.agents) throw new DeedError("too-many", "agents");
  const keys = introduceKeys(s, b, seq);
  s.agents = [...s.agents, { id: b.agent, signing: b.signing, kem: b.kem, since: seq, until: null, keys: [keys] }];
}

export function placeCamera(s: State, b: BodyOf<"place camera">, seq: number): void {
  standing(s, b.agent);
  introduceID(s, "camera", b.camera);
  if (s.cameras.filter(stands).length >= limits.cameras) throw new DeedError("too-many", "cameras");
  s.cameras = [...s.cameras, { id: b.camera, agent: b.agent, since: seq, until: null }];
}

export function replaceAgent(s: State, b: BodyOf<"replace agent">, seq: number): void {
  const agent = standing(s, b.agent);
  const keys = introduceKeys(s, b, seq);
  const former = endKeys(s, agent, b.lasts, seq);
  put(s, { ...agent, signing: b.signing, kem: b.kem, keys: [...former, keys] });
}

export function releaseAgent(s: State, b: BodyOf<"release agent">, seq: number): void {
  const agent = standing(s, b.agent);
  put(s, { ...agent, until: seq, keys: endKeys(s, agent, b.lasts, seq) });
  s.cameras = s.cameras.map((c) => (c.agent === agent.id && stands(c) ? { ...c, until: seq } : c));
}

export function releaseCamera(s: State, b: BodyOf<"release camera">, seq: number): void {
  if (!s.cameras.some((c) => c.id === b.camera && stands(c))) throw new DeedError("unknown-camera", "no such camera stands in the home");
  s.cameras = s.cameras.map((c) => (c.id === b.camera ? { ...c, until: seq } : c));
}

function standing(s: State, id: AgentID): Agent {
  const agent = s.agents.find((a) => a.id === id && stands(a));
  if (agent === undefined) throw new DeedError("unknown-agent", "no such agent stands in the home");
  return agent;
}

function introduceKeys(s: State, b: Pick<BodyOf<"place agent">, "agent" | "signing" | "kem">, seq: number): Agent["keys"][number] {
  introduce(s, b.signing, "agent", seq, { agent: b.agent });
  introduce(s, b.kem, "sealed to", seq, { agent: b.agent });
  return { signing: b.signing, kem: b.kem, since: seq, until: null, lasts: [] };
}

/** The agent's keys when the newest have ended, with what they signed last. */
function endKeys(s: State, a: Agent, lasts: readonly Last[], seq: number): Agent["keys"] {
  for (const l of lasts) {
    if (!s.cameras.some((c) => c.id === l.camera && c.agent === a.id)) throw new DeedError("unknown-camera", "no such camera is or was placed with that agent");
  }
  takeBack(s, a.signing, seq);
  return a.keys.map((k) => (k.until === null ? { ...k, until: seq, lasts } : k));
}

function put(s: State, agent: Agent): void {
  s.agents = s.agents.map((a) => (a.id === agent.id ? agent : a));
}
