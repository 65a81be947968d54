import { SvelteSet } from "svelte/reactivity";
import { describe, expect, test } from "vitest";

import type { CameraID, EventID, EventRow, EventsPage, Result } from "../worker/protocol.ts";
import type { Sighting } from "../sightings.ts";
import { type Choice, Inbox, type Tells } from "./inbox.svelte.ts";

const [door, yard] = ["door", "yard"] as [CameraID, CameraID];
const row = (n: number): EventRow => ({ key: `e${n}`, event: `e${n}` as EventID, camera: n % 4 === 0 ? yard : door, time: n, reviewed: n <= 3, objects: [] });

/** A server with events 1 to n, ten to a page. */
class Shelf {
  calls = 0;
  offline = false;
  porch = false;
  marked: unknown[] = [];
  constructor(public newest: number) {}

  mark = async (events: EventID[], through?: EventID): Promise<Result<object>> => {
    if (this.offline) return { ok: false, trouble: "offline" };
    this.marked.push({ events, through });
    return { ok: true };
  };

  fetch = async (before?: string, { camera, from: since = 1, until = Infinity }: Choice = {}): Promise<Result<EventsPage>> => {
    this.calls++;
    if (this.offline) return { ok: false, trouble: "offline" };
    const from = Math.min(until - 1, before === undefined ? this.newest : Number(before));
    const events = down(from, since).map(row).filter((r) => camera === undefined || r.camera === camera);
    return { ok: true, events: [...events.slice(0, 10), ...this.stray], next: events.length > 10 ? events[10]!.key.slice(1) : "", porch: this.porch };
  };

  /** What it lists besides, wherever it is asked for. */
  stray: EventRow[] = [];
}

const numbers = (inbox: Inbox) => inbox.shown.map((r) => Number(r.key.slice(1)));
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);

describe("the newest events", () => {
  test("come in at the top while nothing is moved under a finger", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    expect(inbox.state).toBe("first");
    await inbox.refresh();
    expect([inbox.state, inbox.more, numbers(inbox)]).toEqual(["ready", true, down(25, 16)]);
    shelf.newest = 27;
    await inbox.refresh();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, down(27, 16)]);
  });

  test("wait while they would, and are counted", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
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
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    inbox.mayMove = () => false;
    shelf.newest = 7;
    await inbox.refresh();
    inbox.release();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, down(7, 1)]);
  });

  test("are what an agent has at home, and go on at the server when it is back", async () => {
    const [server, agent] = [new Shelf(25), new Shelf(27)];
    agent.porch = true;
    let there: Shelf = server;
    const inbox = new Inbox((before, choice) => there.fetch(before, { from: there === agent ? 25 : 1, ...choice }), server.mark);
    await inbox.refresh();
    expect([inbox.porch, inbox.more]).toEqual([false, true]);
    there = agent;
    await inbox.refresh();
    expect([inbox.porch, inbox.more, numbers(inbox)]).toEqual([true, false, [27, 26, 25]]);
    there = server;
    server.newest = 27;
    await inbox.refresh();
    expect([inbox.porch, inbox.more, numbers(inbox)]).toEqual([false, true, down(27, 18)]);
    there = agent;
    await inbox.older();
    expect([inbox.porch, inbox.more, numbers(inbox)]).toEqual([true, false, down(27, 18)]);
    there = server;
    await inbox.refresh();
    await inbox.older();
    expect([inbox.porch, numbers(inbox)]).toEqual([false, down(27, 8)]);
  });

  test("fill the gap after a long sleep", async () => {
    const shelf = new Shelf(20);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    shelf.newest = 50;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual(down(50, 11));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(50, 1));
  });

  test("replace the list after a very long one, and the rest is still below", async () => {
    const shelf = new Shelf(20);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    shelf.newest = 500;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual(down(500, 451));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(500, 441));
  });

  test("are asked for once more, however many hints come meanwhile", async () => {
    const shelf = new Shelf(5);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await Promise.all([inbox.refresh(), inbox.refresh(), inbox.refresh(), inbox.refresh()]);
    expect(shelf.calls).toBe(2);
  });
});

