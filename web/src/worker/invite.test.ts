// Invitations as Go makes them, and what is taken for none.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ascii, base32, base64, type Bytes, concat, equal, random, unbase32, unbase64, Writer } from "../wire.ts";
import { idBytes, idText } from "../seal/name.ts";
import { gcmSeal } from "../account/derive.ts";
import { turn } from "../deed/epoch.ts";
import { headBytes } from "../deed/head.ts";
import { hmac, publicKey, signerOf } from "../deed/key.ts";
import { privateKey } from "../hpke.ts";
import { type Announcement, commitment, type Greeting, InviteKeys, isCommitted, linkText, parseAnswer, parseLink, phrase, readLink } from "./invite.ts";

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

describe("an announcement of whoever has the link", () => {
  const secret = random(16);
  const derived = (what: string): Promise<Bytes> => hmac(secret, ascii(`latchkey invite ${what} v1`));
  const signed = async (b: Bytes): Promise<Bytes> => concat(b, await hmac(await derived("owner"), b));

  /** Made by hand: what is greeted with, what that is sealed for, and what stands behind. */
  async function made(greets: object, of = concat(idBytes("home", said.home), idBytes("invite", said.invite)), behind = new Uint8Array(0)): Promise<Announcement | null> {
    const sealed = await gcmSeal(await derived("cover"), of, ascii(JSON.stringify(greets)));
    const b = new Writer().raw(idBytes("home", said.home)).raw(headBytes(said.head)).u64(said.expires).raw(idBytes("invite", said.invite)).raw(said.commitment).lp16(sealed).raw(behind).bytes();
    return (await InviteKeys.of(secret)).check(await signed(b));
  }

  const rights = { kinds: ["live"], until: 7 };
  const greets = { v: 1, home: "Our house", from: "Ada", purpose: "join", role: "guest", rights };

  it("greets in its own home and invitation", async () => {
    expect(await made(greets)).toEqual({ ...said, greeting: { ...greeting, rights: { kinds: ["live"], until: 7, cameras: null } } });
    for (const of of [concat(random(32), idBytes("invite", said.invite)), concat(idBytes("home", said.home), random(16)), new Uint8Array(0)]) expect(await made(greets, of)).toBeNull();
  });

  it.each([
    ["of a later version", { v: 2 }],
    ["to see what nobody knows", { rights: { ...rights, kinds: ["other"] } }],
    ["to see what is no camera", { rights: { ...rights, cameras: ["other"] } }],
    ["to see what is no text", { rights: { ...rights, cameras: [null] } }],
  ])("greets nobody %s", async (_, change) => expect(await made({ ...greets, ...change })).toBeNull());

  it("is read whole or not at all", async () => {
    expect(await made(greets, undefined, ascii("more"))).toBeNull();
    const keys = await InviteKeys.of(secret);
    for (const n of [0, 31, 100]) expect(await keys.check(await signed(random(n)))).toBeNull();
    expect(await keys.check(random(5))).toBeNull();
  });

  it("may be for somebody who comes back, and for whoever takes the home over", async () => {
    for (const change of [{ purpose: "recover", role: null, rights: null, person: idText("person", random(16)) }, { purpose: "hand over", role: null, rights: null, epoch: 3 }] as const) {
      const a = { ...said, greeting: { ...greeting, ...change } };
      const keys = await InviteKeys.of(secret);
      expect(await keys.check(await keys.announce(a))).toEqual(a);
    }
  });
});

describe("an answer", () => {
  const someone = async () => ({ id: idText("person", random(16)), signing: (await signerOf(random(32))).key, kem: await publicKey("X-Wing", (await privateKey(random(32))).publicKey), devices: [{ id: idText("device", random(16)), signing: (await signerOf(random(32))).key }] });

  it("may bring an epoch, has an end, and ends in nothing else", async () => {
    const [keys, person] = [await InviteKeys.of(random(16)), await someone()];
    const made = (await turn({ home: said.home, epoch: 1 }, [person])).turn;
    const answer = await keys.answer(said, person, made);
    expect(await parseAnswer(answer)).toMatchObject({ person, turn: made });
    expect(await parseAnswer(await keys.answer(said, person, null))).toMatchObject({ person, turn: null });
    expect(await parseAnswer(concat(answer, ascii("x")))).toBeNull();
    const people = await Promise.all(Array.from({ length: 8 }, someone));
    expect(await parseAnswer(await keys.answer(said, person, (await turn({ home: said.home, epoch: 1 }, people)).turn))).toBeNull();
  });

  it("that is bent is another one or none", async () => {
    const answer = bytes("answer");
    let none = 0;
    for (let at = 0; at < answer.length; at += 7) {
      if ((await parseAnswer(answer.slice(0, at))) === null) none++;
      await parseAnswer(Object.assign(answer.slice(), { [at]: answer[at]! ^ 1 }));
    }
    expect(none).toBe(Math.ceil(answer.length / 7));
  });
});

it("is of whoever committed to it, and its link is whole", async () => {
  const reveal = random(32);
  const a = { ...said, commitment: await commitment(reveal) };
  expect([await isCommitted(a, reveal), await isCommitted(a, random(32))]).toEqual([true, false]);
  const text = linkText("https://example.org", { secret: random(16), home: said.home, head: said.head }, "");
  expect(readLink(text).home).toBe(said.home);
  expect(() => readLink(text.slice(0, -1))).toThrow();
});
