// The deed vectors of this side about people who stand in a home: how they change, what
// they sign, how they go.

import type { BodyOf } from "../src/deed/body.ts";
import { signerOf } from "../src/deed/key.ts";
import { idText } from "../src/seal/name.ts";
import { random } from "../src/wire.ts";
import { type Family, guest, hour, owner, past, resident, rights, set, somebody, type Somebody, type Tell } from "./family.ts";

/** Every vector of people. */
export async function peopleDrafts(tell: Tell): Promise<void> {
  await lives(tell);
  await changes(tell);
  await dismissals(tell);
  await devices(tell);
  await rekeyings(tell);
  await handingOver(tell);
  await links(tell);
}

async function lives(tell: Tell): Promise<void> {
  await tell("family", "an owner, a resident, a guest and a link, who come and go", "accepted", async (f) => {
    const anna = await f.join(resident);
    const ben = await f.join(guest({ until: f.time + 9 * hour }));
    const link = await f.lend();
    await f.do({ type: "freeze" }, anna.signer);
    await f.do({ type: "thaw" });
    await f.do(await f.deviceBody(), ben.signer);
    await f.do({ type: "strike", device: ben.person.devices[0]!.id }, ben.signer);
    await f.dismiss(link);
    await f.do({ type: "dismiss", person: ben.person.id, turn: null }, ben.signer);
    await f.dismiss(anna);
  });
  await tell("second-owner-dismisses-first", "whoever was made an owner decides as the founder does", "accepted", async (f) => {
    const anna = await f.join(owner);
    await f.add({ type: "dismiss", person: f.person.id, turn: await f.turn(f.without(f.me)) }, { signer: anna.signer });
  });
  await tell("owner-becomes-resident", "an owner may cease to be one if there is another", "accepted", async (f) => {
    await f.join(owner);
    await f.do({ type: "change", person: f.person.id, standing: resident, past: null, turn: null });
  });
  await tell("guest-after-end", "a guest whose rights have ended still stands in the home", "accepted", async (f) => {
    const ben = await f.join(guest({ until: f.time + 10 * 60_000_000 }));
    f.time += hour;
    await f.do(await f.deviceBody(), ben.signer);
  });
  await tell("epoch-without-guests", "an epoch is wrapped for nobody but those who see the whole home", "accepted", async (f) => {
    await f.join(guest());
    await f.do({ type: "epoch", ...(await f.turn()) });
  });
  await tell("recovered", "a person who has lost everything, brought back by an owner, with all of the past", "accepted", async (f) => {
    const anna = await f.join(resident);
    const i = await f.invite({ purpose: "recover", person: anna.person.id });
    const next = await somebody({ id: anna.person.id });
    await f.do(await f.rekeyBody(anna, next, { proof: await f.prove(i, next.person), past: past(1, 2) }));
    await f.do({ type: "freeze" }, next.signer);
  });
}

