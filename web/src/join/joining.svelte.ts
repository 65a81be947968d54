// Adding an agent by a link, or giving one new keys: from the link to its place in the home.

import type { House } from "../house.svelte.ts";
import type { AgentID, Result, Trouble } from "../worker/protocol.ts";

export type Stage =
  | { is: "preparing" }
  | { is: "waiting"; link: string; expires: number }
  | { is: "joining" }
  | { is: "done"; agent: AgentID }
  | { is: "expired" }
  | { is: "failed"; why: Trouble; placing: boolean };

export class Joining {
  stage = $state.raw<Stage>({ is: "preparing" });

  readonly #house: House;
  readonly #replaced: AgentID | undefined;
  #slot: string | null = null;
  #closed = false;

  /** With `replaced`, the agent that answers takes the place of that one. */
  constructor(house: House, replaced?: AgentID) {
    this.#house = house;
    this.#replaced = replaced;
  }

  /** Makes a link, waits for the agent that uses it, and places it. */
  async run(): Promise<void> {
    const { keeper } = this.#house;
    this.stage = { is: "preparing" };
    const join = this.#house.heard(await keeper.openJoin());
    if (!join.ok) return this.#show({ is: "failed", why: join, placing: false });
    this.#slot = join.slot;
    if (this.#closed) return this.close();
    this.#show({ is: "waiting", link: join.link, expires: join.expires / 1000 });
    const answer = await this.#house.patiently(() => keeper.watchJoin(join.slot), () => !this.#closed);
    this.#slot = null;
    if (!answer.ok) return this.#show({ is: "failed", why: answer, placing: false });
    if (answer.state === "expired") return this.#show({ is: "expired" });
    if (answer.state === "stopped") return;
    this.#show({ is: "joining" });
    const placed = this.#house.heard(await this.#place(join.slot));
    if (!placed.ok) return this.#show({ is: "failed", why: placed, placing: true });
    await this.#house.renew();
    this.#show({ is: "done", agent: placed.agent });
  }

  async #place(slot: string): Promise<Result<{ agent: AgentID }>> {
    const { keeper } = this.#house;
    if (this.#replaced === undefined) return keeper.placeAgent(slot);
    const replaced = await keeper.replaceAgent(this.#replaced, slot);
    return replaced.ok ? { ok: true, agent: this.#replaced } : replaced;
  }

  /** Stops waiting. An agent that has answered by then is not placed. */
  close(): void {
    this.#closed = true;
    if (this.#slot !== null) void this.#house.keeper.stopJoin(this.#slot);
    this.#slot = null;
  }

  #show(stage: Stage): void {
    if (!this.#closed) this.stage = stage;
  }
}
