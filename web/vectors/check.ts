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
import { base64, equal, hex, unbase64 } from "../src/wire.ts";
import { openSettings, SettingsError } from "../src/settings/settings.ts";
import { publicKey } from "../src/deed/key.ts";
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
    const { content } = await open(new Source(file), asked, { title: home.title, ring: home.ring });
    const prefix = prefixBytes(await readPrefix(new Source(file)));
    if (!equal(prefix, file.subarray(0, prefix.length))) return "opened, but written back as other bytes";
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
