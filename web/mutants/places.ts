// The places where a line stands between a person and a stranger's home, and the tests
// that must notice if it were not there.

/** Files below src; behind a space, the functions that are meant, otherwise all. */
export const places: readonly string[] = [
  "mac.ts",
  "cobblestone.ts",
  "hpke.ts",
  "seal/binding.ts",
  "seal/envelope.ts",
  "seal/header.ts",
  "seal/file.ts",
  "seal/open.ts",
  "seal/verify.ts",
  "seal/parcel.ts",
  "deed/body.ts",
  "deed/deed.ts",
  "deed/epoch.ts",
  "deed/fold.ts",
  "deed/key.ts",
  "deed/parts.ts",
  "deed/proof.ts",
  "deed/state.ts",
  "deed/title.ts",
  "letter/letter.ts",
  "letter/correspondence.ts",
  "settings/settings.ts",
  "account/vault.ts",
  "account/derive.ts",
  "api.ts Server.ask Server.object Server.letters compareRequest head compareMAC refusal",
  "worker/session.ts",
  "worker/chain.ts",
  "worker/objects.ts",
  "worker/events.ts",
  "worker/content.ts",
  "worker/ask.ts",
  "worker/ticket.ts",
  "worker/join.ts",
  "worker/joins.ts",
  "worker/invite.ts",
];

/** The tests, in the order in which they run. */
export const tests: readonly string[] = [
  "src/mac.test.ts",
  "src/wire.test.ts",
  "src/deed/vectors.test.ts",
  "src/seal/line.test.ts",
  "src/seal/vectors.test.ts",
  "src/letter/vectors.test.ts",
  "src/settings/",
  "src/account/vectors.test.ts",
  "src/deed/title.test.ts",
  "src/deed/epoch.test.ts",
  "src/cobblestone.test.ts",
  "src/worker/content.test.ts",
  "src/worker/invite.test.ts",
  "src/worker/arrival.test.ts",
  "src/worker/agents.test.ts",
  "src/worker/restored.test.ts",
  "src/worker/desk.test.ts",
  "src/worker/members.test.ts",
];

/** Mutants that do what the original does, each with the reason. */
export const equivalents: Readonly<Record<string, string>> = {};
