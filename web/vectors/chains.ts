// The deed vectors of this side for a home of one owner; coming.ts, people.ts and
// house.ts have the others.

import type { Body } from "../src/deed/body.ts";
import { type Place, signDeed } from "../src/deed/deed.ts";
import { sha256, type Signer, signerOf } from "../src/deed/key.ts";
import { wrapSize } from "../src/deed/parts.ts";
import { idBytes, idText } from "../src/seal/name.ts";
import { type Bytes, compare, concat, random } from "../src/wire.ts";
import { type Add, agentBody, agentOf, cameraBody, Chain, type ChainDraft, minute } from "./chain.ts";
import { comingDrafts } from "./coming.ts";
import { telling } from "./family.ts";
import type { Homes } from "./homes.ts";
import { houseDrafts } from "./house.ts";
import { peopleDrafts } from "./people.ts";

/** Every deed vector of this side. */
export async function chainDrafts(homes: Homes): Promise<ChainDraft[]> {
  const drafts: ChainDraft[] = [];
  const add: Add = (name, says, expect, c) => {
    const deeds = c instanceof Chain ? c.deeds : c;
    drafts.push({ name, says, deeds, expect, ...(expect === "accepted" ? {} : { at: Math.max(deeds.length - 1, 0) }) });
  };
  const founded = async (): Promise<Chain> => {
    const c = await Chain.make();
    return c.add(c.foundBody());
  };
  await accepted(homes, add, founded);
  await layouts(add, founded);
  await places(homes, add, founded);
  await signing(add, founded);
  await epochs(add, founded);
  await placing(add, founded);
  const tell = telling(add);
  await comingDrafts(tell);
  await peopleDrafts(tell);
  await houseDrafts(tell);
  return drafts;
}

type Founded = () => Promise<Chain>;

async function accepted(homes: Homes, add: Add, founded: Founded): Promise<void> {
  add("whole-home", "a home with two agents, three cameras and two epochs", "accepted", homes["A"]!.deeds);
  add("found-alone", "a home of which nothing else is said", "accepted", await founded());
  const c = await founded();
  add("backdated-5-minutes", "exactly five minutes before the deed it follows", "accepted", await c.add(await c.epochBody(), { time: c.time - 5 * minute }));
  const far = await founded();
  add("next-century", "a deed of a clock that runs far ahead", "accepted", await far.add(await far.epochBody(), { time: Number.MAX_SAFE_INTEGER }));
  const higher = await Chain.make();
  add("min-version-255", "the highest lowest version", "accepted", await higher.add(higher.foundBody({ minVersion: 255 })));
  const early = await founded();
  const body = await agentBody();
  await early.add(body);
  add("camera-before-epoch", "agents and cameras may be placed before there is an epoch", "accepted", await early.add(cameraBody(agentOf(body))));
}

