// Every settings vector, of both languages, read here as Go reads them.

import { describe, expect, it } from "vitest";
import { checkSettings, type SettingsVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";

const homes = await readHomes(homesFile());
const all = { go: vectors<SettingsVector>("settings", "go"), ts: vectors<SettingsVector>("settings", "ts") };

describe.each(["go", "ts"] as const)("settings vectors written by %s", (language) => {
  it.each(all[language])("$name: $expect", async (v) => {
    const { got, want } = await checkSettings(v, homes);
    expect(got, v.says).toBe(want);
  });

  it("are there", () => expect(all[language].length).toBeGreaterThanOrEqual(20));
});
