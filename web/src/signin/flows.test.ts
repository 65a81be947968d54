import { beforeEach, describe, expect, test } from "vitest";

import type { Keeps } from "../keeper.ts";
import { words } from "../words.ts";
import type { PasskeyAnswer, Result, Trouble } from "../worker/protocol.ts";
import { Account } from "./account.svelte.ts";
import type { Outcome } from "./passkey.ts";
import { SignIn } from "./signin.svelte.ts";
import { SignUp } from "./signup.svelte.ts";

const answer: PasskeyAnswer = { ceremony: "c", credential: {}, prf: new ArrayBuffer(32) };
const made = (): Promise<Outcome> => Promise.resolve({ ok: true, answer });
const refused = (reason: string): Trouble => ({ trouble: "refused", status: 403, reason, message: "no" });

/** A worker that says what a test tells it to, and remembers what it was asked. */
class Scripted {
  readonly calls: unknown[][] = [];
  readonly wrong = new Map<string, Trouble>();
  state = "none";
  mail = true;

  readonly keeper = new Proxy({} as Keeps, {
    get:
      (_, call: string) =>
      async (...args: unknown[]): Promise<Result<object>> => {
        this.calls.push([call, ...args]);
        const wrong = this.wrong.get(call);
        return wrong ? { ok: false, ...wrong } : { ok: true, ...this.#say(call) };
      },
  });

  #say(call: string): object {
    if (call === "standing") return { standing: this.state === "none" ? { state: "none" } : { state: this.state, email: "anna@example.org" }, mail: this.mail, passkeys: true };
    if (call === "beginSignUp") return { mail: this.mail, passkey: { ceremony: "c", options: {} } };
    if (call === "prepareSignUp") return { groups: ["AAAA", "BBBB", "CCCC"], ask: [0, 2] };
    if (call === "beginPasskey") return { passkey: { ceremony: "c", options: {} } };
    if (call === "account" || call === "finishSignUp") return { account: { email: "anna@example.org", unlockers: [], sessions: [] } };
    return {};
  }

  named(call: string): unknown[][] {
    return this.calls.filter(([name]) => name === call);
  }
}

let s: Scripted;
let account: Account;

beforeEach(async () => {
  s = new Scripted();
  account = new Account(s.keeper);
  await account.look();
});

describe("signing up", () => {
  const typed: [string, string] = ["AAAA", "CCCC"];
  let signUp: SignUp;

  beforeEach(() => {
    signUp = new SignUp(account, { setup: "secret" }, made);
  });

  async function toCode(): Promise<void> {
    signUp.email = " anna@example.org ";
    await signUp.begin();
    signUp.passphrase = "correct horse battery staple";
    await signUp.usePassphrase();
  }

  test("goes from the address to the account, and makes nothing before the end", async () => {
    await toCode();
    expect([signUp.stage, s.named("prepareSignUp").length]).toEqual(["code", 0]);
    signUp.code = "1234 5678";
    await signUp.giveCode();
    expect(signUp.recovery?.groups[0]).toBe("AAAA");
    s.state = "open";
    await signUp.finish(typed);
    expect([signUp.stage, signUp.passphrase, account.is]).toEqual(["done", "", "open"]);
    expect(s.named("beginSignUp")).toEqual([["beginSignUp", { setup: "secret" }, "anna@example.org"]]);
    expect(s.named("prepareSignUp")).toEqual([["prepareSignUp", { passphrase: "correct horse battery staple" }]]);
    expect(s.named("finishSignUp")).toEqual([["finishSignUp", "12345678", typed]]);
  });

  test("has no code where the server sends no mail", async () => {
    s.mail = false;
    await account.look();
    await toCode();
    expect([signUp.stage, signUp.stages]).toEqual(["recovery", ["email", "unlock", "recovery"]]);
    await signUp.finish(typed);
    expect(s.named("finishSignUp")).toEqual([["finishSignUp", "", typed]]);
  });

  test("a wrong code is asked for again, and what was written down stays good", async () => {
    await toCode();
    signUp.code = "11111111";
    await signUp.giveCode();
    s.wrong.set("finishSignUp", refused("refused"));
    await signUp.finish(typed);
    expect([signUp.stage, signUp.trouble]).toEqual(["code", words.signUp.codeWrong]);
    s.wrong.clear();
    signUp.code = "22222222";
    await signUp.giveCode();
    expect([signUp.stage, s.named("prepareSignUp").length]).toEqual(["done", 1]);
    expect(s.named("finishSignUp").at(-1)).toEqual(["finishSignUp", "22222222", typed]);
  });

  test("an address that is none, or has an account, goes no further", async () => {
    signUp.email = "anna";
    await signUp.begin();
    expect([signUp.stage, signUp.trouble, s.named("beginSignUp").length]).toEqual(["email", words.signUp.emailRule, 0]);
    s.wrong.set("beginSignUp", refused("conflict"));
    signUp.email = "anna@example.org";
    await signUp.begin();
    expect([signUp.stage, signUp.taken, signUp.trouble]).toEqual(["email", true, words.signUp.taken]);
  });

  test("a passkey that locks nothing leads to no account", async () => {
    signUp = new SignUp(account, { setup: "secret" }, () => Promise.resolve({ ok: false, why: "no-prf" }));
    signUp.email = "anna@example.org";
    await signUp.begin();
    await signUp.usePasskey();
    expect([signUp.stage, signUp.trouble]).toEqual(["unlock", words.passkey["no-prf"]]);
  });

  test("with a passkey hands its answer on", async () => {
    signUp.email = "anna@example.org";
    await signUp.begin();
    await signUp.usePasskey();
    signUp.code = "12345678";
    await signUp.giveCode();
    expect(s.named("prepareSignUp")).toEqual([["prepareSignUp", { passkey: answer }]]);
  });

  test("a server that does not answer loses nothing of what was typed", async () => {
    await toCode();
    signUp.code = "12345678";
    await signUp.giveCode();
    s.wrong.set("finishSignUp", { trouble: "offline" });
    await signUp.finish(typed);
    expect([signUp.stage, signUp.trouble]).toEqual(["recovery", words.trouble.offline]);
    s.wrong.clear();
    await signUp.finish(typed);
    expect(signUp.stage).toBe("done");
  });
});

