// One stream, watched over lines that break, fall silent, or bring what is not theirs.

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Failed } from "../api.ts";
import { homesFile } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";
import { Porter } from "../../vectors/knocks.ts";
import { Writing } from "../../vectors/live.ts";
import { moment } from "../../vectors/pieces.ts";
import { signDeed } from "../deed/deed.ts";
import { publicKey, sha256 } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import type { Bytes } from "../wire.ts";
import { ascii } from "../wire.ts";
import type { Piece, Trouble } from "./protocol.ts";
import type { Refusal } from "./report.ts";
import { Watch } from "./watch.ts";

const home = (await readHomes(homesFile()))["A"]!;
const [camera, other] = home.cameras as [(typeof home.cameras)[0], (typeof home.cameras)[0]];

/** A websocket that a test opens, fills and breaks. */
class Line {
  static all: Line[] = [];
  readonly OPEN = 1;
  readyState = 0;
  binaryType = "";
  readonly sent: Bytes[] = [];
  closed = false;
  onopen = (): void => undefined;
  onclose = (): void => undefined;
  onmessage = (_: { data: unknown }): void => undefined;

  constructor(readonly url: string) {
    Line.all.push(this);
  }

  open(): this {
    this.readyState = 1;
    this.onopen();
    return this;
  }

  send(b: Bytes): void {
    this.sent.push(b);
  }

  brings(b: Bytes): void {
    this.onmessage({ data: b.slice().buffer });
  }

  says(word: string, change: object = {}): void {
    this.onmessage({ data: JSON.stringify({ v: 1, home: home.home, camera: camera.id, stream: "main", word, ...change }) });
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  breaks(): void {
    this.close();
    this.onclose();
  }
}

/** Everything around a watch. */
class Around {
  title = home.title;
  readonly pieces: Piece[] = [];
  readonly reports: Refusal[] = [];
  refreshes = 0;
  fails: Trouble | null = null;
  /** How long a request takes. */
  takes: Promise<void> = Promise.resolve();
  /** Why there is no line. */
  lineless: Trouble | null = null;
  readonly #watch: Watch;

  constructor(title = home.title) {
    this.title = title;
    const around = this;
    this.#watch = new Watch({
      home: {
        id: home.home,
        get title() {
          return around.title;
        },
        person: home.person,
        asks: home.device,
        session: {
          socket: async (rest) => {
            if (this.lineless !== null) throw new Failed(this.lineless);
            return new Line(`ws://here${rest}?request=of-line-${Line.all.length}&mac=x`) as unknown as WebSocket;
          },
        },
      },
      reporter: { tell: async (r) => (this.reports.push(r), "confirmed") },
      refresh: async () => {
        this.refreshes++;
        await this.takes;
        if (this.fails !== null) throw new Failed(this.fails);
        this.title = home.title;
      },
      camera: camera.id,
      stream: "main",
      give: (piece) => this.pieces.push(piece),
    });
  }

  close(): void {
    this.#watch.close();
  }

  /** What was handed on, in short. */
  get said(): string[] {
    return this.pieces.map((p) => {
      if (p.is === "media") return new TextDecoder().decode(p.media);
      if (p.is === "waits") return `waits ${p.why}`;
      return p.is === "gap" ? `gap ${p.missing}` : p.is === "ended" ? `ended ${p.why.trouble}` : p.is;
    });
  }
}

const really = globalThis.setTimeout;

/** Lets what waits for no clock go on for a moment of real time. */
function settle(): Promise<void> {
  return new Promise((resolve) => really(resolve, 3));
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    vi.advanceTimersByTime(Math.min(left, 250));
    await settle();
  }
}

async function until(what: string, is: () => boolean): Promise<void> {
  for (let i = 0; i < 4000; i++) {
    if (is()) return;
    await settle();
  }
  throw new Error(`${what}: it did not come`);
}

const newest = (): Line => Line.all.at(-1)!;

async function opened(): Promise<Line> {
  const n = Line.all.length;
  await until("a line", () => Line.all.length > 0 && newest().readyState === 0);
  const line = newest().open();
  await until("a knock", () => line.sent.length === 1);
  expect(Line.all.length).toBeGreaterThanOrEqual(n);
  return line;
}

async function granted(w: Writing, line: Line, title = home.title): Promise<Bytes> {
  const { id, kem } = home.agents[0]!;
  const knock = line.sent.at(-1)!;
  const brought = await new Porter(id, kem).open(knock, home.title, 0);
  return w.grant({ title, knock: await sha256(knock), to: { recipient: "asker", key: await publicKey("X-Wing", brought) } });
}

