// A piece of a run: a picture or a few, sealed for everybody who watches, and signed.

import { type Key, sha256, signatureSize, verifySignature } from "../deed/key.ts";
import { type Bytes, concat, isZero, label, ParseError, Reader as Wire, Writer } from "../wire.ts";
import { type RunID, runID } from "./grant.ts";
import { kindOf, LiveError, readStart, type Stream } from "./message.ts";

const headerSize = 80;
const tagSize = 16;
const maxFragment = 3 << 20;
const keyFlag = 1;
const endingFlag = 2;

export interface Fragment {
  readonly stream: Stream;
  readonly run: RunID;
  /** Within the run, from 1, without holes. */
  readonly sequence: number;
  /** It begins with a key frame, so that a viewer can begin here. */
  readonly key: boolean;
  /** The run ends within seconds. */
  readonly ending: boolean;
  /** Of its first frame, by the clock of the run. */
  readonly time: number;
  /** What is bound to what is sealed. */
  readonly header: Bytes;
  readonly sealed: Bytes;
  readonly signature: Bytes;
}

/** Reads a fragment. */
export function parseFragment(b: Bytes): Fragment {
  kindOf(b);
  try {
    return read(b);
  } catch (e) {
    if (e instanceof ParseError) throw new LiveError(e.why, e.message);
    throw e;
  }
}

function read(b: Bytes): Fragment {
  const r = new Wire(b);
  r.u8();
  const stream = readStart("fragment", r);
  const run = r.raw(16);
  const [sequence, flags, time] = [r.u32(), r.u8(), r.u64()];
  if (isZero(run) || sequence === 0) throw new LiveError("malformed", "no run, or fragment 0");
  if ((flags & ~(keyFlag | endingFlag)) !== 0) throw new LiveError("malformed", `flags ${flags}`);
  const length = r.u32();
  if (length > maxFragment) throw new LiveError("oversize", `${length} bytes are sealed`);
  const sealed = r.raw(length);
  if (r.u8() !== 1) throw new LiveError("malformed", "not one signature");
  const signature = r.lp16();
  r.done();
  if (signature.length !== signatureSize) throw new LiveError("malformed", `a signature of ${signature.length} bytes`);
  if (length <= tagSize) throw new LiveError("malformed", "nothing is sealed");
  const header = b.slice(0, headerSize);
  return { stream, run: runID(run), sequence, key: (flags & keyFlag) !== 0, ending: (flags & endingFlag) !== 0, time, header, sealed, signature };
}

/** What the agent signs: the header, and the hash of what is sealed. */
export async function fragmentMessage(header: Bytes, sealed: Bytes): Promise<Bytes> {
  return concat(label("latchkey fragment v1"), header, new Writer().u32(sealed.length).bytes(), await sha256(sealed));
}

/** How the fragment of that number is sealed under a run's key. */
export function fragmentCipher(sequence: number, header: Bytes): AesGcmParams {
  return { name: "AES-GCM", iv: new Writer().u64(0).u32(sequence).bytes(), additionalData: header };
}

/** Opens a fragment of a run that the agent with that key granted. */
export async function openFragment(f: Fragment, run: { readonly key: CryptoKey; readonly agent: Key }): Promise<Bytes> {
  const [genuine, media] = await Promise.all([
    fragmentMessage(f.header, f.sealed).then((m) => verifySignature(run.agent, m, f.signature)),
    crypto.subtle.decrypt(fragmentCipher(f.sequence, f.header), run.key, f.sealed).catch(() => null),
  ]);
  if (!genuine) throw new LiveError("bad-signature", "the agent's signature does not verify");
  if (media === null) throw new LiveError("chunk", "the fragment does not open");
  return new Uint8Array(media);
}
