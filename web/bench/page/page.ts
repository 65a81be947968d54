// What is measured in a browser alone, with the code of the page. The chain is as a home
// makes it over the years: devices come and go, a guest gets other rights. It is the one
// that BenchmarkFold1000 of package deed folds.

import { newStretch, stretch as stretched } from "../../src/account/passphrase.ts";
import { idText } from "../../src/seal/name.ts";
import { Title } from "../../src/deed/title.ts";
import type { Bytes } from "../../src/wire.ts";
import { Family, guest } from "../../vectors/family.ts";

async function chain(deeds: number): Promise<Bytes[]> {
  const f = await Family.home();
  const { cameras } = await f.place(2);
  const gus = await f.join(guest());
  for (let i = 0; f.deeds.length < deeds - 2; i++) {
    const device = await f.deviceBody();
    await f.do(device);
    await f.do({ type: "strike", device: device.device.id });
    await f.do({ type: "change", person: gus.person.id, standing: guest({ cameras: [cameras[i % 2]!.camera] }), past: null, turn: null });
  }
  while (f.deeds.length < deeds) await f.do(await f.deviceBody());
  return f.deeds;
}

/** The milliseconds that each of several folds of a chain of so many deeds takes. */
async function fold(deeds: number, times: number): Promise<number[]> {
  const made = await chain(deeds);
  const home = idText("home", new Uint8Array(await crypto.subtle.digest("SHA-256", made[0]!)));
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const title = await Title.fold(home, made);
    took.push(performance.now() - began);
    if (title.head.seq !== deeds - 1) throw new Error("another chain was folded");
  }
  return took;
}

/** The milliseconds that each of several stretches of a passphrase takes. */
async function stretch(times: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await stretched("Teekanne quietscht unter Fallobst", newStretch());
    took.push(performance.now() - began);
  }
  return took;
}

Object.assign(window, { fold, stretch });
