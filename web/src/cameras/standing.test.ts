import { readFileSync } from "node:fs";

import { describe, expect, test, vi } from "vitest";

vi.stubGlobal("navigator", { languages: ["en-GB"] });

import type { AgentCondition, AgentID, CameraCondition, CameraID, EventRow, HomeID, PersonID, TitleView } from "../worker/protocol.ts";
import { words } from "../words.ts";
import { agentSays } from "./agents.ts";
import { camerasOf, clockSays, codecSays, factsOf, isSilent, type Known, standingOf, standingsOf, stillWorks, toldOf } from "./standing.ts";

const title = {
  home: "h" as HomeID,
  head: "",
  epoch: 1,
  agents: [{ id: "a1" as AgentID }, { id: "a2" as AgentID }],
  cameras: ["c1", "c2", "c3"].map((id) => ({ id: id as CameraID, agent: "a1" as AgentID })),
  me: { person: "p" as PersonID, role: "owner", rights: null },
  frozen: false,
  retention: { days: 0, bytes: 0 },
  retained: true,
  former: [],
  gaveBack: 0,
} satisfies TitleView;
const names: Record<string, string> = { c1: "Yard", c2: "Door", c3: "Door" };
const row = (camera: string | null, time: number | null): EventRow => ({ key: "", event: null, camera: camera as CameraID | null, time, reviewed: false, objects: [] });

test("cameras stand by name, each with its newest event", () => {
  const rows = [row("c1", 5), row("c1", 9), row("c2", null), row(null, 100), row("gone", 50)];
  expect(camerasOf(title, (id) => names[id] ?? "", rows).map((c) => [c.id, c.name, c.newest])).toEqual([
    ["c2", "Door", null],
    ["c3", "Door", null],
    ["c1", "Yard", 9],
  ]);
  expect(camerasOf(null, () => "", [])).toEqual([]);
});

const zone = "Europe/Berlin";
const us = (iso: string) => Date.parse(iso) * 1000;
const now = us("2026-01-15T12:00:00Z"); // 13:00 in Berlin, a Thursday
const c1 = "c1" as CameraID;
const told: CameraCondition = { camera: c1, state: "recording", recording: true, since: us("2026-01-15T07:30:00Z"), says: "", last: us("2026-01-15T11:59:58Z"), width: 1920, height: 1080, codec: "avc1.640028", rate: 14.96, audio: "mp4a.40.2", motion: "", events24h: 3 };
const said = (more: Partial<CameraCondition> = {}, of: Partial<AgentCondition> = {}): AgentCondition =>
  ({
    agent: "a1" as AgentID,
    connected: true,
    received: us("2026-01-15T09:02:00Z"),
    state: "verified",
    condition: { version: "1", name: "attic", started: now - 3600e6, clock: { quality: "estimated", boots: [] }, cameras: [{ ...told, ...more }], spool: { objects: 2, bytes: 3_200_000, limit: 0, says: "" }, disk: { free: 84e9, says: "" }, footage: { bytes: 12e9, limit: 0, state: "ok", says: "", lost: 0 } },
    ...of,
  }) as AgentCondition;
const known = (more: Partial<Known> = {}): Known => ({ camera: c1, privacy: { off: false, offWhen: [] }, agent: "attic", said: said(), isNew: false, now, zone, ...more });
const not = (state: string, says = "Because.") => said({ state, recording: false, says });

