// Making a home, step by step, as the set-up page shows it.

import type { House } from "../house.svelte.ts";
import type { AgentID, Trouble } from "../worker/protocol.ts";

export const steps = ["keys", "home", "agent", "cameras"] as const;
export type Step = (typeof steps)[number];
export type State = "todo" | "doing" | "done" | "failed";

export type Outcome = { is: "looking" } | { is: "asking" } | { is: "already" } | { is: "working" } | { is: "done" } | { is: "used" } | { is: "failed"; why: Trouble };

// After the first camera, how long none may come before all are taken to be here; and
// how long a person is left waiting before the page offers to go on.
const quiet = 1500;
const slow = 20_000;

export class Founding {
  outcome = $state.raw<Outcome>({ is: "looking" });
  states = $state.raw<Record<Step, State>>({ keys: "todo", home: "todo", agent: "todo", cameras: "todo" });
  /** Whether there is a home by now, whatever becomes of the agent. */
  founded = $state(false);
  /** True once waiting has taken long enough to offer to go on without. */
  slow = $state(false);

  readonly #house: House;
  readonly #setup: string;
  readonly #join: string;
  #home = "";
  #zone = "";

  constructor(house: House, setup: string, join: string) {
    this.#house = house;
    this.#setup = setup;
    this.#join = join;
  }

  /** The steps of this link: without a secret for an agent there are only two. */
  get steps(): readonly Step[] {
    return this.#join ? steps : ["keys", "home"];
  }

  /**
   * Looks whether this browser has a home already, which a person has to decide about;
   * a link that came with an agent then starts by itself, with these defaults.
   */
  async begin(home: string, zone: string): Promise<void> {
    const known = this.#house.heard(await this.#house.keeper.homes());
    if (!known.ok) this.outcome = { is: "failed", why: known };
    else if (known.homes.length > 0) this.outcome = { is: "already" };
    else if (this.#join) await this.found(home, zone);
    else this.ask();
  }

  /** Asks for name and zone. */
  ask(): void {
    this.outcome = { is: "asking" };
  }

  /** Tries the step that failed again. */
  again(): Promise<void> {
    return this.founded ? this.join() : this.found(this.#home, this.#zone);
  }

  /** Opens the home that is here already and lets the agent of the link into it. */
  async takeIn(): Promise<void> {
    this.outcome = { is: "working" };
    await this.#house.start();
    this.founded = true;
    if (this.#house.phase.is === "open") await this.join();
    else this.outcome = { is: "done" }; // the page says what is the matter with the home
  }

  /** Makes the keys and the home, and opens it. */
  async found(home: string, zone: string): Promise<void> {
    this.#home = home;
    this.#zone = zone;
    this.outcome = { is: "working" };
    this.#set("keys", "doing");
    const founded = this.#house.heard(await this.#house.keeper.found({ setup: this.#setup, home, zone }));
    if (!founded.ok) return void this.#fail("keys", founded);
    this.founded = true;
    this.#set("keys", "done");
    this.#set("home", "doing");
    await this.#house.start(founded.home);
    this.#set("home", "done");
    if (this.#join && this.#house.phase.is !== "stopped") await this.join();
    else this.outcome = { is: "done" };
  }

  /** Lets the agent in that came with the link, and its cameras. The home is open. */
  async join(): Promise<void> {
    this.outcome = { is: "working" };
    this.#set("keys", "done");
    this.#set("home", "done");
    this.#set("agent", "doing");
    const patience = setTimeout(() => (this.slow = true), slow);
    const agent = await this.#agent();
    clearTimeout(patience);
    this.slow = false;
    if (!agent) return;
    this.#set("agent", "done");
    this.#set("cameras", "doing");
    await this.#house.expect(agent);
    await this.#cameras();
    this.#set("cameras", "done");
    this.outcome = { is: "done" };
  }

  async #agent(): Promise<AgentID | null> {
    const { keeper } = this.#house;
    const slot = this.#house.heard(await keeper.openJoin(this.#join));
    if (!slot.ok) return this.#fail("agent", slot);
    const answer = await this.#house.patiently(() => keeper.watchJoin(slot.slot));
    if (!answer.ok) return this.#fail("agent", answer);
    if (answer.state !== "answered") return this.#fail("agent", { trouble: "refused", status: 0, reason: answer.state, message: "" });
    const placed = this.#house.heard(await keeper.placeAgent(slot.slot));
    return placed.ok ? placed.agent : this.#fail("agent", placed);
  }

  // Until the first camera is in and no other has come for a moment. There may be none:
  // then the person goes on, and the agent is expected for its two minutes all the same.
  async #cameras(): Promise<void> {
    const begun = Date.now();
    let last = begun;
    for (let seen = 0; seen === 0 || Date.now() - last < quiet; ) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (this.#house.welcomed.length > seen) {
        seen = this.#house.welcomed.length;
        last = Date.now();
      }
      this.slow = seen === 0 && Date.now() - begun > slow;
    }
  }

  #set(step: Step, state: State): void {
    this.states = { ...this.states, [step]: state };
  }

  #fail(step: Step, why: Trouble): null {
    this.#set(step, "failed");
    this.outcome = isUsed(why) && step === "keys" ? { is: "used" } : { is: "failed", why };
    return null;
  }
}

const spent: ReadonlySet<string> = new Set(["expired", "not-found"]);

/** Whether the server says that a set-up link is not good any more: once, 30 minutes. */
export function isUsed(why: Trouble): boolean {
  return why.trouble === "refused" && spent.has(why.reason);
}
