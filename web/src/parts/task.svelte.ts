// Something that a button does: under way, done, or what went wrong.

import type { Result } from "../worker/protocol.ts";
import { troubleSays } from "./trouble.ts";

export class Task {
  busy = $state(false);
  done = $state(false);
  trouble = $state("");

  /** Does it; true if it worked. One thing at a time: a second click while it is under way does nothing. */
  async run(ask: () => Promise<Result<unknown>>): Promise<boolean> {
    if (this.busy) return false;
    this.begin();
    this.busy = true;
    const answer = await ask();
    this.busy = false;
    this.done = answer.ok;
    if (!answer.ok) this.trouble = troubleSays(answer);
    return answer.ok;
  }

  /** Something else is being done: what was said before is over. */
  begin(): void {
    this.done = false;
    this.trouble = "";
  }

  refuse(why: string): void {
    this.done = false;
    this.trouble = why;
  }
}
