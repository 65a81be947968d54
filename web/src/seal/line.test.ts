// What no vector says, because another check would refuse the same bytes in the same
// word, or because it takes a caller that no file has.

import { describe, expect, it } from "vitest";
import type { LetterVector, ObjectVector, SettingsVector } from "../../vectors/check.ts";
import { vectors } from "../../vectors/folders.ts";
import { parseLetter } from "../letter/letter.ts";
import { parseDocument } from "../settings/settings.ts";
import { Source } from "../source.ts";
import { type Bytes, concat, unbase64 } from "../wire.ts";
import { bindingBytes, parseBinding } from "./binding.ts";
import { envelopeBytes, maxEnvelope, parseEnvelope } from "./envelope.ts";
import { prefixBytes, readPrefix } from "./file.ts";
import { headerBytes, maxHeader, parseHeader } from "./header.ts";

const object = vectors<ObjectVector>("sealed", "go").find((v) => v.expect === "opened" && v.file.length < 4000)!;
const prefix = await readPrefix(new Source(unbase64(object.file)!));
const letter = unbase64(vectors<LetterVector>("letter", "go").find((v) => v.expect === "opened" && v.reader === "epoch")!.letter!)!;
const settings = unbase64(vectors<SettingsVector>("settings", "go").find((v) => v.expect === "opened")!.document!)!;

const everything: [string, Bytes, (b: Bytes) => unknown][] = [
  ["a binding", bindingBytes(prefix.header.binding), parseBinding],
  ["a header", headerBytes(prefix.header), parseHeader],
  ["an envelope", envelopeBytes(prefix.envelopes[0]!), parseEnvelope],
  ["a file", prefixBytes(prefix), (b) => readPrefix(new Source(b))],
  ["a letter", letter, parseLetter],
  ["settings", settings, parseDocument],
];

/** Why it is refused; "" if it is not. */
async function reason(read: (b: Bytes) => unknown, b: Bytes): Promise<string> {
  try {
    await read(b);
    return "";
  } catch (e) {
    return String((e as { reason?: unknown }).reason ?? e);
  }
}

describe("wherever it is cut", () => {
  it.each(everything)("%s is truncated", async (_, whole, read) => {
    expect(await reason(read, whole)).toBe("");
    for (let n = 0; n < whole.length; n++) expect(await reason(read, whole.slice(0, n)), `${n} bytes`).toBe("truncated");
  });
});

describe("what is longer than it may be", () => {
  it.each([
    ["a header", maxHeader],
    ["an envelope", maxEnvelope],
  ])("%s is refused for that", async (name, limit) => {
    const [, whole, read] = everything.find(([n]) => n === name)!;
    const padded = (n: number): Bytes => concat(whole, new Uint8Array(n - whole.length));
    expect(await reason(read, padded(limit))).toBe("malformed");
    expect(await reason(read, padded(limit + 1))).toBe("oversize");
  });
});
