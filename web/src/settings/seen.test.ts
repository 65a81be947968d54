import { expect, it } from "vitest";
import type { SettingsVector } from "../../vectors/check.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { readHomes } from "../../vectors/homes.ts";
import { unbase64 } from "../wire.ts";
import { checkSeen, type Document, openSettings, parseDocument } from "./settings";

const made = (number: number, head: number, hash = number): Document =>
  ({ number, hash: new Uint8Array([hash]), head: { seq: head, hash: new Uint8Array(32) } }) as unknown as Document;

it("takes settings only forward, by number and by head", () => {
  const seen = { number: 4, hash: new Uint8Array([4]), head: 9 };
  const refusal = (d: Document) => {
    try {
      checkSeen(d, seen);
      return null;
    } catch (e) {
      return (e as { reason: string }).reason;
    }
  };
  expect(refusal(made(5, 9))).toBeNull();
  expect(refusal(made(4, 9))).toBeNull();
  expect(refusal(made(3, 9))).toBe("replayed");
  expect(refusal(made(4, 9, 7))).toBe("fork");
  expect(refusal(made(4, 8, 7)), "another one of the same number is a fork, whatever its head").toBe("fork");
  expect(refusal(made(5, 8)), "whoever was an owner once makes no more documents at that head").toBe("replayed");
});

it("opens none that is older than the one seen", async () => {
  const homes = await readHomes(homesFile());
  const v = vectors<SettingsVector>("settings", "go").find((o) => o.expect === "opened" && o.reader === "epoch")!;
  const [home, bytes] = [homes[v.home]!, unbase64(v.document!)!];
  const { number, hash } = await parseDocument(bytes);
  const holder = { recipient: "epoch", keys: home.ring } as const;
  expect((await openSettings(bytes, home.title, { number, hash }, holder)).document.number).toBe(number);
  await expect(openSettings(bytes, home.title, { number: number + 1, hash }, holder)).rejects.toMatchObject({ reason: "replayed" });
});
