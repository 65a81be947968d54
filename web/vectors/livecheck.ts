// What this implementation makes of a vector of live view: the outcome that docs/live.md
// wants compared.

import { publicKey, sha256 } from "../src/deed/key.ts";
import { privateKey } from "../src/hpke.ts";
import { parseGrant, verifyGrant } from "../src/live/grant.ts";
import { kindOf, LiveError } from "../src/live/message.ts";
import { type Step, Viewer } from "../src/live/viewer.ts";
import type { CameraID } from "../src/seal/name.ts";
import { type Bytes, hex, unbase64 } from "../src/wire.ts";
import type { Outcome } from "./check.ts";
import type { Homes, TestHome } from "./homes.ts";
import { parseKnock, Porter, verifyKnock } from "./knocks.ts";

export interface LiveVector {
  name: string;
  says: string;
  home: string;
  /** "carrier", "agent N" or "viewer". */
  reader: string;
  /** The agent's clock, absent if it cannot be believed; of a viewer, when it knocked. */
  now?: number;
  camera?: string;
  stream?: number;
  knock?: string;
  asker?: string;
  messages: LiveMessage[];
}

export interface LiveMessage {
  /** Go writes no bytes as null. */
  message: string | null;
  at?: number;
  expect: string;
  behind?: number;
}

/** Has the vector's reader read its messages. */
export async function checkLive(v: LiveVector, homes: Homes): Promise<Outcome> {
  const want = v.messages.map((m) => outcome(m.expect, m.behind)).join("; ");
  const home = homes[v.home];
  if (home === undefined) return { name: v.name, want, got: "not a vector" };
  return { name: v.name, want, got: (await readAll(v, home)).join("; ") };
}

function outcome(what: string, behind: number | null | undefined): string {
  return behind == null ? what : `${what} (${behind})`;
}

/** What comes of each message. */
export async function readAll(v: LiveVector, home: TestHome): Promise<string[]> {
  const read = await readerOf(v, home);
  const all: string[] = [];
  for (const m of v.messages) all.push(await read(unbase64(m.message ?? "")!, m.at ?? 0));
  return all;
}

async function readerOf(v: LiveVector, home: TestHome): Promise<(b: Bytes, at: number) => Promise<string>> {
  if (v.reader === "viewer") {
    const viewer = await viewerOf(v, home);
    return async (b, at) => {
      const what = await reasonOf(async () => told(await viewer.take(b, home.title, at)));
      return outcome(what, viewer.behind(at));
    };
  }
  const opened = (act: () => Promise<unknown>): Promise<string> => reasonOf(() => act().then(() => "opened"));
  if (v.reader === "carrier") return (b) => opened(() => carry(b, home));
  const { id, kem } = home.agents[Number(v.reader.slice("agent ".length))]!;
  const porter = new Porter(id, kem);
  return (b) => opened(() => porter.open(b, home.title, v.now ?? 0));
}

async function viewerOf(v: LiveVector, home: TestHome): Promise<Viewer> {
  const bytes = unbase64(v.knock ?? "")!;
  const key = await privateKey(unbase64(v.asker ?? "")!);
  const asker = { id: (await publicKey("X-Wing", key.publicKey)).id, key };
  const stream = { home: home.home, camera: v.camera as string as CameraID, kind: v.stream! };
  return new Viewer(home.device, stream, { bytes, hash: await sha256(bytes), sent: v.now!, asker });
}

async function carry(b: Bytes, home: TestHome): Promise<void> {
  if (b.length > 1 && b[0] === 1 && kindOf(b) === "grant") return verifyGrant(await parseGrant(b), home.title);
  await verifyKnock(await parseKnock(b), home.title);
}

async function reasonOf(act: () => Promise<string>): Promise<string> {
  try {
    return await act();
  } catch (e) {
    return e instanceof LiveError ? e.reason : `threw ${String(e)}`;
  }
}

/** A step as vectors write it. */
async function told(s: Step): Promise<string> {
  const parts: string[] = [];
  if (s.refused !== null) parts.push(`refused ${s.refused}`);
  if (s.granted) parts.push("granted");
  if (s.missing > 0) parts.push(`missing ${s.missing}`);
  if (s.init !== null) parts.push(`begins ${s.init.type}`);
  if (s.media !== null) parts.push(`${s.key ? "plays key" : "plays"} ${hex(await sha256(s.media))}`);
  if (s.knock) parts.push("knock");
  return parts.length === 0 ? "waits" : parts.join(", ");
}
