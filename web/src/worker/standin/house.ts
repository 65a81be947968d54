// A home with an agent, whose letters a server in memory carries as long as nobody
// tells it to carry them elsewhere.

import { type CameraID, idText } from "../../seal/name.ts";
import { base64, type Bytes, random } from "../../wire.ts";
import { Desk } from "../desk.ts";
import { AccountDesk } from "../accountdesk.ts";
import { Hall } from "../hall.ts";
import { Joins } from "../joins.ts";
import { MemberDesk } from "../memberdesk.ts";
import type { Change, Result } from "../protocol.ts";
import { TestAgent } from "./agent.ts";
import { StandIn } from "./server.ts";
import { MemoryKeep } from "../../keep/memory.ts";

/** What an agent does with a command that it has opened. */
export type Obeys = (command: Awaited<ReturnType<TestAgent["open"]>>) => AsyncIterable<Bytes> | Iterable<Bytes> | Promise<Iterable<Bytes>>;

/** A page in a browser that keeps something. */
export class Page {
  readonly hall: Hall;
  readonly desk: Desk;
  readonly account: AccountDesk;
  readonly members: MemberDesk;

  constructor(server: StandIn, keep: MemoryKeep, heard: Change[] = []) {
    this.hall = new Hall(server.client(), async () => keep, (change) => heard.push(change));
    const joins = new Joins(this.hall.server);
    this.desk = new Desk(this.hall, joins);
    this.account = new AccountDesk(this.hall);
    this.members = new MemberDesk(this.hall, joins);
  }
}

export class TestHouse {
  readonly server = new StandIn();
  readonly keep = new MemoryKeep();
  readonly heard: Change[] = [];
  readonly page = this.newPage();
  desk = this.page.desk;

  private constructor(readonly agent: TestAgent) {}

  newDesk(): Desk {
    return this.newPage().desk;
  }

  newPage(): Page {
    return new Page(this.server, this.keep, this.heard);
  }

  /** A home with one agent that has said how it is. */
  static async make(): Promise<TestHouse> {
    const house = new TestHouse(await TestAgent.make());
    const { desk, server, agent } = house;
    await good(desk.found({ setup: server.setup, home: "Our house", zone: "Europe/Berlin" }));
    await house.takesIn(agent, desk);
    await house.says(1);
    return house;
  }

  /** Somebody takes an agent in. */
  async takesIn(agent: TestAgent, desk: Desk): Promise<void> {
    const { link, slot } = await good(desk.openJoin());
    this.server.answers.set(slot, await agent.answer(link, this.server.announcements.get(slot)!));
    await good(desk.watchJoin(slot));
    await good(desk.placeAgent(slot));
  }

  /** Places a camera that the agent asks for. */
  async camera(): Promise<CameraID> {
    const camera = idText("camera", random(16));
    this.server.asks = [await this.agent.ask(this.server.title!, camera, "Door")];
    await good(this.desk.asks());
    await good(this.desk.placeCamera(camera));
    return camera;
  }

  /** The agent's newest condition is at the server. */
  async says(number: number, change: Record<string, unknown> = {}, incarnation = 1): Promise<Bytes> {
    const letter = await this.agent.condition(this.server.title!, number, change, incarnation);
    this.shows(letter);
    return letter;
  }

  /** That letter is at the server as the agent's condition. */
  shows(letter: Bytes): void {
    this.server.conditions = [{ agent: this.agent.body.agent, letter: base64(letter), received: 5, connected: true }];
  }

  /** The agent answers commands so. */
  obeys(how: Obeys): void {
    this.server.carry = async (_, letter) => how(await this.agent.open(this.server.title!, letter));
  }

  /** The agent answers commands with these contents. */
  answers(...contents: Record<string, unknown>[]): void {
    this.obeys((command) => Promise.all(contents.map((c, i) => this.agent.reply(this.server.title!, command, i + 1, c))));
  }
}

/** The value of a call that must succeed. */
export async function good<T>(call: Promise<Result<T>>): Promise<{ ok: true } & T> {
  const r = await call;
  if (!r.ok) throw new Error(`refused: ${JSON.stringify(r)}`);
  return r;
}
