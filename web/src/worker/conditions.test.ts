// What is believed of agents and asked of them, beside what agents.test.ts shows.

import { beforeEach, describe, expect, it } from "vitest";
import { maxLetter } from "../letter/letter.ts";
import { idText } from "../seal/name.ts";
import { base32, base64, type Bytes, random, Writer } from "../wire.ts";
import type { AgentCondition } from "./protocol.ts";
import { TestAgent } from "./standin/agent.ts";
import { asGuest, ben, joined, meet, server as companys } from "./standin/company.ts";
import { good, TestHouse } from "./standin/house.ts";
import { type Body, refusal, Refuse } from "./standin/reply.ts";

let house: TestHouse;

beforeEach(async () => {
  house = await TestHouse.make();
});

const found = { host: "192.0.2.7", brand: "", streams: [], clock: { known: false, offset_ms: 0 }, pin: { mac: "", serial: "", certificate: "" }, findings: [] };
const conditions = (): Promise<{ agents: AgentCondition[]; refused: number }> => good(house.desk.conditions());
const probe = (name = "mine") => house.desk.probe(house.agent.body.agent, name, { address: "192.0.2.7", user: "", password: "" });
const asked = (rest: string): number => house.server.arrived.filter((q) => q.path.endsWith(rest)).length;
const row = (agent: string, letter: Bytes, more: Body = {}): Body => ({ agent, letter: base64(letter), received: 5, connected: true, ...more });

describe("conditions", () => {
  it("are not asked for by a guest", async () => {
    await meet();
    await joined(asGuest);
    companys.arrived.length = 0;
    expect(await good(ben.desk.conditions())).toMatchObject({ agents: [], refused: 0 });
    expect(companys.arrived.filter((q) => q.path.endsWith("/conditions"))).toEqual([]);
  });

  it("are one of each agent of the home", async () => {
    const id = house.agent.body.agent;
    const first = await house.says(2, { name: "first" });
    const second = await house.says(3, { name: "second" });
    house.server.conditions = [row(id, first), row(id, second), row("nobody", first)];
    expect(await conditions()).toMatchObject({ refused: 2, agents: [{ agent: id, state: "verified", condition: { name: "first" } }] });
  });

  it("of an agent that was taken in meanwhile are read on the chain that says so", async () => {
    const [other, agent] = [house.newDesk(), await TestAgent.make()];
    await good(other.open());
    await house.takesIn(agent, other);
    house.server.conditions = [row(agent.body.agent, await agent.condition(house.server.title!, 1))];
    house.server.arrived.length = 0;
    const { agents } = await conditions();
    expect(agents).toMatchObject([{ agent: agent.body.agent, state: "verified" }, { agent: house.agent.body.agent, state: "none" }]);
    expect(asked("/deeds")).toBe(1);
    await conditions();
    expect(asked("/deeds")).toBe(1);
  });

  it("say how often an agent was found to be a copy, if it was", async () => {
    const letter = await house.says(2);
    for (const [cloned, says] of [[7, 7], [0, undefined]]) {
      house.server.conditions = [row(house.agent.body.agent, letter, { cloned })];
      const [said] = (await conditions()).agents;
      expect(said!.cloned).toBe(says);
      expect("cloned" in said!).toBe(says !== undefined);
    }
  });

  it("of another agent of the home, or another kind of letter, are misroutes", async () => {
    const { agent, server } = house;
    const other = await TestAgent.make();
    await house.takesIn(other, house.desk);
    house.shows(await other.condition(server.title!, 1));
    expect((await conditions()).agents).toContainEqual(expect.objectContaining({ agent: agent.body.agent, state: "refused", reason: "wrong-agent" }));
    let reply: Bytes = new Uint8Array(0);
    house.obeys(async (command) => [(reply = await agent.reply(server.title!, command, 1, { found }))]);
    await house.says(2);
    await good(probe());
    house.shows(reply);
    expect((await conditions()).agents).toContainEqual(expect.objectContaining({ state: "refused", reason: "wrong-kind" }));
    await expect.poll(() => server.reports()).toContainEqual(expect.objectContaining({ word: "misroute", reason: "wrong-agent" }));
    expect(server.reports()).toContainEqual(expect.objectContaining({ word: "misroute", reason: "wrong-kind" }));
  });

  it("that were bent are corrupt", async () => {
    const letter = await house.says(2);
    letter[letter.length - 70]! ^= 1;
    house.shows(letter);
    expect((await conditions()).agents).toMatchObject([{ state: "refused", reason: "bad-signature" }]);
    await expect.poll(() => house.server.reports()).toMatchObject([{ word: "corrupt", reason: "bad-signature" }]);
  });
});

