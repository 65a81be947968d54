// Saving a part of the settings: under way, done, or what went wrong.

import { troubleSays } from "../parts/trouble.ts";
import type { Result, SettingsChange } from "../worker/protocol.ts";

export class Save {
  stage = $state<"idle" | "saving" | "saved">("idle");
  trouble = $state("");
  readonly #save: (change: SettingsChange) => Promise<Result<object>>;

  constructor(save: (change: SettingsChange) => Promise<Result<object>>) {
    this.#save = save;
  }

  /** Something is being changed: what was said of the change before is over. */
  begin(): void {
    this.stage = "idle";
    this.trouble = "";
  }

  refuse(why: string): void {
    this.trouble = why;
  }

  /** Saves; false if it did not work, and then what was typed is still there. */
  async go(change: SettingsChange): Promise<boolean> {
    this.stage = "saving";
    this.trouble = "";
    const saved = await this.#save(change);
    this.stage = saved.ok ? "saved" : "idle";
    this.trouble = saved.ok ? "" : troubleSays(saved);
    return saved.ok;
  }
}
