// The people of the home that is open, as the screens of people share them.

import type { House } from "../house.svelte.ts";
import { words } from "../words.ts";
import type { CameraID, InviteView, PeopleView, PersonID, PersonView, Result, Role } from "../worker/protocol.ts";
import { type Reading, seesSays } from "./rights.ts";

const order: Record<Role, number> = { owner: 0, resident: 1, guest: 2, link: 3 };

export class People {
  /** Whether they were ever read, or could not be; `none` if the worker knows of no people. */
  state = $state<"first" | "ready" | "failed" | "none">("first");
  #view = $state.raw<PeopleView>({ people: [], invites: [] });
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  /** Everybody, oneself first, then by role and name. */
  readonly all = $derived.by(() => [...this.#view.people].sort((a, b) => Number(b.me) - Number(a.me) || order[a.role] - order[b.role] || this.nameOf(a).localeCompare(this.nameOf(b))));

  get invites(): readonly InviteView[] {
    return this.#view.invites;
  }

  get me(): PersonView | undefined {
    return this.#view.people.find((p) => p.me);
  }

  /** Whether that is the only one who may decide. */
  isLastOwner(person: PersonView): boolean {
    return person.role === "owner" && this.#view.people.filter((p) => p.role === "owner").length === 1;
  }

  find(person: string): PersonView | undefined {
    return this.#view.people.find((p) => p.person === person);
  }

  findInvite(invite: string): InviteView | undefined {
    return this.#view.invites.find((i) => i.invite === invite);
  }

  nameOf(person: PersonView): string {
    return person.name || (person.me ? words.people.youUnnamed : words.people.unnamed(person.person));
  }

  /** Somebody's name, and whether it is oneself. */
  titleOf(person: PersonView): string {
    return person.me && person.name ? words.people.you(person.name) : this.nameOf(person);
  }

  /** What to make words of rights with. */
  reading(now: number): Reading {
    const cameras = new Map<CameraID, string>((this.#house.title?.cameras ?? []).map((c) => [c.id, this.#house.cameraName(c.id)]));
    return { cameras, now, zone: this.#house.zone };
  }

  /** What somebody may see, in one line. */
  sees(person: Pick<PersonView, "role" | "rights">, now: number): string {
    return seesSays(person.role, person.rights, this.reading(now));
  }

  /** Reads them. They are read when the home is opened, and whenever its deeds or settings change. */
  async load(): Promise<void> {
    const answer = this.took(await this.#house.keeper.people());
    if (!answer.ok && this.state !== "ready") this.state = answer.trouble === "broken" ? "none" : "failed";
  }

  /** Takes in what an answer says of them. */
  took<T extends PeopleView>(answer: Result<T>): Result<T> {
    this.#house.heard(answer);
    if (answer.ok) {
      this.#view = { people: answer.people, invites: answer.invites };
      this.state = "ready";
    }
    return answer;
  }

  /** Takes in an answer that makes the home's title another one, too. */
  async changed<T extends PeopleView>(ask: Promise<Result<T>>): Promise<Result<T>> {
    const answer = this.took(await ask);
    if (answer.ok) await this.#house.renew();
    return answer;
  }

  async rename(person: PersonID, name: string): Promise<Result<object>> {
    return this.took(await this.#house.keeper.namePerson(person, name));
  }
}
