// Builds Latchkey with some of its checks cut out, for the controls: a test that cannot
// fail proves nothing. The checks are cut by their text, in a copy of the app's source
// and through the Go command's -overlay, so that the real source holds no switch that
// turns a check off. A text that does not stand in its file exactly once is an error:
// the source has moved on, and the control would silently be none.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

import { type Built, goEnv, root } from "./build.ts";
import { files } from "./scan.ts";

const run = promisify(execFile); // what a command says is in the error, if it fails

/** One piece of source to replace. */
export interface Cut {
  /** Below the module's root. */
  file: string;
  /** Stands in it exactly once. */
  old: string;
  new: string;
}

function apply(cut: Cut, source: string): string {
  const parts = source.split(cut.old);
  if (parts.length !== 2) throw new Error(`the control has nothing to cut: ${JSON.stringify(cut.old)} stands in ${cut.file} ${parts.length - 1} times, want once`);
  return parts.join(cut.new);
}

/** Builds the whole program without what is cut out of it, the app and the Go source alike. */
export async function buildCut(built: Built, name: string, cuts: readonly Cut[]): Promise<string> {
  const folder = join(built.folder, name);
  mkdirSync(folder);
  const replace = { ...goOverlay(folder, cuts.filter((c) => c.file.endsWith(".go"))), ...(await appOverlay(folder, cuts.filter((c) => !c.file.endsWith(".go")))) };
  writeFileSync(join(folder, "overlay.json"), JSON.stringify({ Replace: replace }));
  const binary = join(folder, "latchkey");
  await run("go", ["build", "-overlay", join(folder, "overlay.json"), "-o", binary, "./cmd/latchkey"], { cwd: root, env: goEnv });
  return binary;
}

type Overlay = Record<string, string>;

function goOverlay(folder: string, cuts: readonly Cut[]): Overlay {
  const altered = new Map<string, string>();
  for (const cut of cuts) altered.set(cut.file, apply(cut, altered.get(cut.file) ?? readFileSync(join(root, cut.file), "utf8")));
  const overlay: Overlay = {};
  for (const [file, source] of altered) {
    const to = join(folder, `${Object.keys(overlay).length}_${basename(file)}`);
    writeFileSync(to, source);
    overlay[join(root, file)] = to;
  }
  return overlay;
}

// Builds the cut app and puts it in the place of the one that the program embeds.
async function appOverlay(folder: string, cuts: readonly Cut[]): Promise<Overlay> {
  if (cuts.length === 0) return {};
  const web = join(root, "web");
  const copy = join(folder, "web");
  mkdirSync(copy);
  for (const part of ["src", "public", "index.html", "package.json", "vite.config.ts", "svelte.config.js", "tsconfig.base.json", "tsconfig.json"]) cpSync(join(web, part), join(copy, part), { recursive: true });
  symlinkSync(join(web, "node_modules"), join(copy, "node_modules"));
  cpSync(join(web, "..", "words.txt"), join(copy, "..", "words.txt")); // which the app reads, too
  for (const cut of cuts) {
    const file = join(folder, cut.file);
    writeFileSync(file, apply(cut, readFileSync(file, "utf8")));
  }
  await run(join(web, "node_modules/.bin/vite"), ["build", "--logLevel", "error"], { cwd: copy });
  const overlay: Overlay = {};
  for (const file of files(join(web, "dist"))) overlay[file] = "";
  for (const file of files(join(copy, "dist"))) overlay[join(web, "dist", file.slice(join(copy, "dist").length + 1))] = file;
  if (!overlay[join(web, "dist/index.html")]) throw new Error(`the cut app in ${dirname(copy)} has no page`);
  return overlay;
}
