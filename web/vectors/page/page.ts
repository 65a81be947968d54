// Runs in a real browser what Node cannot: the browser's own X-Wing, and IndexedDB.

import { hasNative, type Implementation, use } from "../../src/hpke.ts";
import { type AccountVector, checkAccount } from "../accountcheck.ts";
import { checkDeeds, checkLetter, checkObject, checkSettings, type DeedVector, type LetterVector, type ObjectVector, type Outcome, type SettingsVector } from "../check.ts";
import { type HomesFile, readHomes } from "../homes.ts";
import { checkLive, type LiveVector } from "../livecheck.ts";
import { checkKeep } from "./keep.ts";

export interface Everything {
  homes: HomesFile;
  objects: ObjectVector[];
  deeds: DeedVector[];
  settings: SettingsVector[];
  letters: LetterVector[];
  live: LiveVector[];
  accounts: AccountVector[];
}

/** What one run came to. */
export interface Run {
  native: boolean;
  passed: number;
  milliseconds: number;
  failures: Outcome[];
}

async function run(which: Implementation): Promise<Run> {
  const all = (await (await fetch("/everything.json")).json()) as Everything;
  use(which);
  const homes = await readHomes(all.homes);
  const began = performance.now();
  const outcomes: Outcome[] = [];
  for (const v of all.objects) outcomes.push(await checkObject(v, homes));
  for (const v of all.deeds) outcomes.push(await checkDeeds(v));
  for (const v of all.settings) outcomes.push(await checkSettings(v, homes));
  for (const v of all.letters) outcomes.push(await checkLetter(v, homes));
  for (const v of all.live) outcomes.push(await checkLive(v, homes));
  for (const v of all.accounts) outcomes.push(await checkAccount(v));
  const failures = outcomes.filter((o) => o.got !== o.want);
  return { native: await hasNative(), passed: outcomes.length - failures.length, milliseconds: performance.now() - began, failures };
}

Object.assign(window, { run, checkKeep });
