// What a placed agent says when it asks for a camera (docs/wire.md, "Ask").

import { type Head, readHead } from "../deed/head.ts";
import { signatureSize, verifySignature } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import type { PrivateKey } from "../hpke.ts";
import { type AgentID, type CameraID, idBytes, idText, type KeyID } from "../seal/name.ts";
import { nameFits } from "../settings/content.ts";
import { type Bytes, concat, label, ParseError, Reader } from "../wire.ts";

const maxAsk = 4 << 10;

export interface ParsedAsk {
  readonly home: string;
  readonly agent: AgentID;
  readonly camera: CameraID;
  readonly head: Head;
  readonly time: number;
  readonly key: KeyID;
  readonly epoch: number;
  readonly sealedName: Bytes;
  readonly signature: Bytes;
  readonly signed: Bytes;
}

/** Reads an ask, or null if it is none. */
export function parseAsk(b: Bytes): ParsedAsk | null {
  if (b.length > maxAsk || b[0] !== 1) return null;
  try {
    const r = new Reader(b);
    r.u8();
    const about = { home: idText("home", r.raw(32)), agent: idText("agent", r.raw(16)), camera: idText("camera", r.raw(16)), head: readHead(r), time: r.u64() };
    const name = { key: idText("key", r.raw(32)), epoch: r.u64(), sealedName: r.lp16() };
    const signed = b.slice(0, r.at);
    if (r.u8() !== 1) return null;
    const signature = r.lp16();
    r.done();
    return signature.length === signatureSize ? { ...about, ...name, signature, signed } : null;
  } catch (e) {
    if (e instanceof ParseError) return null;
    throw e;
  }
}

/**
 * The name that the ask's agent gives the camera; null if the home's deeds do not
 * allow the ask or the name does not open.
 */
export async function readAsk(ask: ParsedAsk, title: Title, ring: ReadonlyMap<KeyID, PrivateKey>): Promise<string | null> {
  const agent = title.agent(ask.agent);
  if (ask.home !== title.home || agent === null || !title.onChain(ask.head) || title.anyCamera(ask.camera) !== null) return null;
  if (title.epochKey(ask.epoch)?.id !== ask.key) return null;
  if (!(await verifySignature(agent.signing, concat(label("latchkey ask v1"), ask.signed), ask.signature))) return null;
  const info = concat(label("latchkey ask name v1"), idBytes("home", title.home), idBytes("camera", ask.camera));
  const plain = await ring.get(ask.key)?.open(info, ask.sealedName);
  if (plain == null) return null;
  try {
    const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
    return nameFits(name) ? name : null;
  } catch {
    return null;
  }
}
