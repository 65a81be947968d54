// The rules of this folder that a machine can check.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const here = import.meta.dirname;
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((f) => /\.(ts|svelte)$/.test(f) && !f.endsWith(".test.ts") && !f.includes("standin"))
  .map((f) => ({ name: f, text: readFileSync(join(here, f), "utf8") }));

/** The files whose code, comments apart, matches. */
function matching(pattern: RegExp): string[] {
  const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return files.filter((f) => pattern.test(code(f.text))).map((f) => f.name);
}

// What may open, or holds keys, and what imports it besides itself.
const keyed = /from "[^"]*\/(hpke|cobblestone)\.ts"|from "[^"]*\/(account|keep)\/[a-z]+\.ts"|from "[^"]*\/letter\/(letter|correspondence)\.ts"|from "[^"]*\/live\/(viewer|knock|grant|fragment)\.ts"|from "[^"]*\/seal\/(open|make|envelope|file|parcel)\.ts"|from "[^"]*\/deed\/epoch\.ts"/;
const onTheWorkersSide = /^(worker|seal|deed|settings|letter|live|account|keep)\/|^(hpke|cobblestone|api|source)\.ts$/;

describe("the page", () => {
  it("has files to check", () => expect(files.length).toBeGreaterThan(40));

  it("talks with the server in one file alone", () => {
    expect(matching(/(?<![.#\w])fetch\(|new WebSocket\(|XMLHttpRequest|EventSource|sendBeacon/)).toEqual(["api.ts"]);
  });

  it("leaves keys and opening to the worker", () => {
    expect(matching(keyed).filter((f) => !onTheWorkersSide.test(f))).toEqual([]);
  });

  it("writes no text as HTML and runs none as code", () => {
    expect(matching(/\{@html|innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function\(|document\.write/)).toEqual([]);
  });

  it("keeps files short enough to hold one idea", () => {
    expect(files.filter((f) => f.text.split("\n").length > 500).map((f) => f.name)).toEqual([]);
  });
});
