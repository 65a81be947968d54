import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { House } from "./house.svelte.ts";
import { Joining } from "./join/joining.svelte.ts";
import type { Keeps } from "./keeper.ts";
import { Founding, isUsed } from "./setup/founding.svelte.ts";
import type { AgentCondition, AgentID, Ask, CameraID, CameraSettings, Change, HomeID, PersonID, Spared, Trouble } from "./worker/protocol.ts";

const home = "home" as HomeID;
const agent = "agent" as AgentID;
const ask = (camera: string, by: string = agent): Ask => ({ camera: camera as CameraID, agent: by as AgentID, name: camera, time: 0 });

/** A keeper that says what a test tells it to, and remembers what it was asked. */
class Scripted {
  readonly calls: string[] = [];
  /** What goes wrong with a call, until it is taken away again. */
  readonly wrong = new Map<string, Trouble>();
  homesHere: HomeID[] = [home];
  waiting: Ask[] = [];
  told: AgentCondition[] = [];
  refused = 0;
  spared: Spared[] = [];
  answer: { state: string } = { state: "answered" };
  #listener: (change: Change) => void = () => undefined;
  readonly title = { home, head: "1:aa", epoch: 1, cameras: [] as { id: CameraID; agent: AgentID }[], agents: [] as { id: AgentID }[], former: [] as CameraID[], me: { person: "p" as PersonID, role: "owner" as const, rights: null }, frozen: false, retention: { days: 0, bytes: 0 }, retained: true, gaveBack: 0 };
  readonly settings = { number: 1, home: "Ours", zone: "Europe/Berlin", cameras: {} as Record<CameraID, CameraSettings> };

  readonly keeper = new Proxy({} as Keeps, {
    get: (_, call: string) =>
      call === "changes"
        ? (listener: (change: Change) => void) => {
            this.#listener = listener;
            return () => (this.#listener = () => undefined);
          }
        : async (...args: unknown[]) => {
            this.calls.push([call, ...args.map((a) => (typeof a === "string" ? a : JSON.stringify(a)))].join(" "));
            const wrong = this.wrong.get(call);
            return wrong ? { ok: false, ...wrong } : { ok: true, ...this.#say(call, args) };
          },
  });

  tell(change: Change): void {
    this.#listener(change);
  }

  #say(call: string, args: unknown[]): object {
    if (call === "homes") return { homes: this.homesHere.map((home) => ({ home })) };
    if (call === "open") return { title: this.title, settings: this.settings };
    if (call === "title") return { title: { ...this.title } };
    if (call === "settings") return { settings: this.settings };
    if (call === "events") return { events: [], next: "", porch: false };
    if (call === "conditions") return { agents: this.told, refused: this.refused };
    if (call === "asks") return { asks: [...this.waiting], refused: 0 };
    if (call === "spared") return { spared: this.spared };
    if (call === "found") return { home };
    if (call === "openJoin") return { link: "l", slot: "slot", expires: 1e12 };
    if (call === "watchJoin") return { slot: "slot", agent, ...this.answer };
    if (call === "placeAgent") return { agent };
    if (call === "placeCamera") {
      this.waiting = this.waiting.filter((a) => a.camera !== args[0]);
      return { title: this.title, settings: this.settings };
    }
    return {};
  }
}

let s: Scripted;
let house: House;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  s = new Scripted();
  house = new House(s.keeper);
});

afterEach(() => {
  house.close();
  vi.useRealTimers();
});

