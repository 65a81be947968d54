// One deed of a home: its bytes, taken apart and put together (docs/deed.md). That a
// deed parses says nothing of whether it holds; fold.ts does.

import { type Bytes, concat, label, Reader, Writer } from "../wire.ts";
import { idBytes, idText, type KeyID } from "../seal/name.ts";
import { type Body, bodyBytes, layout, parseBody, typeNumber } from "./body.ts";
import { sha256, type Signer, signatureSize } from "./key.ts";
import { limits } from "./limits.ts";
import { DeedError } from "./reasons.ts";

export interface Deed {
  /** The hash of the home's first deed; zeros in that deed itself. */
  readonly home: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
  readonly time: number;
  readonly signer: KeyID;
  readonly body: Body;
  readonly signature: Bytes;
  /** What the signature is over, without its label. */
  readonly statement: Bytes;
}

/** Reads one deed. */
export async function parseDeed(b: Bytes): Promise<Deed> {
  if (b.length > limits.deed) throw new DeedError("oversize", `${b.length} bytes`);
  if (b[0] === 0) throw new DeedError("malformed", "no version");
  if (b[0]! > 1) throw new DeedError("future-version", `version ${b[0]}; this page reads up to 1`);
  return layout(async () => {
    const r = new Reader(b);
    r.u8();
    const type = r.u8();
    const head = { home: r.raw(32), seq: r.u64(), prev: r.raw(32), time: r.u64(), signer: idText("key", r.raw(32)) };
    const body = r.lp32();
    const statement = b.slice(0, r.at);
    if (r.u8() !== 1) throw new DeedError("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw new DeedError("malformed", `a signature of ${signature.length} bytes`);
    return { ...head, body: await parseBody(type, body), signature, statement };
  });
}

/** Where a deed stands: what it is signed into. */
export interface Place {
  readonly home: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
}

/** The place of a home's first deed. */
export const firstPlace: Place = { home: new Uint8Array(32), seq: 0, prev: new Uint8Array(32) };

/** What a deed's signature is over. */
export function signedMessage(statement: Bytes): Bytes {
  return concat(label("latchkey deed v1"), statement);
}

/** Makes one deed. Nobody believes it yet: Title.append says whether it holds. */
export async function signDeed(signer: Signer, at: Place, time: number, body: Body): Promise<Bytes> {
  const statement = new Writer()
    .u8(1)
    .u8(typeNumber(body.type))
    .raw(at.home)
    .u64(at.seq)
    .raw(at.prev)
    .u64(time)
    .raw(idBytes("key", signer.key.id))
    .lp32(bodyBytes(body))
    .bytes();
  const signature = await signer.sign(signedMessage(statement));
  return new Writer().raw(statement).u8(1).lp16(signature).bytes();
}

/** The hash by which the next deed and every head name this one. It covers the signatures. */
export async function deedHash(deed: Bytes): Promise<Bytes> {
  return sha256(deed);
}