async function layouts(add: Add, founded: Founded): Promise<void> {
  const bent = async (name: string, says: string, expect: string, bend: (b: Bytes) => Bytes, signatures?: (s: Bytes) => Bytes[]): Promise<void> => {
    const c = await founded();
    add(name, says, expect, await c.addBent(await agentBody(), bend, signatures));
  };
  const set = (at: number, ...bytes: number[]) => (b: Bytes): Bytes => {
    b.set(bytes, at);
    return b;
  };
  const same = (b: Bytes): Bytes => b;
  const body = 1 + 1 + 32 + 8 + 32 + 8 + 32 + 4; // where a deed's body begins
  add("no-byte", "a deed of no bytes", "malformed", [new Uint8Array(0)]);
  await bent("version-0", "version 0", "malformed", set(0, 0));
  await bent("version-2", "a later version", "future-version", set(0, 2));
  const c = await founded();
  c.deeds.push(Uint8Array.of(9));
  add("version-9-alone", "a later version is named as such whatever follows", "future-version", c);
  await bent("type-0", "type 0", "unknown-type", set(1, 0));
  await bent("type-5", "a statement that is not yet", "unknown-type", set(1, 5));
  await bent("seq-2-53", "a number of 2^53", "malformed", set(34, 0, 32, 0, 0, 0, 0, 0, 0));
  await bent("time-2-53", "a time of 2^53", "malformed", set(74, 0, 32, 0, 0, 0, 0, 0, 0));
  await bent("body-longer-than-deed", "a body that says it is longer than the deed", "malformed", set(body - 4, 0, 2, 0, 0));
  await bent("signatures-none", "no signature", "malformed", same, () => []);
  await bent("signatures-two", "the right signature twice", "malformed", same, (s) => [s, s]);
  await bent("signature-63", "a signature of 63 bytes", "malformed", same, (s) => [s.slice(0, 63)]);
  await bent("signing-keys-2", "an agent that says it has two signing keys", "malformed", set(body + 16, 2));
  await bent("key-ml-dsa", "a key of the reserved algorithm", "bad-key", set(body + 17, 3));
  await bent("key-sealed-to-signs", "the KEM's algorithm where a signing key belongs", "bad-key", set(body + 17, 2));
  await bent("key-of-31-bytes", "a signing key of 31 bytes", "bad-key", (b) => {
    const short = concat(b.subarray(0, body + 18), Uint8Array.of(0, 31), b.subarray(body + 21));
    new DataView(short.buffer).setUint32(body - 4, b.length - body - 1);
    return short;
  });
  await bent("body-trailing", "a byte after the body's last field", "malformed", (b) => {
    const long = concat(b, new Uint8Array(1));
    new DataView(long.buffer).setUint32(body - 4, b.length - body + 1);
    return long;
  });
  const cut = await founded();
  await cut.add(await agentBody());
  cut.deeds[1] = cut.deeds[1]!.slice(0, -1);
  add("cut", "the last byte is missing", "malformed", cut);
  const long = await founded();
  await long.add(await agentBody());
  long.deeds[1] = concat(long.deeds[1]!, new Uint8Array(1));
  add("trailing", "a byte after the deed", "malformed", long);
  const large = await founded();
  large.deeds.push(new Uint8Array((128 << 10) + 1).fill(1));
  add("oversize", "one byte more than a deed may have, whatever it says", "oversize", large);
  const zero = await Chain.make();
  add("min-version-0", "a lowest version of 0", "malformed", await zero.add(zero.foundBody({ minVersion: 0 })));
}

async function places(homes: Homes, add: Add, founded: Founded): Promise<void> {
  add("epoch-first", "a chain that does not begin with found", "not-found", homes["A"]!.deeds.slice(1, 2));
  add("found-twice", "the first deed again", "replayed", [homes["A"]!.deeds[0]!, homes["A"]!.deeds[0]!]);
  add("neighbours-deed", "a deed of another home", "wrong-home", [homes["A"]!.deeds[0]!, homes["B"]!.deeds[1]!]);
  add("deed-twice", "a deed twice", "replayed", [...homes["A"]!.deeds.slice(0, 3), homes["A"]!.deeds[2]!]);
  add("deed-left-out", "a deed is missing", "gap", [...homes["A"]!.deeds.slice(0, 3), homes["A"]!.deeds[4]!]);
  const bodyOf = agentBody;
  const at = async (name: string, says: string, expect: string, place: Partial<Place>): Promise<void> => {
    const c = await founded();
    add(name, says, expect, await c.add(await bodyOf(), { place }));
  };
  await at("prev-other", "it follows a deed that is not in this chain", "fork", { prev: random(32) });
  await at("prev-zero", "it follows nothing", "fork", { prev: new Uint8Array(32) });
  await at("home-zero", "a later deed that names no home", "wrong-home", { home: new Uint8Array(32) });
  await at("home-before-seq", "home and number are both wrong: the home is looked at first", "wrong-home", { home: random(32), seq: 7 });
  await at("seq-before-prev", "number and previous deed are both wrong: the number is looked at first", "gap", { seq: 7, prev: random(32) });
  const first = async (name: string, says: string, expect: string, place: Partial<Place>): Promise<void> => {
    const c = await Chain.make();
    add(name, says, expect, await c.add(c.foundBody(), { place }));
  };
  await first("first-names-a-home", "a first deed that names a home", "wrong-home", { home: random(32) });
  await first("first-is-1", "a first deed numbered 1", "gap", { seq: 1 });
  await first("first-follows", "a first deed that follows another", "fork", { prev: random(32) });
  const late = await founded();
  add("backdated", "a microsecond more than five minutes before the deed it follows", "backdated", await late.add(await bodyOf(), { time: late.time - 5 * minute - 1 }));
}

