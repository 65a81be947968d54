import { expect, it } from "vitest";
import { checkSeen, type Document } from "./settings";

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
  expect(refusal(made(5, 8)), "whoever was an owner once makes no more documents at that head").toBe("replayed");
});
