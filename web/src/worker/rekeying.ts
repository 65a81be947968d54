// "I lost this phone": new keys for whoever says so, in each of their homes, and every
// other device of theirs is shut out. Both pairs of keys are kept, here and in the vault, until the deed stands in
// the chain, so that whatever stops this browser on the way loses nothing.

import { Failed } from "../api.ts";
import { homeIn, withHome } from "../account/content.ts";
import { publicKey, signerOf } from "../deed/key.ts";
import { seesAll } from "../deed/parts.ts";
import { privateKey } from "../hpke.ts";
import type { PersonSecrets } from "../keep/keep.ts";
import { type HomeID, idText } from "../seal/name.ts";
import { equal, random } from "../wire.ts";
import { keysOf } from "./deposit.ts";
import type { Hall } from "./hall.ts";
import type { Home } from "./home.ts";
import { ignoreTrouble } from "./result.ts";
import { pastFor, turnTo } from "./turning.ts";

/** Gives whoever has this browser new keys in a home. It is opened with them from then on. */
export async function rekey(hall: Hall, home: Home): Promise<void> {
  const { signer } = home;
  const next = await newKeys(hall, home);
  const [signing, device, kem] = await Promise.all([signerOf(next.signing), signerOf(next.deviceSigning), privateKey(next.kem)]);
  const person = { id: next.person, signing: signing.key, kem: await publicKey("X-Wing", kem.publicKey), devices: [{ id: next.device, signing: device.key }] };
  await home.chain.append(signer, async (title) => {
    if (title.personBySigningKey(person.signing.id) !== null) return null;
    if (!seesAll(home.me.role)) return { type: "rekey", person, proof: null, past: null, turn: null };
    return { type: "rekey", person, proof: null, past: await pastFor(home, title, person), turn: await turnTo(title, { without: person.id, and: person }) };
  });
}

/** The keys to come, kept wherever the present ones are; those of an attempt that was stopped, in whichever browser, are taken up. */
async function newKeys(hall: Hall, { id, person }: Home): Promise<PersonSecrets> {
  const keep = await hall.keep();
  const vault = (await hall.vault.isOpen()) ? hall.vault : null;
  const begun = vault === null ? null : (homeIn(await vault.read(), id)?.next ?? null);
  const device = { device: idText("device", random(16)), deviceSigning: random(32) };
  await keep.change(id, (s) => {
    if (s.next !== null && (begun === null || equal(s.next.signing, begun.signing))) return s;
    return { ...s, next: { ...(begun ?? { person, signing: random(32), kem: random(32) }), ...device } };
  });
  const next = (await keep.homes()).find((h) => h.home === id)?.secrets?.next;
  if (next == null) throw new Failed({ trouble: "no-home" });
  await vault?.change((content) => {
    const there = homeIn(content, id);
    if (there === null) return content;
    // Keys that another browser is putting into a deed just now would be lost.
    if (there.next !== null && !equal(there.next.signing, next.signing)) throw new Failed({ trouble: "busy", retryAfterMs: 1000 });
    return there.next === null ? withHome(content, { ...there, next: keysOf(next) }) : content;
  });
  return next;
}

/** Does the same in the other homes: the lost device had the keys of all of them. Returns the names of those where it could not be done now. */
export async function rekeyOthers(hall: Hall, done: HomeID): Promise<string[]> {
  const missed: string[] = [];
  for (const { home: id, name } of await hall.homes()) {
    if (id === done) continue;
    try {
      const before = await hall.aside(id);
      await before.chain.refresh();
      await rekey(hall, before);
      const home = await hall.aside(id);
      if (home.isOwner) await home.names.save(home.signer, {});
      await hall.remember(home);
    } catch (e) {
      ignoreTrouble(e);
      missed.push(name);
    }
  }
  return missed;
}
