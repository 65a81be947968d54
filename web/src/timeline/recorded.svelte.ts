// What the agents have of a day, as state: asked for when somebody looks at it, again
// while the day goes on, and never taken for known where an agent has not answered.

import { untrack } from "svelte";

import type { House } from "../house.svelte.ts";
import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { AgentID, CameraID, CameraTimeline, Stretch, Trouble } from "../worker/protocol.ts";
import { settled } from "./lanes.ts";

const every = 20_000; // milliseconds
// Rounds of questions for cameras that had no room in a reply.
const mostRounds = 64;

/** Why an agent's footage is not known, said, and whether that is because it is not there. */
export interface Unknown {
  agent: AgentID;
  away: boolean;
  says: string;
}

export class Recorded {
  /** By camera; one that is missing is not known. */
  of = $state.raw<ReadonlyMap<CameraID, CameraTimeline>>(new Map());
  unknown = $state.raw<readonly Unknown[]>([]);

  readonly #house: House;
  readonly #cameras: () => readonly { id: CameraID; agent: AgentID }[];
  readonly #day: () => Stretch;
  /** Which question is the newest: answers to others are of another day. */
  #turn = 0;

  /** Made while a component is made. */
  constructor(house: House, cameras: () => readonly { id: CameraID; agent: AgentID }[], day: () => Stretch) {
    this.#house = house;
    this.#cameras = cameras;
    this.#day = day;
    const key = $derived(`${day().from} ${cameras().map((c) => c.id + c.agent).join(" ")}`);
    const up = $derived(house.connection.up);
    $effect(() => {
      void key;
      untrack(() => {
        this.of = new Map();
        this.unknown = [];
      });
      return () => this.#turn++;
    });
    $effect(() => {
      void key;
      if (!up) return undefined;
      untrack(() => void this.ask());
      const timer = setInterval(() => document.visibilityState === "visible" && this.#mayChange && void this.ask(), every);
      return () => clearInterval(timer);
    });
  }

  get #mayChange(): boolean {
    return this.#day().until > Date.now() * 1000 || this.unknown.length > 0;
  }

  /** Asks every agent what it has. */
  async ask(): Promise<void> {
    const turn = ++this.#turn;
    const cameras = this.#cameras();
    const agents = [...new Set(cameras.map((c) => c.agent))];
    await Promise.all(agents.map((agent) => this.#askOne(turn, agent, cameras.filter((c) => c.agent === agent).map((c) => c.id))));
  }

  async #askOne(turn: number, agent: AgentID, cameras: CameraID[]): Promise<void> {
    const { from, until } = this.#day();
    const asked = Date.now() * 1000;
    for (let round = 0; cameras.length > 0 && round < mostRounds; round++) {
      const answer = this.#house.heard(await this.#house.keeper.timeline(agent, { cameras, track: "main", from, until }));
      if (turn !== this.#turn) return;
      if (!answer.ok) return this.#missed(agent, answer);
      this.of = new Map([...this.of, ...answer.timelines.map((t) => [t.camera, settled(t, asked)] as const)]);
      cameras = cameras.filter((c) => !answer.timelines.some((t) => t.camera === c));
    }
    this.unknown = this.unknown.filter((u) => u.agent !== agent);
  }

  #missed(agent: AgentID, why: Trouble): void {
    const name = this.#house.agentName(agent);
    const away = why.trouble === "away";
    const says = away ? words.timeline.away(name) : words.timeline.trouble(name, troubleSays(why));
    this.unknown = [...this.unknown.filter((u) => u.agent !== agent), { agent, away, says }];
  }
}
