// Where the page's calls about a person's account are answered.

import { broken, Failed, Fields } from "../api.ts";
import { MACKey } from "../mac.ts";
import { emptyContent, nameFits, type VaultContent } from "../account/content.ts";
import { passkeyKEK } from "../account/passkey.ts";
import { parseStretch, stretch } from "../account/passphrase.ts";
import { fromRecoveryCode, parseRecoveryCode } from "../account/recovery.ts";
import { type UnlockerKind, unlockerKind } from "../account/unlocker.ts";
import { sealVault } from "../account/vault.ts";
import { type AccountID, parseID, type UnlockerID } from "../seal/name.ts";
import { base32, base64, type Bytes, random } from "../wire.ts";
import type { AccountCalls, AccountSessionView, AccountView, HomeLeft, KnownHome, PasskeyAnswer, PasskeyAsk, RecoveryCode, Standing, Ticket, UnlockerView } from "./accounts.ts";
import { depositing } from "./deposit.ts";
import { standingIn } from "./ending.ts";
import type { Hall } from "./hall.ts";
import type { Result } from "./protocol.ts";
import { ignoreTrouble, refused, result } from "./result.ts";
import { ticketText } from "./ticket.ts";
import { type Enrolled, enrolPasskey, enrolPassphrase, openWith, prfOf, refusing, withoutPRF, Written } from "./unlockers.ts";

/** Signing up, as far as it has come. */
interface SigningUp {
  readonly ticket: string;
  readonly email: string;
  readonly account: AccountID;
  readonly vaultKey: Bytes;
  unlocker: Enrolled | null;
  written: Written | null;
  /** The server was told, and nobody knows whether it heard. */
  uncertain: boolean;
}

export class AccountDesk implements AccountCalls {
  readonly #hall: Hall;
  readonly #locked: () => void;
  #signingUp: SigningUp | null = null;
  #written: Written | null = null;
  #email: string | null = null;

  /** `locked` is told when this browser has been locked. */
  constructor(hall: Hall, locked: () => void = () => undefined) {
    this.#hall = hall;
    this.#locked = locked;
  }

