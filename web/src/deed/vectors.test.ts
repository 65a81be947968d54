// Every deed vector, of both languages, folded here as Go folds them.

import { describe, expect, it } from "vitest";
import { checkDeeds, type DeedVector } from "../../vectors/check.ts";
import { vectors } from "../../vectors/folders.ts";

const all = { go: vectors<DeedVector>("deed", "go"), ts: vectors<DeedVector>("deed", "ts") };

describe.each(["go", "ts"] as const)("deed vectors written by %s", (language) => {
  it.each(all[language])("$name: $expect", async (v) => {
    const { got, want } = await checkDeeds(v);
    expect(got, v.says).toBe(want);
  });
});

describe("the deed vectors together", () => {
  it("are enough, and more refused than accepted", () => {
    expect(all.go.length).toBeGreaterThanOrEqual(200);
    expect(all.ts.length).toBeGreaterThanOrEqual(200);
    const both = [...all.go, ...all.ts];
    const accepted = both.filter((v) => v.expect === "accepted").length;
    expect(both.length - accepted).toBeGreaterThan(accepted);
  });

  it("name every reason of docs/deed.md on this side", () => {
    const reasons = new Set(all.ts.map((v) => v.expect));
    const listed = "oversize malformed future-version unknown-type wrong-home replayed gap fork backdated unknown-signer former-signer not-allowed bad-signature bad-key not-found wrong-epoch wrong-wraps wrong-past reused-key already-placed unknown-agent unknown-camera unknown-person unknown-device unknown-invite bad-proof expired last-owner wrong-state too-many";
    for (const reason of listed.split(" ")) expect([...reasons], reason).toContain(reason);
  });
});
