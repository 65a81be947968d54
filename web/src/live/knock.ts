// A viewer's wish to watch a stream, signed by a device and sealed to the camera's agent.

import { publicKey, sha256, type Signer } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { type PrivateKey, privateKey, seedSize } from "../hpke.ts";
import { idBytes, type KeyID } from "../seal/name.ts";
import { writeParcel } from "../seal/parcel.ts";
import { type Bytes, random } from "../wire.ts";
import { sealedToOne, type Stream, writeStart } from "./message.ts";

export const knockFormat = sealedToOne("knock", 4 << 10, "agent");
/** How long a knock may be granted at most, in microseconds. */
export const knockLife = 2 * 60 * 1_000_000;

/** A knock that was sent. */
export interface Knocked {
  readonly bytes: Bytes;
  /** Which its grant names. */
  readonly hash: Bytes;
  /** When it was, by the viewer's clock. */
  readonly sent: number;
  /** The grant is sealed to it, and it is thrown away with this. */
  readonly asker: { readonly id: KeyID; readonly key: PrivateKey };
}

/** Makes a knock at the agent with which the camera is placed. What it says of the time is for the agent, and may be of another clock than `sent`. */
export async function sealKnock(device: Signer, title: Title, of: Stream, sent: number, time = sent): Promise<Knocked> {
  const agent = title.agents.find((a) => a.id === title.camera(of.camera)?.agent);
  if (agent === undefined) throw new Error("internal error: no such camera");
  const key = await privateKey(random(seedSize));
  const own = writeStart("knock", of).raw(idBytes("agent", agent.id)).raw(random(16)).u64(time).u64(time + knockLife);
  const bytes = await writeParcel(knockFormat, own, device, title, [{ recipient: "agent", key: agent.kem, epoch: title.epoch }], key.publicKey);
  return { bytes, hash: await sha256(bytes), sent, asker: { id: (await publicKey("X-Wing", key.publicKey)).id, key } };
}
