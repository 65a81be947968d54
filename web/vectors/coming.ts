// The deed vectors of this side about people who come: invitations, proofs, new keys, and
// the epoch and the past that they are given.

import type { BodyOf } from "../src/deed/body.ts";
import { signerOf } from "../src/deed/key.ts";
import { idText } from "../src/seal/name.ts";
import { concat, random, Writer } from "../src/wire.ts";
import { bent, Family, guest, hour, type Invitation, owner, past, resident, set, somebody, type Somebody, type Tell } from "./family.ts";

/** Every vector of people who come. */
export async function comingDrafts(tell: Tell): Promise<void> {
  await invitations(tell);
  await standings(tell);
  await proofs(tell);
  await newcomers(tell);
  await turns(tell);
  await pasts(tell);
}

async function invitations(tell: Tell): Promise<void> {
  await tell("invite-again", "an invitation that was withdrawn, made again", "already-placed", async (f) => {
    const i = await f.invite({ purpose: "hand over" });
    await f.do({ type: "withdraw", invite: i.id });
    await f.add(await f.inviteBody({ purpose: "hand over" }, { invite: i.id }));
  });
  await tell("invite-ends-now", "an invitation that ends when it begins", "expired", async (f) => f.add(await f.inviteBody({ purpose: "hand over" }, { expires: f.time + 60_000_000 })));
  await tell("invite-key-of-device", "an invitation with the key of the owner's browser", "reused-key", async (f) => f.add(await f.inviteBody({ purpose: "hand over" }, { signing: f.device.key })));
  await tell("invites-33", "more open invitations than a home may have", "too-many", async (f) => {
    for (let n = 0; n < 33; n++) await f.invite({ purpose: "hand over" }, 9 * hour);
  });
  await tell("invites-33-one-ended", "the 33rd, when one of the others has ended: it stands open and does not count", "accepted", async (f) => {
    await f.invite({ purpose: "hand over" }, 2 * 60_000_000);
    for (let n = 0; n < 32; n++) await f.invite({ purpose: "hand over" }, 9 * hour);
  });
  await tell("invite-purpose-0", "an invitation for nothing", "malformed", async (f) => f.addBent(await f.inviteBody({ purpose: "hand over" }), set(-1, 0)));
  await tell("invite-purpose-4", "an invitation for something that is not yet", "malformed", async (f) => f.addBent(await f.inviteBody({ purpose: "hand over" }), set(-1, 4)));
  await tell("invite-hand-over-trailing", "whoever is to take the home is not named", "malformed", async (f) => f.addBent(await f.inviteBody({ purpose: "hand over" }), bent((b) => concat(b, random(16)))));
  await tell("invite-recover-stranger", "to recover somebody who never stood in the home", "unknown-person", async (f) => f.add(await f.inviteBody({ purpose: "recover", person: idText("person", random(16)) })));
  await tell("invite-recover-link", "to recover a link", "unknown-person", async (f) => {
    const link = await f.lend();
    await f.add(await f.inviteBody({ purpose: "recover", person: link.person.id }));
  });
  await tell("invite-by-resident", "signed by a resident", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.inviteBody({ purpose: "hand over" }), { signer: anna.signer });
  });
  await tell("invitation-signs", "signed by an invitation's key, which makes proofs alone", "not-allowed", async (f) => {
    const i = await f.invite({ purpose: "join", standing: owner });
    await f.add({ type: "freeze" }, { signer: i.signer });
  });
  await tell("withdraw-twice", "an invitation that was withdrawn before", "unknown-invite", async (f) => {
    const i = await f.invite({ purpose: "hand over" });
    await f.do({ type: "withdraw", invite: i.id });
    await f.add({ type: "withdraw", invite: i.id });
  });
  await tell("withdraw-ended", "one that has ended stands open until somebody ends it", "accepted", async (f) => {
    const i = await f.invite({ purpose: "hand over" }, 2 * 60_000_000);
    f.time += hour;
    await f.do({ type: "withdraw", invite: i.id });
  });
}

