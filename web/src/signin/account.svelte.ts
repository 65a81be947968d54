// Who is in front of this browser: how their account stands, and proving once more that
// it is them.

import type { Keeps } from "../keeper.ts";
import type { AccountView, Result, Standing } from "../worker/protocol.ts";
import { canPasskey } from "./passkey.ts";

export class Account {
  /** How this browser stands; null as long as that is not known, and for ever where the worker knows of no accounts. */
  standing = $state.raw<Standing | null>(null);
  /** Whether the server sends mail. */
  mail = $state(false);
  /** Whether there can be passkeys at this address, and whether this browser can use them. */
  passkeys = $state<{ server: boolean; browser: boolean }>({ server: false, browser: false });
  view = $state.raw<AccountView | null>(null);
  /** Whether the server did not answer when it was asked. */
  unreached = $state(false);
  /** Set while somebody is asked to unlock once more; called with whether they did. */
  proving = $state.raw<((proven: boolean) => void) | null>(null);

  readonly keeper: Keeps;

  constructor(keeper: Keeps) {
    this.keeper = keeper;
  }

  /** Looks how this browser stands. */
  async look(): Promise<void> {
    const [answer, browser] = await Promise.all([this.keeper.standing(), canPasskey()]);
    this.unreached = !answer.ok && (answer.trouble === "offline" || answer.trouble === "busy");
    if (!answer.ok) return;
    this.standing = answer.standing;
    this.mail = answer.mail;
    this.passkeys = { server: answer.passkeys, browser };
    if (answer.standing.state !== "open") this.view = null;
  }

  get is(): Standing["state"] | "unknown" {
    return this.standing?.state ?? "unknown";
  }

  get email(): string {
    return this.standing && this.standing.state !== "none" ? this.standing.email : "";
  }

  get offersPasskey(): boolean {
    return this.passkeys.server && this.passkeys.browser;
  }

  async load(): Promise<Result<object>> {
    return this.took(await this.keeper.account());
  }

  /** Takes in the account as an answer has it. */
  took<T extends { account: AccountView }>(answer: Result<T>): Result<T> {
    if (answer.ok) this.view = answer.account;
    return answer;
  }

  /** Asks for something that needs a fresh sign-in, and lets the person unlock once more if the last one is too old. */
  async proven<T>(ask: () => Promise<Result<T>>): Promise<Result<T>> {
    const first = await ask();
    if (first.ok || first.trouble !== "refused" || first.reason !== "prove-again") return first;
    const proven = await new Promise<boolean>((resolve) => (this.proving = resolve));
    this.proving = null;
    return proven ? ask() : first;
  }

  /** Takes every key out of this browser. */
  async lock(): Promise<Result<object>> {
    const done = await this.keeper.lock();
    if (done.ok) await this.look();
    return done;
  }
}
