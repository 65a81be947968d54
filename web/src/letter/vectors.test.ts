// Every vector of a letter, of both languages, read here as Go reads them.

import { describe, expect, it } from "vitest";
import { checkLetter, type LetterVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";

const homes = await readHomes(homesFile());
const all = { go: vectors<LetterVector>("letter", "go"), ts: vectors<LetterVector>("letter", "ts") };

describe.each(["go", "ts"] as const)("letter vectors written by %s", (language) => {
  it.each(all[language])("$name: $expect", async (v) => {
    const { got, want } = await checkLetter(v, homes);
    expect(got, v.says).toBe(want);
  });

  it("are there", () => expect(all[language].length).toBeGreaterThanOrEqual(30));
});
