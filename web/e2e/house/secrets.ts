// What every program on a machine can see of every other: command lines and
// environments. They are looked at again and again while a test runs, because some
// programs live for a moment.

import { readdirSync, readFileSync } from "node:fs";

import { living } from "./process.ts";

export class Passersby {
  readonly #seen = new Set<string>();
  readonly #timer = setInterval(() => this.look(), 25);

  /** Looks at everything that runs now. */
  look(): void {
    for (const line of process.platform === "linux" ? everything() : living().map((p) => p.command)) this.#seen.add(line);
  }

  /** Everything that was seen, and looks no more. */
  stop(): string[] {
    clearInterval(this.#timer);
    this.look();
    return [...this.#seen];
  }
}

function everything(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => ["cmdline", "environ"].map((file) => read(`/proc/${pid}/${file}`)));
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1").replaceAll("\0", " ");
  } catch {
    return ""; // it has ended, or is somebody else's
  }
}
