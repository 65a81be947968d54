import { expect, test } from "vitest";

import { whatSays, whySays } from "./refused.ts";

test.each([
  ["thumbnail", "wrong-camera", "a picture", "It belonged somewhere else."],
  ["deed", "fork", "a statement about the home", "It told another history of the home."],
  ["reply", "bad-signature", "the answer of an agent", "It was not signed by anybody who may."],
  ["clip", "former-signer", "a clip", "It was not signed by anybody who may."],
  ["condition", "replayed", "the report of an agent", "It was older than what was here already."],
  ["something newer", "chunk", "something newer", "It did not verify (chunk)."],
  ["toString", "misroute", "toString", "It belonged somewhere else."],
])("%s, %s", (what, reason, said, why) => expect([whatSays(what), whySays(reason)]).toEqual([said, why]));
