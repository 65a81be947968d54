// Founding a home: the keys are made here, kept here, and only then told to the
// server. If its answer is lost, the kept home finds out by signing in.

import { Failed, type Server } from "../api.ts";
import type { Body } from "../deed/body.ts";
import { firstPlace, signDeed } from "../deed/deed.ts";
import { newEpoch } from "../deed/epoch.ts";
import { headText } from "../deed/head.ts";
import { publicKey, signerOf } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import { privateKey } from "../hpke.ts";
import { type HomeID, idText } from "../seal/name.ts";
import { usualDays } from "../home/retention.ts";
import { type Keep, type KeptHome, newlyKept, type PersonSecrets } from "../keep/keep.ts";
import { base64, random } from "../wire.ts";
import { Home } from "./home.ts";

/** Makes the secrets of a home, the first deed, the first epoch, and how long it is kept. */
export async function makeHome(now: number): Promise<KeptHome> {
  const secrets: PersonSecrets = { person: idText("person", random(16)), device: idText("device", random(16)), signing: random(32), kem: random(32), deviceSigning: random(32) };
  const [signer, device, kem] = await Promise.all([signerOf(secrets.signing), signerOf(secrets.deviceSigning), privateKey(secrets.kem)]);
  const person = { id: secrets.person, signing: signer.key, kem: await publicKey("X-Wing", kem.publicKey), devices: [{ id: secrets.device, signing: device.key }] };
  const found: Body = { type: "found", salt: random(32), minVersion: 1, person };
  const title = await Title.start([await signDeed(signer, firstPlace, now, found)]);
  const { body } = await newEpoch(title);
  const begun = await title.append([await signDeed(signer, title.next, now, body)]);
  const whole = await begun.append([await signDeed(signer, begun.next, now, { type: "retain", days: usualDays, bytes: 0 })]);
  return newlyKept(whole.home, secrets, "founding", "memory", whole.deeds());
}

/** Founds a home with the secret of a set-up link. */
export async function found(setup: string, server: Server, keep: Keep): Promise<HomeID> {
  // A home that was made here before and whose answer was lost is told again.
  const kept = (await keep.homes()).find((h) => h.stage === "founding" && h.secrets !== null) ?? (await keepNew(keep));
  const deeds = kept.deeds.map(base64);
  const title = await Title.fold(kept.home, kept.deeds);
  try {
    const { fields } = await server.ask({ method: "POST", path: "/v1/homes", home: kept.home, body: { setup, deeds } });
    if (fields.text("head") !== headText(title.head)) throw new Failed({ trouble: "crossed", what: "home" });
  } catch (e) {
    if (!(e instanceof Failed) || e.trouble.trouble !== "refused") throw e;
    if (!(await isThere(kept, server, keep))) {
      await keep.drop(kept.home);
      throw e;
    }
  }
  await keep.mark(kept.home, { stage: "in" });
  return kept.home;
}

async function keepNew(keep: Keep): Promise<KeptHome> {
  const made = await makeHome(Date.now() * 1000);
  await keep.add(made);
  return made;
}

/** Whether the server has that home after all: the device can sign in. */
async function isThere(kept: KeptHome, server: Server, keep: Keep): Promise<boolean> {
  try {
    const home = await Home.unlock(kept, server, keep);
    await home.chain.refresh();
    return true;
  } catch (e) {
    if (e instanceof Failed && e.trouble.trouble !== "signed-out" && e.trouble.trouble !== "refused") throw e;
    return false;
  }
}
