// Conditions and commands through the worker's door, against a server that can be told
// to carry letters to the wrong place.

import { beforeEach, describe, expect, it } from "vitest";
import { idText } from "../seal/name.ts";
import { base32, base64, type Bytes, random } from "../wire.ts";
import type { AgentCondition, CameraID, CameraSource, EventRow } from "./protocol.ts";
import { good, TestHouse } from "./standin/house.ts";
import { Refuse } from "./standin/server.ts";

let house: TestHouse;

beforeEach(async () => {
  house = await TestHouse.make();
});

const jpeg = base64(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3));
const pin = { mac: "", serial: "", certificate: "" };
const found = { host: "192.0.2.7", brand: "", streams: [], clock: { known: false, offset_ms: 0 }, pin, findings: [] };
const source: CameraSource = { name: "Yard", main: "rtsp://192.0.2.7/1", sub: "", user: "u", password: "p", pin };
const probing = { address: "192.0.2.7", user: "", password: "" };

const agentID = () => house.agent.body.agent;
const conditions = async (): Promise<AgentCondition[]> => (await good(house.desk.conditions())).agents;
const probe = (name = "mine") => house.desk.probe(agentID(), name, probing);
const reports = () => house.server.reports();

describe("a condition", () => {
  it("is shown as its agent wrote it", async () => {
    await house.says(2, { name: "cellar" });
    expect(await conditions()).toMatchObject([{ agent: agentID(), connected: true, received: 5, state: "verified", condition: { name: "cellar", clock: { quality: "synchronised" } } }]);
  });

  it("is none before the agent has said anything", async () => {
    house.server.conditions = [];
    expect(await conditions()).toEqual([{ agent: agentID(), connected: false, received: 0, state: "none" }]);
    house.server.conditions = [{ agent: agentID(), letter: "", received: 0, connected: true }];
    expect(await conditions()).toEqual([{ agent: agentID(), connected: true, received: 0, state: "none" }]);
  });

  it("that is older than one that was seen is refused, also from an earlier incarnation", async () => {
    const first = await house.says(1, {}, 2);
    await house.says(2, {}, 2);
    await conditions();
    house.shows(first);
    expect(await conditions()).toMatchObject([{ state: "refused", reason: "replayed" }]);
    await house.says(9, {}, 1);
    expect(await good(house.desk.conditions())).toMatchObject({ refused: 1, agents: [{ state: "refused", reason: "replayed" }] });
    await house.says(1, {}, 3);
    expect(await conditions()).toMatchObject([{ state: "verified" }]);
  });

  it("of a neighbour, or of another agent of the home, is a misroute", async () => {
    const neighbour = await TestHouse.make();
    house.shows(await neighbour.says(7));
    expect(await conditions()).toMatchObject([{ state: "refused", reason: "wrong-home" }]);
    expect(reports()).toMatchObject([{ word: "misroute", reason: "wrong-home", header: "" }]);
  });

  it("of an agent that is not of the home is not shown, and counted", async () => {
    const stranger = idText("agent", random(16));
    house.server.conditions.push({ agent: stranger, letter: "", received: 0, connected: true });
    const answer = await good(house.desk.conditions());
    expect([answer.refused, answer.agents.map((a) => a.agent)]).toEqual([1, [agentID()]]);
  });
});

