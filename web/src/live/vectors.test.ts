// Every vector of live view, of both languages, read here as Go reads them.

import { describe, expect, it } from "vitest";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";
import { checkLive, type LiveVector } from "../../vectors/livecheck.ts";

const homes = await readHomes(homesFile());
const all = { go: vectors<LiveVector>("live", "go"), ts: vectors<LiveVector>("live", "ts") };

describe.each(["go", "ts"] as const)("vectors of live view written by %s", (language) => {
  it.each(all[language])("$name", async (v) => {
    const { got, want } = await checkLive(v, homes);
    expect(got, v.says).toBe(want);
  });
});

it("are there", () => {
  expect(all.go.length).toBeGreaterThanOrEqual(150);
  expect(all.ts.length).toBeGreaterThanOrEqual(60);
});
