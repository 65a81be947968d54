// What no chain vector says, because it takes a key that no deed has.

import { expect, it } from "vitest";
import { random } from "../wire.ts";
import { signerOf, verifySignature } from "./key.ts";

it("a key that does not sign verifies nothing", async () => {
  const signer = await signerOf(random(32));
  const message = random(20);
  const signature = await signer.sign(message);
  expect(await verifySignature(signer.key, message, signature)).toBe(true);
  expect(await verifySignature({ ...signer.key, algorithm: "X-Wing" }, message, signature)).toBe(false);
  expect(await verifySignature(signer.key, message, signature.slice(1))).toBe(false);
});
