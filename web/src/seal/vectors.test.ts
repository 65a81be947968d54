// Every object vector, of both languages, read here as Go reads them
// (docs/seal.md, "Vectors"). A folder that is empty fails: a test that reads nothing
// passes for ever.

import { describe, expect, it } from "vitest";
import { checkObject, type ObjectVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";

const homes = await readHomes(homesFile());
const all = { go: vectors<ObjectVector>("sealed", "go"), ts: vectors<ObjectVector>("sealed", "ts") };

describe.each(["go", "ts"] as const)("object vectors written by %s", (language) => {
  it.each(all[language])("$name: $expect", async (v) => {
    const { got, want } = await checkObject(v, homes);
    expect(got, v.says).toBe(want);
  });
});

describe("the object vectors together", () => {
  it("are enough, and more refused than opened", () => {
    expect(all.go.length).toBeGreaterThanOrEqual(30);
    expect(all.ts.length).toBeGreaterThanOrEqual(36);
    const both = [...all.go, ...all.ts];
    const opened = both.filter((v) => v.expect === "opened").length;
    expect(both.length - opened).toBeGreaterThan(opened);
  });

  it("name every reason of docs/seal.md on this side", () => {
    const reasons = new Set(all.ts.map((v) => v.expect));
    const listed = "malformed truncated trailing oversize future-version unknown-suite old-version wrong-home wrong-camera wrong-day wrong-kind wrong-object unknown-head unknown-signer wrong-agent former-signer bad-signature wrong-hash no-envelope unknown-epoch old-epoch envelope commitment chunk";
    for (const reason of listed.split(" ")) expect([...reasons], reason).toContain(reason);
  });
});
