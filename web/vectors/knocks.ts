// Knocks as a carrier and an agent read them (docs/live.md, "The agent"): no page does.

import { publicKey } from "../src/deed/key.ts";
import type { Title } from "../src/deed/title.ts";
import type { PrivateKey } from "../src/hpke.ts";
import { knockFormat, knockLife } from "../src/live/knock.ts";
import { LiveError, readStart, type Stream } from "../src/live/message.ts";
import { type AgentID, idText } from "../src/seal/name.ts";
import { openParcel, type Parcel, parseParcel, readSigned, type Signed, verifyParcel } from "../src/seal/parcel.ts";
import { type Bytes, hex } from "../src/wire.ts";

interface About extends Signed {
  readonly stream: Stream;
  readonly agent: AgentID;
  readonly time: number;
  readonly expires: number;
}

export type Knock = About & Parcel;

/** Reads a knock. */
export function parseKnock(b: Bytes): Promise<Knock> {
  return parseParcel(knockFormat, b, (r): About => {
    const stream = readStart("knock", r);
    const agent = idText("agent", r.raw(16));
    r.raw(16);
    const k = { stream, home: stream.home, agent, time: r.u64(), expires: r.u64(), ...readSigned(r) };
    if (k.expires <= k.time || k.expires - k.time > knockLife) throw new LiveError("malformed", "it lives too long or not at all");
    return k;
  });
}

/** Checks that a device of this home signed the knock, for the agent with which the camera is placed. */
export async function verifyKnock(k: Knock, title: Title): Promise<void> {
  await verifyParcel(knockFormat, k, title);
  if (title.minVersion > 1) throw new LiveError("old-version", "the home takes no version 1");
  const agent = title.agentsAt(k.head.seq).find((a) => a.id === k.agent);
  if (agent === undefined || title.camera(k.stream.camera)?.agent !== k.agent) throw new LiveError("wrong-agent", "the camera is not with that agent");
  const signer = title.holder(k.signer)!; // verifyParcel has found it
  if (signer.kind !== "device" && signer.kind !== "person") throw new LiveError("not-allowed", "only a member's device knocks");
  if (signer.until !== null) throw new LiveError("former-signer", "the key was taken back");
  if (signer.kind === "person") throw new LiveError("not-allowed", "a person's own key does not knock");
  const to = k.recipients[0]!;
  if (to.key !== agent.kem.id || to.epoch !== title.epochAt(k.head.seq)) throw new LiveError("wrong-recipients", "sealed to another");
}

const minute = 60 * 1_000_000;
const askerSize = 1216;

/** An agent that takes knocks, each once. */
export class Porter {
  readonly #seen = new Set<string>();

  constructor(
    private readonly agent: AgentID,
    private readonly kem: PrivateKey,
  ) {}

  /** The key that the knock brought. The clock is 0 if it cannot be believed. */
  async open(b: Bytes, title: Title, now: number): Promise<Bytes> {
    const k = await parseKnock(b);
    await verifyKnock(k, title);
    if (k.agent !== this.agent) throw new LiveError("wrong-agent", "a knock at another agent");
    if (now !== 0 && (now > k.expires + 5 * minute || k.expires > now + 10 * minute)) throw new LiveError("expired", "not now");
    const own = (await publicKey("X-Wing", this.kem.publicKey)).id;
    const plain = await openParcel(knockFormat, k, (w) => (w.key === own ? this.kem : undefined));
    if (plain.length !== askerSize) throw new LiveError("content", "no key");
    if (this.#seen.has(hex(k.hash))) throw new LiveError("replayed", "it came before");
    this.#seen.add(hex(k.hash));
    return plain;
  }
}
