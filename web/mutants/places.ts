// The places where a line stands between a person and a stranger's home, and the tests
// that must notice if it were not there.

/** Files below src; behind a space, the functions that are meant, otherwise all. */
export const places: readonly string[] = [
  "api.ts Server.ask Server.object Server.letters compareRequest head compareMAC parse refusal readUpTo",
  "mac.ts",
  "seal/binding.ts",
  "seal/envelope.ts parseEnvelope envelopeBytes info unwrap",
  "seal/header.ts",
  "seal/file.ts",
  "seal/open.ts",
  "seal/verify.ts verify compareWithQuestion verifyGenuine",
  "seal/parcel.ts parseParcel readWrapped readBody verifyParcel message keyInfo openParcel",
  "deed/body.ts",
  "deed/deed.ts",
  "deed/epoch.ts",
  "deed/fold.ts",
  "deed/key.ts verifySignature",
  "deed/parts.ts",
  "deed/proof.ts",
  "deed/rules/epochs.ts",
  "deed/rules/people.ts",
  "deed/rules/places.ts",
  "deed/state.ts",
  "deed/title.ts",
  "letter/letter.ts parseLetter check verifyLetter checkSigner checkRecipient",
  "letter/correspondence.ts Sent.open openCondition checkSince",
  "settings/settings.ts parseDocument verifyDocument checkSeen openSettings",
];

/** The tests, in the order in which they run. */
export const tests: readonly string[] = [
  "src/api.test.ts",
  "src/mac.test.ts",
  "src/seal/vectors.test.ts",
  "src/settings/",
  "src/letter/",
  "src/deed/vectors.test.ts",
  "src/deed/line.test.ts",
  "src/deed/statements.test.ts",
  "src/deed/title.test.ts",
  "src/deed/epoch.test.ts",
  "src/seal/line.test.ts",
];

/** Mutants that do what the original does, each with the reason. */
export const equivalents: Readonly<Record<string, string>> = {
  "web/src/settings/settings.ts verifyDocument: k.recipient === want[i]!.recipient: is true": "A key stands in the chain once, as an agent's or as an epoch's.",
  "web/src/settings/settings.ts openSettings: k.recipient === holder.recipient: is true": "A holder of an agent's key holds no epoch's, and the other way round.",
  "web/src/seal/file.ts readBody: wholeLength(h.bodyLength): is true": "A body of such a length does not open, and openInPlace says so in the same word.",
  "web/src/seal/open.ts openBody: e instanceof BodyError: is true": "openInPlace throws nothing else.",
  "web/src/seal/parcel.ts openParcel: e instanceof BodyError: is true": "openInPlace throws nothing else.",
  'web/src/letter/letter.ts checkRecipient: recipient === "agent": is true': "A key stands in the chain once, as an agent's or as an epoch's.",
  'web/src/letter/letter.ts checkRecipient: recipient === "epoch": is true': "A key stands in the chain once, as an agent's or as an epoch's.",
  "web/src/deed/epoch.ts openEpochs: w.person === person: is true": "A key stands in the chain once, with its person.",
  "web/src/deed/epoch.ts sealPast: from < 1: is false": "No secret is of an epoch before the first, and one that is missing is refused in the same word.",
  "web/src/deed/fold.ts extend: e instanceof DeedError: is true": "Nobody reads the place of another error.",
  "web/src/deed/fold.ts freeze: frozen: is true": "It chooses the words of a message.",
  "web/src/deed/fold.ts freeze: frozen: is false": "It chooses the words of a message.",
  "web/src/deed/rules/epochs.ts turn: wanted: is true": "It chooses the words of a message.",
  "web/src/deed/rules/epochs.ts turn: wanted: is false": "It chooses the words of a message.",
  "web/src/deed/rules/epochs.ts givePast: p.from > by.epoch: is false": "No past that parses has the length of one that begins after the last epoch.",
  "web/src/deed/title.ts Title.fold: first.length <= limits.deed: is true": "What is too long is refused when it is parsed, in the same word.",
  "web/src/api.ts readUpTo: e instanceof Failed: is true": "A stream that is watched throws nothing else.",
  "web/src/deed/rules/people.ts noteRole: roles.at(-1)?.role !== role: is true": "The same role once more says the same.",
  "web/src/deed/title.ts Title.signerAt: role == null: is false": "A person's key ends with their role.",
};
