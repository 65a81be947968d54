// An object's key, wrapped for one recipient (docs/seal.md, "Envelope"). It stands
// beside the object and can be replaced; with a wrong key in it nothing opens.

import { type Bytes, label, Reader, Writer } from "../wire.ts";
import { type PrivateKey, seal, sealedSize } from "../hpke.ts";
import { type Key, sha256 } from "../deed/key.ts";
import { type Binding, bindingBytes } from "./binding.ts";
import { layout } from "./header.ts";
import { idBytes, idText, type KeyID } from "./name.ts";
import { SealError } from "./reasons.ts";

export const maxEnvelope = 2 << 10;
export const maxEnvelopes = 64;
export const objectKeySize = 32;

export type Recipient = "epoch" | "person" | "link";
const recipients: (Recipient | undefined)[] = [undefined, "epoch", "person", "link"];

export interface Envelope {
  readonly recipient: Recipient;
  /** The ID of the recipient's KEM key. */
  readonly key: KeyID;
  /** The epoch that was current when the envelope was made. */
  readonly epoch: number;
  readonly sealed: Bytes;
}

/** Reads an envelope. */
export function parseEnvelope(b: Bytes): Envelope {
  if (b.length > maxEnvelope) throw new SealError("oversize", `envelope of ${b.length} bytes`);
  return layout(() => {
    const r = new Reader(b);
    const version = r.u8();
    if (version > 1) throw new SealError("future-version", `envelope of version ${version}`);
    if (version === 0) throw new SealError("malformed", "envelope of version 0");
    const recipient = recipients[r.u8()];
    if (recipient === undefined) throw new SealError("malformed", "unknown kind of recipient");
    const key = idText("key", r.raw(32));
    const epoch = r.u64();
    if (epoch === 0) throw new SealError("malformed", "envelope of epoch 0");
    const sealed = r.lp16();
    r.done();
    if (sealed.length !== sealedSize(objectKeySize)) throw new SealError("malformed", `sealed key of ${sealed.length} bytes`);
    return { recipient, key, epoch, sealed };
  });
}

/** The envelope as it is stored and sent. */
export function envelopeBytes(e: Envelope): Bytes {
  return new Writer().u8(1).u8(recipients.indexOf(e.recipient)).raw(idBytes("key", e.key)).u64(e.epoch).lp16(e.sealed).bytes();
}

async function info(b: Binding, recipient: Recipient, key: KeyID, epoch: number): Promise<Bytes> {
  return new Writer()
    .raw(label("latchkey envelope v1"))
    .raw(await sha256(bindingBytes(b)))
    .u8(recipients.indexOf(recipient))
    .raw(idBytes("key", key))
    .u64(epoch)
    .bytes();
}

/** The object key in an envelope, or null if the envelope does not open for this object. */
export async function unwrap(e: Envelope, b: Binding, key: PrivateKey): Promise<Bytes | null> {
  return key.open(await info(b, e.recipient, e.key, e.epoch), e.sealed);
}

/** Wraps an object key for one recipient. */
export async function wrap(objectKey: Bytes, b: Binding, recipient: Recipient, to: Key, epoch: number): Promise<Envelope> {
  return { recipient, key: to.id, epoch, sealed: await seal(to.bytes, await info(b, recipient, to.id, epoch), objectKey) };
}
