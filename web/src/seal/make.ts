// Makes sealed objects. The page never does; the vectors, and tests of the other
// language's reader, are made with it.

import { type Bytes, concat, random } from "../wire.ts";
import { sealBody } from "../cobblestone.ts";
import { type Key, sha256, type Signer } from "../deed/key.ts";
import { type Binding, bindingBytes } from "./binding.ts";
import { objectKeySize, wrap } from "./envelope.ts";
import { prefixBytes } from "./file.ts";
import { type Header, signedMessage } from "./header.ts";

/** Signs a binding and the body that belongs to it. */
export async function signHeader(binding: Binding, body: Bytes, signer: Signer): Promise<Header> {
  const h = { binding, bodyLength: body.length, bodyHash: await sha256(body) };
  return { ...h, signature: await signer.sign(signedMessage(h)) };
}

/** An object file for those who see the whole home. */
export async function makeObject(binding: Binding, content: Bytes, signer: Signer, to: Key, epoch: number): Promise<Bytes> {
  const objectKey = random(objectKeySize);
  const body = await sealBody(objectKey, bindingBytes(binding), content);
  const header = await signHeader(binding, body, signer);
  const envelope = await wrap(objectKey, binding, "epoch", to, epoch);
  return concat(prefixBytes({ header, envelopes: [envelope] }), body);
}
