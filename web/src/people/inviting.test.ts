import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { House } from "../house.svelte.ts";
import type { Keeps } from "../keeper.ts";
import type { HomeID, InviteID, InviteView, Result, Trouble } from "../worker/protocol.ts";
import { Inviting } from "./inviting.svelte.ts";

const invite: InviteView = { invite: "i" as InviteID, link: "l", purpose: "join", name: "Nora", role: "resident", rights: null, expires: 1, expired: false };
const phrase = ["amber", "kettle", "north", "violin"];

class Scripted {
  readonly calls: string[] = [];
  readonly wrong = new Map<string, Trouble>();
  answer: object = { state: "answered", phrase };

  readonly keeper = new Proxy({} as Keeps, {
    get: (_, call: string) =>
      call === "changes"
        ? () => () => undefined
        : async (...args: unknown[]): Promise<Result<Record<string, unknown>>> => {
            this.calls.push([call, ...args].join(" "));
            const wrong = this.wrong.get(call);
            return wrong ? { ok: false, ...wrong } : { ok: true, homes: [], people: [], invites: [], title: { home: "h" as HomeID, me: { role: "owner" } }, ...(call === "watchInvite" && this.answer) };
          },
  });
}

let s: Scripted;
let house: House;
const inviting = (more: Partial<InviteView> = {}) => new Inviting(house, house.people, { ...invite, ...more });

beforeEach(() => {
  vi.useFakeTimers();
  s = new Scripted();
  house = new House(s.keeper);
});

afterEach(() => {
  house.close();
  vi.useRealTimers();
});

describe("an invitation", () => {
  test("shows the words of whoever answered, and lets them in with nothing of the past", async () => {
    const i = inviting();
    await i.watch();
    expect(i.stage).toEqual({ is: "compare", phrase });
    await i.admit();
    expect(i.stage).toEqual({ is: "done" });
    expect(s.calls).toEqual(["watchInvite i", "admit i false", "title"]);
  });

  test("gives the past only if somebody chose so, and never with the home", async () => {
    const i = inviting();
    i.past = true;
    await i.watch();
    await i.admit();
    const given = inviting({ purpose: "hand over" });
    given.past = true;
    await given.watch();
    await given.admit();
    expect(s.calls.filter((c) => c.startsWith("admit"))).toEqual(["admit i true", "admit i false"]);
    expect(house.phase).toEqual({ is: "gone", why: "handed over" });
  });

  test("whose words differ lets nobody in", async () => {
    const i = inviting();
    await i.watch();
    await i.differ();
    expect([i.stage.is, s.calls.at(-1)]).toEqual(["differed", "withdraw i"]);
    await i.admit();
    expect(s.calls.some((c) => c.startsWith("admit"))).toBe(false);
  });

  test("that could not be signed is tried again with the same words", async () => {
    const i = inviting();
    await i.watch();
    s.wrong.set("admit", { trouble: "refused", status: 409, reason: "conflict", message: "Again, please." });
    await i.admit();
    expect([i.stage, i.trouble]).toEqual([{ is: "failed", phrase }, "The server refused: Again, please."]);
    s.wrong.clear();
    await i.admit();
    expect(i.stage.is).toBe("done");
  });

  test("waits as long as the server does not answer, and stops when the page is left", async () => {
    s.wrong.set("watchInvite", { trouble: "offline" });
    const i = inviting();
    const watching = i.watch();
    await vi.advanceTimersByTimeAsync(2000);
    expect(i.stage.is).toBe("waiting");
    i.close();
    await vi.advanceTimersByTimeAsync(60_000);
    await watching;
    expect([i.stage.is, s.calls.includes("stopInvite i")]).toEqual(["waiting", true]);
  });

  test("that has ended says so and asks nobody", async () => {
    const i = inviting({ expired: true });
    await i.watch();
    expect([i.stage.is, s.calls]).toEqual(["expired", []]);
    s.answer = { state: "expired" };
    const later = inviting();
    await later.watch();
    expect(later.stage.is).toBe("expired");
  });
});