async function changes(tell: Tell): Promise<void> {
  const change = (who: Somebody, standing: typeof owner, more: Partial<BodyOf<"change">> = {}): BodyOf<"change"> => ({ type: "change", person: who.person.id, standing, past: null, turn: null, ...more });
  await tell("change-resident-guest-resident", "a resident becomes a guest, and a resident again", "accepted", async (f) => {
    const anna = await f.join(resident);
    await f.do(change(anna, guest(), { turn: await f.turn(f.without(anna)) }));
    await f.do(change(anna, resident, { turn: await f.turn(), past: past(1, 3) }));
  });
  await tell("change-guest-rights", "other rights for a guest", "accepted", async (f) => f.do(change(await f.join(guest()), guest({ sees: ["live"] }))));
  await tell("change-stranger", "somebody who never stood in the home", "unknown-person", async (f) => f.add(change(await somebody(), guest())));
  await tell("change-dismissed", "somebody who was dismissed", "unknown-person", async (f) => {
    const ben = await f.join(guest());
    await f.dismiss(ben);
    await f.add(change(ben, guest()));
  });
  await tell("change-link", "a link becomes a guest", "unknown-person", async (f) => f.add(change(await f.lend(), guest())));
  await tell("change-to-link", "a guest becomes a link", "malformed", async (f) => f.addBent(change(await f.join(guest()), guest()), set(16, 4)));
  await tell("change-last-owner", "the only owner becomes a resident", "last-owner", async (f) => {
    await f.join(resident);
    await f.add(change(f.me, resident));
  });
  await tell("change-self-guest", "an owner makes a guest of themselves, and would know the epoch that shuts them out", "not-allowed", async (f) => {
    await f.join(owner);
    await f.add(change(f.me, guest(), { turn: await f.turn(f.without(f.me)) }));
  });
  await tell("change-by-resident", "a resident makes an owner of themselves", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add(change(anna, owner), { signer: anna.signer });
  });
  await tell("change-by-guest", "a guest gives themselves other rights", "not-allowed", async (f) => {
    const ben = await f.join(guest());
    await f.add(change(ben, guest({ sees: ["footage"] })), { signer: ben.signer });
  });
  await tell("change-turn-missing", "a resident becomes a guest and keeps the epoch", "wrong-epoch", async (f) => f.add(change(await f.join(resident), guest())));
  await tell("change-turn-needless", "a resident becomes an owner, with an epoch", "wrong-epoch", async (f) => f.add(change(await f.join(resident), owner, { turn: await f.turn() })));
  await tell("change-turn-with-leaver", "the epoch is wrapped for whoever becomes a guest", "wrong-wraps", async (f) => f.add(change(await f.join(resident), guest(), { turn: await f.turn() })));
  await tell("change-past-of-resident", "a resident who becomes an owner is given the past", "wrong-past", async (f) => f.add(change(await f.join(resident), owner, { past: past(1, 2) })));
  await tell("change-past-of-guest", "whoever becomes a guest is given the past", "wrong-past", async (f) => {
    const anna = await f.join(resident);
    await f.add(change(anna, guest(), { past: past(1, 2), turn: await f.turn(f.without(anna)) }));
  });
  await tell("change-guests-33", "a resident becomes the 33rd guest", "too-many", async (f) => {
    const anna = await f.join(resident);
    for (let n = 0; n < 32; n++) await f.lend();
    await f.add(change(anna, guest(), { turn: await f.turn(f.without(anna)) }));
  });
}

async function dismissals(tell: Tell): Promise<void> {
  await tell("dismiss-stranger", "somebody who never stood in the home", "unknown-person", async (f) => f.add(await f.dismissBody(await somebody(), false)));
  await tell("dismiss-twice", "somebody who was dismissed before", "unknown-person", async (f) => {
    const ben = await f.join(guest());
    await f.dismiss(ben);
    await f.add(await f.dismissBody(ben, false));
  });
  await tell("dismiss-self-owner", "an owner dismisses themselves", "not-allowed", async (f) => {
    await f.join(owner);
    await f.add(await f.dismissBody(f.me, true));
  });
  await tell("dismiss-self-resident", "a resident dismisses themselves", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.dismissBody(anna, true), { signer: anna.signer });
  });
  await tell("dismiss-by-guest", "a guest dismisses another guest", "not-allowed", async (f) => {
    const [ben, eve] = [await f.join(guest()), await f.join(guest())];
    await f.add(await f.dismissBody(ben, false), { signer: eve.signer });
  });
  await tell("dismiss-stranger-by-guest", "a guest dismisses nobody: whether they stand in the home is looked at first", "unknown-person", async (f) => {
    const eve = await f.join(guest());
    await f.add(await f.dismissBody(await somebody(), false), { signer: eve.signer });
  });
  await tell("dismiss-turn-missing", "a resident is dismissed and keeps the epoch", "wrong-epoch", async (f) => f.add(await f.dismissBody(await f.join(resident), false)));
  await tell("dismiss-turn-needless", "a guest is dismissed, with an epoch", "wrong-epoch", async (f) => f.add(await f.dismissBody(await f.join(guest()), true)));
  await tell("dismiss-turn-with-leaver", "the epoch is wrapped for whoever is dismissed", "wrong-wraps", async (f) => {
    const anna = await f.join(resident);
    await f.add({ type: "dismiss", person: anna.person.id, turn: await f.turn() });
  });
  await tell("dismissed-owner-signs", "signed by an owner who was dismissed", "former-signer", async (f) => {
    const anna = await f.join(owner);
    await f.dismiss(anna);
    await f.add({ type: "freeze" }, { signer: anna.signer });
  });
  await tell("dismissed-link-signs", "signed by a link that has ended: it is looked at first that it has", "former-signer", async (f) => {
    const link = await f.lend();
    await f.dismiss(link);
    await f.add({ type: "freeze" }, { signer: link.signer });
  });
  await tell("dismissed-named", "named as somebody's who was dismissed, signed by a stranger: the signature is looked at first", "bad-signature", async (f) => {
    const anna = await f.join(owner);
    await f.dismiss(anna);
    await f.add({ type: "freeze" }, { signer: { key: anna.signer.key, sign: (m) => f.owner.sign(m) } });
  });
  await tell("dismissed-device-signs", "signed by the browser of somebody who was dismissed", "not-allowed", async (f) => {
    const anna = await f.join(owner);
    await f.dismiss(anna);
    await f.add({ type: "freeze" }, { signer: anna.device });
  });
}

