// How it stands with the cameras of a home: out of its verified title, its settings and
// what its agents report, in words.

import { length } from "../parts/length.ts";
import { decimal } from "../parts/size.ts";
import { when } from "../parts/time.ts";
import { words } from "../words.ts";
import type { AgentCondition, AgentID, CameraCondition, CameraID, EventRow, TitleView } from "../worker/protocol.ts";
import { offAt, type Privacy } from "./schedule.ts";

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

/** What a camera's standing is decided from. */
export interface Known {
  camera: CameraID;
  privacy: Privacy;
  /** What its agent is called. */
  agent: string;
  /** What its agent reports; undefined if the server has nothing of it. */
  said: AgentCondition | undefined;
  /** Whether it was added so lately that its agent may not have reported it. */
  isNew: boolean;
  /** Microseconds, and the zone of the home. */
  now: number;
  zone: string;
}

export type Label = keyof typeof words.standing.label;

/** How it stands with one camera, said. `title` has since when in it. */
export interface Standing {
  is: Label;
  tone: "good" | "wait" | "off" | "bad";
  title: string;
  says: string;
  act: "accept" | "password" | "on" | null;
}

const w = words.standing;

/** What an agent reports of one camera, if that is verified. */
export function toldOf(said: AgentCondition | undefined, camera: CameraID): CameraCondition | null {
  return said?.state === "verified" ? (said.condition.cameras.find((c) => c.camera === camera) ?? null) : null;
}

/** How it stands with a camera. What nobody has verified is never taken for recording. */
export function standingOf(known: Known): Standing {
  const { said, agent, now, zone } = known;
  const told = toldOf(said, known.camera);
  if (said === undefined || said.state === "none") {
    if (said && !said.connected) return { is: "away", tone: "bad", title: w.label.away, says: w.awayNever(agent), act: null };
    return { is: "untold", tone: "wait", title: w.label.untold, says: w.untoldSays(agent), act: null };
  }
  if (said.state === "refused") return { is: "unverified", tone: "bad", title: w.label.unverified, says: w.unverifiedSays, act: null };
  if (!said.connected) {
    const heard = when(said.received, now, zone);
    return { is: "away", tone: "bad", title: w.since(w.label.away, heard), says: w.awaySays(agent, heard), act: null };
  }
  if (told !== null) return byReport(known, told);
  if (known.isNew) return { is: "untold", tone: "wait", title: w.label.untold, says: w.untoldSays(agent), act: null };
  return { is: "forgotten", tone: "off", title: w.label.forgotten, says: w.forgottenSays(agent), act: null };
}

function byReport({ privacy, now, zone }: Known, told: CameraCondition): Standing {
  const off = offAt(privacy, now, zone);
  if (off.off) {
    const title = off.until === null ? w.label.off : w.offUntil(when(off.until, now, zone));
    const says = told.state !== "off" ? w.turningOff : off.byHand ? w.offByHand : w.offByHours;
    return { is: "off", tone: "off", title, says, act: off.byHand ? "on" : null };
  }
  const since = told.since > 0 ? when(told.since, now, zone) : "";
  const titled = (label: string) => (since ? w.since(label, since) : label);
  if (told.state === "off") return { is: "off", tone: "wait", title: w.label.off, says: w.turningOn, act: null };
  if (told.recording) return { is: "recording", tone: "good", title: titled(w.label.recording), says: off.until === null ? "" : w.onUntil(when(off.until, now, zone)), act: null };
  const is = labelOf(told.state);
  const act = is === "another-device" ? "accept" : is === "wrong-password" ? "password" : null;
  return { is, tone: soon.has(is) ? "wait" : "bad", title: titled(w.label[is]), says: told.says || (is === "frozen" ? w.frozenSays : w.otherSays), act };
}

// What passes by itself, as a rule within seconds, or waits for a yes in this page.
const soon: ReadonlySet<Label> = new Set<Label>(["connecting", "starting", "waiting", "asking"]);

// A state that this page does not know is a camera that does not record.
function labelOf(state: string): Label {
  const own: ReadonlySet<string> = new Set<Label>(["recording", "off", "away", "untold", "unverified", "forgotten", "other"]);
  return Object.hasOwn(w.label, state) && !own.has(state) ? (state as Label) : "other";
}

/** Whether it is known that nothing new comes from it, and somebody looking at the events has to know that. */
export function isSilent({ is, tone }: Standing): boolean {
  return tone === "bad" || is === "off";
}

/** What still works while one camera does not record. */
export function stillWorks(others: readonly Standing[]): string {
  const recording = others.filter((s) => s.is === "recording").length;
  if (recording === 0) return w.still.seen;
  return recording === others.length && recording > 1 ? w.still.others : w.still.some(recording);
}

const codecs: [RegExp, string][] = [
  [/^(avc|h\.?264)/i, "H.264"],
  [/^(hvc|hev|h\.?265)/i, "H.265"],
  [/^(mp4a|aac|mpeg4-generic)/i, "AAC"],
  [/^(pcma|pcmu|g\.?711)/i, "G.711"],
  [/^(jpeg|mjpeg)/i, "MJPEG"],
];

/** A codec by the name that people know it by. */
export function codecSays(codec: string): string {
  return codecs.find(([like]) => like.test(codec))?.[1] ?? codec;
}

/** What there is to know of a camera's stream and life, a few words each. */
export function factsOf(camera: Camera, told: CameraCondition | null, now: number, zone: string): string[] {
  const c = words.cameras;
  if (told === null) return [camera.newest === null ? c.noEvents : c.newest(when(camera.newest, now, zone))];
  const facts: string[] = [];
  if (told.width > 0) facts.push(c.size(told.width, told.height));
  if (told.width > 0 && told.codec) facts.push(codecSays(told.codec));
  if (told.width > 0 && told.rate > 0) facts.push(c.rate(decimal(told.rate)));
  if (told.width > 0) facts.push(told.audio ? c.sound : c.noSound);
  if (told.last > 0) facts.push(c.last(when(told.last, now, zone)));
  facts.push(c.events(told.events24h));
  return facts;
}

/** Milliseconds by which a clock is off, in words; a second or two is right. */
export function clockSays(clock: { known: boolean; offsetMs: number }): string {
  const c = words.adding.clock;
  if (!clock.known) return c.unknown;
  if (Math.abs(clock.offsetMs) < 3000) return c.right;
  const by = length(Math.abs(clock.offsetMs) * 1000);
  return clock.offsetMs > 0 ? c.ahead(by) : c.behind(by);
}

/** A home as far as its cameras' standing goes. */
export interface Household {
  title: TitleView | null;
  zone: string;
  camera(id: CameraID): Privacy;
  condition(agent: AgentID): AgentCondition | undefined;
  agentName(agent: AgentID): string;
  isNew(camera: CameraID): boolean;
}

/** How it stands with every camera of a home. */
export function standingsOf(house: Household, now: number): Map<CameraID, Standing> {
  const of = ({ id, agent }: { id: CameraID; agent: AgentID }): Standing =>
    standingOf({ camera: id, privacy: house.camera(id), agent: house.agentName(agent), said: house.condition(agent), isNew: house.isNew(id), now, zone: house.zone });
  return new Map((house.title?.cameras ?? []).map((c) => [c.id, of(c)]));
}
