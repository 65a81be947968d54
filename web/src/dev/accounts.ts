// The stand-in's account: anna@example.org, whose passphrase is any but "wrong", whose
// mail and authenticator codes are any but 000000, and whose passkey is the browser's own.

import type { AccountCalls, AccountID, AccountView, PasskeyAsk, Result, UnlockerView } from "../worker/protocol.ts";
import { id, is } from "./ids.ts";
import type { Stage } from "./stage.ts";

const minutes = (n: number) => (Date.now() - n * 60_000) * 1000;
const refused = (reason: string, message: string) => ({ ok: false, trouble: "refused", status: 403, reason, message }) as const;
const wrong = refused("refused", "Address, passphrase or code is not right, or there were too many tries.");
const groups = ["K7QM", "3XWA", "ZP2N", "UY4D", "6RHC", "E5JT", "BOVG"];

const unlockers: UnlockerView[] = [
  { id: "u1", kind: "passkey", name: "Anna's phone", made: minutes(60 * 24 * 40), used: minutes(50) },
  { id: "u2", kind: "passphrase", name: "", made: minutes(60 * 24 * 40), used: minutes(60 * 24 * 3) },
  { id: "u3", kind: "recovery", name: "", made: minutes(60 * 24 * 40), used: 0 },
];

// The challenge of a stand-in is nobody's secret.
function ask(make: boolean): PasskeyAsk {
  const b64 = (text: string) => btoa(text).replace(/=+$/, "");
  const rp = { id: location.hostname, name: "Latchkey" };
  const get = { challenge: b64("challenge of a fake"), rpId: rp.id, userVerification: "required", timeout: 60_000 };
  const created = { rp, user: { id: b64("sixteen bytes id"), name: "anna@example.org", displayName: "anna@example.org" }, challenge: get.challenge, pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })), authenticatorSelection: { residentKey: "required", userVerification: "required" }, timeout: 60_000 };
  return { ceremony: "c", options: make ? created : get };
}