const fragment = (w: Writing, sequence: number, flags = 0): Promise<Bytes> => w.fragment({ sequence, flags, media: ascii(`${sequence}`), time: moment + 100_000 + sequence * 40_000 });

let around: Around;

/** A stream of which the first picture has come. */
async function playing(): Promise<{ line: Line; w: Writing }> {
  around = new Around();
  const line = await opened();
  const w = await Writing.begin("A", home, 0);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  await until("one", () => around.said.includes("1"));
  return { line, w };
}

beforeEach(() => {
  Line.all = [];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
});

afterEach(async () => {
  around.close();
  await settle(); // a line that was being made is closed
  vi.useRealTimers();
});

it("knocks, and hands on what it is granted, with when the camera saw it", async () => {
  around = new Around();
  const line = await opened();
  expect(line.url).toContain(`/live/${camera.id}/main?request=`);
  expect(line.binaryType).toBe("arraybuffer");
  const w = await Writing.begin("A", home, 0);
  const knocked = Date.now();
  vi.advanceTimersByTime(300);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  line.brings(await fragment(w, 2));
  line.brings(await fragment(w, 4));
  line.brings(await fragment(w, 5, 1));
  await until("five", () => around.said.includes("5"));
  // The fourth came, but what follows a gap begins with a key frame.
  expect(around.said).toEqual(["waits line", "init", "1", "2", "gap 1", "5"]);
  const first = around.pieces.find((p) => p.is === "media")!;
  expect(first).toMatchObject({ key: true, time: moment + 140_000 });
  // The grant was made when the knock was, at the earliest; the fragment is 40 ms younger.
  expect(first).toMatchObject({ seen: knocked + 40 });
  expect(around.reports).toEqual([]);
});

it("shows nothing of another camera, reports it, and takes another line", async () => {
  around = new Around();
  let line = await opened();
  const w = await Writing.begin("A", home, 0);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  const strange = await fragment(w, 2);
  strange.set(new TextEncoder().encode("another camera!!"), 34);
  line.brings(strange);
  line.brings(strange);
  line.brings(await fragment(w, 2));
  await until("a report", () => around.reports.length === 1);
  await settle();
  expect(line.closed).toBe(true);
  expect(around.said).toEqual(["waits line", "init", "1", "misroute", "waits line"]);
  expect(around.reports).toMatchObject([{ delivery: "of-line-0", asked: "", reason: "wrong-camera", word: "misroute", what: "live" }]);
  expect(around.reports[0]!.header).toEqual(strange.slice(0, 80));
  await pass(2000);
  line = await opened();
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 3, 1));
  await until("three", () => around.said.includes("3"));
});

it("reports once what was altered, which is no alarm, and not at all what came before", async () => {
  around = new Around();
  const line = await opened();
  const w = await Writing.begin("A", home, 0);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  for (const n of [2, 3]) {
    const altered = await fragment(w, n);
    altered[90]! ^= 1;
    line.brings(altered);
  }
  line.brings(await fragment(w, 1, 1));
  line.brings(await fragment(await Writing.begin("A", home, 0), 1, 1)); // of a run that has ended
  line.brings(await fragment(w, 4, 1));
  await until("four", () => around.said.includes("4"));
  expect(around.said).toEqual(["waits line", "init", "1", "gap 2", "4"]);
  expect(around.reports.map((r) => `${r.reason} ${r.word}`)).toEqual(["bad-signature corrupt"]);
});

it("reports nothing that is refused after it was closed", async () => {
  const { line, w } = await playing();
  const altered = await fragment(w, 2);
  altered[90]! ^= 1;
  line.brings(altered);
  for (let i = 0; i < 5; i++) await Promise.resolve(); // it is being verified
  around.close();
  await settle();
  await settle();
  expect(around.reports).toEqual([]);
});

it("fetches newer deeds for a grant that knows them, and loses nothing behind it", async () => {
  around = new Around(await Title.start(home.deeds.slice(0, -1)));
  const line = await opened();
  const w = await Writing.begin("A", home, 0);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  await until("one", () => around.said.includes("1"));
  expect(around.refreshes).toBe(1);
});

it("knocks again when nothing comes, and then takes another line", async () => {
  around = new Around();
  const line = await opened();
  await pass(3500);
  await until("another knock", () => line.sent.length === 2);
  expect(around.said).toEqual(["waits line"]);
  await pass(4000);
  await until("its end", () => line.closed);
  expect(around.said).toEqual(["waits line", "waits silent"]);
  await pass(2000);
  await opened();
  expect(around.refreshes).toBeGreaterThan(0);
});

