// The object vectors of this side for home D, whose people and agents came and went
// (sealed/testdata/README.md): who signed when they did not any more, and envelopes for
// somebody alone.

import { parseBinding } from "../src/seal/binding.ts";
import { envelopeBytes, type Recipient, wrap } from "../src/seal/envelope.ts";
import type { Bytes } from "../src/wire.ts";
import { kemKey } from "./chain.ts";
import type { Homes, TestHome } from "./homes.ts";
import type { Make } from "./objects.ts";
import { anyCamera, asked, envelope, jpeg, type Pieces, pieces, signAsSaid, type Wish } from "./pieces.ts";

// Agents by the keys that they had, and cameras.
const [hallBefore, hall, garden] = [0, 1, 2];
const [door, gate, pond] = [0, 1, 2];
// The deeds that took something back.
const [replaced, agentLeft, cameraLeft] = [12, 13, 14];

/** Objects of agents and cameras that were replaced or released. */
export async function formerDrafts(homes: Homes, add: Make): Promise<void> {
  const d = homes["D"]!;
  const content = jpeg(99);
  const made = (agent: number, camera: number, at: number, wish: Wish = {}): Promise<Pieces> => pieces(d, { content, agent, camera, at, ...wish });
  add("former-key-last", "the last object that an agent signed with the key that it had", "opened", await made(hallBefore, door, replaced - 1, { incarnation: 1, sequence: 2 }), { content });
  add("former-key-first", "an object from before there was an epoch", "opened", await made(hallBefore, door, 0, { incarnation: 1, sequence: 1 }), { content });
  add("former-key-one-more", "one object more than the last", "former-signer", await made(hallBefore, door, replaced - 1, { incarnation: 1, sequence: 3 }));
  add("former-key-started-again", "a copy of the agent that was started again, at an early head", "former-signer", await made(hallBefore, door, 3, { incarnation: 2, sequence: 1 }));
  add("former-key-now", "the key that an agent had, at the newest head", "former-signer", await made(hallBefore, gate, 16));
  add("former-key-other-camera", "a camera whose last object nobody named", "opened", await made(hallBefore, gate, replaced - 1), { content });
  add("new-key-long-before", "the key that an agent has, at a head long before", "opened", await made(hall, door, 1), { content });
  add("gone-camera-last", "a camera at the last head before it left", "opened", await made(hall, gate, cameraLeft - 1), { content });
  add("gone-camera", "a camera at the head at which it left", "former-signer", await made(hall, gate, cameraLeft));
  add("gone-agent-last", "an agent at the last head before it left", "opened", await made(garden, pond, agentLeft - 1), { content });
  add("gone-agent", "an agent at the newest head", "former-signer", await made(garden, pond, 16));
  add("gone-agent-others-camera", "an agent that has left signs for the camera of another", "wrong-agent", await made(garden, gate, 6));
  const late = await made(garden, pond, 16);
  add("gone-agent-question", "another camera was asked for, and the agent has left: the question comes first", "wrong-camera", late, { asked: asked(late, { camera: anyCamera() }) });
  const swapped = await made(hall, door, 16);
  swapped.signer = d.agents[hallBefore]!.signer;
  add("new-key-signed-by-former", "named as the key that an agent has, signed with the one that it had", "bad-signature", await signAsSaid(swapped));
}

/** Envelopes for a guest, a link, or somebody who is gone. */
export async function ownDrafts(homes: Homes, add: Make): Promise<void> {
  const d = homes["D"]!;
  const content = jpeg(99);
  const sealed = async (at: number, ...to: [Recipient, string, number][]): Promise<Pieces> => {
    const p = await pieces(d, { content, agent: hall, camera: door, at });
    p.envelopes = await Promise.all(to.map(([recipient, name, epoch]) => alone(d, p, recipient, name, epoch)));
    return p;
  };
  add("own-guest", "a guest's own envelope", "opened", await sealed(11, ["person", "gus", 2]), { content });
  add("own-guest-newer", "a guest's own envelope, made in a later epoch", "opened", await sealed(11, ["person", "gus", 3]), { content });
  add("own-guest-gone", "an envelope for a guest who had left at the head: no reader can tell from it", "opened", await sealed(16, ["person", "gus", 3]), { content });
  add("own-link", "a link's own envelope", "opened", await sealed(16, ["link", "link", 3]), { content });
  add("own-others-first", "other people's envelopes stand before", "opened", await sealed(16, ["person", "nobody", 3], ["link", "nobody", 3], ["link", "link", 3]), { content });
  add("own-first-counts", "a guest's envelope of an old epoch before the link's: the first counts", "old-epoch", await sealed(16, ["person", "gus", 2], ["link", "link", 3]));
  add("own-guest-old", "a guest's envelope of the epoch before the object's", "old-epoch", await sealed(8, ["person", "gus", 1]));
  add("own-guest-as-link", "a guest's key in an envelope for a link", "unknown-epoch", await sealed(11, ["link", "gus", 2]));
  add("own-link-as-guest", "a link's key in an envelope for a person", "unknown-epoch", await sealed(11, ["person", "link", 2]));
  add("own-epoch-4", "an epoch that is not yet", "unknown-epoch", await sealed(16, ["person", "gus", 4]));
  add("own-epoch-2-53", "an epoch that never will be", "unknown-epoch", await sealed(16, ["link", "link", Number.MAX_SAFE_INTEGER]));
  add("own-nobody", "an envelope for somebody who was never in the home", "no-envelope", await sealed(16, ["person", "nobody", 3]));
  const p = await sealed(16, ["link", "link", 3]);
  add("own-of-another", "another object's envelope", "envelope", { ...p, envelopes: (await sealed(16, ["link", "link", 3])).envelopes });
  const kind = p.envelopes[0]!.slice();
  kind[1] = 1;
  add("own-as-epoch", "a link's envelope that says it is the epoch's", "no-envelope", { ...p, envelopes: [kind] });
  const epoch = envelopeBytes(await envelope(p, 3));
  epoch[1] = 2;
  add("epoch-as-own", "the epoch's envelope that says it is a person's", "no-envelope", { ...p, envelopes: [epoch] });
}

async function alone(d: TestHome, p: Pieces, recipient: Recipient, name: string, epoch: number): Promise<Bytes> {
  const key = d.people[name]?.kem ?? (await kemKey());
  return envelopeBytes(await wrap(p.objectKey, parseBinding(p.binding), recipient, key, epoch));
}