describe("how it stands with a camera", () => {
  test("recording, since when", () => {
    expect(standingOf(known())).toEqual({ is: "recording", tone: "good", title: "Recording since 08:30", says: "", act: null });
    expect(standingOf(known({ said: said({ since: us("2026-01-14T07:30:00Z") }) })).title).toBe("Recording since yesterday, 08:30");
    expect(standingOf(known({ said: said({ since: us("2026-01-03T07:30:00Z") }) })).title).toBe("Recording since 3 January, 08:30");
  });

  test.each([
    ["unreachable", "Does not answer since 08:30", null],
    ["another-device", "Another device since 08:30", "accept"],
    ["wrong-password", "Wrong password since 08:30", "password"],
    ["frozen", "Picture frozen since 08:30", null],
  ])("%s: why, since when and what to do", (state, title, act) => {
    expect(standingOf(known({ said: not(state) }))).toEqual({ is: state, tone: "bad", title, says: "Because.", act });
  });

  test("every state that an agent can report has a label, and one that this page does not know is no recording", () => {
    const agents = ["camera/status.go", "agent/watch.go"].flatMap((file) => [...readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8").matchAll(/State = "([a-z-]+)"/g)]).map((m) => m[1]!);
    expect(agents.length).toBeGreaterThan(20);
    for (const state of agents.filter((s) => s !== "receiving" && s !== "off")) expect(standingOf(known({ said: not(state) })).is, state).toBe(state);
    for (const state of Object.keys(words.standing.label)) expect(standingOf(known({ said: not(state, "") })).tone, state).not.toBe("good");
    for (const state of ["", "recording", "toString", "fallen-down", "away"]) expect(standingOf(known({ said: not(state) }))).toMatchObject({ is: "other", tone: "bad" });
  });

  test("off by hand and by hours, until when", () => {
    const hours = [{ days: [4], from: "12:00", to: "18:00" }];
    const off = said({ state: "off", recording: false });
    expect(standingOf(known({ said: off, privacy: { off: true, offWhen: [] } }))).toMatchObject({ is: "off", tone: "off", title: "Off", act: "on" });
    expect(standingOf(known({ said: off, privacy: { off: false, offWhen: hours } }))).toMatchObject({ is: "off", tone: "off", title: "Off until 18:00", act: null });
    // What was ordered and what is are not the same thing.
    expect(standingOf(known({ privacy: { off: true, offWhen: [] } })).says).toBe(words.standing.turningOff);
    expect(standingOf(known({ said: off }))).toMatchObject({ is: "off", tone: "wait", says: words.standing.turningOn });
    const later = [{ days: [4], from: "22:00", to: "06:00" }];
    expect(standingOf(known({ privacy: { off: false, offWhen: later } }))).toMatchObject({ is: "recording", says: "Goes off 22:00." });
  });

  test("an agent that is away is no recording, whatever it said last", () => {
    expect(standingOf(known({ said: said({}, { connected: false }) }))).toMatchObject({ is: "away", tone: "bad", title: "Agent away since 10:02" });
    expect(standingOf(known({ said: { agent: "a1" as AgentID, connected: false, received: 0, state: "none" } }))).toMatchObject({ is: "away", tone: "bad", title: "Agent away" });
  });

  test("what was not verified says nothing", () => {
    const refused: AgentCondition = { agent: "a1" as AgentID, connected: true, received: 1, state: "refused", reason: "bad-signature" };
    expect(standingOf(known({ said: refused }))).toMatchObject({ is: "unverified", tone: "bad" });
    expect([toldOf(refused, c1), toldOf(undefined, c1)]).toEqual([null, null]);
  });

  test("not reported yet, and not known to its agent any more", () => {
    expect(standingOf(known({ said: undefined }))).toMatchObject({ is: "untold", tone: "wait" });
    expect(standingOf(known({ camera: "c2" as CameraID, isNew: true }))).toMatchObject({ is: "untold", tone: "wait" });
    expect(standingOf(known({ camera: "c2" as CameraID }))).toMatchObject({ is: "forgotten", tone: "off" });
  });

  test("of all cameras of a home", () => {
    const house = { title, zone, camera: () => ({ off: false, offWhen: [] }), condition: () => said(), agentName: () => "attic", isNew: () => false };
    expect([...standingsOf(house, now)].map(([id, s]) => [id, s.is])).toEqual([["c1", "recording"], ["c2", "forgotten"], ["c3", "forgotten"]]);
  });
});

test("a camera is silent when it is known to bring nothing", () => {
  const off = { off: true, offWhen: [] };
  const all = [known(), known({ said: not("lost") }), known({ said: undefined }), known({ privacy: off }), known({ said: not("connecting") })];
  expect(all.map((k) => isSilent(standingOf(k)))).toEqual([false, true, false, true, false]);
});

test("what still works", () => {
  const good = standingOf(known());
  const bad = standingOf(known({ said: not("lost") }));
  expect([[], [bad], [good, bad], [good, good], [good, good, bad]].map(stillWorks)).toEqual([
    words.standing.still.seen,
    words.standing.still.seen,
    "1 other camera is recording.",
    words.standing.still.others,
    "2 other cameras are recording.",
  ]);
});

test("the facts of a camera", () => {
  const camera = { id: c1, agent: "a1" as AgentID, name: "Yard", newest: null };
  expect(factsOf(camera, told, now, zone)).toEqual(["1920 × 1080", "H.264", "15 pictures a second", "with sound", "last good picture 12:59", "3 events in 24 hours"]);
  expect(factsOf(camera, { ...told, width: 0, codec: "", rate: 0, last: 0, events24h: 0 }, now, zone)).toEqual(["no event in 24 hours"]);
  expect(factsOf(camera, null, now, zone)).toEqual(["no event yet"]);
});

test.each([["avc1.640028", "H.264"], ["H265", "H.265"], ["hvc1.1.6", "H.265"], ["PCMA", "G.711"], ["vp9", "vp9"]])("codec %s is %s", (codec, says) => expect(codecSays(codec)).toBe(says));

test.each([
  [{ known: false, offsetMs: 0 }, "unknown"],
  [{ known: true, offsetMs: 900 }, "right"],
  [{ known: true, offsetMs: 94_000 }, "1 min 34 s ahead"],
  [{ known: true, offsetMs: -7_200_000 }, "2 h behind"],
])("a camera's clock %j is %s", (clock, says) => expect(clockSays(clock)).toBe(says));

describe("how it stands with an agent", () => {
  test("connected, with what waits, its disk and its clock", () => {
    const { up, state, lines } = agentSays(said(), now, zone);
    expect([up, state]).toEqual([true, "connected"]);
    expect(lines).toEqual(["2 objects (3.2 MB) on the way to the server.", "12 GB of footage, recorded and kept at home.", "84 GB free on its disk.", words.agents.clock.estimated, "Version 1, running since 12:00."]);
  });

  test("what is not kept, and why: an empty spool of a full disk has not sent everything", () => {
    const verified = said();
    if (verified.state !== "verified") throw new Error("no condition");
    const ill = { ...verified, condition: { ...verified.condition, spool: { objects: 0, bytes: 0, limit: 0, says: "The disk is full." }, footage: { bytes: 12e9, limit: 0, state: "away", says: "The disk is not there.", lost: now } } };
    const { bad, lines } = agentSays(ill, now, zone);
    expect(bad).toEqual(["The disk is full.", "The disk is not there.", words.agents.footageLost("13:00")]);
    expect(lines).not.toContain(words.agents.spoolEmpty);
  });

  test("away, and since when", () => {
    expect(agentSays(said({}, { connected: false }), now, zone)).toMatchObject({ up: false, state: "away, last heard 10:02" });
    expect(agentSays({ agent: "a1" as AgentID, connected: false, received: 0, state: "none" }, now, zone)).toEqual({ up: false, state: "away, never heard", copy: "", bad: [], lines: [] });
    expect(agentSays(undefined, now, zone)).toEqual({ up: false, state: words.agents.untold, copy: "", bad: [], lines: [] });
  });

  test("turned away, or beside a copy that was", () => {
    const copied = { cloned: now - 3_600_000_000 };
    expect(agentSays({ ...said({}, { connected: false }), ...copied }, now, zone)).toMatchObject({ state: words.release.clonedState, copy: words.release.cloned("12:00"), lines: [] });
    expect(agentSays({ ...said(), ...copied }, now, zone)).toMatchObject({ up: true, state: "connected", copy: words.release.copied("12:00") });
  });

  test("what was not verified is not shown", () => {
    const { lines } = agentSays({ agent: "a1" as AgentID, connected: true, received: 1, state: "refused", reason: "bad-signature" }, now, zone);
    expect(lines).toEqual([words.agents.unverified]);
  });
});
