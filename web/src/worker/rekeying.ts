// "I lost this phone": new keys for whoever says so, and every other device of theirs is
// shut out. Both pairs of keys are kept, here and in the vault, until the deed stands in
// the chain, so that whatever stops this browser on the way loses nothing.

import { Failed } from "../api.ts";
import { homeIn, withHome } from "../account/content.ts";
import { publicKey, signerOf } from "../deed/key.ts";
import { seesAll } from "../deed/parts.ts";
import { privateKey } from "../hpke.ts";
import type { PersonSecrets } from "../keep/keep.ts";
import { idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import { keysOf } from "./deposit.ts";
import type { Hall, Room } from "./hall.ts";
import { pastFor, turnTo } from "./turning.ts";

/** Gives whoever has this browser new keys in the home that is open, and opens it with them. */
export async function rekey(hall: Hall, { home }: Room): Promise<Room> {
  const { signer } = home;
  // Whoever has the lost phone has what opens the vault on it: without a session they get no newer one.
  if (await hall.vault.isOpen()) await hall.vault.endOthers();
  const next = await newKeys(hall, home.id, home.person);
  const [signing, device, kem] = await Promise.all([signerOf(next.signing), signerOf(next.deviceSigning), privateKey(next.kem)]);
  const person = { id: next.person, signing: signing.key, kem: await publicKey("X-Wing", kem.publicKey), devices: [{ id: next.device, signing: device.key }] };
  await home.chain.append(signer, async (title) => {
    if (title.personBySigningKey(person.signing.id) !== null) return null;
    const { role } = home.me;
    if (!seesAll(role)) return { type: "rekey", person, proof: null, past: null, turn: null };
    return { type: "rekey", person, proof: null, past: await pastFor(home, title, person), turn: await turnTo(title, { without: person.id, and: person }) };
  });
  return hall.again(home.id);
}

/** The keys to come, kept wherever the present ones are; those of an attempt that was stopped are taken up. */
async function newKeys(hall: Hall, home: Room["home"]["id"], person: PersonSecrets["person"]): Promise<PersonSecrets> {
  const keep = await hall.keep();
  const fresh: PersonSecrets = { person, device: idText("device", random(16)), signing: random(32), kem: random(32), deviceSigning: random(32) };
  await keep.change(home, (s) => (s.next === null ? { ...s, next: fresh } : s));
  const kept = (await keep.homes()).find((h) => h.home === home);
  const next = kept?.secrets?.next;
  if (next == null) throw new Failed({ trouble: "no-home" });
  if (await hall.vault.isOpen()) {
    await hall.vault.change((content) => {
      const there = homeIn(content, home);
      return there === null ? content : withHome(content, { ...there, next: keysOf(next) });
    });
  }
  return next;
}