describe("times that are known better", () => {
  const boot = random(16);
  const clock = (correction: number) => ({ clock: { quality: "synchronised", boots: [{ boot: base32(boot), correction }] } });
  const events = { changed: "events" } as const;

  it("are told to whoever has listed some, when they change", async () => {
    const made = await house.agent.seal(house.server.title!, await house.camera(), "thumbnail", random(9), idText("event", random(16)), { quality: "unknown", boot });
    await house.says(2, clock(1));
    await conditions();
    expect(house.heard).not.toContainEqual(events);
    house.server.events = [{ event: made.binding.event, objects: [made.row] }];
    await good(house.desk.events());
    house.heard.length = 0;
    await house.says(3, clock(1));
    await conditions();
    expect(house.heard).not.toContainEqual(events);
    await house.says(4, clock(2));
    await conditions();
    expect(house.heard).toContainEqual(events);
  });

  it("are no reason to show no list, and asked for again with the next", async () => {
    const made = await house.agent.seal(house.server.title!, await house.camera(), "thumbnail", random(9), idText("event", random(16)), { quality: "unknown", boot, time: 7 });
    house.server.events = [{ event: made.binding.event, objects: [made.row] }];
    await house.says(2, clock(1));
    house.server.bend = (q, a) => (q.path.endsWith("/conditions") ? refusal(500, "internal") : a);
    expect((await good(house.desk.events())).events).toMatchObject([{ time: 7 }]);
    house.server.bend = (_, a) => a;
    expect((await good(house.desk.events())).events).toMatchObject([{ time: 8 }]);
  });
});

describe("a command", () => {
  it("is stopped by its name, also if another of that name has ended", async () => {
    const going: (() => void)[] = [];
    house.obeys(async function* (command) {
      await new Promise<void>((go) => going.push(go));
      yield house.agent.reply(house.server.title!, command, 1, { found });
    });
    const [first, second] = [probe(), probe()];
    await expect.poll(() => going.length).toBe(2);
    going[0]!();
    await Promise.race([first, second]);
    await good(house.desk.stopCommand("mine"));
    going[1]!();
    const ends = await Promise.all([first, second]);
    expect(ends.filter((e) => e.ok)).toHaveLength(1);
    expect(ends.filter((e) => !e.ok)).toMatchObject([{ trouble: "refused", reason: "stopped" }]);
  });

  it("that is refused is not sent again", async () => {
    let carried = 0;
    house.server.carry = async () => {
      carried++;
      throw new Refuse(409, "conflict");
    };
    expect(await probe()).toMatchObject({ ok: false, trouble: "refused", reason: "conflict" });
    expect(carried).toBe(1);
  });

  it("to an agent that has never said anything finds nobody", async () => {
    house.server.conditions = [];
    const desk = house.newDesk();
    await good(desk.open());
    expect(await desk.probe(house.agent.body.agent, "mine", { address: "192.0.2.7", user: "", password: "" })).toMatchObject({ ok: false, trouble: "away" });
  });

  it("to an agent that was released goes nowhere", async () => {
    await conditions();
    await good(house.page.members.releaseAgent(house.agent.body.agent));
    let carried = 0;
    house.server.carry = async () => (carried++, []);
    expect((await probe()).ok).toBe(false);
    expect(carried).toBe(0);
  });

  it("to an agent that is released while it is under way finds nobody", async () => {
    await conditions();
    const other = house.newPage();
    await good(other.desk.open());
    house.server.carry = async () => {
      await good(other.members.releaseAgent(house.agent.body.agent));
      house.server.conditions = [row(idText("agent", random(16)), new Uint8Array(0))]; // for which the chain is read again
      throw new Refuse(409, "stale");
    };
    expect(await probe()).toMatchObject({ ok: false, trouble: "away" });
  });

  it("whose reply breaks off in the middle finds nobody", async () => {
    house.server.carry = async () => [];
    const half = new Writer().u32(100).raw(random(10)).bytes();
    house.server.bend = (q, a) => (q.path.endsWith("/commands") ? { ...a, body: new ReadableStream<Bytes>({ start: (to) => (to.enqueue(half), to.close()) }) } : a);
    expect(await probe()).toMatchObject({ ok: false, trouble: "away" });
    expect(house.server.reports()).toEqual([]);
  });

  it.each([
    ["nothing", 0],
    ["more than a letter", maxLetter + 1],
  ])("whose reply is said to be %s is broken off", async (_, length) => {
    const { server } = house;
    server.carry = async () => [];
    const head = new Writer().u32(length).bytes();
    server.bend = (q, a) => (q.path.endsWith("/commands") ? { ...a, body: new ReadableStream<Bytes>({ start: (to) => (to.enqueue(head), to.close()) }) } : a);
    expect(await probe()).toMatchObject({ ok: false, trouble: "broken" });
    expect(server.reports()).toEqual([]);
  });
});