describe("signing in", () => {
  let done = 0;
  let signIn: SignIn;

  beforeEach(() => {
    done = 0;
    signIn = new SignIn(account, () => done++, made);
  });

  test("by passkey, by passphrase, by recovery code", async () => {
    await signIn.passkey();
    signIn.email = " anna@example.org";
    signIn.passphrase = "correct horse";
    signIn.totp = "123 456";
    await signIn.withPassphrase();
    signIn.code = "k7qm-3xwa-zp2n-uy4d-6rhc-e5jt-bovg";
    await signIn.recovery();
    expect(done).toBe(3);
    expect(s.named("signInPasskey")).toEqual([["signInPasskey", answer]]);
    expect(s.named("signInPassphrase")).toEqual([["signInPassphrase", "anna@example.org", "correct horse", "123456"]]);
    expect([signIn.passphrase, signIn.totp, signIn.code]).toEqual(["", "", ""]);
  });

  test("what was refused says all that it may have been, and asks for the app's code", async () => {
    s.wrong.set("signInPassphrase", refused("refused"));
    expect(signIn.asksTotp).toBe(false);
    await signIn.withPassphrase();
    expect([done, signIn.trouble, signIn.asksTotp]).toEqual([0, words.signIn.wrong, true]);
  });

  test("too many tries are said, and how long to wait", async () => {
    s.wrong.set("signInPassphrase", { trouble: "busy", retryAfterMs: 900_000 });
    await signIn.withPassphrase();
    expect(signIn.trouble).toBe(words.signIn.pause("15 min"));
  });

  test("a code that cannot be one is said to be mistyped, and nobody is asked", async () => {
    signIn.code = "K7QM";
    await signIn.recovery();
    expect([signIn.trouble, s.named("signInRecovery").length]).toEqual([words.signIn.recoveryLength(4), 0]);
  });

  test("a passkey that was not used is said, and nobody is asked", async () => {
    signIn = new SignIn(account, () => done++, () => Promise.resolve({ ok: false, why: "cancelled" }));
    await signIn.passkey();
    expect([done, signIn.trouble, s.named("signInPasskey").length]).toEqual([0, words.passkey.cancelled, 0]);
  });
});

describe("an account", () => {
  test("is unknown where the worker knows of none, and asked for again where the server did not answer", async () => {
    s.wrong.set("standing", { trouble: "broken", message: "" });
    const old = new Account(s.keeper);
    await old.look();
    expect([old.is, old.unreached]).toEqual(["unknown", false]);
    s.wrong.set("standing", { trouble: "offline" });
    await old.look();
    expect([old.is, old.unreached]).toEqual(["unknown", true]);
    s.wrong.clear();
    await old.look();
    expect([old.is, old.unreached]).toEqual(["none", false]);
  });

  test("what needs a fresh sign-in is done after it, and not without", async () => {
    let tries = 0;
    const ask = (): Promise<Result<object>> => Promise.resolve(++tries % 2 ? { ok: false, ...refused("prove-again") } : { ok: true });
    const first = account.proven(ask);
    await Promise.resolve();
    account.proving!(true);
    expect([(await first).ok, account.proving]).toEqual([true, null]);
    const second = account.proven(ask);
    await Promise.resolve();
    account.proving!(false);
    expect([(await second).ok, tries]).toEqual([false, 3]);
  });

  test("that was locked is known to be", async () => {
    s.state = "locked";
    await account.lock();
    expect([account.is, account.view]).toEqual(["locked", null]);
  });
});