async function devices(tell: Tell): Promise<void> {
  await tell("devices-17", "more devices than a person may have", "too-many", async (f) => {
    for (let n = 0; n < 16; n++) await f.add(await f.deviceBody());
  });
  await tell("devices-16-after-strike", "a device that was struck makes room for another", "accepted", async (f) => {
    for (let n = 0; n < 15; n++) await f.add(await f.deviceBody());
    await f.do({ type: "strike", device: f.person.devices[0]!.id });
    await f.do(await f.deviceBody());
  });
  await tell("device-again", "a device that was struck, with another key", "already-placed", async (f) => {
    const { device } = await f.deviceBody();
    await f.do({ type: "device", device });
    await f.do({ type: "strike", device: device.id });
    await f.add({ type: "device", device: { id: device.id, signing: (await signerOf(random(32))).key } });
  });
  await tell("device-key-again", "another device with the first one's key", "reused-key", async (f) => f.add({ type: "device", device: { id: idText("device", random(16)), signing: f.device.key } }));
  await tell("device-of-link", "a link takes another device", "not-allowed", async (f) => {
    const link = await f.lend();
    await f.add(await f.deviceBody(), { signer: link.signer });
  });
  await tell("device-signs-device", "signed by the owner's browser", "not-allowed", async (f) => f.add(await f.deviceBody(), { signer: f.device }));
  await tell("strike-strange", "a device that there never was", "unknown-device", async (f) => f.add({ type: "strike", device: idText("device", random(16)) }));
  await tell("strike-twice", "a device twice", "unknown-device", async (f) => {
    await f.do({ type: "strike", device: f.person.devices[0]!.id });
    await f.add({ type: "strike", device: f.person.devices[0]!.id });
  });
  await tell("strike-of-dismissed", "the device of somebody who was dismissed", "unknown-device", async (f) => {
    const ben = await f.join(guest());
    await f.dismiss(ben);
    await f.add({ type: "strike", device: ben.person.devices[0]!.id });
  });
  await tell("strike-by-resident", "a resident strikes the owner's browser", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add({ type: "strike", device: f.person.devices[0]!.id }, { signer: anna.signer });
  });
  await tell("strike-by-owner", "an owner strikes the browser of a link", "accepted", async (f) => {
    const link = await f.lend();
    await f.do({ type: "strike", device: link.person.devices[0]!.id });
  });
  await tell("strike-by-link", "a link strikes its own browser", "not-allowed", async (f) => {
    const link = await f.lend();
    await f.add({ type: "strike", device: link.person.devices[0]!.id }, { signer: link.signer });
  });
}

