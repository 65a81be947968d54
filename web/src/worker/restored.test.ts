// A server that was restored from a backup has lost deeds, and is closed until somebody
// who knows has spoken.

import { beforeEach, describe, expect, it } from "vitest";

import { Title } from "../deed/title.ts";
import { good, TestHouse } from "./standin/house.ts";

let house: TestHouse;
let whole: Title;

/** The server is put back to its first deeds. */
async function restored(deeds: number): Promise<void> {
  const { server } = house;
  server.title = await Title.fold(whole.home, whole.deeds().slice(0, deeds));
  server.signedIn = false;
  server.arrived.length = 0;
}

const given = (): number[] => house.server.arrived.filter((a) => a.method === "POST" && a.path.endsWith("/deeds")).map((a) => (a.body["deeds"] as string[]).length);

beforeEach(async () => {
  house = await TestHouse.make();
  await house.camera();
  whole = house.server.title!;
});

describe("a server that has lost deeds", () => {
  it("is given them back by an open page, which says how many", async () => {
    await restored(3);
    const { title } = await good(house.desk.title());
    expect(title).toMatchObject({ head: `${whole.head.seq}:${whole.head.hash}`, gaveBack: 2 });
    expect(house.server.title!.deeds()).toEqual(whole.deeds());
    expect(given()).toEqual([2]);
    expect((await good(house.desk.title())).title.gaveBack).toBe(2);
  });

  it("is given them back by a page that is opened anew", async () => {
    await restored(4);
    const { title } = await good(house.newDesk().open());
    expect(title.gaveBack).toBe(1);
    expect(house.server.title!.head).toEqual(whole.head);
  });

  it("is given them back before anything new is signed", async () => {
    await restored(3);
    await house.camera();
    expect(house.server.title!.deeds().slice(0, whole.deeds().length)).toEqual(whole.deeds());
    expect(house.server.title!.cameras).toHaveLength(2);
  });

  it("may be given them back by somebody else at the same time", async () => {
    await restored(3);
    house.server.bend = (q, a) => (q.path.endsWith("/deeds") && a.status === 200 ? ((house.server.title = whole), a) : a);
    const { title } = await good(house.desk.title());
    expect(title).toMatchObject({ head: `${whole.head.seq}:${whole.head.hash}`, gaveBack: 0 });
    expect(given()).toEqual([2]);
  });

  it("is a fork if it takes them and has lost them again at once", async () => {
    await restored(3);
    const short = house.server.title;
    house.server.bend = (_, a) => ((house.server.title = short), a);
    expect(await house.desk.title()).toMatchObject({ ok: false, trouble: "fork", offered: expect.stringMatching(/^2:/) });
    expect(given()).toEqual([2]);
  });

  it("is waited for if it cannot be reached meanwhile", async () => {
    await restored(3);
    house.server.bend = (q, a) => (q.method === "POST" && q.path.endsWith("/deeds") ? null : a);
    expect(await house.desk.title()).toMatchObject({ ok: false, trouble: "offline" });
    house.server.bend = (_, a) => a;
    await good(house.desk.title());
    expect(house.server.title!.deeds()).toEqual(whole.deeds());
  });
});

describe("a server that has lost settings", () => {
  const saved = (name: string): Promise<unknown> => good(house.desk.saveSettings({ home: name }));

  it("is given the newest back by an owner's page", async () => {
    const first = house.server.document;
    await saved("Once");
    await saved("Twice");
    house.server.document = first;
    const { settings } = await good(house.newDesk().open());
    expect(settings.home).toBe("Twice");
    expect(house.server.document).not.toEqual(first);
    expect((await good(house.newDesk().open())).settings).toMatchObject({ home: "Twice", number: settings.number });
  });

  it("is given them back if it has none at all", async () => {
    await saved("Once");
    house.server.document = new Uint8Array(0);
    expect((await good(house.newDesk().open())).settings.home).toBe("Once");
    expect(house.server.document.length).toBeGreaterThan(0);
  });

  it("is believed if somebody has saved newer ones since", async () => {
    const first = house.server.document;
    await saved("Once");
    house.server.document = first;
    const other = house.newDesk();
    await good(other.open());
    await good(other.saveSettings({ home: "Other" }));
    expect((await good(house.newDesk().open())).settings.home).toBe("Other");
  });
});

describe("a home that is closed", () => {
  it("shows nothing, and opens when an owner confirms what this browser remembers", async () => {
    await restored(3);
    house.server.closed = true;
    const { desk, members } = house.newPage();
    expect(await desk.open()).toEqual({ ok: false, trouble: "closed", mayConfirm: true });
    expect(await desk.events()).toEqual({ ok: false, trouble: "closed", mayConfirm: true });
    expect(house.server.title!.head).toEqual(whole.head); // what was lost is back already
    await good(members.confirmRestored());
    expect(house.server.arrived.at(-1)!.body["head"]).toBe(`${whole.head.seq}:${whole.head.hash}`);
    await good(desk.open());
  });

  it("is not confirmed without being asked", async () => {
    await restored(3);
    house.server.closed = true;
    await house.newDesk().open();
    expect(house.server.arrived.some((a) => a.path.endsWith("/confirm"))).toBe(false);
  });

  it("cannot be confirmed by a browser that remembers nothing of it", async () => {
    await house.keep.mark(whole.home, { confirmed: null });
    house.server.closed = true;
    expect(await house.newDesk().open()).toMatchObject({ ok: false, trouble: "closed", mayConfirm: false });
  });

  it("says how long an owner's word must wait for the agents'", async () => {
    house.server.closed = true;
    house.server.bend = (q, a) => (q.path.endsWith("/confirm") ? { status: 503, body: { error: { reason: "closed", message: "later", retry_after_ms: 4000 } } } : a);
    const { desk, members } = house.newPage();
    await desk.open();
    expect(await members.confirmRestored()).toEqual({ ok: false, trouble: "busy", retryAfterMs: 4000 });
    expect(house.server.closed).toBe(false); // the stand-in took it; the page went by the answer
  });
});
