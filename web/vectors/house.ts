// The deed vectors of this side about agents and cameras that change, and about the
// home itself.

import type { BodyOf } from "../src/deed/body.ts";
import { signerOf } from "../src/deed/key.ts";
import { idText } from "../src/seal/name.ts";
import { type Bytes, random, Writer } from "../src/wire.ts";
import { agentBody, kemKey } from "./chain.ts";
import { bent, type Family, guest, type Placed, resident, set, type Tell } from "./family.ts";

/** Every vector of the house. */
export async function houseDrafts(tell: Tell): Promise<void> {
  await replacing(tell);
  await releasing(tell);
  await states(tell);
  await types(tell);
}

async function newKeys(b: BodyOf<"place agent">, lasts: BodyOf<"replace agent">["lasts"] = []): Promise<BodyOf<"replace agent">> {
  return { type: "replace agent", agent: b.agent, signing: (await signerOf(random(32))).key, kem: await kemKey(), lasts };
}

async function replacing(tell: Tell): Promise<void> {
  await tell("replace-agent", "an agent that was stolen, with what its two cameras sent last", "accepted", async (f) => {
    const { agent, cameras } = await f.place(2);
    await f.do(await newKeys(agent, cameras.map((c, i) => ({ camera: c.camera, incarnation: 3 + i, sequence: 9 }))));
    await f.do(await newKeys(agent));
    await f.do({ type: "place camera", camera: idText("camera", random(16)), agent: agent.agent });
  });
  await tell("replace-agent-camera-released", "what a camera sent last that has left the home since", "accepted", async (f) => {
    const { agent, cameras } = await f.place(1);
    await f.do({ type: "release camera", camera: cameras[0]!.camera });
    await f.do(await newKeys(agent, [{ camera: cameras[0]!.camera, incarnation: 1, sequence: 1 }]));
  });
  await tell("replace-agent-strange", "an agent that was never placed", "unknown-agent", async (f) => f.add(await newKeys((await agentBody()) as BodyOf<"place agent">)));
  await tell("replace-agent-same-signing", "an agent keeps the key with which it signs", "reused-key", async (f) => {
    const { agent } = await f.place(0);
    await f.add({ ...(await newKeys(agent)), signing: agent.signing });
  });
  await tell("replace-agent-same-kem", "an agent keeps the key to which is sealed", "reused-key", async (f) => {
    const { agent } = await f.place(0);
    await f.add({ ...(await newKeys(agent)), kem: agent.kem });
  });
  await tell("replace-agent-others-camera", "what the camera of another agent sent last", "unknown-camera", async (f) => {
    const { agent } = await f.place(1);
    const { cameras } = await f.place(1);
    await f.add(await newKeys(agent, [{ camera: cameras[0]!.camera, incarnation: 1, sequence: 1 }]));
  });
  const lasts = (name: string, says: string, expect: string, bend: (statement: Bytes) => Bytes): Promise<void> =>
    tell(name, says, expect, async (f) => {
      const { agent, cameras } = await f.place(2);
      await f.addBent(await newKeys(agent, cameras.map((c) => ({ camera: c.camera, incarnation: 1, sequence: 1 }))), bend);
    });
  const swapped = bent((b) => new Writer().raw(b.subarray(0, -64)).raw(b.subarray(-32)).raw(b.subarray(-64, -32)).bytes());
  await lasts("replace-agent-lasts-descend", "two cameras in the other order", "malformed", swapped);
  await lasts("replace-agent-lasts-twice", "a camera twice", "malformed", bent((b) => new Writer().raw(b.subarray(0, -32)).raw(b.subarray(-64, -32)).bytes()));
  await lasts("replace-agent-lasts-257", "more cameras than a home has", "too-many", set(-66, 1, 1));
  await lasts("replace-agent-lasts-cut", "a camera that is not there", "malformed", set(-66, 0, 3));
  await lasts("replace-agent-lasts-2-53", "a sequence of 2^53", "malformed", set(-8, 0, 32, 0, 0, 0, 0, 0, 0));
  await tell("replaced-agent-signs", "signed by an agent's former key", "not-allowed", async (f) => {
    const { agent, signer } = await f.place(0);
    await f.do(await newKeys(agent));
    await f.add({ type: "freeze" }, { signer });
  });
}

