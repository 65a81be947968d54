// One stream that is watched: the line to the server, the knocks, and what comes of them.
// The line is made again whenever it is lost, or there and silent. What the server says
// in words decides nothing: it is passed on as words.

import { Failed, Fields } from "../api.ts";
import { LiveError, streams, wordForLive } from "../live/message.ts";
import { Viewer } from "../live/viewer.ts";
import type { CameraID } from "../seal/name.ts";
import { steady } from "../steady.ts";
import type { Bytes } from "../wire.ts";
import { backoff } from "./changes.ts";
import type { Home } from "./home.ts";
import type { Piece, StreamName, Trouble, Waits } from "./protocol.ts";
import type { Reporter } from "./report.ts";

// Milliseconds. After so long without anything new it knocks again, and after as long
// again makes another line.
const silentAfter = 3000;
// How long a line may take to open.
const opensWithin = 10_000;
const beat = 500;
// A beat that comes so late is of a machine that has slept: its lines are dead, and
// nobody has said so.
const slept = 5000;
// Waits do not grow beyond some eight seconds: somebody sits in front of it.
const mostGrowth = 4;
// Of a message that is refused: what a report carries.
const reported = 80;

const own: ReadonlySet<string> = new Set(["away", "busy", "frozen", "off", "no-stream", "not-allowed"] satisfies Waits[]);
// What passes without anybody doing something here.
const passing: ReadonlySet<Trouble["trouble"]> = new Set(["offline", "busy", "held", "closed", "crossed", "broken", "refused", "away"]);

/** What is watched, and for whom. */
export interface Watched {
  readonly home: Pick<Home, "id" | "title" | "person" | "asks"> & { readonly session: Pick<Home["session"], "socket"> };
  readonly reporter: Pick<Reporter, "tell">;
  /** Fetches the newest deeds; fails as a request does. */
  readonly refresh: () => Promise<void>;
  readonly camera: CameraID;
  readonly stream: StreamName;
  readonly give: (piece: Piece) => void;
}

export class Watch {
  readonly #of: Watched;
  readonly #viewer: Viewer;
  readonly #beat: ReturnType<typeof setInterval>;
  #line: WebSocket | null = null;
  #making = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #attempt = 0;
  /** For which reasons something on this line was reported: once is enough. */
  readonly #reported = new Set<string>();
  /** Knocks that this line is still good for; something that comes makes it good for one more. */
  #chances = 0;
  /** When to knock again, or to give up a line that does not open. */
  #due = 0;
  #lastBeat = steady.now();
  #waits: Waits | null = null;
  #turn: Promise<void> = Promise.resolve();

  /** Begins at once. */
  constructor(of: Watched) {
    this.#of = of;
    this.#viewer = new Viewer(of.home.asks, { home: of.home.id, camera: of.camera, kind: streams[of.stream] });
    this.#beat = setInterval(() => this.#look(), beat);
    this.#wait("line");
    void this.#connect();
  }