async function signing(add: Add, founded: Founded): Promise<void> {
  const stranger = await signerOf(random(32));
  const by = async (name: string, says: string, expect: string, signer: (c: Chain) => Signer): Promise<void> => {
    const c = await founded();
    add(name, says, expect, await c.add(await agentBody(), { signer: signer(c) }));
  };
  await by("stranger-signs", "signed by a key that the home has never seen", "unknown-signer", () => stranger);
  await by("device-signs", "signed by the owner's browser, which signs requests only", "not-allowed", (c) => c.device);
  await by("kem-key-signs", "the signer is named as a key that is sealed to", "unknown-signer", (c) => ({ key: c.person.kem, sign: (m) => c.owner.sign(m) }));
  await by("named-owner-signed-stranger", "named as the owner's, signed by a stranger", "bad-signature", (c) => ({ key: c.owner.key, sign: (m) => stranger.sign(m) }));
  await by("signed-without-label", "signed without the label", "bad-signature", (c) => ({ key: c.owner.key, sign: (m) => c.owner.sign(m.slice(17)) }));
  const c = await founded();
  const agent = await signerOf(random(32));
  await c.add(await agentBody({ signing: agent.key }));
  add("agent-signs", "signed by an agent, who signs no deeds", "not-allowed", await c.add(await agentBody(), { signer: agent }));
  const forged = await founded();
  await forged.add(await agentBody({ signing: agent.key }));
  const named = { key: agent.key, sign: (m: Bytes) => stranger.sign(m) };
  add("agent-named", "named as an agent's, signed by a stranger: the signature is looked at first", "bad-signature", await forged.add(await agentBody(), { signer: named }));
  const first = await Chain.make();
  add("first-signed-by-device", "a home founded by its founder's browser", "unknown-signer", await first.add(first.foundBody(), { signer: first.device }));
  const bit = await founded();
  bit.deeds[0] = bit.deeds[0]!.map((x, i, all) => (i === all.length - 1 ? x ^ 1 : x));
  add("first-signature-bit", "one bit of the first signature is another", "bad-signature", bit);
}

