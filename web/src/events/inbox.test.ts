import { describe, expect, test } from "vitest";

import type { EventID, EventRow, EventsPage, Result } from "../worker/protocol.ts";
import { Inbox } from "./inbox.svelte.ts";

const row = (n: number): EventRow => ({ key: `e${n}`, event: `e${n}` as EventID, camera: null, time: n, objects: [] });

/** A server with events 1 to n, ten to a page. */
class Shelf {
  calls = 0;
  offline = false;
  constructor(public newest: number) {}

  fetch = async (before?: string): Promise<Result<EventsPage>> => {
    this.calls++;
    if (this.offline) return { ok: false, trouble: "offline" };
    const from = before === undefined ? this.newest : Number(before);
    const events = Array.from({ length: Math.min(10, from) }, (_, i) => row(from - i));
    return { ok: true, events, next: from > 10 ? String(from - 10) : "" };
  };
}

const numbers = (inbox: Inbox) => inbox.shown.map((r) => Number(r.key.slice(1)));
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);

describe("the newest events", () => {
  test("come in at the top while nothing is moved under a finger", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch);
    expect(inbox.state).toBe("first");
    await inbox.refresh();
    expect([inbox.state, inbox.more, numbers(inbox)]).toEqual(["ready", true, down(25, 16)]);
    shelf.newest = 27;
    await inbox.refresh();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, down(27, 16)]);
  });

  test("wait while they would, and are counted", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch);
    inbox.mayMove = () => false;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual(down(25, 16)); // the first page moves nothing
    shelf.newest = 28;
    await inbox.refresh();
    expect([inbox.fresh, numbers(inbox)]).toEqual([3, down(25, 16)]);
    inbox.settle();
    expect(inbox.fresh).toBe(3);
    inbox.mayMove = () => true;
    inbox.settle();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, down(28, 16)]);
  });

  test("are shown at once when asked for", async () => {
    const shelf = new Shelf(5);
    const inbox = new Inbox(shelf.fetch);
    await inbox.refresh();
    inbox.mayMove = () => false;
    shelf.newest = 7;
    await inbox.refresh();
    inbox.release();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, down(7, 1)]);
  });

  test("fill the gap after a long sleep", async () => {
    const shelf = new Shelf(20);
    const inbox = new Inbox(shelf.fetch);
    await inbox.refresh();
    shelf.newest = 50;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual(down(50, 11));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(50, 1));
  });

  test("replace the list after a very long one, and the rest is still below", async () => {
    const shelf = new Shelf(20);
    const inbox = new Inbox(shelf.fetch);
    await inbox.refresh();
    shelf.newest = 500;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual(down(500, 451));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(500, 441));
  });

  test("are asked for once more, however many hints come meanwhile", async () => {
    const shelf = new Shelf(5);
    const inbox = new Inbox(shelf.fetch);
    await Promise.all([inbox.refresh(), inbox.refresh(), inbox.refresh(), inbox.refresh()]);
    expect(shelf.calls).toBe(2);
  });
});

describe("older events", () => {
  test("go on to the end", async () => {
    const inbox = new Inbox(new Shelf(25).fetch);
    await inbox.refresh();
    while (inbox.more) await inbox.older();
    expect(numbers(inbox)).toEqual(down(25, 1));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(25, 1));
  });

  test("are kept when a newest page comes in between", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch);
    await inbox.refresh();
    await inbox.older();
    shelf.newest = 26;
    await inbox.refresh();
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(26, 1));
  });

  test("that cannot be had are asked for again", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch);
    await inbox.refresh();
    shelf.offline = true;
    await inbox.older();
    expect([inbox.below, numbers(inbox)]).toEqual(["failed", down(25, 16)]);
    shelf.offline = false;
    await inbox.older();
    expect([inbox.below, numbers(inbox)]).toEqual(["idle", down(25, 6)]);
  });
});

test("a server that does not answer takes nothing away", async () => {
  const shelf = new Shelf(5);
  const inbox = new Inbox(shelf.fetch);
  shelf.offline = true;
  await inbox.refresh();
  expect(inbox.state).toBe("failed");
  shelf.offline = false;
  await inbox.refresh();
  expect(inbox.state).toBe("ready");
  shelf.offline = true;
  await inbox.refresh();
  expect([inbox.state, numbers(inbox)]).toEqual(["ready", down(5, 1)]);
});
