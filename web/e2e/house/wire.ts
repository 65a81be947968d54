// The wire before a server: a proxy that passes everything on, remembers every byte of
// it, and can be told to mix things up, as a cache or a load balancer might.

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What passed: a request's or an answer's head and body, or what a websocket carried. */
export interface Passed {
  at: number; // milliseconds
  what: string;
  bytes: Buffer;
}

interface Answer {
  status: number;
  head: string[];
  body: Buffer;
}

export class Wire {
  readonly passed: Passed[] = [];
  /** A request for the path of the left is passed on as one for the path of the right. */
  readonly crossed = new Map<string, string>();
  /** A request for the path of the left is answered with what was last answered for the path of the right. */
  readonly mixed = new Map<string, string>();
  /**
   * Makes a cache of it that heeds no header: what was once answered to a GET of such a
   * path is what everybody gets who asks for it, whatever stands behind the question mark.
   * "renamed" gives the kept answer the ID of the request, as gateways do that name
   * requests themselves.
   */
  hoards: { readonly paths: RegExp; readonly renamed: boolean } | null = null;
  readonly hoard = new Map<string, Answer>();
  /** What a websocket of the path of the left is sent goes out by those of the path of the right, and what those are sent goes nowhere. */
  readonly spliced = new Map<string, string>();
  /** What websockets of such paths are sent, at most, in bytes a second. */
  slow: { readonly paths: RegExp; readonly rate: number } | null = null;
  readonly #tunnels = new Set<Tunnel>();
  readonly #answers = new Map<string, Answer>();
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Lays a wire to the server on that port of this machine, which may be down at times. */
  static async lay(port: () => number): Promise<Wire> {
    const server = createServer((asked, answer) => wire.#pass(port(), asked, answer));
    const wire: Wire = new Wire(server);
    server.on("upgrade", (asked, socket, head) => wire.#tunnel(port(), asked, socket, head));
    server.on("connection", (socket) => wire.#keep(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  /** What passed with those bytes in it. */
  with(needle: Buffer): Passed[] {
    return this.passed.filter((p) => p.bytes.includes(needle));
  }

  /** Lets the websockets of such paths that are open now stay open, and nothing more come out of them. */
  stall(paths: RegExp): void {
    for (const t of this.#tunnels) if (paths.test(t.path)) t.stalled = true;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy()); // either end may go away at any time
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #note(what: string, ...chunks: Buffer[]): void {
    this.passed.push({ at: Date.now(), what, bytes: Buffer.concat(chunks) });
  }

  #pass(port: number, asked: IncomingMessage, answer: ServerResponse): void {
    const kept = this.#answers.get(this.mixed.get(asked.url!) ?? "");
    if (kept) {
      answer.writeHead(200, kept.head);
      answer.end(kept.body);
      return;
    }
    const hoarded = this.#hoarded(asked);
    if (hoarded) {
      this.#note(`hoarded answer to GET ${asked.url}`, headText(hoarded.head), hoarded.body);
      answer.writeHead(hoarded.status, hoarded.head);
      answer.end(hoarded.body);
      return;
    }
    const path = this.crossed.get(asked.url!) ?? asked.url!;
    const what = `${asked.method} ${asked.url}${path === asked.url ? "" : ` passed on as ${path}`}`;
    const onward = request({ host: "127.0.0.1", port, method: asked.method, path, headers: plain(asked.rawHeaders), setHost: false }, (got) => {
      answer.writeHead(got.statusCode!, got.statusMessage, got.rawHeaders);
      got.pipe(answer);
      gather(got, (body) => {
        this.#note(`answer to ${what}`, headText(got.rawHeaders), body);
        if (asked.method !== "GET") return;
        const kept = { status: got.statusCode!, head: got.rawHeaders, body };
        if (got.statusCode === 200) this.#answers.set(path, kept);
        if (this.hoards?.paths.test(bare(path)) && !this.hoard.has(bare(path))) this.hoard.set(bare(path), kept);
      });
    });
    onward.on("error", () => answer.destroy()); // nobody answers: nor does the wire
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
    gather(asked, (body) => this.#note(what, headText([asked.url!, "", ...asked.rawHeaders]), body));
  }

  #hoarded(asked: IncomingMessage): Answer | null {
    const kept = this.hoards?.paths.test(bare(asked.url!)) && asked.method === "GET" ? this.hoard.get(bare(asked.url!)) : undefined;
    if (kept === undefined) return null;
    const { [requestID]: id } = asked.headers;
    if (!this.hoards!.renamed || typeof id !== "string") return kept;
    const head = kept.head.map((value, i) => (i % 2 === 1 && kept.head[i - 1]!.toLowerCase() === requestID ? id : value));
    return { ...kept, head };
  }

  #tunnel(port: number, asked: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onward: Socket = connect(port, "127.0.0.1");
    this.#keep(onward);
    onward.write(`GET ${asked.url} HTTP/1.1\r\n${headText(plain(asked.rawHeaders)).toString()}\r\n`);
    onward.write(head);
    this.#note(`websocket ${asked.url}`, headText(asked.rawHeaders));
    const unmasked = unmask((payload) => this.#note(`websocket ${asked.url}, to the server`, payload));
    unmasked(head);
    socket.on("data", unmasked);
    const tunnel: Tunnel = { path: bare(asked.url!), socket, stalled: false };
    this.#tunnels.add(tunnel);
    const sent = frames((answer) => socket.write(answer), (frame) => this.#down(tunnel, onward, frame));
    onward.on("data", (chunk: Buffer) => {
      this.#note(`websocket ${asked.url}, from the server`, chunk);
      sent(chunk);
      if (!this.slow?.paths.test(tunnel.path)) return;
      onward.pause();
      setTimeout(() => onward.resume(), (chunk.length / this.slow.rate) * 1000);
    });
    socket.pipe(onward);
    socket.once("close", () => onward.destroy());
    onward.once("close", () => {
      this.#tunnels.delete(tunnel);
      socket.destroy();
    });
  }

  /** Passes on what the server sends by a tunnel. */
  #down(by: Tunnel, onward: Socket, frame: Buffer): void {
    if (by.stalled || [...this.spliced.values()].includes(by.path)) return;
    const to = this.spliced.get(by.path);
    const out = to === undefined ? [by] : [...this.#tunnels].filter((t) => t.path === to);
    for (const { socket } of out) {
      if (socket.write(frame)) continue;
      onward.pause();
      socket.once("drain", () => onward.resume());
    }
  }
}

/** A websocket that passes. */
interface Tunnel {
  readonly path: string;
  readonly socket: Duplex;
  stalled: boolean;
}

const requestID = "latchkey-request";

/** An address without what stands behind the question mark. */
function bare(path: string): string {
  return path.split("?")[0]!;
}

// Nothing is compressed on this wire, or what passed could not be searched.
function plain(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!/^(accept-encoding|sec-websocket-extensions)$/i.test(raw[i]!)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

function headText(raw: readonly string[]): Buffer {
  let text = "";
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return Buffer.from(text, "latin1");
}

function gather(from: IncomingMessage, whole: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  from.on("data", (chunk: Buffer) => chunks.push(chunk));
  from.once("close", () => whole(Buffer.concat(chunks)));
}

// Takes what the server of a websocket sends apart: its answer, and then each frame (RFC 6455, 5.2).
function frames(answer: (head: Buffer) => void, whole: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let answered = false;
  const next = (): number => {
    if (!answered) return rest.indexOf("\r\n\r\n") < 0 ? Infinity : rest.indexOf("\r\n\r\n") + 4;
    if (rest.length < 2) return Infinity;
    const short = rest[1]! & 0x7f;
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (rest.length < 2 + wide) return Infinity;
    return 2 + wide + (wide === 2 ? rest.readUInt16BE(2) : wide === 8 ? Number(rest.readBigUInt64BE(2)) : short);
  };
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let size = next(); size <= rest.length; size = next()) {
      (answered ? whole : answer)(rest.subarray(0, size));
      rest = rest.subarray(size);
      answered = true;
    }
  };
}

// What a websocket's client sends is masked (RFC 6455, 5.3); this takes the mask off.
function unmask(payload: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest[1]! & 0x7f;
      const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
      const masked = rest[1]! & 0x80 ? 4 : 0;
      const start = 2 + wide + masked;
      if (rest.length < start) return;
      const length = wide === 2 ? rest.readUInt16BE(2) : wide === 8 ? Number(rest.readBigUInt64BE(2)) : short;
      if (rest.length < start + length) return;
      const mask = rest.subarray(start - masked, start);
      payload(Buffer.from(rest.subarray(start, start + length).map((b, i) => (masked ? b ^ mask[i % 4]! : b))));
      rest = rest.subarray(start + length);
    }
  };
}