/** Standings and rights as bytes: those of an invitation to join, which end it. */
async function standings(tell: Tell): Promise<void> {
  const join = (f: Family, change = {}): Promise<BodyOf<"invite">> => f.inviteBody({ purpose: "join", standing: guest(change) });
  // role || u16(kinds) || u64(until) || u8(every) || u16(count), from the end
  const [role, kinds, every] = [-14, -13, -3];
  const standing = (name: string, says: string, expect: string, at: number, ...bytes: number[]): Promise<void> => tell(name, says, expect, async (f) => f.addBent(await join(f), set(at, ...bytes)));
  await standing("standing-link", "an invitation for a link, which is lent and not invited", "malformed", role, 4);
  await standing("standing-0", "role 0", "malformed", role, 0);
  await standing("standing-5", "a role that is not yet", "malformed", role, 5);
  await standing("standing-owner-rights", "an owner with rights", "malformed", role, 1);
  await standing("rights-none", "rights to nothing", "malformed", kinds, 0, 0);
  await standing("rights-32", "rights to something that is not yet", "malformed", kinds, 0, 32);
  await standing("rights-all-and-more", "everything and something that is not yet", "malformed", kinds, 1, 31);
  await standing("rights-every-2", "neither every camera nor not", "malformed", every, 2);
  await standing("rights-no-camera", "rights to no camera", "malformed", every, 0);
  await standing("rights-cameras-257", "rights to more cameras than a home has", "too-many", every, 0, 1, 1);
  await standing("rights-cameras-cut", "a camera that is not there", "malformed", every, 0, 0, 1);
  await tell("rights-every-and-one", "every camera, and one by name", "malformed", async (f) => {
    const { cameras } = await f.place(1);
    await f.addBent(await join(f, { cameras: [cameras[0]!.camera] }), set(-19, 1));
  });
  await tell("rights-camera-twice", "a camera twice", "malformed", async (f) => {
    const { cameras } = await f.place(1);
    await f.addBent(await join(f, { cameras: [cameras[0]!.camera] }), bent((b) => concat(b.subarray(0, -18), new Writer().u16(2).bytes(), b.subarray(-16), b.subarray(-16))));
  });
  await tell("rights-cameras-descend", "two cameras in the other order", "malformed", async (f) => {
    const { cameras } = await f.place(2);
    await f.addBent(await join(f, { cameras: cameras.map((c) => c.camera) }), bent((b) => concat(b.subarray(0, -32), b.subarray(-16), b.subarray(-32, -16))));
  });
  await tell("rights-everything", "all that a guest can see, of two cameras", "accepted", async (f) => {
    const { cameras } = await f.place(2);
    await f.join(guest({ sees: ["thumbnail", "clip", "description", "live", "footage"], cameras: cameras.map((c) => c.camera) }));
  });
  await tell("rights-end-now", "rights that end when they begin", "expired", async (f) => f.add(await join(f, { until: f.time + 60_000_000 })));
  await tell("rights-camera-strange", "a camera that no deed places", "unknown-camera", async (f) => f.add(await join(f, { cameras: [idText("camera", random(16))] })));
  await tell("rights-camera-released", "a camera that has left the home", "unknown-camera", async (f) => {
    const { cameras } = await f.place(1);
    await f.do({ type: "release camera", camera: cameras[0]!.camera });
    await f.add(await join(f, { cameras: [cameras[0]!.camera] }));
  });
  await tell("rights-end-before-camera", "they have ended, and the camera is strange: the end is looked at first", "expired", async (f) => f.add(await join(f, { until: 1, cameras: [idText("camera", random(16))] })));
}