  standing(): Promise<Result<{ standing: Standing; mail: boolean; passkeys: boolean }>> {
    return result(async () => {
      const { fields } = await this.#hall.server.ask({ method: "GET", path: "/v1/health", home: null });
      await this.#hall.vault.remind(fields.has("generation") ? fields.number("generation") : 0).catch(ignoreTrouble);
      return { standing: await this.#hall.vault.standing(), mail: fields.boolean("mail"), passkeys: fields.boolean("passkeys") };
    });
  }

  beginSignUp(ticket: Ticket, email: string): Promise<Result<{ mail: boolean; passkey: PasskeyAsk | null }>> {
    return result(async () => {
      const text = await ticketText(ticket, this.#hall);
      const fields = await this.#post("/begin", { ticket: text, email });
      const account = parseID("account", fields.text("account"));
      if (account === null) throw broken("an account without an ID");
      this.#signingUp = { ticket: text, email, account, vaultKey: random(32), unlocker: null, written: null, uncertain: false };
      const options = fields.text("options");
      return { mail: fields.text("mail") === "sent", passkey: options === "" ? null : ask(options) };
    });
  }

  prepareSignUp(with_: { passphrase: string } | { passkey: PasskeyAnswer }): Promise<Result<RecoveryCode>> {
    return result(async () => {
      const s = this.#begun();
      s.unlocker = "passphrase" in with_ ? await enrolPassphrase(s.account, with_.passphrase, s.vaultKey) : await enrolPasskey(s.account, with_.passkey, s.vaultKey);
      s.written ??= await Written.make();
      return s.written.shown;
    });
  }

  finishSignUp(code: string, typed: [string, string]): Promise<Result<{ account: AccountView }>> {
    return result(async () => {
      const s = this.#begun();
      if (s.unlocker === null || s.written === null) throw refused("order", "First choose how to unlock.");
      s.written.check(typed);
      const { account, vaultKey } = s;
      const kept = (await this.#hall.kept()).filter((h) => h.account === null);
      const content = (await depositing(kept))(emptyContent);
      const recovery = await s.written.enrol(account, vaultKey);
      const macKey = random(32);
      const vault = await sealVault(account, vaultKey, null, content);
      const body = { ticket: s.ticket, account, email: s.email, code, unlockers: [s.unlocker.body, recovery.body], vault: base64(vault), mac_key: base64(macKey) };
      try {
        const fields = await this.#post("", body, macKey);
        if (fields.text("account") !== account) throw new Failed({ trouble: "crossed", what: "account" });
        await this.#hall.vault.begin({ account, email: s.email, vaultKey, macKey, vault: fields.bytes("vault") });
      } catch (e) {
        if (!(e instanceof Failed)) throw e;
        if (e.trouble.trouble === "offline") s.uncertain = true;
        // It may have been made a moment ago, and the answer was lost.
        if (e.reason !== "conflict" || !s.uncertain) throw e;
        await this.#byRecovery(s.written.code);
      }
      this.#signingUp = null;
      await this.#hall.deposit();
      return { account: await this.#view() };
    });
  }

  beginPasskey(): Promise<Result<{ passkey: PasskeyAsk }>> {
    return result(async () => ({ passkey: ask((await this.#post("/passkey", {})).text("options")) }));
  }

  signInPasskey(answer: PasskeyAnswer): Promise<Result<{ homes: KnownHome[] }>> {
    return this.#signIn(async () => {
      const kek = await passkeyKEK(prfOf(answer));
      return { kind: "passkey", kek, body: { assertion: withoutPRF(answer) } };
    });
  }

  signInPassphrase(email: string, passphrase: string, totp: string): Promise<Result<{ homes: KnownHome[] }>> {
    return this.#signIn(async () => {
      const params = (await this.#post("/passphrase", { email })).bytes("params");
      const { auth, kek } = await refusing(async () => stretch(passphrase, parseStretch(params)));
      return { kind: "passphrase", kek, body: { email, auth: base64(auth), code: totp } };
    });
  }

  signInRecovery(code: string): Promise<Result<{ homes: KnownHome[] }>> {
    return result(async () => {
      await this.#byRecovery(await refusing(() => parseRecoveryCode(code)));
      return this.#signedIn();
    });
  }

  account(): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => undefined);
  }

  beginAddPasskey(): Promise<Result<{ passkey: PasskeyAsk }>> {
    return result(async () => ({ passkey: ask((await this.#hall.vault.ask("POST", "/unlockers/begin", {})).fields.text("options")) }));
  }

  addPasskey(name: string, answer: PasskeyAnswer): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => {
      if (!nameFits(name)) throw refused("name", "A name has at most 64 characters, and no control characters.");
      const { account, key } = await this.#hall.vault.account();
      const id = await this.#add(await enrolPasskey(account, answer, key));
      await this.#hall.vault.change((c) => ({ ...c, unlockers: { ...c.unlockers, [id]: name } }));
    });
  }

  setPassphrase(passphrase: string): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => {
      const { account, key } = await this.#hall.vault.account();
      await this.#add(await enrolPassphrase(account, passphrase, key));
    });
  }

  newRecovery(): Promise<Result<RecoveryCode>> {
    return result(async () => {
      await this.#hall.vault.account();
      this.#written = await Written.make();
      return this.#written.shown;
    });
  }

  finishRecovery(typed: [string, string]): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => {
      if (this.#written === null) throw refused("order", "Make a recovery code first.");
      this.#written.check(typed);
      const { account, key } = await this.#hall.vault.account();
      await this.#add(await this.#written.enrol(account, key));
      this.#written = null;
    });
  }

  removeUnlocker(id: string): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => {
      const known = parseID("unlocker", id);
      if (known === null) throw refused("not-found", "There is no such thing.");
      await this.#hall.vault.ask("DELETE", `/unlockers/${known}`);
      await this.#hall.vault.change((c) => withoutUnlocker(c, known));
    });
  }

  beginTotp(): Promise<Result<{ secret: string; uri: string }>> {
    return result(async () => {
      const { fields } = await this.#hall.vault.ask("POST", "/codes", {});
      return { secret: fields.text("secret"), uri: fields.text("uri") };
    });
  }

  finishTotp(code: string): Promise<Result<{ account: AccountView }>> {
    return this.#then(() => this.#hall.vault.ask("PUT", "/codes", { code }));
  }

  removeTotp(): Promise<Result<{ account: AccountView }>> {
    return this.#then(() => this.#hall.vault.ask("DELETE", "/codes"));
  }

  changeEmail(email: string): Promise<Result<object>> {
    return result(async () => {
      const { fields } = await this.#hall.vault.ask("POST", "/email", { email });
      this.#email = fields.text("mail") === "sent" ? email : null;
      return {};
    });
  }

  confirmEmail(code: string): Promise<Result<{ account: AccountView }>> {
    return this.#then(async () => {
      if (this.#email === null) throw refused("order", "Say first which address it is to be.");
      await this.#hall.vault.ask("POST", "/email/confirm", { email: this.#email, code });
      this.#email = null;
    });
  }

  endAccountSession(session: string): Promise<Result<{ account: AccountView }>> {
    return this.#then(() => this.#hall.vault.ask("DELETE", `/sessions/${encodeURIComponent(session)}`));
  }

  lock(): Promise<Result<object>> {
    return result(async () => {
      const { vault } = this.#hall;
      await vault.account();
      // What the vault does not have would be lost with the keys.
      await this.#hall.deposit();
      this.#hall.leave();
      await vault.ask("DELETE", "/session").catch(ignoreTrouble);
      await vault.lock();
      this.#locked();
      return {};
    });
  }

  homesLeft(): Promise<Result<{ homes: HomeLeft[] }>> {
    return result(async () => {
      const kept = await this.#hall.kept();
      const homes = (await this.#hall.homes()).map(async ({ home, name }) => ({ home, name, as: await standingIn(kept.find((h) => h.home === home)) }));
      return { homes: await Promise.all(homes) };
    });
  }

  deleteAccount(): Promise<Result<object>> {
    return result(async () => {
      await this.#hall.endAccount();
      this.#locked();
      return {};
    });
  }

  /** Signs in, and takes what the vault says. */
  #signIn(by: () => Promise<{ kind: UnlockerKind; kek: Bytes; body: Record<string, unknown> }>): Promise<Result<{ homes: KnownHome[] }>> {
    return result(async () => {
      const { kind, kek, body } = await by();
      await this.#open(kind, kek, body);
      return this.#signedIn();
    });
  }

  async #byRecovery(code: Bytes): Promise<void> {
    const { locator, auth, kek } = await fromRecoveryCode(code);
    await this.#open("recovery", kek, { locator: base64(locator), auth: base64(auth) });
  }