  close(): void {
    this.#ended = true;
    clearInterval(this.#beat);
    this.#drop();
  }

  /** Makes a new line now: the machine was away from the network, and whether the old one lives nobody knows. */
  hurry(): void {
    this.#drop();
    void this.#connect();
  }

  /** Why nothing may be watched, by the deeds as they are known here; null if it may. */
  #refusal(): Waits | null {
    const { title, person } = this.#of.home;
    if (title.camera(this.#of.camera) === null || !title.covers(person, this.#of.camera, "live", Date.now() * 1000)) return "not-allowed";
    return title.frozen ? "frozen" : null;
  }

  async #connect(): Promise<void> {
    if (this.#ended || this.#making || this.#line !== null) return;
    const no = this.#refusal();
    if (no !== null) return this.#later(no);
    this.#making = true;
    let line: WebSocket;
    try {
      line = await this.#of.home.session.socket(`/live/${this.#of.camera}/${this.#of.stream}`);
    } catch (e) {
      if (!(e instanceof Failed)) throw e;
      return this.#failed(e.trouble);
    } finally {
      this.#making = false;
    }
    if (this.#ended) return line.close();
    this.#line = line;
    this.#reported.clear();
    this.#chances = 2;
    this.#due = steady.now() + opensWithin;
    line.binaryType = "arraybuffer";
    line.onopen = () => void this.#knock();
    line.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (line !== this.#line) return;
      if (!(data instanceof ArrayBuffer)) return this.#hear(data);
      // One after the other: what follows a grant that waits for newer deeds waits with it.
      this.#turn = this.#turn.then(() => this.#take(line, new Uint8Array(data)));
    };
    line.onclose = () => line === this.#line && this.#lost();
  }

  async #knock(): Promise<void> {
    const line = this.#line;
    if (line === null || this.#refusal() !== null) return;
    this.#chances--;
    this.#due = steady.now() + silentAfter;
    const knock = await this.#viewer.knock(this.#of.home.title, steady.now() * 1000, Date.now() * 1000);
    if (line === this.#line && line.readyState === line.OPEN) line.send(knock);
  }

  async #take(line: WebSocket, b: Bytes): Promise<void> {
    if (line !== this.#line) return;
    const now = steady.now() * 1000;
    try {
      await this.#play(b, now);
    } catch (e) {
      if (!(e instanceof LiveError)) throw e;
      if (e.reason !== "unknown-head") return this.#refused(line, e, b);
      // The agent knows deeds that this page does not.
      await this.#of.refresh().catch((f: unknown) => this.#expected(f));
      await this.#play(b, now).catch((f: unknown) => this.#refused(line, f, b));
    }
  }

  async #play(b: Bytes, now: number): Promise<void> {
    const step = await this.#viewer.take(b, this.#of.home.title, now);
    if (this.#ended || this.#refusal() !== null) return;
    this.#chances = 1;
    if (step.refused !== null) return this.#told(step.refused);
    if (step.missing > 0) this.#of.give({ is: "gap", missing: step.missing });
    if (step.init !== null) this.#of.give({ is: "init", type: step.init.type, segment: ownBytes(step.init.segment) });
    if (step.media !== null) {
      this.#attempt = 0;
      this.#due = steady.now() + silentAfter;
      this.#waits = null;
      this.#of.give({ is: "media", media: ownBytes(step.media), key: step.key, time: step.time, seen: (now - this.#viewer.behind(now)!) / 1000 });
    }
    if (step.knock) void this.#knock();
  }

  /** What was refused is not shown. What an old run brings, or a piece that came before, is usual after a change. */
  #refused(line: WebSocket, e: unknown, b: Bytes): void {
    if (!(e instanceof LiveError)) throw e;
    if (line !== this.#line || e.reason === "wrong-run" || e.reason === "replayed" || this.#reported.has(e.reason)) return;
    this.#reported.add(e.reason);
    const word = wordForLive(e.reason);
    const delivery = new URL(line.url).searchParams.get("request") ?? "";
    void this.#of.reporter.tell({ delivery, asked: "", reason: e.reason, word, header: b.slice(0, reported), what: "live" });
    if (word !== "misroute") return;
    // What gave a wrong answer is asked nothing more.
    this.#of.give({ is: "misroute" });
    this.#drop();
    this.#later("line");
  }

  #hear(data: unknown): void {
    if (typeof data !== "string" || data.length > 4096) return;
    try {
      const hint = new Fields(JSON.parse(data));
      if (hint.number("v") !== 1 || hint.text("home") !== this.#of.home.id || hint.text("camera") !== this.#of.camera || hint.text("stream") !== this.#of.stream) return;
      this.#told(hint.text("word"));
    } catch {
      // A hint of a newer server, or none.
    }
  }

  /** Somebody says why there is nothing; it is asked for again all the same. */
  #told(word: string): void {
    this.#chances = 1;
    this.#due = steady.now() + this.#pause();
    this.#wait(own.has(word) ? (word as Waits) : "other");
  }

  #wait(why: Waits): void {
    if (this.#waits === why) return;
    this.#waits = why;
    this.#of.give({ is: "waits", why });
  }

  #pause(): number {
    return backoff(Math.min(this.#attempt++, mostGrowth), Math.random());
  }

  /** Now and then: does anything come, and may it? */
  #look(): void {
    const now = steady.now();
    const late = now - this.#lastBeat;
    this.#lastBeat = now;
    if (late > slept) return this.hurry();
    if (this.#line === null) return;
    const no = this.#refusal();
    if (no !== null) {
      this.#drop();
      return this.#later(no);
    }
    if (now < this.#due) return;
    if (this.#line.readyState !== this.#line.OPEN || this.#chances <= 0) {
      this.#drop();
      return this.#later("silent");
    }
    if (this.#waits === null) this.#wait("silent");
    void this.#knock();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = null;
    line?.close();
  }

  #lost(): void {
    this.#line = null;
    this.#later(this.#waits ?? "line");
  }

  /** Tries again after a while; before that, a request says what a websocket does not. */
  #later(why: Waits): void {
    this.#wait(why);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#again(), this.#pause());
  }

  async #again(): Promise<void> {
    try {
      await this.#of.refresh();
    } catch (e) {
      return this.#failed(this.#expected(e).trouble);
    }
    await this.#connect();
  }

  #failed(why: Trouble): void {
    if (this.#ended) return;
    if (passing.has(why.trouble)) {
      const said = why.trouble;
      return this.#later(said === "offline" || said === "busy" || said === "held" || said === "closed" ? said : "line");
    }
    this.close();
    this.#of.give({ is: "ended", why });
  }

  #expected(e: unknown): Failed {
    if (!(e instanceof Failed)) throw e;
    return e;
  }
}

/** The bytes in a buffer that is theirs alone, to be handed over. */
function ownBytes(b: Bytes): ArrayBuffer {
  return b.byteLength === b.buffer.byteLength ? b.buffer : b.slice().buffer;
}