async function epochs(add: Add, founded: Founded): Promise<void> {
  const epoch = async (name: string, says: string, expect: string, change: (c: Chain) => object): Promise<void> => {
    const c = await founded();
    add(name, says, expect, await c.add(await c.epochBody(change(c))));
  };
  const someone = idText("person", random(16));
  await epoch("epoch-2-first", "the first epoch is numbered 2", "wrong-epoch", () => ({ number: 2 }));
  await epoch("epoch-0", "an epoch numbered 0", "wrong-epoch", () => ({ number: 0 }));
  await epoch("wraps-none", "an epoch that nobody can open", "wrong-wraps", () => ({ wraps: [] }));
  await epoch("wraps-stranger", "wrapped for somebody who is not of the home", "wrong-wraps", (c) => ({ wraps: [c.wrap({ person: someone })] }));
  await epoch("wraps-also-stranger", "wrapped for the owner and for somebody who is not of the home", "wrong-wraps", (c) => ({ wraps: [c.wrap(), c.wrap({ person: someone })].sort((a, b) => compare(idBytes("person", a.person), idBytes("person", b.person))) }));
  await epoch("wraps-twice", "wrapped for the owner twice", "wrong-wraps", (c) => ({ wraps: [c.wrap(), c.wrap()] }));
  await epoch("wraps-other-key", "wrapped under the owner's signing key", "wrong-wraps", (c) => ({ wraps: [c.wrap({ key: c.owner.key.id })] }));
  await epoch("wraps-65", "more wraps than an epoch may have", "too-many", (c) => ({ wraps: Array.from({ length: 65 }, () => c.wrap()) }));
  await epoch("wrap-short", "a wrap of 1,167 bytes", "malformed", (c) => ({ wraps: [c.wrap({ sealed: random(wrapSize - 1) })] }));
  await epoch("epoch-key-of-owner", "the epoch's key is the owner's own", "reused-key", (c) => ({ key: c.person.kem }));
  const c = await founded();
  const body = await c.epochBody();
  await c.add(body);
  add("epoch-key-again", "the second epoch has the first one's key", "reused-key", await c.add({ ...body, number: 2 } as Body));
  const same = await founded();
  await same.add(await same.epochBody());
  add("epoch-1-again", "a second epoch numbered 1", "wrong-epoch", await same.add(await same.epochBody()));
  const order = await founded();
  add("number-before-wraps", "number and wraps are both wrong: the number is looked at first", "wrong-epoch", await order.add(await order.epochBody({ number: 3, wraps: [] })));
}

async function placing(add: Add, founded: Founded): Promise<void> {
  const c = await founded();
  const body = await agentBody();
  await c.add(body);
  const again = [...c.deeds];
  add("agent-again", "an agent's ID with other keys", "already-placed", await c.add(await agentBody({ agent: agentOf(body) })));
  const with1 = async (): Promise<Chain> => {
    const fresh = await founded();
    return fresh.add(body);
  };
  add("agent-key-again", "another agent with the first one's signing key", "reused-key", await (await with1()).add(await agentBody({ signing: (body as { signing: unknown }).signing })));
  add("agent-kem-again", "another agent with the first one's KEM key", "reused-key", await (await with1()).add(await agentBody({ kem: (body as { kem: unknown }).kem })));
  const owner = await founded();
  add("agent-key-of-owner", "an agent with the owner's signing key", "reused-key", await owner.add(await agentBody({ signing: owner.owner.key })));
  const self = await Chain.make();
  const doubled = { ...self.person, devices: [{ id: self.person.devices[0]!.id, signing: self.owner.key }] };
  add("device-key-of-owner", "a founder whose browser has the founder's own key", "reused-key", await self.add(self.foundBody({ person: doubled })));
  const nobody = await founded();
  add("camera-without-agent", "a camera with an agent that is not placed", "unknown-agent", await nobody.add(cameraBody(idText("agent", random(16)))));
  const camera = await with1();
  const placed = cameraBody(agentOf(body));
  await camera.add(placed);
  add("camera-again", "a camera twice", "already-placed", await camera.add(placed));
  const many = await founded();
  for (let i = 0; i < 33; i++) await many.add(await agentBody());
  add("agents-33", "more agents than a home may have", "too-many", many);
  const crowd = await with1();
  for (let i = 0; i < 257; i++) await crowd.add(cameraBody(agentOf(body)));
  add("cameras-257", "more cameras than a home may have", "too-many", crowd);
  // The head that two writers had in common, and what each of them made of it.
  const one = again.slice();
  one.push(...(await forkOf(c, again)));
  add("two-writers", "two deeds that follow the same one", "replayed", one);
}

async function forkOf(c: Chain, upTo: Bytes[]): Promise<Bytes[]> {
  const place = { home: await sha256(upTo[0]!), seq: upTo.length, prev: await sha256(upTo.at(-1)!) };
  const make = async (): Promise<Bytes> => signDeed(c.owner, place, c.time, await agentBody());
  return [await make(), await make()];
}
