// The better picture of a clip, which is at home alone: fetched when somebody asks for it.

import type { Keeps } from "../keeper.ts";
import { troubleSays } from "../parts/trouble.ts";
import type { FullClip, NameText } from "../worker/protocol.ts";

export type Fuller =
  | { is: "idle" }
  /** Microseconds of what is shown. */
  | { is: "coming"; done: number; of: number }
  | { is: "here"; clip: FullClip }
  | { is: "failed"; says: string };

let asked = 0;

export class Full {
  now = $state.raw<Fuller>({ is: "idle" });
  /** Whether it is what is shown, once it is here. */
  shown = $state(false);
  readonly #keeper: Keeps;
  #command = "";

  constructor(keeper: Keeps) {
    this.#keeper = keeper;
  }

  /** Fetches it, and shows it then. */
  async bring(name: NameText, description: NameText): Promise<void> {
    if (this.now.is === "coming") return;
    const command = (this.#command = `full ${++asked}`);
    const mine = (): boolean => this.#command === command;
    this.now = { is: "coming", done: 0, of: 0 };
    const deaf = this.#keeper.changes((c) => {
      if (c.changed === "progress" && c.command === command && mine()) this.now = { is: "coming", done: c.done, of: c.of };
    });
    const came = await this.#keeper.fullClip(name, description, command);
    deaf();
    if (!mine()) return;
    this.now = came.ok ? { is: "here", clip: came } : { is: "failed", says: troubleSays(came) };
    this.shown = came.ok;
  }

  /** Fetches no more; what was shown before still is. */
  cancel(): void {
    if (this.now.is !== "coming") return;
    void this.#keeper.stopCommand(this.#command);
    this.#command = "";
    this.now = { is: "idle" };
  }
}
