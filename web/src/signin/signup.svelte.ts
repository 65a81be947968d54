// Signing up, step by step: an address, a way to unlock, a code by mail if the server
// sends mail, and a recovery code that was written down. What was typed is held here for
// as long as that takes.

import { troubleSays } from "../parts/trouble.ts";
import { words } from "../words.ts";
import type { PasskeyAnswer, PasskeyAsk, RecoveryCode, Result, Ticket, Trouble } from "../worker/protocol.ts";
import type { Account } from "./account.svelte.ts";
import { makePasskey, type Outcome } from "./passkey.ts";

export type Stage = "email" | "unlock" | "code" | "recovery" | "done";

const w = words.signUp;

/** Whether a code by mail was not taken. */
function isCode(why: Trouble): boolean {
  return why.trouble === "refused" && why.reason === "refused";
}

export class SignUp {
  stage = $state<Stage>("email");
  email = $state("");
  passphrase = $state("");
  code = $state("");
  busy = $state(false);
  trouble = $state("");
  /** Set when the address has an account: signing in is the way on. */
  taken = $state(false);
  recovery = $state.raw<RecoveryCode | null>(null);
  /** Whether a passkey can be made for this address and in this browser. */
  offersPasskey = $state(false);

  readonly #account: Account;
  readonly #ticket: Ticket;
  readonly #make: (ask: PasskeyAsk) => Promise<Outcome>;
  #ask: PasskeyAsk | null = null;
  #passkey: PasskeyAnswer | null = null;
  #mailed = false;
  #typed: [string, string] | null = null;

  constructor(account: Account, ticket: Ticket, make = makePasskey) {
    this.#account = account;
    this.#ticket = ticket;
    this.#make = make;
  }

  /** The stages that this server has, done apart. */
  get stages(): Exclude<Stage, "done">[] {
    return this.#account.mail ? ["email", "unlock", "code", "recovery"] : ["email", "unlock", "recovery"];
  }

  /** Gives the address. */
  async begin(): Promise<void> {
    const email = this.email.trim();
    if (!/^\S+@\S+\.\S+$/.test(email) || email.length > 254) return this.#say(w.emailRule);
    const begun = await this.#do(() => this.#account.keeper.beginSignUp(this.#ticket, email));
    if (!begun?.ok) {
      this.taken = begun?.trouble === "refused" && begun.reason === "conflict";
      if (this.taken) this.trouble = w.taken;
      return;
    }
    this.email = email;
    this.#ask = begun.passkey;
    this.#mailed = begun.mail;
    this.offersPasskey = begun.passkey !== null && this.#account.passkeys.browser;
    this.stage = "unlock";
  }

  /** Makes a passkey: the browser asks its person. */
  async usePasskey(): Promise<void> {
    const ask = this.#ask;
    if (!ask || this.busy) return;
    this.trouble = "";
    this.busy = true;
    const made = await this.#make(ask);
    this.busy = false;
    if (!made.ok) return this.#say(words.passkey[made.why]);
    this.#passkey = made.answer;
    this.passphrase = "";
    await this.#locked();
  }

  async usePassphrase(): Promise<void> {
    this.#passkey = null;
    await this.#locked();
  }

  /** Gives the code of the mail. If all was typed already, a better code finishes it. */
  async giveCode(): Promise<void> {
    this.code = this.code.replace(/\s/g, "");
    if (!/^\d{8}$/.test(this.code)) return this.#say(w.codeRule);
    if (this.#typed) return void (await this.finish(this.#typed));
    await this.#prepare();
  }

  /** Finishes with the two groups that were typed. */
  async finish(typed: [string, string]): Promise<void> {
    this.#typed = typed;
    const made = await this.#do(() => this.#account.keeper.finishSignUp(this.code, typed));
    if (!made) return;
    if (!made.ok && isCode(made) && this.#mailed) {
      this.stage = "code";
      return this.#say(w.codeWrong);
    }
    if (!made.ok) return;
    this.#account.took(made);
    this.#passkey = null;
    this.passphrase = "";
    await this.#account.look();
    this.stage = "done";
  }

  /** One step back, with what was typed. What is written down is not gone back behind. */
  back(): void {
    this.trouble = "";
    this.taken = false;
    if (this.stage === "unlock" || (this.stage === "code" && !this.#typed)) this.stage = "email";
  }

  async #locked(): Promise<void> {
    if (!this.#mailed) return this.#prepare();
    this.trouble = "";
    this.stage = "code";
  }

  async #prepare(): Promise<void> {
    const passkey = this.#passkey;
    const ready = await this.#do(() => this.#account.keeper.prepareSignUp(passkey ? { passkey } : { passphrase: this.passphrase }));
    if (!ready?.ok) return;
    this.recovery = { groups: ready.groups, ask: ready.ask };
    this.stage = "recovery";
  }

  async #do<T>(ask: () => Promise<Result<T>>): Promise<Result<T> | null> {
    if (this.busy) return null;
    this.trouble = "";
    this.busy = true;
    const answer = await ask();
    this.busy = false;
    if (!answer.ok) this.trouble = troubleSays(answer);
    return answer;
  }

  #say(why: string): void {
    this.trouble = why;
  }
}