it("says that nothing comes any more, after something has", async () => {
  const { line } = await playing();
  await pass(3500);
  await until("another knock", () => line.sent.length === 2);
  expect(around.said.at(-1)).toBe("waits silent");
});

it("takes another line in the place of one that does not open", async () => {
  around = new Around();
  await until("a line", () => Line.all.length > 0);
  await pass(10_500);
  expect(Line.all[0]!.closed).toBe(true);
});

it("does not lose its line when a former one ends", async () => {
  around = new Around();
  const line = await opened();
  vi.setSystemTime(Date.now() + 3600_000);
  await pass(500);
  const next = await opened();
  line.breaks();
  await pass(2000);
  expect([newest() === next, next.closed]).toEqual([true, false]);
});

it.each(["offline", "busy", "closed"] as const)("waits while it is %s", async (trouble) => {
  around = new Around();
  const line = await opened();
  around.lineless = trouble === "busy" ? { trouble, retryAfterMs: 1 } : trouble === "closed" ? { trouble, mayConfirm: false } : { trouble };
  line.breaks();
  await pass(2000);
  await until("it says so", () => around.said.at(-1) === `waits ${trouble}`);
  around.lineless = null;
  await pass(10_000);
  await opened();
});

it("says nothing of what fails after it was closed", async () => {
  around = new Around();
  const line = await opened();
  let came = (): void => undefined;
  [around.fails, around.takes] = [{ trouble: "signed-out" }, new Promise((come) => (came = come))];
  line.breaks();
  await pass(2000);
  expect(around.refreshes).toBe(1);
  around.close();
  came();
  await settle();
  expect(around.said).toEqual(["waits line"]);
});

it("comes back when its line breaks, and goes on with the run", async () => {
  const { line: first, w } = await playing();
  first.breaks();
  expect(around.said.at(-1)).toBe("waits line");
  await pass(2000);
  const line = await opened();
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1)); // the group that is kept, from its beginning
  line.brings(await fragment(w, 2));
  await until("two", () => around.said.includes("2"));
  expect(around.said).toEqual(["waits line", "init", "1", "waits line", "2"]);
});

it("ends when this device is signed out, and waits for what passes", async () => {
  around = new Around();
  const line = await opened();
  around.fails = { trouble: "held", scope: "home", since: 1, says: "" };
  line.breaks();
  await pass(2000);
  await until("held", () => around.said.at(-1) === "waits held");
  around.fails = { trouble: "signed-out" };
  await pass(10_000);
  await until("the end", () => around.said.at(-1) === "ended signed-out");
  const asked = around.refreshes;
  await pass(10_000);
  expect(around.refreshes).toBe(asked);
});

it("stops when the home is frozen", async () => {
  const { line, w } = await playing();
  around.title = await home.title.append([await signDeed(home.owner, home.title.next, home.title.time + 1, { type: "freeze" })]);
  line.brings(await fragment(w, 2));
  await pass(500);
  expect(line.closed).toBe(true);
  expect(around.said).toEqual(["waits line", "init", "1", "waits frozen"]);
});

it("makes a new line after the machine has slept", async () => {
  around = new Around();
  const line = await opened();
  vi.setSystemTime(Date.now() + 3600_000);
  await pass(500);
  expect(line.closed).toBe(true);
  await opened();
});

it("passes on why nothing comes, in words that it knows and of its own stream", async () => {
  around = new Around();
  const line = await opened();
  for (const strange of [{ camera: other.id }, { stream: "sub" }, { home: "another" }, { v: 2 }, { more: "x".repeat(4096) }]) line.says("off", strange);
  line.says("away");
  line.says("away");
  line.says("some later word");
  line.onmessage({ data: "no JSON" });
  expect(around.said).toEqual(["waits line", "waits away", "waits other"]);
  await pass(2500);
  await until("it asks again all the same", () => line.sent.length > 1);
});

it("hands on nothing after it was closed", async () => {
  around = new Around();
  const line = await opened();
  const w = await Writing.begin("A", home, 0);
  line.brings(await granted(w, line));
  line.brings(await fragment(w, 1, 1));
  around.close();
  expect(line.closed).toBe(true);
  await settle();
  await pass(5000);
  expect(around.said).toEqual(["waits line"]);
  expect(Line.all.length).toBe(1);
});