async function proofs(tell: Tell): Promise<void> {
  const answer = (name: string, says: string, expect: string, admit: (f: Family, i: Invitation, who: Somebody) => Promise<BodyOf<"admit">>): Promise<void> =>
    tell(name, says, expect, async (f) => {
      const i = await f.invite({ purpose: "join", standing: guest() });
      await f.add(await admit(f, i, await somebody()));
    });
  const signed = async (i: Invitation, message: Parameters<Invitation["signer"]["sign"]>[0]): Promise<BodyOf<"admit">["proof"]> => ({ invite: i.id, signature: await i.signer.sign(message) });
  await answer("proof-of-others", "the proof is for somebody else's keys", "bad-proof", async (f, i, who) => f.admitBody(i, who, { proof: await f.prove(i, (await somebody()).person) }));
  await answer("proof-by-owner", "signed by the owner in place of whoever holds the link", "bad-proof", async (f, i, who) => f.admitBody(i, who, { proof: await f.prove({ ...i, signer: f.owner }, who.person) }));
  await answer("proof-by-themselves", "signed by the key that it is to prove", "bad-proof", async (f, i, who) => f.admitBody(i, who, { proof: await f.prove({ ...i, signer: who.signer }, who.person) }));
  await answer("proof-of-other-home", "the proof is for another home", "bad-proof", async (f, i, who) => f.admitBody(i, who, { proof: await (await Family.founded()).prove(i, who.person) }));
  await answer("proof-of-nothing", "signed over nothing", "bad-proof", async (f, i, who) => f.admitBody(i, who, { proof: await signed(i, new Uint8Array(0)) }));
  await answer("proof-63", "a proof of 63 bytes", "malformed", async (f, i, who) => f.admitBody(i, who, { proof: { invite: i.id, signature: random(63) } }));
  await answer("proof-of-no-invitation", "an invitation that there never was", "unknown-invite", async (f, i, who) => f.admitBody({ ...i, id: idText("invite", random(16)) }, who));
  await answer("proof-before-person", "the proof is wrong, and the person stood in the home: the proof is looked at first", "bad-proof", async (f, i) => f.admitBody({ ...i, signer: f.owner }, f.me));
  await tell("proof-of-another-invitation", "made with the key of another invitation", "bad-proof", async (f) => {
    const [one, two] = [await f.invite({ purpose: "join", standing: guest() }), await f.invite({ purpose: "join", standing: owner })];
    await f.add(await f.admitBody({ id: two.id, signer: one.signer }, await somebody()));
  });
  await tell("proof-at-end", "answered at the moment at which the invitation ends", "expired", async (f) => {
    const i = await f.invite({ purpose: "join", standing: guest() }, 2 * 60_000_000);
    f.time -= 60_000_000;
    await f.add(await f.admitBody(i, await somebody()), { time: f.time + 2 * 60_000_000 });
  });
  await tell("proof-before-end", "answered a microsecond before the invitation ends", "accepted", async (f) => {
    const i = await f.invite({ purpose: "join", standing: guest() }, 2 * 60_000_000);
    f.time -= 60_000_000;
    await f.add(await f.admitBody(i, await somebody()), { time: f.time + 2 * 60_000_000 - 1 });
  });
  await tell("proof-used", "an invitation that somebody has answered before", "unknown-invite", async (f) => {
    const i = await f.invite({ purpose: "join", standing: guest() });
    await f.do(await f.admitBody(i, await somebody()));
    await f.add(await f.admitBody(i, await somebody()));
  });
  await tell("proof-withdrawn", "an invitation that was withdrawn", "unknown-invite", async (f) => {
    const i = await f.invite({ purpose: "join", standing: guest() });
    await f.do({ type: "withdraw", invite: i.id });
    await f.add(await f.admitBody(i, await somebody()));
  });
  await tell("proof-of-other-purpose", "whoever is to take the home over joins it", "unknown-invite", async (f) => {
    const i = await f.invite({ purpose: "hand over" });
    await f.add(await f.admitBody(i, await somebody()));
  });
}

