// The websocket of hints. It says only that something is to be fetched again; what it
// says is not believed and needs no MAC, so that a crossed hint costs a request and shows
// nothing.

import { Failed, Fields } from "../api.ts";
import type { Change } from "./protocol.ts";
import type { Session } from "./session.ts";

const first = 500; // milliseconds
const longest = 30_000;
const kinds = ["events", "deeds", "asks", "joins", "settings", "conditions", "spared"] as const;

/** The wait before attempt n: full jitter, so that a house of pages does not come back at once. */
export function backoff(attempt: number, chance: number): number {
  return Math.round(100 + chance * Math.min(longest, first * 2 ** attempt));
}

export class Changes {
  readonly #session: Session;
  readonly #tell: (change: Change) => void;
  /** Asked before coming back: signs in if that is what was missing. */
  readonly #before: () => Promise<unknown>;
  #socket: WebSocket | null = null;
  #opening = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #started = false;
  #closed = false;
  #up = false;

  constructor(session: Session, tell: (change: Change) => void, before: () => Promise<unknown>) {
    this.#session = session;
    this.#tell = tell;
    this.#before = before;
  }

  /** Begins to listen, if it has not begun. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#connect();
  }

  get up(): boolean {
    return this.#up;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** Comes back now, without waiting: the machine says that it is online again. */
  hurry(): void {
    if (!this.#started || this.#closed || this.#up || this.#socket !== null) return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  async #connect(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    let socket: WebSocket;
    try {
      socket = await this.#session.socket("/changes");
    } catch (e) {
      if (!(e instanceof Failed)) throw e;
      return this.#lost(null);
    } finally {
      this.#opening = false;
    }
    if (this.#closed) return socket.close();
    this.#socket = socket;
    socket.onopen = () => {
      this.#up = true;
      this.#attempt = 0;
      this.#tell({ changed: "link", up: true });
      // What was hinted while nobody listened is not known: everything is worth a look.
      for (const changed of kinds) this.#tell({ changed });
    };
    socket.onmessage = (e: MessageEvent<unknown>) => this.#hear(e.data);
    socket.onclose = () => this.#lost(socket);
  }

  #hear(data: unknown): void {
    if (typeof data !== "string" || data.length > 4096) return;
    try {
      const hint = new Fields(JSON.parse(data));
      if (hint.number("v") !== 1 || hint.text("home") !== this.#session.home) return;
      const changed = kinds.find((k) => k === hint.text("changed"));
      if (changed !== undefined) this.#tell({ changed });
    } catch {
      // A hint of a newer server, or none: nothing is lost, the next one comes.
    }
  }

  #lost(socket: WebSocket | null): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    if (this.#up || this.#attempt === 0) this.#tell({ changed: "link", up: false });
    this.#up = false;
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#again(), backoff(this.#attempt++, Math.random()));
  }

  async #again(): Promise<void> {
    // A browser does not say why a websocket was refused; a request does.
    await this.#before().catch(() => undefined);
    if (!this.#closed && this.#socket === null) await this.#connect();
  }
}