  async #open(kind: UnlockerKind, kek: Bytes, body: Record<string, unknown>): Promise<void> {
    const macKey = random(32);
    const fields = await this.#post("/sessions", { mac_key: base64(macKey), ...body }, macKey);
    const account = parseID("account", fields.text("account"));
    if (account === null) throw broken("an account without an ID");
    const vaultKey = await openWith(fields.fields("unlocker"), account, kind, kek);
    await this.#hall.makeWay(account);
    await this.#hall.vault.begin({ account, email: "", vaultKey, macKey, vault: fields.bytes("vault") });
    await this.#hall.vault.view();
  }

  async #signedIn(): Promise<{ homes: KnownHome[] }> {
    await this.#hall.unlock();
    await this.#hall.deposit().catch(ignoreTrouble);
    return { homes: await this.#hall.homes() };
  }

  async #add(unlocker: Enrolled): Promise<UnlockerID> {
    const { account } = await this.#hall.vault.account();
    await this.#hall.vault.ask("POST", "/unlockers", { account, unlocker: unlocker.body });
    return unlocker.id;
  }

  /** Does something about the account, and shows how it stands then. */
  #then(work: () => Promise<unknown>): Promise<Result<{ account: AccountView }>> {
    return result(async () => {
      await work();
      return { account: await this.#view() };
    });
  }

  async #view(): Promise<AccountView> {
    const { vault } = this.#hall;
    const [{ account }, fields, content] = [await vault.account(), await vault.view(), await vault.content()];
    const sessions = (await vault.ask("GET", "/sessions")).fields;
    const unlockers = fields.list("unlockers").map((u) => unlockerView(new Fields(u), content));
    return {
      account,
      email: fields.text("email"),
      verified: fields.boolean("verified"),
      totp: fields.boolean("codes"),
      unlockers,
      sessions: sessions.list("sessions").map((s) => sessionView(new Fields(s))),
    };
  }

  #begun(): SigningUp {
    if (this.#signingUp === null) throw refused("order", "Begin with your address.");
    return this.#signingUp;
  }

  async #post(rest: string, body: Record<string, unknown>, macKey: Bytes | null = null): Promise<Fields> {
    const key = macKey === null ? null : await MACKey.of(macKey);
    return (await this.#hall.server.ask({ method: "POST", path: `/v1/accounts${rest}`, home: null, body }, null, key)).fields;
  }
}

/** A fresh page of a ceremony; the server knows the challenge again by itself. */
function ask(options: string): PasskeyAsk {
  try {
    return { ceremony: base32(random(16)), options: JSON.parse(options) as object };
  } catch {
    throw broken("options that are no JSON");
  }
}

function unlockerView(f: Fields, content: VaultContent): UnlockerView {
  const id = parseID("unlocker", f.text("unlocker"));
  const kind = unlockerKind(f.text("kind"));
  if (id === null || kind === null) throw broken("an unlocker that is none");
  return { id, kind, name: content.unlockers[id] ?? "", made: f.number("added"), used: f.number("used") };
}

function sessionView(f: Fields): AccountSessionView {
  return { session: f.text("session"), browser: f.text("browser"), started: f.number("started"), seen: f.number("seen"), here: f.boolean("current") };
}

function withoutUnlocker(c: VaultContent, id: UnlockerID): VaultContent {
  const { [id]: _, ...unlockers } = c.unlockers;
  return { ...c, unlockers };
}
