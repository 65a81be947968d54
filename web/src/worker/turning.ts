// The parts of a statement that go with a change of those who see the whole home: the
// epoch that it turns to, and the past that somebody is given.

import { pastFrom, sealPast, turn } from "../deed/epoch.ts";
import type { Past, Person, Turn } from "../deed/parts.ts";
import type { Title } from "../deed/title.ts";
import type { PersonID } from "../seal/name.ts";
import type { Home } from "./home.ts";
import { refused } from "./result.ts";

type Keys = Pick<Person, "id" | "kem">;

/** The epoch to come, for those who see the whole home now, without one of them and with another. */
export async function turnTo(title: Title, change: { without?: PersonID; and?: Keys }): Promise<Turn> {
  const stay = title.wholeHome.filter((p) => p.id !== change.without);
  return (await turn(title, change.and === undefined ? stay : [...stay, change.and])).turn;
}

/** The past as far as this person has it, for somebody's key; null if they have none of it. */
export async function pastFor(home: Home, title: Title, to: Pick<Person, "kem">): Promise<Past | null> {
  const secrets = await home.secrets();
  const from = pastFrom(secrets, title.epoch);
  return from === 0 ? null : sealPast(title, secrets, from, to);
}

/** Like pastFor, if somebody chose to give it. */
export async function pastIf(given: boolean, home: Home, title: Title, to: Pick<Person, "kem">): Promise<Past | null> {
  if (!given) return null;
  const past = await pastFor(home, title, to);
  if (past === null) throw refused("wrong-past", "What was recorded before can be given only by somebody who has it.");
  return past;
}