async function newcomers(tell: Tell): Promise<void> {
  const enter = (name: string, says: string, expect: string, who: (f: Family, i: Invitation) => Promise<Somebody>): Promise<void> =>
    tell(name, says, expect, async (f) => {
      const i = await f.invite({ purpose: "join", standing: guest() });
      await f.add(await f.admitBody(i, await who(f, i)));
    });
  await enter("newcomer-owner-id", "a guest with the owner's ID and keys of their own", "already-placed", (f) => somebody({ id: f.person.id }));
  await enter("newcomer-owner-device", "a guest with the owner's browser's ID", "already-placed", async (f) => {
    const device = (await signerOf(random(32))).key;
    return somebody({ devices: [{ id: f.person.devices[0]!.id, signing: device }] });
  });
  await enter("newcomer-owner-key", "a guest with the owner's signing key", "reused-key", (f) => somebody({ signing: f.owner.key }));
  await enter("newcomer-kem-twice", "a guest to whom is sealed with the owner's key", "reused-key", (f) => somebody({ kem: f.person.kem }));
  await enter("newcomer-invitation-key", "a guest who signs with the invitation's key", "reused-key", (_, i) => somebody({ signing: i.signer.key }));
  await enter("newcomer-one-key", "a guest whose browser has the guest's own key", "reused-key", async () => {
    const who = await somebody();
    return { ...who, person: { ...who.person, devices: [{ id: who.person.devices[0]!.id, signing: who.signer.key }] } };
  });
  await tell("newcomer-returns", "somebody who was dismissed comes back under the same ID", "already-placed", async (f) => {
    const ben = await f.join(guest());
    await f.dismiss(ben);
    const i = await f.invite({ purpose: "join", standing: guest() });
    await f.add(await f.admitBody(i, await somebody({ id: ben.person.id })));
  });
  await tell("newcomer-returns-anew", "somebody who was dismissed comes back as somebody new", "accepted", async (f) => {
    await f.dismiss(await f.join(guest()));
    await f.join(guest());
  });
  await tell("newcomer-rights-ended", "the rights of an invitation have ended before it is answered", "expired", async (f) => {
    const i = await f.invite({ purpose: "join", standing: guest({ until: f.time + 2 * 60_000_000 }) });
    await f.add(await f.admitBody(i, await somebody()));
  });
  await tell("newcomer-camera-released", "the camera of an invitation has left before it is answered", "unknown-camera", async (f) => {
    const { cameras } = await f.place(2);
    const i = await f.invite({ purpose: "join", standing: guest({ cameras: cameras.map((c) => c.camera) }) });
    await f.do({ type: "release camera", camera: cameras[1]!.camera });
    await f.add(await f.admitBody(i, await somebody()));
  });
  await tell("guests-33", "more guests and links than a home may have", "too-many", async (f) => {
    for (let n = 0; n < 16; n++) await f.join(guest());
    for (let n = 0; n < 16; n++) await f.lend();
    const i = await f.invite({ purpose: "join", standing: guest() });
    await f.add(await f.admitBody(i, await somebody()));
  });
}

async function turns(tell: Tell): Promise<void> {
  const admit = (name: string, says: string, expect: string, standing: typeof owner, change: (f: Family, who: Somebody) => Promise<Partial<BodyOf<"admit">>>): Promise<void> =>
    tell(name, says, expect, async (f) => {
      await f.join(guest());
      const who = await somebody();
      const i = await f.invite({ purpose: "join", standing });
      f.whole.push(who.person);
      await f.add(await f.admitBody(i, who, await change(f, who)));
    });
  await admit("turn-missing", "a resident comes, and no epoch with them", "wrong-epoch", resident, async () => ({}));
  await admit("turn-needless", "a guest comes, and an epoch with them", "wrong-epoch", guest(), async (f, who) => ({ turn: await f.turn(f.without(who)) }));
  await admit("turn-number", "the epoch that comes with a resident has the number of the one before", "wrong-epoch", resident, async (f) => ({ turn: await f.turn(f.whole, { number: 1 }) }));
  await admit("turn-without-newcomer", "the epoch is not wrapped for whoever comes", "wrong-wraps", resident, async (f, who) => ({ turn: await f.turn(f.without(who)) }));
  await admit("turn-for-newcomer-alone", "the epoch is wrapped for whoever comes alone", "wrong-wraps", resident, async (f, who) => ({ turn: await f.turn([who.person]) }));
  await admit("turn-descends", "the wraps in the other order", "wrong-wraps", resident, async (f) => {
    const turn = await f.turn();
    return { turn: { ...turn, wraps: [...turn.wraps].reverse() } };
  });
  await admit("turn-key-of-newcomer", "the epoch's key is the newcomer's own", "reused-key", resident, async (f, who) => ({ turn: await f.turn(f.whole, { key: who.person.kem }) }));
  await admit("turn-before-past", "neither the wraps nor the past are right: the wraps are looked at first", "wrong-wraps", resident, async (f, who) => ({ turn: await f.turn([who.person]), past: past(9, 1) }));
  await tell("turn-wrapped-for-guest", "an epoch that is wrapped for a guest too", "wrong-wraps", async (f) => {
    const ben = await f.join(guest());
    await f.add({ type: "epoch", ...(await f.turn([...f.whole, ben.person])) });
  });
  await tell("turn-2", "neither a turn nor none", "malformed", async (f) => {
    const ben = await f.join(guest());
    await f.addBent(await f.dismissBody(ben, false), set(-1, 2));
  });
  await tell("turn-cut", "a turn that ends after its mark", "malformed", async (f) => {
    const ben = await f.join(guest());
    await f.addBent(await f.dismissBody(ben, false), set(-1, 1));
  });
}