describe("a command", () => {
  it("is read by its agent alone, and its replies come one by one", async () => {
    let opened: unknown;
    house.obeys(async function* (command) {
      opened = command.command;
      yield house.agent.reply(house.server.title!, command, 1, { progress: { says: "Trying paths", done: 1, of: 3, still: jpeg } });
      yield house.agent.reply(house.server.title!, command, 2, { progress: { says: "Looking", done: 2, of: 3 } });
      yield house.agent.reply(house.server.title!, command, 3, { found });
    });
    expect(await good(probe())).toMatchObject({ found: { host: "192.0.2.7", clock: { offsetMs: 0 } } });
    expect(opened).toEqual({ do: "probe", ...probing });
    const progress = house.heard.filter((c) => c.changed === "progress");
    expect(progress).toMatchObject([{ command: "mine", says: "Trying paths", done: 1, of: 3 }, { command: "mine", says: "Looking" }]);
    expect(progress.map((c) => "still" in c)).toEqual([true, false]);
  });

  it("to an agent that is away says so, and so does one that is left half answered", async () => {
    expect(await probe()).toEqual({ ok: false, trouble: "away" });
    house.answers({ progress: { says: "Trying", done: 0, of: 0 } });
    expect(await probe()).toEqual({ ok: false, trouble: "away" });
    house.server.conditions = [];
    expect(await house.newDesk().open().then(() => probe())).toMatchObject({ ok: false, trouble: "away" });
  });

  it("that the agent cannot carry out gives its reason", async () => {
    house.answers({ error: { reason: "wrong-password", message: "The camera refused the password." } });
    expect(await probe()).toEqual({ ok: false, trouble: "agent", reason: "wrong-password", message: "The camera refused the password." });
  });

  it("is sealed again, once, for an agent that has started anew", async () => {
    const incarnations: number[] = [];
    await house.says(1, {}, 4);
    await conditions();
    await house.says(1, {}, 5);
    house.obeys(async (command) => {
      incarnations.push(command.letter.incarnation);
      if (command.letter.incarnation !== 5) throw new Refuse(409, "stale");
      return [await house.agent.reply(house.server.title!, command, 1, { found })];
    });
    await good(probe());
    expect(incarnations).toEqual([4, 5]);
    house.server.carry = async () => {
      throw new Refuse(409, "stale");
    };
    expect(await probe()).toMatchObject({ ok: false, trouble: "refused", reason: "stale" });
  });

  it("can be stopped, and nobody waits for its reply", async () => {
    let left = false;
    house.obeys(async function* (command) {
      try {
        yield house.agent.reply(house.server.title!, command, 1, { progress: { says: "Trying", done: 0, of: 0 } });
        await new Promise<void>((go) => setTimeout(go, 100));
        yield house.agent.reply(house.server.title!, command, 2, { progress: { says: "Still trying", done: 0, of: 0 } });
        await new Promise<void>((go) => setTimeout(go, 100));
        yield house.agent.reply(house.server.title!, command, 3, { found });
      } finally {
        left = true;
      }
    });
    const probed = probe("this one");
    await expect.poll(() => house.heard.some((c) => c.changed === "progress")).toBe(true);
    await good(house.desk.stopCommand("another"));
    await good(house.desk.stopCommand("this one"));
    expect(await probed).toMatchObject({ ok: false, trouble: "refused", reason: "stopped" });
    await expect.poll(() => left).toBe(true);
  });
});

describe("a reply", () => {
  it("to another command is not shown, and reported as a misroute", async () => {
    const earlier: Bytes[] = [];
    house.obeys(async (command) => [earlier[earlier.push(await house.agent.reply(house.server.title!, command, 1, { found })) - 1]!]);
    await good(probe());
    house.server.carry = async () => earlier;
    expect(await probe()).toEqual({ ok: false, trouble: "crossed", what: "letter" });
    expect(reports()).toMatchObject([{ word: "misroute", reason: "wrong-command" }]);
  });

  it("of a neighbour's agent is not shown, and reported as a misroute", async () => {
    const neighbour = await TestHouse.make();
    const theirs: Bytes[] = [];
    neighbour.obeys(async (command) => [theirs[theirs.push(await neighbour.agent.reply(neighbour.server.title!, command, 1, { found })) - 1]!]);
    await good(neighbour.desk.probe(neighbour.agent.body.agent, "theirs", probing));
    house.server.carry = async () => theirs;
    expect(await probe()).toEqual({ ok: false, trouble: "crossed", what: "letter" });
    expect(reports()).toMatchObject([{ word: "misroute", reason: "wrong-home" }]);
  });

  it("that comes twice, or was bent, is refused", async () => {
    house.obeys(async (command) => {
      const reply = await house.agent.reply(house.server.title!, command, 1, { progress: { says: "Trying", done: 0, of: 0 } });
      return [reply, reply];
    });
    expect(await probe()).toMatchObject({ ok: false, trouble: "refused", reason: "replayed" });
    house.obeys(async (command) => {
      const reply = await house.agent.reply(house.server.title!, command, 1, { found });
      reply[reply.length - 70]! ^= 1;
      return [reply];
    });
    expect(await probe()).toMatchObject({ ok: false, trouble: "refused", reason: "bad-signature" });
    expect(reports()).toMatchObject([{ word: "corrupt", reason: "replayed" }, { word: "corrupt", reason: "bad-signature" }]);
  });
});

