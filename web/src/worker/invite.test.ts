// Invitations as Go makes them, and what is taken for none.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { base32, base64, equal, random, unbase32, unbase64 } from "../wire.ts";
import { idText } from "../seal/name.ts";
import { type Announcement, commitment, type Greeting, InviteKeys, linkText, parseAnswer, parseLink, phrase } from "./invite.ts";

const go = JSON.parse(readFileSync(join(import.meta.dirname, "../../../api/testdata/invite.json"), "utf8")) as Record<string, string> & { phrase: string[] };
const bytes = (name: string): Uint8Array<ArrayBuffer> => unbase64(go[name]!)!;

const greeting: Greeting = { home: "Our house", from: "Ada", purpose: "join", role: "guest", rights: { kinds: ["thumbnail", "live"], until: 7, cameras: [idText("camera", random(16))] }, person: null, epoch: 0 };
const said: Announcement = { home: idText("home", random(32)), head: { seq: 3, hash: "ab".repeat(32) }, expires: 9, invite: idText("invite", random(16)), commitment: random(32), greeting };

it("has the slot, the proof's key, the commitment and the phrase that Go has", async () => {
  const keys = await InviteKeys.of(unbase32(go["secret"]!, 16)!);
  expect(keys.slot).toBe(go["slot"]);
  expect(base64(keys.proof.key.bytes)).toBe(go["proof_key"]);
  expect(base64(await commitment(bytes("reveal")))).toBe(go["commitment"]);
  expect(await phrase(bytes("reveal"), bytes("answer"))).toEqual(go.phrase);
});

it("answers with the bytes that Go answers with", async () => {
  const keys = await InviteKeys.of(unbase32(go["secret"]!, 16)!);
  const answer = await parseAnswer(bytes("answer"));
  const at = { home: idText("home", bytes("announcement").slice(0, 32)), invite: idText("invite", bytes("announcement").slice(80, 96)) };
  expect(base64(await keys.answer(at, answer!.person, answer!.turn))).toBe(go["answer"]);
});

it("is read by whoever has the link, and by nobody else", async () => {
  const secret = random(16);
  const keys = await InviteKeys.of(secret);
  const b = await keys.announce(said);
  expect(await keys.check(b)).toEqual(said);
  expect(await (await InviteKeys.of(random(16))).check(b)).toBeNull();
  for (const at of [0, 40, 75, 90, 120, 150, b.length - 1]) {
    const bent = b.slice();
    bent[at]! ^= 1;
    expect(await keys.check(bent), `byte ${at}`).toBeNull();
  }
  // Go's own announcement is genuine, and what it greets with is nothing that opens.
  expect(await (await InviteKeys.of(unbase32(go["secret"]!, 16)!)).check(bytes("announcement"))).toBeNull();
});

it.each([
  { purpose: "recover" as const },
  { purpose: "hand over" as const },
  { epoch: 2 },
  { person: idText("person", random(16)) },
])("is refused if it does not say for whom it is: %o", async (change) => {
  const keys = await InviteKeys.of(random(16));
  expect(await keys.check(await keys.announce({ ...said, greeting: { ...greeting, ...change } }))).toBeNull();
});

it("stands in a link that is read whole or not at all", () => {
  const link = { secret: random(16), home: said.home, head: said.head };
  const text = linkText("https://example.org", link, "ab".repeat(32));
  const read = parseLink(text);
  expect(read?.home).toBe(link.home);
  expect(read?.head).toEqual(link.head);
  expect(equal(read!.secret, link.secret)).toBe(true);
  for (const bad of ["", "https://example.org/", text.replace("home=", "hom="), text.replace(/&head=[^&]*/, ""), text.replace(base32(link.secret), "a".repeat(25)), text.replace("3:ab", "03:ab")]) expect(parseLink(bad), bad).toBeNull();
});