describe("at the door", () => {
  test("the only home is opened", async () => {
    await house.start();
    expect([house.phase.is, house.name, house.zone]).toEqual(["open", "Ours", "Europe/Berlin"]);
    expect(s.calls).toEqual(["homes", "open", "events", "asks", "conditions", "people", "usage", "spared"]);
  });

  test("without a home the page says so, and with several it asks", async () => {
    s.homesHere = [];
    await house.start();
    expect(house.phase.is).toBe("none");
    s.homesHere = [home, "other" as HomeID];
    await house.start();
    expect(house.phase.is).toBe("choose");
    await house.start("other" as HomeID);
    expect([house.phase.is, s.calls.includes("open other")]).toEqual(["open", true]);
  });

  test("a server that does not answer is asked again until it does", async () => {
    s.wrong.set("open", { trouble: "offline" });
    await house.start();
    expect([house.phase.is, house.connection.up]).toEqual(["starting", false]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(s.calls.filter((c) => c === "open").length).toBeGreaterThan(1);
    s.wrong.clear();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([house.phase.is, house.connection.up]).toEqual(["open", true]);
  });

  test("a zone that this browser does not know does not break the page", async () => {
    s.settings.zone = "Mars/Olympus";
    await house.start();
    expect(house.zone).not.toBe("Mars/Olympus");
  });
});

describe("what ends all showing", () => {
  const ends: Trouble[] = [{ trouble: "fork", seen: "", offered: "" }, { trouble: "bad-chain", reason: "fork", at: 1 }, { trouble: "signed-out" }, { trouble: "no-home" }];
  test.each(ends)("$trouble, whatever it is an answer to", async (why) => {
    await house.start();
    s.wrong.set("events", why);
    s.tell({ changed: "events" });
    await vi.advanceTimersByTimeAsync(0);
    expect(house.phase).toEqual({ is: "stopped", why: { ok: false, ...why } });
    // And it stays that way, whatever comes after.
    s.wrong.clear();
    await house.start();
    expect(house.phase.is).toBe("stopped");
  });

  test("what the server leaves out is said as long as it is", async () => {
    s.spared = ["filmstrips"];
    await house.start();
    expect([house.phase.is, house.spared]).toEqual(["open", ["filmstrips"]]);
    s.spared = [];
    s.tell({ changed: "spared" });
    await vi.advanceTimersByTimeAsync(0);
    expect(house.spared).toEqual([]);
  });

  test("what is held is said, and comes back by itself when it is released", async () => {
    await house.start();
    const why: Trouble = { trouble: "held", scope: "home", since: 5, says: "Soon." };
    for (const call of ["events", "conditions"]) s.wrong.set(call, why);
    s.tell({ changed: "link", up: false });
    await vi.advanceTimersByTimeAsync(0);
    expect([house.phase.is, house.connection.up, house.held?.says, house.holds("events"), house.holds("cameras"), house.holds("people")]).toEqual(["open", true, "Soon.", true, true, false]);
    await house.renew(); // the deeds go on, and lift nothing
    expect(house.held).not.toBeNull();
    s.wrong.clear();
    await house.askIfHeld();
    expect([house.held, s.calls.at(-1)]).toEqual([null, "spared"]);
  });

  test("of a route that is held only the list takes the pictures away", async () => {
    await house.start();
    s.wrong.set("conditions", { trouble: "held", scope: "route", since: 5, says: "" });
    await house.loadConditions();
    expect(house.held).toBeNull();
    s.wrong.set("events", { trouble: "held", scope: "route", since: 5, says: "" });
    s.tell({ changed: "events" });
    await vi.advanceTimersByTimeAsync(0);
    expect([house.held?.scope, house.holds("events"), house.holds("cameras")]).toEqual(["route", true, false]);
  });

  test("a home that cannot even be opened says so at the door, and opens", async () => {
    s.wrong.set("open", { trouble: "held", scope: "route", since: 5, says: "" });
    await house.start();
    expect(house.phase.is).toBe("door");
    s.wrong.clear();
    await house.start();
    expect(house.phase.is).toBe("open");
  });

  test("deeds that were given back are told of until somebody has read it", async () => {
    await house.start();
    expect(house.gaveBack).toBe(0);
    s.title.gaveBack = 2;
    await house.renew();
    expect(house.gaveBack).toBe(2);
    house.noted();
    await house.renew();
    expect(house.gaveBack).toBe(0);
    s.title.gaveBack = 3;
    await house.renew();
    expect(house.gaveBack).toBe(1);
  });

  test("an answer to another question is an alarm, and the page goes on", async () => {
    await house.start();
    s.wrong.set("title", { trouble: "crossed", what: "home" });
    s.tell({ changed: "deeds" });
    await vi.advanceTimersByTimeAsync(0);
    expect([house.phase.is, house.crossed]).toEqual(["open", true]);
  });

  test("a server that is busy or away ends nothing", async () => {
    await house.start();
    s.wrong.set("title", { trouble: "busy", retryAfterMs: 5000 });
    s.tell({ changed: "deeds" });
    await vi.advanceTimersByTimeAsync(0);
    expect([house.phase.is, house.connection.up, house.connection.retryAt! >= 1_005_000]).toEqual(["open", false, true]);
    s.wrong.clear();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(house.connection.up).toBe(true);
  });
});

describe("hints", () => {
  test("are followed by asking for what changed", async () => {
    await house.start();
    s.calls.length = 0;
    for (const changed of ["events", "deeds", "settings", "asks", "conditions"] as const) s.tell({ changed });
    await vi.advanceTimersByTimeAsync(0);
    expect(s.calls.sort()).toEqual(["asks", "conditions", "events", "people", "people", "settings", "title"]);
  });

  test.each(["before", "after"])("are made up for while their socket is down, from %s the home is open", async (when) => {
    if (when === "before") s.tell({ changed: "link", up: false });
    await house.start();
    if (when === "after") s.tell({ changed: "link", up: false });
    await vi.advanceTimersByTimeAsync(0);
    s.calls.length = 0;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(s.calls).toContain("events");
    s.tell({ changed: "link", up: true });
    await vi.advanceTimersByTimeAsync(0);
    s.calls.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    // Whether an agent is connected is asked for all the same.
    expect([...new Set(s.calls)]).toEqual(["conditions", "usage"]);
  });
});

describe("agents", () => {
  const said = (agent: string, name: string): AgentCondition => {
    const clock = { quality: "synchronised", boots: [] } as const;
    const condition = { version: "", name, started: 0, clock: { ...clock, boots: [] }, cameras: [], spool: { objects: 0, bytes: 0, limit: 0, says: "" }, disk: { free: 0, says: "" }, footage: null };
    return { agent: agent as AgentID, connected: true, received: 0, state: "verified", condition };
  };

  test("go by their machines' names, told apart where two have the same", async () => {
    s.told = [said("agent", "attic"), said("second", "attic"), said("third", "shed"), said("fourth", "")];
    s.refused = 1;
    await house.start();
    expect(["agent", "third", "fourth", "fifth"].map((a) => house.agentName(a as AgentID))).toEqual(["attic (agen)", "shed", "Agent four", "Agent fift"]);
    expect(house.refusedConditions).toBe(1);
  });

  test("what was reported stays while the server does not answer", async () => {
    s.told = [said("agent", "attic")];
    await house.start();
    s.wrong.set("conditions", { trouble: "offline" });
    s.tell({ changed: "conditions" });
    await vi.advanceTimersByTimeAsync(0);
    expect(house.condition(agent)?.state).toBe("verified");
  });

  test("a camera that was just added is new for a while", async () => {
    await house.start();
    const camera = "c" as CameraID;
    house.added(camera, { ...s.title, cameras: [{ id: camera, agent }] }, s.settings);
    expect([house.title?.cameras.length, house.isNew(camera)]).toEqual([1, true]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(house.isNew(camera)).toBe(false);
  });
});

describe("asks", () => {
  test("wait for the person", async () => {
    s.waiting = [ask("garden")];
    await house.start();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(house.asks.map((a) => a.name)).toEqual(["garden"]);
    expect(s.calls.some((c) => c.startsWith("placeCamera"))).toBe(false);
    await house.place(house.asks[0]!);
    expect(house.asks).toEqual([]);
    expect(s.calls).toContain("placeCamera garden garden");
  });

  test("of the agent that came with the set-up link are granted for two minutes, one after the other", async () => {
    await house.start();
    s.waiting = [ask("garden"), ask("door"), ask("strange", "other agent")];
    await house.expect(agent);
    expect(house.welcomed).toEqual(["garden", "door"]);
    expect(house.asks.map((a) => a.name)).toEqual(["strange"]);
    await vi.advanceTimersByTimeAsync(119_000);
    s.waiting = [ask("garage")];
    s.tell({ changed: "asks" });
    await vi.advanceTimersByTimeAsync(0);
    expect(house.welcomed).toEqual(["garden", "door", "garage"]);
    await vi.advanceTimersByTimeAsync(2000);
    s.waiting = [ask("late")];
    s.tell({ changed: "asks" });
    await vi.advanceTimersByTimeAsync(0);
    expect(house.asks.map((a) => a.name)).toEqual(["late"]);
  });

  test("that could not be granted are still there", async () => {
    await house.start();
    s.waiting = [ask("garden")];
    s.wrong.set("placeCamera", { trouble: "refused", status: 409, reason: "conflict", message: "" });
    await house.expect(agent);
    expect([house.welcomed, house.asks.map((a) => a.name)]).toEqual([[], ["garden"]]);
  });
});

describe("making a home", () => {
  const begun = async (join: string) => {
    const founding = new Founding(house, "secret", join);
    void founding.begin("My home", "Europe/Berlin");
    await vi.advanceTimersByTimeAsync(0);
    return founding;
  };

  test("asks first, and goes on when told to", async () => {
    s.homesHere = [];
    const founding = await begun("");
    expect([founding.outcome.is, founding.steps]).toEqual(["asking", ["keys", "home"]]);
    await founding.found("Ours", "UTC");
    expect([founding.outcome.is, house.phase.is]).toEqual(["done", "open"]);
    expect(s.calls).toContain('found {"setup":"secret","home":"Ours","zone":"UTC"}');
  });

  test("with an agent in the link it goes through by itself", async () => {
    s.homesHere = [];
    s.waiting = [ask("garden"), ask("door")];
    const founding = await begun("S");
    await vi.advanceTimersByTimeAsync(3000);
    expect(founding.outcome.is).toBe("done");
    expect(founding.states).toEqual({ keys: "done", home: "done", agent: "done", cameras: "done" });
    expect(house.welcomed).toEqual(["garden", "door"]);
    expect(s.calls.filter((c) => /Join|place/.test(c))).toEqual(["openJoin S", "watchJoin slot", "placeAgent slot", "placeCamera garden garden", "placeCamera door door"]);
  });

  test("an agent without cameras holds nobody up for ever", async () => {
    s.homesHere = [];
    const founding = await begun("S");
    await vi.advanceTimersByTimeAsync(15_000);
    expect([founding.outcome.is, founding.slow]).toEqual(["working", false]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([founding.outcome.is, founding.slow, founding.founded]).toEqual(["working", true, true]);
  });

  test("a home that is here already is not passed over", async () => {
    const founding = await begun("S");
    expect(founding.outcome.is).toBe("already");
    expect(s.calls).toEqual(["homes"]);
    s.waiting = [ask("garden")];
    void founding.takeIn();
    await vi.advanceTimersByTimeAsync(3000);
    expect([founding.outcome.is, house.welcomed]).toEqual(["done", ["garden"]]);
    expect(s.calls.some((c) => c.startsWith("found"))).toBe(false);
  });

  test("a used link is called that, and any other trouble can be tried again", async () => {
    s.homesHere = [];
    s.wrong.set("found", { trouble: "refused", status: 404, reason: "not-found", message: "" });
    const founding = await begun("");
    await founding.found("Ours", "UTC");
    expect(founding.outcome.is).toBe("used");
    s.wrong.set("found", { trouble: "offline" });
    await founding.again();
    expect([founding.outcome.is, founding.states.keys]).toEqual(["failed", "failed"]);
    s.wrong.clear();
    await founding.again();
    expect(founding.outcome.is).toBe("done");
  });

  test("an agent whose answer does not verify is not placed", async () => {
    s.homesHere = [];
    s.answer = { state: "expired" };
    const founding = await begun("S");
    await vi.advanceTimersByTimeAsync(3000);
    expect([founding.outcome.is, founding.states.agent]).toEqual(["failed", "failed"]);
    expect(s.calls.some((c) => c.startsWith("placeAgent"))).toBe(false);
  });

  test("what the server says of a spent link", () => {
    const said = (reason: string): Trouble => ({ trouble: "refused", status: 403, reason, message: "" });
    expect(["expired", "not-found"].map((r) => isUsed(said(r)))).toEqual([true, true]);
    expect(["origin", "conflict", "internal", ""].map((r) => isUsed(said(r)))).toEqual([false, false, false, false]);
    expect(isUsed({ trouble: "offline" })).toBe(false);
  });
});

describe("adding an agent", () => {
  test("ends with its place in the home", async () => {
    await house.start();
    const joining = new Joining(house);
    await joining.run();
    expect(joining.stage).toEqual({ is: "done", agent });
    expect(s.calls.slice(8)).toEqual(["openJoin", "watchJoin slot", "placeAgent slot", "title"]);
  });

  test.each([
    ["expired", "expired"],
    ["stopped", "waiting"],
  ])("does not place an agent when waiting %s", async (state, stage) => {
    await house.start();
    s.answer = { state };
    const joining = new Joining(house);
    await joining.run();
    expect([joining.stage.is, s.calls.includes("placeAgent slot")]).toEqual([stage, false]);
  });

  test("goes on waiting when the server was away for a while", async () => {
    await house.start();
    s.wrong.set("watchJoin", { trouble: "offline" });
    const joining = new Joining(house);
    const run = joining.run();
    await vi.advanceTimersByTimeAsync(100);
    expect([joining.stage.is, house.connection.up]).toEqual(["waiting", false]);
    s.wrong.clear();
    await vi.advanceTimersByTimeAsync(20_000);
    await run;
    expect([joining.stage.is, house.connection.up]).toEqual(["done", true]);
  });

  test("says whether the link or the placing went wrong", async () => {
    await house.start();
    s.wrong.set("placeAgent", { trouble: "offline" });
    const joining = new Joining(house);
    await joining.run();
    expect(joining.stage).toMatchObject({ is: "failed", placing: true });
    s.wrong.set("openJoin", { trouble: "offline" });
    await joining.run();
    expect(joining.stage).toMatchObject({ is: "failed", placing: false });
  });
});

describe("keys of one's own that change", () => {
  const signedOut: Trouble = { trouble: "signed-out" };

  test("sign this browser out for a moment, which is no end", async () => {
    await house.start();
    const done = await house.rekey(async () => {
      s.wrong.set("conditions", signedOut);
      await house.loadConditions();
      s.wrong.delete("conditions");
      return { ok: true };
    });
    expect(done.ok).toBe(true);
    expect(house.phase.is).toBe("open");
  });

  test("end everything if the new ones are not taken", async () => {
    await house.start();
    await house.rekey(async () => ({ ok: false, ...signedOut }));
    expect(house.phase).toEqual({ is: "stopped", why: expect.objectContaining(signedOut) as Trouble });
  });

  test("having left is told as that, even if something else has failed for it before", async () => {
    await house.start();
    s.wrong.set("conditions", signedOut);
    await house.loadConditions();
    house.gone("left");
    expect(house.phase).toEqual({ is: "gone", why: "left" });
  });
});
