// What this implementation says of one vector: the outcome that docs/seal.md and
// docs/deed.md want compared.

import { DeedError } from "../src/deed/reasons.ts";
import { headText } from "../src/deed/head.ts";
import { sha256 } from "../src/deed/key.ts";
import { Title } from "../src/deed/title.ts";
import { parseName } from "../src/seal/name.ts";
import { open } from "../src/seal/open.ts";
import { readPrefix, prefixBytes } from "../src/seal/file.ts";
import { SealError } from "../src/seal/reasons.ts";
import { Source } from "../src/source.ts";
import { base64, type Bytes, equal, hex, unbase64 } from "../src/wire.ts";
import { openSettings, SettingsError } from "../src/settings/settings.ts";
import { publicKey } from "../src/deed/key.ts";
import { privateKey } from "../src/hpke.ts";
import type { Replies } from "../src/letter/content.ts";
import { openCommand, openCondition, Sent } from "../src/letter/correspondence.ts";
import { type Letter, LetterError, parseLetter, verifyLetter } from "../src/letter/letter.ts";
import type { Holder } from "../src/settings/settings.ts";
import type { Homes, TestHome } from "./homes.ts";

export interface ObjectVector {
  name: string;
  says: string;
  home: string;
  asked: string;
  file: string;
  expect: string;
  sha256?: string;
}

export interface DeedVector {
  name: string;
  says: string;
  /** Go writes no bytes as null. */
  deeds: (string | null)[];
  expect: string;
  at?: number;
  head?: string;
}

export interface SettingsVector {
  name: string;
  says: string;
  home: string;
  /** "epoch", or "agent N". */
  reader: string;
  /** Go writes no bytes as null. */
  document: string | null;
  expect: string;
  content?: string;
}

export interface LetterVector {
  name: string;
  says: string;
  home: string;
  /** "carrier", "agent N", "asker" or "epoch". */
  reader: string;
  /** Whose condition was asked for. */
  asked?: string;
  /** What the reading agent's is, and what its clock shows; 0 or nothing if that cannot be believed. */
  incarnation?: number;
  now?: number;
  /** Which command a reply answers: its name, the letter, and the seed of the key that it brought. */
  do?: string;
  command?: string;
  asker?: string;
  /** Go writes no bytes as null. */
  letter: string | null;
  expect: string;
  content?: string;
}

/** What a vector came to, beside what it should: equal texts are a pass. */
export interface Outcome {
  name: string;
  want: string;
  got: string;
}

/** Opens an object as its vector says. */
export async function checkObject(v: ObjectVector, homes: Homes): Promise<Outcome> {
  const want = v.expect === "opened" ? `opened ${v.sha256 ?? ""}` : v.expect;
  return { name: v.name, want, got: await outcome(v, homes) };
}

async function outcome(v: ObjectVector, homes: Homes): Promise<string> {
  const home = homes[v.home];
  const file = unbase64(v.file);
  const asked = v.asked === "" ? null : parseName(v.asked);
  if (home === undefined || file === null || (asked === null && v.asked !== "")) return "not a vector";
  try {
    const { header, content } = await open(new Source(file), asked, { title: home.title, ring: home.ring, own: home.own });
    const prefix = prefixBytes(await readPrefix(new Source(file)));
    if (!equal(prefix, file.subarray(0, file.length - header.bodyLength))) return "opened, but written back as other bytes";
    return `opened ${hex(await sha256(content.slice()))}`;
  } catch (e) {
    if (e instanceof SealError) return e.reason;
    return `threw ${String(e)}`;
  }
}

/** Folds a chain as its vector says. */
export async function checkDeeds(v: DeedVector): Promise<Outcome> {
  const want = v.expect === "accepted" ? `accepted ${v.head ?? ""}` : `${v.expect} at ${v.at ?? -1}`;
  const deeds = v.deeds.map((d) => unbase64(d ?? ""));
  if (deeds.some((d) => d === null)) return { name: v.name, want, got: "not a vector" };
  try {
    const title = await Title.start(deeds as Uint8Array<ArrayBuffer>[]);
    return { name: v.name, want, got: `accepted ${headText(title.head)}` };
  } catch (e) {
    return { name: v.name, want, got: e instanceof DeedError ? `${e.reason} at ${e.at}` : `threw ${String(e)}` };
  }
}

/** Opens a settings document as its vector says. */
export async function checkSettings(v: SettingsVector, homes: Homes): Promise<Outcome> {
  const want = v.expect === "opened" ? `opened ${v.content ?? ""}` : v.expect;
  const home = homes[v.home];
  const document = unbase64(v.document ?? "");
  if (home === undefined || document === null) return { name: v.name, want, got: "not a vector" };
  try {
    const { plain } = await openSettings(document, home.title, null, await holder(home, v.reader));
    return { name: v.name, want, got: `opened ${base64(plain)}` };
  } catch (e) {
    return { name: v.name, want, got: e instanceof SettingsError ? e.reason : `threw ${String(e)}` };
  }
}

async function holder(home: TestHome, reader: string): Promise<Holder> {
  if (reader === "epoch") return { recipient: "epoch", keys: home.ring };
  const { kem } = home.agents[Number(reader.slice("agent ".length))]!;
  return { recipient: "agent", keys: new Map([[(await publicKey("X-Wing", kem.publicKey)).id, kem]]) };
}

/** Opens a letter as its vector says. */
export async function checkLetter(v: LetterVector, homes: Homes): Promise<Outcome> {
  const want = v.expect === "opened" ? `opened ${v.content ?? ""}` : v.expect;
  const home = homes[v.home];
  const letter = unbase64(v.letter ?? "");
  if (home === undefined || letter === null) return { name: v.name, want, got: "not a vector" };
  try {
    return { name: v.name, want, got: `opened ${base64(await openLetter(v, home, letter))}` };
  } catch (e) {
    return { name: v.name, want, got: e instanceof LetterError ? e.reason : `threw ${String(e)}` };
  }
}

async function openLetter(v: LetterVector, home: TestHome, letter: Bytes): Promise<Bytes> {
  const { title } = home;
  const agent = (who: string): TestHome["agents"][number] => home.agents[Number(who.slice("agent ".length))]!;
  switch (v.reader) {
    case "carrier":
      await verifyLetter(await parseLetter(letter), title);
      return new Uint8Array(0);
    case "epoch":
      return (await openCondition(letter, title, agent(v.asked ?? "").id, null, home.ring)).plain;
    case "asker": {
      const key = await privateKey(unbase64(v.asker ?? "")!);
      const asker = { id: (await publicKey("X-Wing", key.publicKey)).id, key };
      const command = unbase64(v.command ?? "")!;
      return (await new Sent(command, await parseLetter(command), v.do as keyof Replies, asker).open(letter, title)).plain;
    }
  }
  const { id, kem } = agent(v.reader);
  const parsed = await parseLetter(letter);
  if (parsed.kind === "command") {
    await verifyLetter(parsed, title);
    if (parsed.agent === id) isFresh(parsed, v.incarnation ?? 0, v.now ?? 0);
  }
  return (await openCommand(letter, title, id, kem)).plain;
}

// What an agent asks of a command besides (docs/letter.md, "Reading"): no page does.
function isFresh(l: Letter, incarnation: number, now: number): void {
  const minute = 60_000_000;
  if (l.incarnation !== incarnation) throw new LetterError("stale", "for another incarnation");
  if (now !== 0 && (now > l.expires + 5 * minute || l.expires > now + 10 * minute)) throw new LetterError("expired", "not now");
}
