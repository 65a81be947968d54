// The vectors on disk, as tests and the writer reach them.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HomesFile } from "./homes.ts";

const root = join(import.meta.dirname, "../..");

/** The languages that write vectors. */
export type Language = "go" | "ts";
/** The packages that have some. */
export type Format = "sealed" | "deed" | "settings" | "letter" | "live" | "account" | "tombstone";

export function folder(format: Format, language: Language): string {
  return join(root, format, "testdata/vectors", language);
}

/** Every vector of a folder, none if it is not there. */
export function vectors<V>(format: Format, language: Language): V[] {
  const dir = folder(format, language);
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir).filter((f) => f.endsWith(".json"));
  return files.sort().map((f) => JSON.parse(readFileSync(join(dir, f), "utf8")) as V);
}

export function homesFile(): HomesFile {
  return JSON.parse(readFileSync(join(root, "sealed/testdata/homes.json"), "utf8")) as HomesFile;
}
