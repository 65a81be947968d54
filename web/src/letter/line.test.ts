// What no letter vector says, because it takes a reader who has seen another letter.

import { describe, expect, it } from "vitest";
import type { LetterVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";
import { publicKey } from "../deed/key.ts";
import { privateKey } from "../hpke.ts";
import { unbase64 } from "../wire.ts";
import type { Replies } from "./content.ts";
import { openCondition, type SeenCondition, Sent } from "./correspondence.ts";
import { LetterError, parseLetter } from "./letter.ts";

const homes = await readHomes(homesFile());
const opened = vectors<LetterVector>("letter", "go").filter((v) => v.expect === "opened");

/** Why something is refused; "" if it is not. */
async function reason(work: Promise<unknown>): Promise<string> {
  return work.then(() => "", (e: unknown) => (e instanceof LetterError ? e.reason : String(e)));
}

describe("a condition", () => {
  const v = opened.find((o) => o.reader === "epoch")!;
  const home = homes[v.home]!;
  const bytes = unbase64(v.letter!)!;
  const open = (seen: SeenCondition | null): Promise<unknown> => openCondition(bytes, home.title, home.agents[Number(v.asked!.slice("agent ".length))]!.id, seen, home.ring);

  it("is taken if it is no older than the one that was seen, and no other one of its number", async () => {
    const { incarnation, number, hash } = await parseLetter(bytes);
    const other = new Uint8Array(32);
    const table: [SeenCondition | null, string][] = [
      [null, ""],
      [{ incarnation, number, hash }, ""],
      [{ incarnation, number, hash: other }, "fork"],
      [{ incarnation, number: number - 1, hash: other }, ""],
      [{ incarnation, number: number + 1, hash: other }, "replayed"],
      [{ incarnation: incarnation + 1, number: number - 1, hash: other }, "replayed"],
      [{ incarnation: incarnation - 1, number: number + 1, hash: other }, ""],
      [{ incarnation: incarnation - 1, number, hash: other }, ""],
    ];
    for (const [seen, want] of table) expect(await reason(open(seen)), JSON.stringify(seen)).toBe(want);
  });

  it("is of a kind that there is", async () => {
    for (const kind of [0, 4, 255]) {
      const bad = bytes.slice();
      bad[1] = kind;
      expect(await reason(parseLetter(bad))).toBe("malformed");
    }
  });
});

describe("a reply", () => {
  it("is taken once", async () => {
    const v = opened.find((o) => o.reader === "asker")!;
    const key = await privateKey(unbase64(v.asker!)!);
    const command = unbase64(v.command!)!;
    const sent = new Sent(command, await parseLetter(command), v.do as keyof Replies, { id: (await publicKey("X-Wing", key.publicKey)).id, key });
    const open = (): Promise<unknown> => sent.open(unbase64(v.letter!)!, homes[v.home]!.title);
    expect(await reason(open())).toBe("");
    expect(await reason(open())).toBe("replayed");
  });
});
