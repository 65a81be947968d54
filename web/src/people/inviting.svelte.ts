// One invitation on the owner's side: waiting for an answer, comparing the words, and
// letting somebody in, or not.

import type { House } from "../house.svelte.ts";
import { troubleSays } from "../parts/trouble.ts";
import type { InviteView } from "../worker/protocol.ts";
import type { People } from "./people.svelte.ts";

export type Stage = { is: "waiting" } | { is: "compare"; phrase: string[] } | { is: "admitting"; phrase: string[] } | { is: "done" } | { is: "differed" } | { is: "expired" } | { is: "failed"; phrase: string[] | null };

export class Inviting {
  stage = $state.raw<Stage>({ is: "waiting" });
  /** Whether they shall see what was recorded before. */
  past = $state(false);
  trouble = $state("");

  readonly invite: InviteView;
  readonly #house: House;
  readonly #people: People;
  #closed = false;

  constructor(house: House, people: People, invite: InviteView) {
    this.invite = invite;
    this.#house = house;
    this.#people = people;
  }

  /** Waits until somebody has answered. */
  async watch(): Promise<void> {
    this.trouble = "";
    this.stage = { is: this.invite.expired ? "expired" : "waiting" };
    if (this.invite.expired) return;
    const answer = await this.#house.patiently(() => this.#house.keeper.watchInvite(this.invite.invite), () => !this.#closed);
    if (this.#closed || (answer.ok && answer.state === "stopped")) return;
    if (!answer.ok) {
      this.trouble = troubleSays(answer);
      this.stage = { is: "failed", phrase: null };
    } else if (answer.state === "expired") this.stage = { is: "expired" };
    else if (answer.state === "answered") this.stage = { is: "compare", phrase: answer.phrase };
  }

  /** The words are the same: signs what the invitation was for. */
  async admit(): Promise<void> {
    if (this.stage.is !== "compare" && this.stage.is !== "failed") return;
    const { phrase } = this.stage;
    if (phrase === null) return;
    this.trouble = "";
    this.stage = { is: "admitting", phrase };
    const purpose = this.invite.purpose;
    const admitted = await this.#house.keeper.admit(this.invite.invite, this.past && purpose !== "hand over");
    if (admitted.ok && purpose === "hand over") return this.#house.gone("handed over");
    this.#people.took(admitted);
    this.trouble = admitted.ok ? "" : troubleSays(admitted);
    this.stage = admitted.ok ? { is: "done" } : { is: "failed", phrase };
    if (admitted.ok) await this.#house.renew();
  }

  /** The words differ: nobody is let in with this invitation. */
  async differ(): Promise<void> {
    const withdrawn = this.#people.took(await this.#house.keeper.withdraw(this.invite.invite));
    this.trouble = withdrawn.ok ? "" : troubleSays(withdrawn);
    if (withdrawn.ok) this.stage = { is: "differed" };
  }

  /** Stops waiting; the invitation stays open. */
  close(): void {
    this.#closed = true;
    if (this.stage.is === "waiting") void this.#house.keeper.stopInvite(this.invite.invite);
  }
}