async function pasts(tell: Tell): Promise<void> {
  const given = (name: string, says: string, expect: string, p: ReturnType<typeof past>): Promise<void> =>
    tell(name, says, expect, async (f) => {
      await f.do({ type: "epoch", ...(await f.turn()) });
      await f.join(resident, p);
    });
  await given("past-whole", "all that was before", "accepted", past(1, 2));
  await given("past-newest", "the newest epoch before", "accepted", past(2, 1));
  await given("past-long", "an epoch more than there were", "wrong-past", past(1, 3));
  await given("past-short", "from the first epoch, but of one", "wrong-past", past(1, 1));
  await given("past-future", "from the epoch that the deed begins", "wrong-past", past(3, 1));
  await given("past-length", "a length between those of one and two epochs", "malformed", { from: 1, sealed: random(1136 + 33) });
  await given("past-of-none", "a length of no epoch", "malformed", past(1, 0));
  await given("past-nothing", "a past of no bytes", "malformed", { from: 1, sealed: new Uint8Array(0) });
  await given("past-1025", "more epochs than a past may have", "too-many", past(1, 1025));
  await given("past-from-0", "a past that begins with no epoch", "malformed", past(0, 1));
  const saysLong = bent((b) => concat(b.subarray(0, -13), new Writer().u64(1).u32(1136 + 32 * 1025).u8(0).bytes()));
  await tell("past-1025-cut", "it says that it is of 1,025 epochs, and is not there", "too-many", async (f) => {
    const ben = await f.join(guest());
    await f.addBent({ type: "change", person: ben.person.id, standing: resident, past: null, turn: null }, saysLong);
  });
  await tell("past-of-guest", "a guest is given the past", "wrong-past", async (f) => f.join(guest(), past(1, 1)));
  await tell("past-before-any-epoch", "a past before there was an epoch", "wrong-past", async (f) => {
    const early = await Family.founded();
    await early.join(resident, past(1, 1));
    f.deeds = early.deeds;
  });
  await tell("past-not-had", "given by an owner who came later and does not have it", "wrong-past", async (f) => {
    const anna = await f.join(owner);
    const ben = await f.join(guest());
    await f.add({ type: "change", person: ben.person.id, standing: resident, past: past(1, 2), turn: await f.turn([...f.whole, ben.person]) }, { signer: anna.signer });
  });
  await tell("past-had-since", "given by that owner from where they came in", "accepted", async (f) => {
    const anna = await f.join(owner);
    const ben = await f.join(guest());
    await f.add({ type: "change", person: ben.person.id, standing: resident, past: past(2, 1), turn: await f.turn([...f.whole, ben.person]) }, { signer: anna.signer });
  });
  await tell("past-passed-on", "given by an owner who was given it", "accepted", async (f) => {
    const anna = await f.join(owner, past(1, 1));
    const ben = await f.join(guest());
    await f.add({ type: "change", person: ben.person.id, standing: resident, past: past(1, 2), turn: await f.turn([...f.whole, ben.person]) }, { signer: anna.signer });
  });
  await tell("past-lost-with-keys", "given by an owner who has rekeyed since, and kept nothing", "wrong-past", async (f) => {
    const next = await somebody({ id: f.person.id });
    await f.do(await f.rekeyBody(f.me, next));
    f.whole = [next.person];
    const ben = await somebody();
    const i = await f.invite({ purpose: "join", standing: resident }, hour, next.signer);
    f.whole.push(ben.person);
    await f.add(await f.admitBody(i, ben, { past: past(1, 2), turn: await f.turn() }), { signer: next.signer });
  });
}