describe("older events", () => {
  test("go on to the end", async () => {
    const inbox = new Inbox(new Shelf(25).fetch, async () => ({ ok: true }));
    await inbox.refresh();
    while (inbox.more) await inbox.older();
    expect(numbers(inbox)).toEqual(down(25, 1));
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(25, 1));
  });

  test("are kept when a newest page comes in between", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    await inbox.older();
    shelf.newest = 26;
    await inbox.refresh();
    await inbox.older();
    expect(numbers(inbox)).toEqual(down(26, 1));
  });

  test("that cannot be had are asked for again", async () => {
    const shelf = new Shelf(25);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
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
  const inbox = new Inbox(shelf.fetch, shelf.mark);
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

describe("what was looked at", () => {
  async function opened(n: number) {
    const shelf = new Shelf(n);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    return { shelf, inbox };
  }

  test("is counted down, one by one and all at once", async () => {
    const { shelf, inbox } = await opened(8);
    expect(inbox.unreviewed).toBe(5);
    await inbox.review(["e8", "e2", "e5"]);
    expect(inbox.unreviewed).toBe(3);
    expect(shelf.marked).toEqual([{ events: ["e8", "e5"], through: undefined }]);
    await inbox.review(["e8"]);
    expect(shelf.marked.length).toBe(1);
    await inbox.reviewAll();
    expect(inbox.unreviewed).toBe(0);
    expect(shelf.marked[1]).toEqual({ events: [], through: "e8" });
  });

  test("does not count as such if the server was not told", async () => {
    const { shelf, inbox } = await opened(8);
    shelf.offline = true;
    await inbox.review(["e8"]);
    expect(inbox.unreviewed).toBe(5);
  });

  test("is told to the server in as many pieces as it takes", async () => {
    const { shelf, inbox } = await opened(8);
    shelf.stray = down(1501, 901).map(row);
    await inbox.refresh();
    await inbox.review(shelf.stray.map((r) => r.key));
    expect(shelf.marked.map((m) => (m as { events: EventID[] }).events.length)).toEqual([500, 101]);
    expect(inbox.unreviewed).toBe(5);
  });

  test("stays where it is while only the rest is shown, and all that waits above is not marked with the rest", async () => {
    const { shelf, inbox } = await opened(8);
    inbox.only = true;
    expect(numbers(inbox)).toEqual(down(8, 4));
    await inbox.review(["e6"]);
    expect(numbers(inbox)).toEqual(down(8, 4));
    inbox.only = true;
    expect(numbers(inbox)).toEqual([8, 7, 5, 4]);
    inbox.mayMove = () => false;
    shelf.newest = 9;
    await inbox.refresh();
    await inbox.reviewAll();
    expect(shelf.marked.at(-1)).toEqual({ events: [], through: "e8" });
    expect(inbox.unreviewed).toBe(1);
  });

  test("can be selected, until it is not there any more", async () => {
    const { shelf, inbox } = await opened(8);
    inbox.select("e8");
    inbox.select("e7");
    inbox.select("e7");
    expect([...inbox.selected]).toEqual(["e8"]);
    shelf.newest = 7;
    await inbox.refresh();
    expect(inbox.selected.size).toBe(0);
  });
});

describe("what is chosen", () => {
  const at = (to: number, from = 1): number[] => down(to, from).filter((n) => n % 4 === 0);

  test("is asked for, and goes on to its end, while all is still there", async () => {
    const shelf = new Shelf(100);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    const chosen = inbox.choose({ camera: yard });
    expect([inbox.state, numbers(inbox), inbox.more]).toEqual(["ready", [100, 96, 92], true]); // what is here of it
    await chosen;
    expect(numbers(inbox)).toEqual(at(100, 64));
    while (inbox.more) await inbox.older();
    expect(numbers(inbox)).toEqual(at(100));
    expect(inbox.all).toHaveLength(10);
    expect(inbox.unreviewed).toBe(25);
    await inbox.choose({});
    expect(numbers(inbox)).toEqual(down(100, 91));
  });

  test("is of a time, too", async () => {
    const inbox = new Inbox(new Shelf(100).fetch, async () => ({ ok: true }));
    await inbox.refresh();
    const chosen = inbox.choose({ from: 20, until: 33 });
    expect([inbox.state, numbers(inbox)]).toEqual(["first", []]);
    await chosen;
    while (inbox.more) await inbox.older();
    expect(numbers(inbox)).toEqual(down(32, 20));
    await inbox.choose({ camera: yard, from: 20, until: 33 });
    expect(numbers(inbox)).toEqual([32, 28, 24, 20]);
    expect(inbox.find("e21")).toBeUndefined();
    expect(inbox.find("e100")?.key).toBe("e100");
  });

  test("takes in what is new of it, and nothing under a finger", async () => {
    const shelf = new Shelf(30);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    await inbox.choose({ camera: yard });
    inbox.mayMove = () => false;
    shelf.newest = 35;
    await inbox.refresh();
    expect([inbox.fresh, numbers(inbox)]).toEqual([1, at(28)]);
    inbox.release();
    expect([inbox.fresh, numbers(inbox)]).toEqual([0, at(32)]);
    expect(inbox.all[0]?.key).toBe("e35");
  });

  test("has no row of another camera, whatever the server lists", async () => {
    const shelf = new Shelf(30);
    shelf.stray = [{ ...row(7), key: "stray" }, { ...row(7), key: "unverified", camera: null }];
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.choose({ camera: yard });
    expect(numbers(inbox)).toEqual(at(28));
  });

  test("is marked alone, and so everywhere", async () => {
    const shelf = new Shelf(12);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    await inbox.refresh();
    await inbox.choose({ camera: yard });
    await inbox.reviewAll();
    expect(shelf.marked).toEqual([{ events: ["e12", "e8", "e4"], through: undefined }]);
    await inbox.choose({});
    expect(inbox.shown.filter((r) => inbox.isReviewed(r)).map((r) => r.key)).toEqual(["e12", "e8", "e4", "e3"]);
  });

  test("that cannot be had says so, and is asked for again", async () => {
    const shelf = new Shelf(12);
    const inbox = new Inbox(shelf.fetch, shelf.mark);
    shelf.offline = true;
    await inbox.choose({ camera: yard });
    expect([inbox.state, inbox.more]).toEqual(["failed", false]);
    shelf.offline = false;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual([12, 8, 4]);
  });
});

describe("what goes on from another event", () => {
  const incidents = (inbox: Inbox) => inbox.incidents.map(({ row, more }) => [row, ...more].map((r) => r.key.slice(1)).join("+"));

  async function opened(): Promise<{ shelf: Shelf; inbox: Inbox }> {
    const shelf = new Shelf(9);
    const inbox = new Inbox(shelf.fetch, shelf.mark, { continues: (r) => (r.key === "e7" ? ("e5" as EventID) : null), saw: () => null, openRow: async () => undefined });
    await inbox.refresh();
    return { shelf, inbox };
  }

  test("is one with it once that is known and nothing moves under a finger by it", async () => {
    const { inbox } = await opened();
    inbox.mayMove = () => false;
    inbox.settle();
    expect(incidents(inbox)).toContain("7");
    inbox.mayMove = () => true;
    inbox.settle();
    expect(incidents(inbox)).toEqual(["9", "8", "6", "5+7", "4", "3", "2", "1"]);
    expect(inbox.partsOf("e7").map((r) => r.key)).toEqual(["e5", "e7"]);
    expect(inbox.partsOf("e9").map((r) => r.key)).toEqual(["e9"]);
  });

  test("counts as one, and is marked as one or alone", async () => {
    const { shelf, inbox } = await opened();
    inbox.settle();
    expect(inbox.unreviewed).toBe(5);
    await inbox.review(["e5"]);
    expect([inbox.unreviewed, shelf.marked.at(-1)]).toEqual([5, { events: ["e5"], through: undefined }]);
    inbox.only = true;
    expect(incidents(inbox)).toEqual(["9", "8", "7", "6", "4"]);
    await inbox.reviewIncidents(["e5"]);
    expect([inbox.unreviewed, shelf.marked.at(-1)]).toEqual([4, { events: ["e7"], through: undefined }]);
  });
});

describe("what is sought", () => {
  const seen = new Map<string, readonly Sighting[]>([["e2", ["person"]], ["e27", ["visitor", "person"]], ["e28", ["animal"]], ["e30", []]]);

  /** Descriptions that have to be opened before anything is known of them; of every fifth event there is none. */
  class Told implements Tells {
    readonly open = new SvelteSet<string>();
    offline = false;
    continues = (r: EventRow) => (r.key === "e27" ? ("e26" as EventID) : null);
    saw = (r: EventRow) => (this.open.has(r.key) ? (seen.get(r.key) ?? []) : null);
    openRow = async (r: EventRow) => {
      await Promise.resolve();
      if (!this.offline && r.time! % 5 !== 0) this.open.add(r.key);
    };
  }

  async function opened(newest: number): Promise<{ shelf: Shelf; told: Told; inbox: Inbox }> {
    const [shelf, told] = [new Shelf(newest), new Told()];
    const inbox = new Inbox(shelf.fetch, shelf.mark, told);
    await inbox.refresh();
    return { shelf, told, inbox };
  }

  test("is in descriptions, which are opened for it and for nothing else", async () => {
    const { told, inbox } = await opened(30);
    expect([told.open.size, inbox.seen]).toEqual([0, []]);
    const sought = inbox.seek("person");
    expect([inbox.below, numbers(inbox)]).toEqual(["loading", []]);
    await sought;
    expect([inbox.below, inbox.sought, numbers(inbox), inbox.unreviewed]).toEqual(["idle", "person", [27], 1]);
    expect(inbox.seen).toEqual(["visitor", "person", "animal"]);
    await inbox.older();
    await inbox.older();
    expect([numbers(inbox), inbox.more]).toEqual([[27, 2], false]);
    await inbox.seek(null);
    expect(numbers(inbox)).toEqual(down(30, 1));
  });

  test("is found of one camera, and of a new event", async () => {
    const { shelf, inbox } = await opened(26);
    await inbox.seek("animal");
    await inbox.choose({ camera: yard });
    expect(numbers(inbox)).toEqual([]);
    shelf.newest = 28;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual([28]);
    await inbox.choose({ camera: door });
    expect(numbers(inbox)).toEqual([]);
  });

  test("is in an incident if it is in a part of it", async () => {
    const { inbox } = await opened(28);
    inbox.settle();
    await inbox.seek("visitor");
    expect(inbox.incidents.map(({ row, more }) => [row, ...more].map((r) => r.key))).toEqual([["e26", "e27"]]);
    await inbox.seek("motion");
    expect(numbers(inbox)).not.toContain(26);
  });

  test("is motion only if the camera is known to have said nothing", async () => {
    const { inbox } = await opened(30);
    await inbox.seek("motion");
    expect(numbers(inbox)).toEqual([29, 26, 24, 23, 22, 21]);
  });

  test("is marked alone, also all at once", async () => {
    const { shelf, inbox } = await opened(30);
    await inbox.seek("person");
    await inbox.reviewAll();
    expect(shelf.marked).toEqual([{ events: ["e27"], through: undefined }]);
  });

  test("is given up after a while, until somebody wants to look further", async () => {
    const { shelf, inbox } = await opened(100);
    await inbox.seek("package");
    const before = shelf.calls;
    while (inbox.more && !inbox.paused) await inbox.older();
    expect([shelf.calls - before, inbox.reached, numbers(inbox)]).toEqual([5, 41, []]);
    await inbox.further();
    expect([inbox.paused, inbox.reached]).toEqual([false, 31]);
    const chosen = inbox.choose({ camera: yard });
    for (let i = 0; i < 9; i++) void inbox.older(); // of a list that has not come yet
    await chosen;
    expect([inbox.paused, inbox.reached]).toEqual([false, 64]);
    await inbox.choose({});
    await inbox.seek("person");
    await inbox.older();
    expect([inbox.paused, numbers(inbox)]).toEqual([false, [27]]);
  });

  test("that could not be opened is opened when the server is back", async () => {
    const { told, inbox } = await opened(30);
    told.offline = true;
    await inbox.seek("person");
    expect([inbox.below, numbers(inbox)]).toEqual(["idle", []]);
    told.offline = false;
    await inbox.refresh();
    expect(numbers(inbox)).toEqual([27]);
  });
});
