// Processes as a person would start them, each in a process group of its own. What is
// started here is ended here, by its ID; nothing is ended by its name.
//
// A signal that ends the tests reaches none of those groups, and who is killed ends nobody.
// So a shell beside them is told which groups there are: it hears when the tests have ended,
// however that came about, and ends those that are left.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";

const running = new Set<Process>();

const heir = spawn("/bin/sh", ["-c", 'while read -r now; do groups=$now; done; for group in $groups; do kill -s KILL -- "-$group"; done'], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
heir.unref(); // nobody waits for it
(heir.stdin as Socket).unref();

/** Notes that a process runs, or that nothing of it does any more. */
function note(p: Process, runs: boolean): void {
  if (runs) running.add(p);
  else running.delete(p);
  heir.stdin.write(`${[...running].map((r) => r.pid).join(" ")}\n`);
}

/** How a process ended: its exit code, or 128 and the signal's number, as a shell has it. */
export type Ended = number;

export interface Start {
  /** What it is called in messages. */
  name: string;
  command: string;
  args?: string[];
  cwd: string;
  env: Record<string, string>;
  /** Handed to its standard input, which is then closed. */
  stdin?: string;
}

/** One line that a process wrote, and when this test read it (milliseconds). */
export interface Line {
  at: number;
  text: string;
}

export class Process {
  readonly name: string;
  readonly pid: number;
  readonly lines: Line[] = [];
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  #exit: Ended | null = null;
  readonly #child: ChildProcess;
  readonly #heard = new Set<() => void>();

  constructor(start: Start) {
    this.name = start.name;
    this.#child = spawn(start.command, start.args ?? [], { cwd: start.cwd, env: start.env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    if (this.#child.pid === undefined) throw new Error(`${start.name} could not be started: is ${start.command} there?`);
    this.pid = this.#child.pid;
    note(this, true);
    this.#child.stdin!.on("error", () => undefined); // it may end without reading
    this.#child.stdin!.end(start.stdin ?? "");
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) this.#read(stream);
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#exit = code ?? 128 + constants.signals[signal!];
        if (groupOf(this.pid).length === 0) note(this, false);
        this.#tell();
        resolve(this.#exit);
      });
    });
  }

  #read(stream: NodeJS.ReadableStream): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      const at = Date.now();
      for (const line of parts) this.lines.push({ at, text: line });
      this.#tell();
    });
    stream.on("end", () => {
      if (rest) this.lines.push({ at: Date.now(), text: rest });
      rest = "";
    });
  }

  #tell(): void {
    for (const listener of [...this.#heard]) listener();
  }

  /** Everything that it has written. */
  get log(): string {
    return this.lines.map((l) => l.text).join("\n");
  }

  /** The exit code, or null while it runs. */
  get exit(): Ended | null {
    return this.#exit;
  }

  /** Waits for a line that matches, from line `from` on, and returns the match with its line. */
  async line(pattern: RegExp, { within = 20_000, from = 0 } = {}): Promise<RegExpMatchArray & { line: Line }> {
    const deadline = Date.now() + within;
    for (let next = from; ; ) {
      for (; next < this.lines.length; next++) {
        const match = this.lines[next]!.text.match(pattern);
        if (match) return Object.assign(match, { line: this.lines[next]! });
      }
      if (this.#exit !== null) throw new Error(`${this.name} ended (${this.#exit}) without a line like ${pattern}:\n${this.log}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.name} wrote no line like ${pattern} within ${within / 1000} s:\n${this.log}`);
      await this.#more(left);
    }
  }

  #more(within: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#heard.delete(done);
        resolve();
      };
      const timer = setTimeout(done, within);
      this.#heard.add(done);
    });
  }

  /** Signals the process alone, as Ctrl-C in a terminal that knows only it would. */
  signal(signal: NodeJS.Signals): void {
    if (this.#exit === null) process.kill(this.pid, signal);
  }

  /** Asks the process to end and waits; one that does not within that time fails the test. */
  async stop({ signal = "SIGINT" as NodeJS.Signals, within = 15_000 } = {}): Promise<Ended> {
    this.signal(signal);
    const timer = new Promise<null>((resolve) => setTimeout(resolve, within, null).unref());
    const ended = await Promise.race([this.ended, timer]);
    if (ended !== null) return ended;
    this.killGroup();
    throw new Error(`${this.name} did not end within ${within / 1000} s of ${signal}:\n${this.log}`);
  }

  /** The IDs of those of its process group that live. */
  group(): number[] {
    return groupOf(this.pid);
  }

  /** Ends the whole group at once, without asking. */
  killGroup(): void {
    note(this, false);
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // Nobody is left in it.
    }
  }
}

/** One living process of this machine. */
export interface Living {
  pid: number;
  parent: number;
  group: number;
  command: string;
}

/** Every living process; those that have ended and wait for their parent are left out. */
export function living(): Living[] {
  const table = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,command="], { encoding: "utf8" });
  return table
    .split("\n")
    .map((row) => row.trim().match(/^(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/))
    .filter((m) => m !== null && !m[4]!.startsWith("Z"))
    .map((m) => ({ pid: Number(m![1]), parent: Number(m![2]), group: Number(m![3]), command: m![5]! }));
}

/** Everything that a process has started, and what that has started, as far as it lives. */
export function descendants(pid: number): Living[] {
  const all = living();
  const found: Living[] = [];
  for (let next = [pid]; next.length > 0; ) {
    const children = all.filter((p) => next.includes(p.parent));
    found.push(...children);
    next = children.map((p) => p.pid);
  }
  return found;
}

function groupOf(group: number): number[] {
  return living()
    .filter((p) => p.group === group)
    .map((p) => p.pid);
}

/** Ends whatever is still running; for the end of a test file. */
export function endAll(): void {
  for (const p of running) p.killGroup();
}
