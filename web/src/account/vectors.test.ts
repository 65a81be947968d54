// Every account vector, of both languages, read here as Go reads them.

import { describe, expect, it } from "vitest";
import { type AccountVector, checkAccount } from "../../vectors/accountcheck.ts";
import { vectors } from "../../vectors/folders.ts";

const all = { go: vectors<AccountVector>("account", "go"), ts: vectors<AccountVector>("account", "ts") };

describe.each(["go", "ts"] as const)("account vectors written by %s", (language) => {
  it.each(all[language])("$name: $expect", async (v) => {
    const { got, want } = await checkAccount(v);
    expect(got, v.says).toBe(want);
  });

  it("are there", () => expect(all[language].length).toBeGreaterThanOrEqual(language === "go" ? 60 : 20));
});
