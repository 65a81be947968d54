// Signing in, or unlocking: by passkey, by passphrase, by recovery code.

import { length } from "../parts/length.ts";
import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { KnownHome, PasskeyAsk, Result, Trouble } from "../worker/protocol.ts";
import type { Account } from "./account.svelte.ts";
import { mistyped } from "./groups.ts";
import { type Outcome, usePasskey } from "./passkey.ts";

const w = words.signIn;

export class SignIn {
  email = $state("");
  passphrase = $state("");
  totp = $state("");
  code = $state("");
  /** Whether the field for an authenticator's code is there: somebody asked for it, or something was refused. */
  asksTotp = $state(false);
  by = $state<"usual" | "recovery">("usual");
  /** What is under way. */
  busy = $state<"" | "passkey" | "passphrase" | "recovery">("");
  trouble = $state("");

  readonly #account: Account;
  readonly #done: () => void;
  readonly #use: (ask: PasskeyAsk) => Promise<Outcome>;

  constructor(account: Account, done: () => void, use = usePasskey) {
    this.#account = account;
    this.#done = done;
    this.#use = use;
    this.email = account.email;
  }

  async passkey(): Promise<void> {
    await this.#do("passkey", async () => {
      const { keeper } = this.#account;
      const begun = await keeper.beginPasskey();
      if (!begun.ok) return begun;
      const used = await this.#use(begun.passkey);
      return used.ok ? keeper.signInPasskey(used.answer) : words.passkey[used.why];
    });
  }

  async withPassphrase(): Promise<void> {
    const totp = this.totp.replace(/\s/g, "");
    await this.#do("passphrase", () => this.#account.keeper.signInPassphrase(this.email.trim(), this.passphrase, totp));
  }

  async recovery(): Promise<void> {
    const wrong = mistyped(this.code);
    if (wrong) return void (this.trouble = wrong.is === "letters" ? w.recoveryLetters : w.recoveryLength(wrong.length));
    await this.#do("recovery", () => this.#account.keeper.signInRecovery(this.code));
  }

  /** From one way to the other. */
  turn(by: "usual" | "recovery"): void {
    this.by = by;
    this.trouble = "";
  }

  async #do(what: "passkey" | "passphrase" | "recovery", ask: () => Promise<Result<{ homes: KnownHome[] }> | string>): Promise<void> {
    if (this.busy) return;
    this.trouble = "";
    this.busy = what;
    const answer = await ask();
    this.busy = "";
    if (typeof answer === "string") return void (this.trouble = answer);
    if (!answer.ok) return this.#refused(what, answer);
    this.passphrase = this.totp = this.code = "";
    await this.#account.look();
    this.#done();
  }

  #refused(what: string, why: Trouble): void {
    if (why.trouble === "busy") return void (this.trouble = w.pause(why.retryAfterMs > 0 ? length(why.retryAfterMs * 1000) : ""));
    const no = why.trouble === "refused" ? why.reason : "";
    if (what === "passphrase" && no === "refused") this.asksTotp = true;
    if (no === "refused") this.trouble = what === "recovery" ? w.recoveryWrong : w.wrong;
    else this.trouble = no === "check" ? w.recoveryCheck : troubleSays(why);
  }
}
