// A binding with the body that belongs to it and the agent's signature over both
// (docs/seal.md, "Header").

import { type Bytes, concat, label, ParseError, Reader, Writer } from "../wire.ts";
import { signatureSize } from "../deed/key.ts";
import { type Binding, bindingBytes, parseBinding } from "./binding.ts";
import { maxBody } from "./name.ts";
import { SealError } from "./reasons.ts";

export const maxHeader = 512;

export interface Header {
  readonly binding: Binding;
  readonly bodyLength: number;
  readonly bodyHash: Bytes;
  readonly signature: Bytes;
}

/** Reads a header. That it parses says nothing of whether it holds: verify.ts does. */
export function parseHeader(b: Bytes): Header {
  if (b.length > maxHeader) throw new SealError("oversize", `header of ${b.length} bytes`);
  return layout(() => {
    const r = new Reader(b);
    const binding = parseBinding(r.lp16());
    const bodyLength = r.u64();
    if (bodyLength > maxBody[binding.kind]) throw new SealError("oversize", `a ${binding.kind} of ${bodyLength} bytes`);
    const bodyHash = r.raw(32);
    if (r.u8() !== 1) throw new SealError("malformed", "not one signature");
    const signature = r.lp16();
    r.done();
    if (signature.length !== signatureSize) throw new SealError("malformed", `signature of ${signature.length} bytes`);
    return { binding, bodyLength, bodyHash, signature };
  });
}

/** Gives bytes that do not parse the reason of the page. */
export function layout<T>(parse: () => T): T {
  try {
    return parse();
  } catch (e) {
    if (e instanceof ParseError) throw new SealError(e.why, e.message);
    throw e;
  }
}

function signedPart(h: Pick<Header, "binding" | "bodyLength" | "bodyHash">): Bytes {
  return new Writer().lp16(bindingBytes(h.binding)).u64(h.bodyLength).raw(h.bodyHash).bytes();
}

/** What the agent signs: what the object is, and which body is its own. */
export function signedMessage(h: Pick<Header, "binding" | "bodyLength" | "bodyHash">): Bytes {
  return concat(label("latchkey object v1"), signedPart(h));
}

/** The header as it is stored and sent. */
export function headerBytes(h: Header): Bytes {
  return new Writer().raw(signedPart(h)).u8(1).lp16(h.signature).bytes();
}