describe("a camera", () => {
  it("that is added stands in the chain and has its name", async () => {
    const camera = idText("camera", random(16));
    let commanded: unknown;
    house.obeys(async (command) => {
      commanded = command.command;
      return [await house.agent.reply(house.server.title!, command, 1, { camera })];
    });
    const added = await good(house.desk.addCamera(agentID(), source));
    expect(commanded).toEqual({ do: "add-camera", ...source });
    expect(added.title.cameras).toEqual([{ id: camera, agent: agentID() }]);
    expect(added.settings.cameras[camera]).toMatchObject({ name: "Yard", off: false, sensitivity: "medium" });
    expect(house.server.title!.camera(camera)?.agent).toBe(agentID());
    const kept = JSON.stringify(house.server.arrived);
    expect(kept).not.toContain("192.0.2.7/1");
  });

  it("can be looked at, described, changed, accepted and forgotten", async () => {
    const camera = await house.camera();
    const { desk } = house;
    house.answers({ jpeg, width: 4, height: 3, time: 7 });
    const still = await good(desk.still(agentID(), camera));
    expect([still.blob.type, still.blob.size, still.width, still.height, still.time]).toEqual(["image/jpeg", 7, 4, 3, 7]);
    house.answers({ name: "Door", main: "rtsp://a", sub: "", user: "u", pin });
    expect(await good(desk.describeCamera(agentID(), camera))).toEqual({ ok: true, name: "Door", main: "rtsp://a", sub: "", user: "u", pin });
    house.answers({ times: 3, since: 9 });
    expect(await good(desk.wouldFire(agentID(), camera, { sensitivity: "high", zones: [], masks: [{ points: [[0, 0], [1, 0], [1, 1]] }] }))).toMatchObject({ times: 3, since: 9 });
    house.answers({});
    for (const call of [desk.changeCamera(agentID(), camera, source), desk.acceptDevice(agentID(), camera), desk.forgetCamera(agentID(), camera)]) expect(await call).toEqual({ ok: true });
  });

  it("keeps what another person changed of it meanwhile, member by member", async () => {
    const camera = await house.camera();
    const other = house.newDesk();
    await good(other.open());
    await good(other.saveSettings({ cameras: { [camera]: { off: true } } as Record<CameraID, { off: boolean }> }));
    const { settings } = await good(house.desk.saveSettings({ cameras: { [camera]: { sensitivity: "high" } } as Record<CameraID, { sensitivity: "high" }> }));
    expect(settings.cameras[camera]).toEqual({ name: "Door", off: true, offWhen: [], sensitivity: "high", zones: [], masks: [] });
    const bad = await house.desk.saveSettings({ cameras: { [camera]: { masks: [{ points: [] }] } } as Record<CameraID, { masks: { points: [] }[] }> });
    expect(bad).toMatchObject({ ok: false, trouble: "refused", reason: "settings" });
  });
});

describe("a time that nobody could tell", () => {
  const boot = random(16);
  const row = async (quality: "unknown" | "estimated"): Promise<EventRow> => {
    const camera = await house.camera();
    const made = await house.agent.seal(house.server.title!, camera, "thumbnail", random(9), idText("event", random(16)), { quality, boot, time: 1_000_000 });
    house.server.events = [{ event: made.binding.event, objects: [made.row] }];
    return (await good(house.desk.events())).events[0]!;
  };
  const clock = { quality: "synchronised", boots: [{ boot: base32(boot), correction: 1_790_000_000_000_000 }] };

  it("is corrected when the agent has found out", async () => {
    await house.says(2, { clock });
    expect(await row("unknown")).toMatchObject({ time: 1_790_000_001_000_000, objects: [{ time: 1_790_000_001_000_000, quality: "unknown", corrected: true }] });
  });

  it("stays as it is when the agent knew it roughly, or knows nothing of that boot", async () => {
    await house.says(2, { clock });
    expect(await row("estimated")).toMatchObject({ time: 1_000_000 });
    await house.says(3);
    await conditions();
    const said = await row("unknown");
    expect([said.time, "corrected" in said.objects[0]!]).toEqual([1_000_000, false]);
  });

  it("is said anew when it is known later", async () => {
    await row("unknown");
    house.heard.length = 0;
    await house.says(2, { clock });
    await conditions();
    expect(house.heard).toContainEqual({ changed: "events" });
  });
});
