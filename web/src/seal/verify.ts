// Whether a header holds: it answers what was asked, and an agent of the home signed
// it for a camera that is or was placed with it (docs/seal.md, "Reading", steps 2 to 6).

import { verifySignature } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { type Binding, nameOf } from "./binding.ts";
import { type Header, signedMessage } from "./header.ts";
import type { HomeID, Name } from "./name.ts";
import { type Reason, SealError, wordFor } from "./reasons.ts";

const version = 1;

/** Checks a parsed header. Without a question only the home is compared, with the title's. */
export async function verify(h: Header, asked: Name | null, title: Title): Promise<void> {
  compareWithQuestion(h.binding, asked, title.home);
  await verifyGenuine(h, title);
}

/** Refuses what is not an answer to what was asked, whoever signed it. */
function compareWithQuestion(b: Binding, asked: Name | null, home: HomeID): void {
  if (b.home !== home) throw new SealError("wrong-home", `an object of home ${b.home}`);
  if (asked === null) return;
  const is = nameOf(b);
  if (is.home !== asked.home) throw new SealError("wrong-home", `an object of home ${is.home}`);
  if (is.camera !== asked.camera) throw new SealError("wrong-camera", `an object of camera ${is.camera}`);
  if (is.day !== asked.day) throw new SealError("wrong-day", `an object of ${is.day}`);
  if (is.kind !== asked.kind) throw new SealError("wrong-kind", `a ${is.kind}`);
  if (is.object !== asked.object) throw new SealError("wrong-object", `object ${is.object}`);
}

async function verifyGenuine(h: Header, title: Title): Promise<void> {
  const b = h.binding;
  if (!title.onChain(b.head)) throw new SealError("unknown-head", `sealed at ${b.head.seq}; the chain reaches ${title.head.seq}`);
  if (version < title.minVersion) throw new SealError("old-version", `the home takes none below ${title.minVersion}`);
  const signer = title.holder(b.agentKey);
  if (signer?.kind !== "agent") throw new SealError("unknown-signer", "no agent's key of this home");
  if (title.anyCamera(b.camera)?.agent !== signer.agent) throw new SealError("wrong-agent", "the camera was never placed with that agent");
  if (!title.signs(b.agentKey, b.camera, b.head.seq, b.incarnation, b.sequence)) throw new SealError("former-signer", "the key does not sign for that camera there");
  if (!(await verifySignature(signer.key, signedMessage(h), h.signature))) throw new SealError("bad-signature", "the agent's signature does not verify");
}

/**
 * The word for a refusal. What is not what was asked is a misroute only if it is
 * genuine in this home, or another home's, which cannot be judged here.
 */
export async function judge(reason: Reason, h: Header | null, title: Title): Promise<"misroute" | "corrupt" | "unknown-key"> {
  const word = wordFor(reason);
  if (word !== "misroute" || h === null || h.binding.home !== title.home) return word;
  try {
    await verifyGenuine(h, title);
    return "misroute";
  } catch {
    return "corrupt";
  }
}
