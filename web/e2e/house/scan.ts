// Looks for things in everything that a program keeps: its folders, and its memory
// while it runs. Memory is read through /proc, which Linux has; this test process may
// read it because it started the program.

import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** Something that must not be found, and what sort of thing it is. */
export interface Needle {
  kind: string;
  bytes: Buffer;
}

/** A needle, and where it was. */
export interface Found {
  kind: string;
  where: string;
}

/** Needles from all over a content: some of its bytes, as they are. */
export function pieces(kind: string, content: Buffer, count = 5, length = 24): Needle[] {
  const step = Math.floor((content.length - length) / (count + 1));
  return Array.from({ length: count }, (_, i) => ({ kind, bytes: content.subarray((i + 1) * step, (i + 1) * step + length) }));
}

/** A text as a needle, and as it looks in base64 and hex wherever it begins. */
export function text(kind: string, said: string): Needle[] {
  const plain = Buffer.from(said);
  const spelled = [0, 1, 2].map((shift) => {
    // Of the shifted text only the characters that come from it alone.
    const code = Buffer.concat([Buffer.alloc(shift), plain]).toString("base64").replaceAll("=", "");
    return code.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + plain.length) * 8) / 6));
  });
  return [plain, Buffer.from(plain.toString("hex")), ...spelled.map((s) => Buffer.from(s))].map((bytes) => ({ kind, bytes }));
}

/** The files below a folder. */
export function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name));
}

/** Looks into bytes. */
export function lookIn(bytes: Buffer, where: string, needles: readonly Needle[]): Found[] {
  return needles.filter((n) => bytes.includes(n.bytes)).map((n) => ({ kind: n.kind, where }));
}

/** Looks into every file below a folder, and at their names. */
export function lookInFolder(folder: string, needles: readonly Needle[]): Found[] {
  return files(folder).flatMap((f) => {
    const bytes = statSync(f, { throwIfNoEntry: false }) ? readFileSync(f) : Buffer.alloc(0);
    return lookIn(Buffer.concat([Buffer.from(f), bytes]), f, needles);
  });
}

/** One stretch of a process's memory. */
interface Stretch {
  from: number;
  to: number;
  name: string;
}

// What a program has in memory of its own: not the files that are mapped into it, in
// which the words of its own code stand.
function stretches(pid: number): Stretch[] {
  return readFileSync(`/proc/${pid}/maps`, "utf8")
    .split("\n")
    .map((line) => line.match(/^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ 0 *(.*)$/))
    .filter((m) => m !== null && !["[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]"].includes(m[3]!))
    .map((m) => ({ from: parseInt(m![1]!, 16), to: parseInt(m![2]!, 16), name: m![3]! || "anonymous" }));
}

/** How much of a process's memory was read, and what was in it. */
export function lookInMemory(pid: number, needles: readonly Needle[]): { bytes: number; found: Found[] } {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const window = 8 << 20;
  const overlap = Math.max(...needles.map((n) => n.bytes.length));
  const buffer = Buffer.alloc(window + overlap);
  const found: Found[] = [];
  let bytes = 0;
  try {
    for (const s of stretches(pid)) {
      for (let at = s.from; at < s.to; at += window) {
        const want = Math.min(buffer.length, s.to - at);
        let have = 0;
        try {
          have = readSync(memory, buffer, 0, want, at);
        } catch {
          continue; // set aside by the program, and not there
        }
        bytes += Math.min(have, window);
        found.push(...lookIn(buffer.subarray(0, have), `memory of ${pid}, ${s.name} at ${at.toString(16)}`, needles));
      }
    }
  } finally {
    closeSync(memory);
  }
  return { bytes, found };
}

/** The kinds among what was found, each once. */
export function kinds(found: readonly Found[]): string[] {
  return [...new Set(found.map((f) => f.kind))].sort();
}
