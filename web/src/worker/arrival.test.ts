// A home in a browser that is none of its devices yet.

import { beforeEach, describe, expect, it } from "vitest";
import { headText } from "../deed/head.ts";
import { Title } from "../deed/title.ts";
import type { HomeID } from "../seal/name.ts";
import { Browser, passkey } from "./standin/browser.ts";
import { good, TestHouse } from "./standin/house.ts";
import { headWords } from "./spell.ts";
import type { StandIn } from "./standin/server.ts";

const key = passkey();

let house: TestHouse;
let server: StandIn;
let home: HomeID;
let there: Browser;

/** A home with an agent whose owner has an account, and another browser of hers, signed in. */
beforeEach(async () => {
  house = await TestHouse.make();
  server = house.server;
  home = server.title!.home;
  server.setup = "once more";
  const { account } = house.page;
  await good(account.beginSignUp({ setup: server.setup }, "ada@example.org"));
  const code = await good(account.prepareSignUp({ passkey: key }));
  await good(account.finishSignUp("", [code.groups[code.ask[0]]!, code.groups[code.ask[1]]!]));
  there = new Browser(server);
  await good(there.account.signInPasskey(key));
});

const agentConfirms = (): void => house.obeys(async (c) => [await house.agent.reply(server.title!, c, 1, { head: headText(server.title!.head) })]);
const deeds = (): number => server.title!.deeds().length;

describe("a browser without memory of a home", () => {
  it("becomes a device once an agent has confirmed the head", async () => {
    agentConfirms();
    const before = server.title!.head;
    const { title, settings } = await good(there.desk.open());
    expect(title).toMatchObject({ home, me: { role: "owner" } });
    expect(settings.home).toBe("Our house");
    expect(server.title!.people[0]!.devices).toHaveLength(2);
    expect(server.title!.head.seq).toBe(before.seq + 1);
    expect((await good(there.members.trust())).trust).toMatchObject({ confirmed: "agent", head: title.head });
    there.reload();
    await good(there.desk.open());
    expect(server.title!.people[0]!.devices).toHaveLength(2);
    await good(there.desk.saveSettings({ home: "Named here" }));
  });

  it("signs nothing as long as no agent answers: a person compares words first", async () => {
    const before = deeds();
    const words = headWords(server.title!.head);
    expect(await there.desk.open()).toEqual({ ok: false, trouble: "unconfirmed", words });
    expect(await there.members.confirmHead("agent")).toEqual({ ok: false, trouble: "unconfirmed", words });
    expect(server.arrived.some((a) => a.method !== "GET" && (a.path.endsWith("/deeds") || a.path.endsWith("/settings")) && a.body["onto"] === headText(server.title!.head))).toBe(false);
    expect(deeds()).toBe(before);
    expect(there.keep.kept.get(home)?.secrets ?? null).toBeNull();
    await good(there.members.confirmHead("compared"));
    expect(deeds()).toBe(before + 1);
    expect((await good(there.members.trust())).trust.confirmed).toBe("compared");
  });

  it("has no key that signs before, whatever it is asked for", async () => {
    await there.desk.open();
    for (const call of [there.desk.saveSettings({ home: "x" }), there.members.freeze(), there.members.people()]) expect(await call).toMatchObject({ ok: false, trouble: "no-home" });
    expect(deeds()).toBe(server.title!.head.seq + 1);
  });

  it("is caught by a fork with a chain that ends before what the vault has seen", async () => {
    await house.camera();
    await good(house.desk.open()); // which says so in the vault
    await expect.poll(async () => (await good(new Browser(server).account.signInPasskey(key))).homes.length).toBe(1);
    const whole = server.title!;
    agentConfirms();
    server.title = await Title.fold(home, whole.deeds().slice(0, -1));
    const fresh = new Browser(server);
    await good(fresh.account.signInPasskey(key));
    expect(await fresh.desk.open()).toMatchObject({ ok: false, trouble: "fork", seen: headText(whole.head) });
    // The control: with all of it the same browser gets in.
    server.title = whole;
    await good(fresh.desk.open());
  });

  it("is caught by a fork with a chain that is rolled back further than the agent knows", async () => {
    const old = server.title!;
    await house.camera(); // the vault has not heard of it: nobody opened the home since
    const whole = server.title!;
    house.obeys(async (c) => [await house.agent.reply(whole, c, 1, { head: headText(whole.head) })]);
    server.title = old;
    expect(await there.desk.open()).toMatchObject({ ok: false });
    expect(server.title.deeds()).toHaveLength(old.deeds().length);
  });

  it("is not let in by another agent's answer", async () => {
    const stranger = await TestHouse.make();
    house.obeys(async (c) => [await stranger.agent.reply(server.title!, c, 1, { head: headText(server.title!.head) })]);
    expect(await there.desk.open()).toMatchObject({ ok: false, trouble: "unconfirmed" });
  });

  it("takes up again what a crash left behind", async () => {
    agentConfirms();
    server.bend = (q, a) => (q.method === "POST" && q.path.endsWith("/deeds") ? null : a); // appended, and the answer is lost
    expect(await there.desk.open()).toMatchObject({ ok: false, trouble: "offline" });
    server.bend = (_, a) => a;
    there.reload();
    await good(there.desk.open());
    expect(server.title!.people[0]!.devices).toHaveLength(2);
  });

  it("finds the home in no vault but its person's", async () => {
    const eve = new Browser(server);
    await eve.signUp("eve@example.org", { passkey: passkey() });
    expect((await good(eve.desk.homes())).homes).toEqual([]);
    expect(await eve.desk.open(home)).toMatchObject({ ok: false, trouble: "no-home" });
  });
});

describe("a device that was struck", () => {
  it("loses keys and vault, and comes back as another after signing in again", async () => {
    agentConfirms();
    await good(there.desk.open());
    const device = there.keep.kept.get(home)!.secrets!.device;
    await good(house.desk.open());
    await good(house.page.members.strike(device));
    there.reload();
    expect(await there.desk.open()).toMatchObject({ ok: false, trouble: "signed-out" });
    expect(there.keep.kept.get(home)!.secrets).toBeNull();
    expect((await good(there.account.standing())).standing).toMatchObject({ state: "locked" });
    expect(await there.desk.open()).toMatchObject({ ok: false, trouble: "no-home" });
    await good(there.account.signInPasskey(key));
    await good(there.desk.open());
    expect(there.keep.kept.get(home)!.secrets!.device).not.toBe(device);
    expect((await good(there.members.trust())).trust.confirmed).toBe("agent"); // it remembers how
  });

  it("keeps its keys if the server only says that it was struck", async () => {
    server.takesSignIn = false;
    there = new Browser(server);
    house.desk = house.newDesk();
    expect(await house.desk.open()).toMatchObject({ ok: false, trouble: "signed-out" });
    expect(house.keep.kept.get(home)!.secrets).not.toBeNull();
  });
});

describe("what a browser remembers", () => {
  it("is said in the vault when a home is opened: its head and its name", async () => {
    await house.camera();
    await good(house.desk.saveSettings({ home: "The mill" }));
    await good(house.desk.open());
    const fresh = new Browser(server);
    await expect.poll(async () => (await good(fresh.account.signInPasskey(key))).homes).toEqual([{ home, name: "The mill", here: false }]);
  });
});
