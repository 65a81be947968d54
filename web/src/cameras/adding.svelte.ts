// Adding a camera, from its address to its place in the home. The password is held here
// for as long as that takes, and nowhere else in the page.

import type { House } from "../house.svelte.ts";
import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { AgentID, CameraID, Change, Device, Found, Result, Trouble } from "../worker/protocol.ts";
import { apart } from "./address.ts";

export type Stage =
  | { is: "asking" }
  | { is: "looking"; says: string; done: number; of: number; stills: Blob[] }
  | { is: "report"; found: Found }
  | { is: "done"; camera: CameraID; name: string };

/** Which streams are taken: by their place in what was found; `sub` is -1 for the main one. */
export interface Chosen {
  main: number;
  sub: number;
}

/** What the agent has chosen, or the largest picture if it has not. */
export function chosenOf({ streams }: Pick<Found, "streams">): Chosen {
  const main = streams.findIndex((s) => s.role === "main");
  const sub = streams.findIndex((s) => s.role === "sub");
  if (main >= 0) return { main, sub };
  const pixels = streams.map((s) => s.width * s.height);
  return { main: pixels.indexOf(Math.max(...pixels)), sub: -1 };
}

export class Adding {
  stage = $state.raw<Stage>({ is: "asking" });
  agent = $state<AgentID | "">("");
  address = $state("");
  user = $state("");
  password = $state("");
  name = $state("");
  chosen = $state.raw<Chosen>({ main: -1, sub: -1 });
  devices = $state.raw<Device[] | null>(null);
  busy = $state<"" | "discovering" | "placing">("");
  trouble = $state("");
  /** Set when the camera has refused user and password: it is the password that is asked for again. */
  refused = $state(false);

  readonly #house: House;
  #command = "";
  readonly #stopListening: () => void;

  constructor(house: House) {
    this.#house = house;
    this.#stopListening = house.keeper.changes((change) => this.#heard(change));
  }

  /** Lets the agent look for cameras in its network. */
  async discover(): Promise<void> {
    if (this.agent === "") return;
    this.#begin();
    this.busy = "discovering";
    const command = this.#command;
    const answer = this.#house.heard(await this.#house.keeper.discover(this.agent, command));
    if (command !== this.#command) return;
    this.#command = "";
    this.busy = "";
    if (answer.ok) this.devices = answer.devices;
    else this.#fail(answer);
  }

  take(device: Device): void {
    this.address = device.address || device.host;
    if (this.name === "") this.name = device.name.slice(0, 64);
  }

  /** Lets the agent look what the camera offers. */
  async look(): Promise<void> {
    if (this.agent === "") return;
    const { address, user, password } = apart(this.address);
    this.address = address;
    if (user) [this.user, this.password] = [user, password || this.password];
    if (address === "") return void (this.trouble = words.adding.addressRule);
    this.#begin();
    const command = this.#command;
    this.stage = { is: "looking", says: words.adding.began, done: 0, of: 0, stills: [] };
    const answer = this.#house.heard(await this.#house.keeper.probe(this.agent, command, { address, user: this.user, password: this.password }));
    if (command !== this.#command) return;
    this.#command = "";
    if (!answer.ok) {
      this.stage = { is: "asking" };
      return this.#fail(answer);
    }
    this.chosen = chosenOf(answer.found);
    this.stage = { is: "report", found: answer.found };
  }

  /** Ends what the agent is doing for this; nothing was added. */
  async stop(): Promise<void> {
    const command = this.#command;
    this.#command = "";
    this.busy = "";
    if (this.stage.is === "looking") this.stage = { is: "asking" };
    if (command) await this.#house.keeper.stopCommand(command);
  }

  /** Back to the address, with what was typed. */
  again(): void {
    this.trouble = "";
    this.stage = { is: "asking" };
  }

  /** Exchanges what is recorded and what is watched for motion. */
  swap(): void {
    const { main, sub } = this.chosen;
    if (sub >= 0) this.chosen = { main: sub, sub: main };
  }

  useMain(stream: number): void {
    this.chosen = { main: stream, sub: this.chosen.sub === stream ? this.chosen.main : this.chosen.sub };
  }

  useSub(stream: number): void {
    if (stream !== this.chosen.main) this.chosen = { ...this.chosen, sub: this.chosen.sub === stream ? -1 : stream };
  }

  /** Gives the camera to the agent and places it in the home. */
  async place(): Promise<void> {
    if (this.stage.is !== "report" || this.agent === "") return;
    const { streams, pin } = this.stage.found;
    const main = streams[this.chosen.main]?.address ?? "";
    const sub = streams[this.chosen.sub]?.address ?? "";
    const name = this.name.trim();
    this.trouble = "";
    this.busy = "placing";
    const placed: Result<{ camera: CameraID }> = await this.#add(this.agent, { name, main, sub, user: this.user, password: this.password, pin });
    this.busy = "";
    if (!placed.ok) return this.#fail(placed);
    this.user = this.password = "";
    this.stage = { is: "done", camera: placed.camera, name };
  }

  async #add(agent: AgentID, camera: Parameters<House["keeper"]["addCamera"]>[1]): Promise<Result<{ camera: CameraID }>> {
    const added = this.#house.heard(await this.#house.keeper.addCamera(agent, camera));
    if (added.ok) this.#house.added(added.camera, added.title, added.settings);
    return added;
  }

  close(): void {
    this.password = "";
    this.#stopListening();
    void this.stop();
  }

  #begin(): void {
    this.#command = crypto.randomUUID();
    this.trouble = "";
    this.refused = false;
  }

  #fail(why: Trouble): void {
    this.refused = why.trouble === "agent" && why.reason === "wrong-password";
    if (this.refused) this.password = "";
    this.trouble = troubleSays(why);
  }

  #heard(change: Change): void {
    if (change.changed !== "progress" || change.command !== this.#command || this.stage.is !== "looking") return;
    const { says, done, of, still } = change;
    this.stage = { is: "looking", says, done, of, stills: still ? [...this.stage.stills, still] : this.stage.stills };
  }
}
