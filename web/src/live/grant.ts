// An agent's answer to a knock: the key of a run, or why there is nothing to watch.

import type { Key } from "../deed/key.ts";
import { heldAt, type Title } from "../deed/title.ts";
import { type AgentID, idText } from "../seal/name.ts";
import { openParcel, type Parcel, parseParcel, readSigned, type Signed, verifyParcel } from "../seal/parcel.ts";
import { base32, type Bytes, equal, isZero, ParseError, Reader as Wire } from "../wire.ts";
import { type Knocked, knockLife } from "./knock.ts";
import { answers, LiveError, readStart, sealedToOne, type Stream } from "./message.ts";

export const grantFormat = sealedToOne("grant", 32 << 10, "asker");
const runKeySize = 32;
const maxType = 128;
const maxInit = 16 << 10;
const maxReason = 64;

declare const brand: unique symbol;
/** A run's ID in base32. */
export type RunID = string & { readonly [brand]: "run" };

/** The run of those 16 bytes. */
export function runID(b: Bytes): RunID {
  return base32(b) as RunID;
}

interface About extends Signed {
  readonly stream: Stream;
  readonly agent: AgentID;
  /** Null if the agent refuses. */
  readonly run: RunID | null;
  /** The number of the first fragment that may be watched. */
  readonly from: number;
  /** Of the agent, from 1. */
  readonly incarnation: number;
  /** Of the agent's grants in this incarnation, from 1. */
  readonly number: number;
  /** By the clock of the run. */
  readonly time: number;
  /** The hash of the knock that it answers. */
  readonly knock: Bytes;
}

export type Grant = About & Parcel;

/** Reads a grant. */
export function parseGrant(b: Bytes): Promise<Grant> {
  return parseParcel(grantFormat, b, (r): About => {
    const stream = readStart("grant", r);
    const agent = idText("agent", r.raw(16));
    const id = r.raw(16);
    const run = isZero(id) ? null : runID(id);
    const g = { stream, home: stream.home, agent, run, from: r.u32(), incarnation: r.u64(), number: r.u64(), time: r.u64(), knock: r.raw(32), ...readSigned(r) };
    if (g.incarnation === 0 || g.number === 0) throw new LiveError("malformed", "incarnations and grants count from 1");
    if ((g.run === null) !== (g.from === 0)) throw new LiveError("malformed", "a run without a beginning, or a beginning without a run");
    return g;
  });
}

/** Checks that the agent signed the grant with which the camera is placed now. */
export async function verifyGrant(g: Grant, title: Title): Promise<void> {
  await verifyParcel(grantFormat, g, title);
  if (title.minVersion > 1) throw new LiveError("old-version", `the home takes none below ${title.minVersion}`);
  stands(g, title);
  // The key of an asker is one that nobody but agent and asker can know.
  if (g.recipients[0]!.epoch !== title.epochAt(g.head.seq)) throw new LiveError("wrong-recipients", "under the number of another epoch");
}

/**
 * Refuses a grant whose agent no longer has the camera or the key, by the deeds as they
 * are now, or whose home is frozen. Its fragments are taken only as long as it stands.
 */
export function stands(g: Grant, title: Title): void {
  const signer = title.holder(g.signer);
  if (signer?.kind !== "agent") throw new LiveError("not-allowed", "only an agent grants");
  if (signer.agent !== g.agent) throw new LiveError("wrong-agent", "signed by another agent");
  if (!heldAt(signer, g.head.seq) || signer.until !== null) throw new LiveError("former-signer", "the key is not the agent's");
  if (title.camera(g.stream.camera)?.agent !== g.agent) throw new LiveError("wrong-agent", "the camera is not with that agent");
  if (title.frozen && g.run !== null) throw new LiveError("frozen", "the home is frozen");
}

/** What a player needs before the first fragment of a run. */
export interface Init {
  /** `video/mp4; codecs="…"` */
  readonly type: string;
  /** ftyp and moov. */
  readonly segment: Bytes;
}

/** A run that was granted, or a word for programs why none was. */
export type Granted = { readonly run: RunID; readonly key: CryptoKey; readonly init: Init; readonly agent: Key } | { readonly run: null; readonly why: string };

/** Opens the grant that answers a knock. */
export async function openGrant(g: Grant, asked: Stream, knocked: Knocked | null, title: Title, now: number): Promise<Granted> {
  answers(g.stream, asked);
  if (knocked === null || !equal(g.knock, knocked.hash)) throw new LiveError("wrong-knock", "a grant for another knock");
  await verifyGrant(g, title);
  if (now > knocked.sent + knockLife) throw new LiveError("expired", "the knock has ended");
  const plain = await openParcel(grantFormat, g, (k) => (k.key === knocked.asker.id ? knocked.asker.key : undefined));
  if (g.run === null) return { run: null, why: text(plain, maxReason) };
  const { key, init } = readContent(plain);
  return {
    run: g.run,
    key: await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]),
    init,
    agent: title.holder(g.signer)!.key,
  };
}

function readContent(plain: Bytes): { key: Bytes; init: Init } {
  try {
    const r = new Wire(plain);
    const key = r.raw(runKeySize);
    const type = text(r.lp16(), maxType);
    const segment = r.lp16();
    r.done();
    if (segment.length === 0 || segment.length > maxInit) throw new LiveError("content", `an init segment of ${segment.length} bytes`);
    return { key, init: { type, segment } };
  } catch (e) {
    if (e instanceof ParseError) throw new LiveError("content", e.message);
    throw e;
  }
}

/** Some printable ASCII. */
function text(b: Bytes, limit: number): string {
  if (b.length === 0 || b.length > limit || b.some((c) => c < 0x20 || c > 0x7e)) throw new LiveError("content", "no text");
  return String.fromCharCode(...b);
}