async function rekeyings(tell: Tell): Promise<void> {
  const nextOf = (who: Somebody): Promise<Somebody> => somebody({ id: who.person.id });
  await tell("rekey-self", "an owner who has lost a phone, with all of the past", "accepted", async (f) => {
    const next = await nextOf(f.me);
    await f.do(await f.rekeyBody(f.me, next, { past: past(1, 1) }));
    await f.do({ type: "freeze" }, next.signer);
  });
  await tell("rekey-guest", "a guest with new keys", "accepted", async (f) => {
    const ben = await f.join(guest());
    await f.do(await f.rekeyBody(ben, await nextOf(ben)), ben.signer);
  });
  await tell("rekey-stranger", "new keys for nobody", "unknown-person", async (f) => f.add({ ...(await f.rekeyBody(f.me, await somebody())), turn: null }));
  await tell("rekey-link", "new keys for a link", "unknown-person", async (f) => {
    const link = await f.lend();
    await f.add(await f.rekeyBody(link, await nextOf(link)));
  });
  await tell("rekey-self-with-proof", "an owner who signs for themselves and has a proof", "not-allowed", async (f) => {
    const i = await f.invite({ purpose: "recover", person: f.person.id });
    const next = await nextOf(f.me);
    await f.add(await f.rekeyBody(f.me, next, { proof: await f.prove(i, next.person) }));
  });
  await tell("rekey-without-proof", "an owner gives a resident keys that nobody has proved", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.rekeyBody(anna, await nextOf(anna)));
  });
  await tell("rekey-by-resident", "a resident recovers the owner", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    const i = await f.invite({ purpose: "recover", person: f.person.id });
    const next = await nextOf(f.me);
    await f.add(await f.rekeyBody(f.me, next, { proof: await f.prove(i, next.person) }), { signer: anna.signer });
  });
  await tell("rekey-recovers-another", "an invitation to recover one guest, answered for another", "unknown-invite", async (f) => {
    const [ben, eve] = [await f.join(guest()), await f.join(guest())];
    const i = await f.invite({ purpose: "recover", person: ben.person.id });
    const next = await nextOf(eve);
    await f.add(await f.rekeyBody(eve, next, { proof: await f.prove(i, next.person) }));
  });
  await tell("rekey-joins", "an invitation to join, answered to recover", "unknown-invite", async (f) => {
    const ben = await f.join(guest());
    const i = await f.invite({ purpose: "join", standing: guest() });
    const next = await nextOf(ben);
    await f.add(await f.rekeyBody(ben, next, { proof: await f.prove(i, next.person) }));
  });
  await tell("rekey-proof-2", "neither a proof nor none", "malformed", async (f) => {
    const ben = await f.join(guest());
    const i = await f.invite({ purpose: "recover", person: ben.person.id });
    const next = await nextOf(ben);
    await f.addBent(await f.rekeyBody(ben, next, { proof: await f.prove(i, next.person) }), set(-1 - 12 - 66 - 16 - 1, 2));
  });
  const after = async (f: Family): Promise<Somebody> => {
    const next = await nextOf(f.me);
    await f.do(await f.rekeyBody(f.me, next));
    return next;
  };
  await tell("rekeyed-signs", "signed with keys that were replaced", "former-signer", async (f) => {
    await after(f);
    await f.add({ type: "freeze" });
  });
  await tell("rekeyed-device", "the browser of before is struck with the keys of before", "unknown-device", async (f) => {
    const next = await after(f);
    await f.add({ type: "strike", device: f.person.devices[0]!.id }, { signer: next.signer });
  });
  await tell("rekeyed-twice", "the keys of before, once more", "reused-key", async (f) => {
    const next = await after(f);
    f.whole = [f.person];
    const again = { ...f.person, devices: [{ id: idText("device", random(16)), signing: (await signerOf(random(32))).key }] };
    await f.add({ type: "rekey", person: again, proof: null, past: null, turn: await f.turn() }, { signer: next.signer });
  });
  await tell("rekey-same-device", "new keys, and the browser of before", "already-placed", async (f) => f.add(await f.rekeyBody(f.me, await somebody({ id: f.person.id, devices: f.person.devices }))));
  await tell("rekey-same-kem", "all keys are new but the one to which is sealed", "reused-key", async (f) => f.add(await f.rekeyBody(f.me, await somebody({ id: f.person.id, kem: f.person.kem }))));
  await tell("rekey-turn-missing", "new keys, and the epoch of before", "wrong-epoch", async (f) => f.add(await f.rekeyBody(f.me, await nextOf(f.me), { turn: null })));
  await tell("rekey-turn-old-key", "the epoch is wrapped under the key that is replaced", "wrong-wraps", async (f) => f.add(await f.rekeyBody(f.me, await nextOf(f.me), { turn: await f.turn() })));
  await tell("rekey-past-not-had", "a resident takes along more than they have", "wrong-past", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.rekeyBody(anna, await nextOf(anna), { past: past(1, 2) }), { signer: anna.signer });
  });
  await tell("rekey-past-guest", "a guest who was a resident takes along what they have", "wrong-past", async (f) => {
    const anna = await f.join(resident);
    await f.do({ type: "change", person: anna.person.id, standing: guest(), past: null, turn: await f.turn(f.without(anna)) });
    f.whole = f.without(anna);
    await f.add(await f.rekeyBody(anna, await nextOf(anna), { past: past(2, 2) }), { signer: anna.signer });
  });
}