async function releasing(tell: Tell): Promise<void> {
  const released = async (f: Family): Promise<Placed> => {
    const placed = await f.place(1);
    await f.do({ type: "release agent", agent: placed.agent.agent, lasts: [{ camera: placed.cameras[0]!.camera, incarnation: 2, sequence: 7 }] });
    return placed;
  };
  await tell("release-agent", "an agent leaves with its camera, and another one comes", "accepted", async (f) => {
    await released(f);
    await f.place(1);
  });
  await tell("release-agent-twice", "an agent that has left", "unknown-agent", async (f) => {
    const { agent } = await released(f);
    await f.add({ type: "release agent", agent: agent.agent, lasts: [] });
  });
  await tell("release-agent-then-camera", "a camera left with its agent", "unknown-camera", async (f) => {
    const { cameras } = await released(f);
    await f.add({ type: "release camera", camera: cameras[0]!.camera });
  });
  await tell("release-agent-then-place", "a camera with an agent that has left", "unknown-agent", async (f) => {
    const { agent } = await released(f);
    await f.add({ type: "place camera", camera: idText("camera", random(16)), agent: agent.agent });
  });
  await tell("release-agent-return", "an agent that has left comes back under the same ID", "already-placed", async (f) => {
    const { agent } = await released(f);
    await f.add(await agentBody({ agent: agent.agent }));
  });
  await tell("release-agent-return-keys", "an agent that has left comes back with the same keys", "reused-key", async (f) => {
    const { agent } = await released(f);
    await f.add({ ...agent, agent: idText("agent", random(16)) });
  });
  await tell("release-agent-others-camera", "what the camera of another agent sent last", "unknown-camera", async (f) => {
    const { agent } = await f.place(0);
    const { cameras } = await f.place(1);
    await f.add({ type: "release agent", agent: agent.agent, lasts: [{ camera: cameras[0]!.camera, incarnation: 1, sequence: 1 }] });
  });
  await tell("release-camera-twice", "a camera that has left", "unknown-camera", async (f) => {
    const { cameras } = await f.place(1);
    await f.do({ type: "release camera", camera: cameras[0]!.camera });
    await f.add({ type: "release camera", camera: cameras[0]!.camera });
  });
  await tell("release-camera-return", "a camera that has left comes back under the same ID", "already-placed", async (f) => {
    const { cameras } = await f.place(1);
    await f.do({ type: "release camera", camera: cameras[0]!.camera });
    await f.add(cameras[0]!);
  });
  await tell("agents-33-one-released", "an agent that has left makes room for another", "accepted", async (f) => {
    await released(f);
    for (let n = 0; n < 32; n++) await f.add(await agentBody());
  });
}

async function states(tell: Tell): Promise<void> {
  await tell("freeze-twice", "a home that is frozen", "wrong-state", async (f) => {
    await f.do({ type: "freeze" });
    await f.add({ type: "freeze" });
  });
  await tell("thaw-first", "a home that was never frozen", "wrong-state", async (f) => f.add({ type: "thaw" }));
  await tell("freeze-by-guest", "a guest freezes the home", "not-allowed", async (f) => {
    const ben = await f.join(guest());
    await f.add({ type: "freeze" }, { signer: ben.signer });
  });
  await tell("thaw-by-resident", "the resident who froze the home thaws it", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.do({ type: "freeze" }, anna.signer);
    await f.add({ type: "thaw" }, { signer: anna.signer });
  });
  await tell("freeze-body", "a freeze that says something", "malformed", async (f) => f.addBent({ type: "freeze" }, bent(() => new Uint8Array(1))));
  await tell("retain", "for so long and so much, and without bounds again", "accepted", async (f) => {
    await f.do({ type: "retain", days: 36_500, bytes: Number.MAX_SAFE_INTEGER });
    await f.do({ type: "retain", days: 0, bytes: 0 });
  });
  await tell("retain-36501", "for a day more than a century", "malformed", async (f) => f.add({ type: "retain", days: 36_501, bytes: 0 }));
  await tell("retain-2-53", "as much as 2^53", "malformed", async (f) => f.addBent({ type: "retain", days: 1, bytes: 0 }, set(-8, 0, 32, 0, 0, 0, 0, 0, 0)));
  await tell("retain-by-resident", "a resident says how long recordings are kept", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add({ type: "retain", days: 1, bytes: 0 }, { signer: anna.signer });
  });
}

async function types(tell: Tell): Promise<void> {
  const numbered = (n: number) => (b: Bytes): Bytes => {
    b[1] = n;
    return b;
  };
  await tell("type-9", "a number that is no statement and never will be", "unknown-type", async (f) => f.addBent({ type: "freeze" }, numbered(9)));
  await tell("type-23", "a statement that is not yet", "unknown-type", async (f) => f.addBent({ type: "freeze" }, numbered(23)));
  await tell("type-255", "the last of all numbers", "unknown-type", async (f) => f.addBent({ type: "freeze" }, numbered(255)));
}