export class FakeAccounts implements AccountCalls {
  readonly #s: Stage;
  #account: AccountView = {
    account: id(31, 26) as AccountID,
    email: "anna@example.org",
    verified: !is("no-mail"),
    totp: false,
    unlockers: is("no-passkeys") ? unlockers.slice(1) : unlockers,
    sessions: [
      { session: "s1", browser: "Chromium on Linux", started: minutes(60 * 24 * 12), seen: minutes(0), here: true },
      { session: "s2", browser: "Safari on iPhone", started: minutes(60 * 24 * 38), seen: minutes(50), here: false },
    ],
  };
  #proven = !is("stale");
  #email = "";

  constructor(stage: Stage) {
    this.#s = stage;
  }

  #open(): void {
    this.#s.standing = { state: "open", email: this.#account.email };
    this.#s.founded ||= this.#s.vaulted;
  }

  #view = () => this.#s.answer({ account: this.#account });

  // What is asked for once again, if the sign-in is too long ago.
  #prove = async <T>(then: () => Promise<Result<T>>): Promise<Result<T>> => (this.#proven ? then() : refused("prove-again", "Sign in once more."));

  #add(kind: UnlockerView["kind"], name = ""): void {
    const others = this.#account.unlockers.filter((u) => kind === "passkey" || u.kind !== kind);
    this.#account = { ...this.#account, unlockers: [...others, { id: `u${Date.now()}`, kind, name, made: minutes(0), used: 0 }] };
  }

  async #signedIn() {
    this.#proven = true;
    this.#open();
    return this.#s.answer({ homes: this.#s.homes() });
  }

  standing: AccountCalls["standing"] = async () => {
    if (is("before")) return { ok: false, trouble: "broken", message: "" };
    return { ok: true, standing: this.#s.standing, mail: !is("no-mail"), passkeys: !is("no-passkeys") };
  };
  beginSignUp: AccountCalls["beginSignUp"] = async (_, email) => {
    if (email.startsWith("taken")) return refused("conflict", "This address has an account here already.");
    this.#account = { ...this.#account, email };
    return this.#s.answer({ mail: !is("no-mail"), passkey: is("no-passkeys") ? null : ask(true) });
  };
  prepareSignUp: AccountCalls["prepareSignUp"] = async () => this.#s.answer({ groups, ask: [2, 5] });
  finishSignUp: AccountCalls["finishSignUp"] = async (code) => {
    if (code === "00000000") return refused("refused", "This code is not right, or has expired.");
    this.#open();
    return this.#view();
  };
  beginPasskey = () => this.#s.answer({ passkey: ask(false) });
  signInPasskey = () => this.#signedIn();
  signInPassphrase: AccountCalls["signInPassphrase"] = async (_, passphrase, totp) => (passphrase === "wrong" || (is("codes") && (totp === "" || totp === "000000")) ? wrong : this.#signedIn());
  signInRecovery: AccountCalls["signInRecovery"] = async (code) => (code.toUpperCase().startsWith("AAAA") ? wrong : this.#signedIn());
  account = () => this.#view();
  beginAddPasskey = () => this.#prove(() => this.#s.answer({ passkey: ask(true) }));
  addPasskey: AccountCalls["addPasskey"] = (name) => this.#prove(() => (this.#add("passkey", name), this.#view()));
  setPassphrase = () => this.#prove(() => (this.#add("passphrase"), this.#view()));
  newRecovery: AccountCalls["newRecovery"] = () => this.#prove(() => this.#s.answer({ groups, ask: [1, 3] }));
  finishRecovery = () => this.#prove(() => (this.#add("recovery"), this.#view()));
  removeUnlocker: AccountCalls["removeUnlocker"] = (which) =>
    this.#prove(async () => {
      const left = this.#account.unlockers.filter((u) => u.id !== which);
      if (left.length < 2 || left.every((u) => u.kind === "passphrase")) return refused("last-unlockers", "At least two ways have to be left, and one that is no passphrase.");
      this.#account = { ...this.#account, unlockers: left };
      return this.#view();
    });
  beginTotp = () => this.#prove(() => this.#s.answer({ secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", uri: "otpauth://totp/Latchkey:anna%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Latchkey" }));
  finishTotp: AccountCalls["finishTotp"] = (code) =>
    this.#prove(async () => {
      if (code === "000000") return refused("code", "This code is not right.");
      this.#account = { ...this.#account, totp: true };
      return this.#view();
    });
  removeTotp = () => this.#prove(() => ((this.#account = { ...this.#account, totp: false }), this.#view()));
  changeEmail: AccountCalls["changeEmail"] = (email) => this.#prove<object>(() => ((this.#email = email), this.#s.answer({})));
  confirmEmail: AccountCalls["confirmEmail"] = async (code) => {
    if (code === "00000000") return refused("code", "This code is not right, or has expired.");
    this.#account = { ...this.#account, email: this.#email, verified: true };
    this.#open();
    return this.#view();
  };
  endAccountSession: AccountCalls["endAccountSession"] = async (session) => {
    this.#account = { ...this.#account, sessions: this.#account.sessions.filter((s) => s.session !== session) };
    return this.#view();
  };
  homesLeft: AccountCalls["homesLeft"] = async () => {
    const as = ["sole", "several"].some(is) ? ([is("sole") ? "only owner" : "owner", "member", "unknown"] as const) : (["owner"] as const);
    return this.#s.answer({ homes: this.#s.homes().map(({ home, name }, i) => ({ home, name, as: as[i] ?? "unknown" })) });
  };
  deleteAccount: AccountCalls["deleteAccount"] = () =>
    this.#prove<object>(() => {
      this.#s.standing = { state: "none" };
      this.#s.founded = false;
      return this.#s.answer({});
    });
  lock: AccountCalls["lock"] = async () => {
    this.#s.standing = { state: "locked", email: this.#account.email };
    return this.#s.answer({});
  };
}