async function handingOver(tell: Tell): Promise<void> {
  const sold = async (f: Family): Promise<Somebody> => {
    const buyer = await somebody();
    await f.do(await f.handOverBody(await f.invite({ purpose: "hand over" }), buyer));
    return buyer;
  };
  await tell("hand-over", "a frozen home with agents and people is sold; who bought it goes on", "accepted", async (f) => {
    await f.join(resident);
    await f.join(guest());
    const { agent } = await f.place(1);
    await f.do({ type: "freeze" });
    const buyer = await sold(f);
    await f.do({ type: "place camera", camera: idText("camera", random(16)), agent: agent.agent }, buyer.signer);
    await f.do({ type: "freeze" }, buyer.signer);
  });
  await tell("hand-over-seller-signs", "signed by whoever sold the home", "former-signer", async (f) => {
    await sold(f);
    await f.add({ type: "freeze" });
  });
  await tell("hand-over-no-turn", "a home is sold with its epoch", "wrong-epoch", async (f) => f.add(await f.handOverBody(await f.invite({ purpose: "hand over" }), await somebody(), { turn: null })));
  await tell("hand-over-turn-for-seller", "the epoch is wrapped for the seller too", "wrong-wraps", async (f) => {
    const buyer = await somebody();
    await f.add(await f.handOverBody(await f.invite({ purpose: "hand over" }), buyer, { turn: await f.turn([f.person, buyer.person]) }));
  });
  await tell("hand-over-to-resident", "a home is sold to somebody who lives there", "already-placed", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.handOverBody(await f.invite({ purpose: "hand over" }), anna));
  });
  await tell("hand-over-by-join", "an invitation to join takes the home", "unknown-invite", async (f) => f.add(await f.handOverBody(await f.invite({ purpose: "join", standing: owner }), await somebody())));
  await tell("hand-over-ends-invitations", "somebody whom the seller invited comes", "unknown-invite", async (f) => {
    const i = await f.invite({ purpose: "join", standing: owner });
    const buyer = await sold(f);
    const who = await somebody();
    await f.add(await f.admitBody(i, who, { turn: await f.turn([buyer.person, who.person]) }), { signer: buyer.signer });
  });
  await tell("hand-over-by-resident", "a resident sells the home", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add(await f.handOverBody(await f.invite({ purpose: "hand over" }), await somebody()), { signer: anna.signer });
  });
  await tell("hand-over-thaws", "a home that was frozen when it was sold is thawed", "wrong-state", async (f) => {
    await f.do({ type: "freeze" });
    const buyer = await sold(f);
    await f.add({ type: "thaw" }, { signer: buyer.signer });
  });
}

async function links(tell: Tell): Promise<void> {
  await tell("lend-for-ever", "a link without an end", "malformed", async (f) => f.lend({ until: 0 }));
  await tell("lend-ended", "a link that has ended", "expired", async (f) => f.lend({ until: f.time }));
  await tell("lend-camera-strange", "a link to a camera that no deed places", "unknown-camera", async (f) => f.lend({ cameras: [idText("camera", random(16))] }));
  await tell("lend-keys-before-end", "it has ended, and its keys are the owner's: the keys are looked at first", "reused-key", async (f) => f.add({ type: "lend", person: (await somebody({ kem: f.person.kem })).person, rights: rights({ until: 1 }) }));
  await tell("lend-by-resident", "a resident lends", "not-allowed", async (f) => {
    const anna = await f.join(resident);
    await f.add({ type: "lend", person: (await somebody()).person, rights: rights({ until: f.time + hour }) }, { signer: anna.signer });
  });
  await tell("link-signs", "a link freezes the home", "not-allowed", async (f) => {
    const link = await f.lend();
    await f.add({ type: "freeze" }, { signer: link.signer });
  });
  await tell("link-leaves", "a link ends itself", "not-allowed", async (f) => {
    const link = await f.lend();
    await f.add(await f.dismissBody(link, false), { signer: link.signer });
  });
}
