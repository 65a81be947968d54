// The accounts of a server in memory (docs/wire.md, "Accounts"): it keeps vaults and
// unlockers, opens none, and can be told to give out something else.

import { type Vault, parseVault } from "../../account/vault.ts";
import { sha256 } from "../../deed/key.ts";
import { MACKey } from "../../mac.ts";
import { type AccountID, idText } from "../../seal/name.ts";
import { base32, base64, type Bytes, hex, random, unbase64 } from "../../wire.ts";
import { type Body, Refuse, type Reply } from "./reply.ts";

interface StoredUnlocker {
  unlocker: string;
  kind: string;
  params: string;
  wrapped: string;
  verifier: string;
  credential: string;
}

export interface StoredAccount {
  account: AccountID;
  email: string;
  codes: boolean;
  unlockers: StoredUnlocker[];
  /** Every vault that was ever put there. */
  vaults: Bytes[];
}

export interface AccountSession {
  id: string;
  account: StoredAccount;
  key: MACKey;
  bytes: Bytes;
}

/** What the server proves the end of an account by: here it is no secret. */
const proofOf = (id: AccountID): string => base64(new TextEncoder().encode(id));

const bytes = (b: Body, name: string): Bytes => unbase64((b[name] as string | undefined) ?? "")!;

export class StandInAccounts {
  readonly all: StoredAccount[] = [];
  sessions: AccountSession[] = [];
  /** Whether the last sign-in is long ago. */
  stale = false;
  mail = false;
  params: string | null = null;
  readonly ended = new Set<string>();

  /** The ticket that lets somebody sign up. */
  constructor(private readonly admits: (ticket: string) => Promise<boolean>) {}

  /** Answers about an account; session is whose MAC the request has. */
  async answer(method: string, path: string, body: Body, session: AccountSession | null): Promise<Reply> {
    const [, id, rest] = /^\/v1\/accounts\/([a-z2-7]{26})(.*)$/.exec(path) ?? [];
    if (id === undefined) return this.#outside(path.slice("/v1/accounts".length), body);
    if (session === null || session.account.account !== id) throw this.ended.has(id) ? new Refuse(410, "account-ended") : new Refuse(401, "signed-out");
    return this.#inside(`${method} ${rest}`, body, session);
  }

  /** The newest session, which a sign-in has just made. */
  get newest(): AccountSession {
    return this.sessions[this.sessions.length - 1]!;
  }

  async #outside(rest: string, b: Body): Promise<Reply> {
    switch (rest) {
      case "/begin":
        if (!(await this.admits(b["ticket"] as string))) throw new Refuse(403, "expired");
        return { status: 200, body: { account: idText("account", random(16)), options: `{"challenge":"AAAA"}`, mail: this.mail ? "sent" : "none" } };
      case "":
        return this.#signUp(b);
      case "/passphrase":
        return { status: 200, body: { params: this.params ?? this.#byEmail(b)?.unlockers.find((u) => u.kind === "passphrase")?.params ?? base64(random(22)) } };
      case "/passkey":
        return { status: 200, body: { options: `{"challenge":"AAAA"}` } };
      case "/sessions":
        return this.#signIn(b);
      case "/ended":
        if (b["end"] !== proofOf(b["account"] as AccountID)) throw new Refuse(403, "refused");
        return { status: 200, body: { account: this.#end(b["account"] as AccountID), ok: true } };
    }
    throw new Refuse(404, "not-found");
  }

  #end(id: AccountID): AccountID {
    this.ended.add(id);
    this.sessions = this.sessions.filter((s) => s.account.account !== id);
    this.all.splice(0, this.all.length, ...this.all.filter((a) => a.account !== id));
    return id;
  }

  #byEmail(b: Body): StoredAccount | undefined {
    return this.all.find((a) => a.email === b["email"]);
  }

  async #signUp(b: Body): Promise<Reply> {
    if (!(await this.admits(b["ticket"] as string))) throw new Refuse(403, "expired");
    if (this.mail && b["code"] !== "12345678") throw new Refuse(403, "refused");
    if (this.all.some((a) => a.account === b["account"] || a.email === b["email"])) throw new Refuse(409, "conflict");
    const vault = bytes(b, "vault");
    await this.#follows(vault, null);
    const account: StoredAccount = { account: b["account"] as AccountID, email: b["email"] as string, codes: false, unlockers: [], vaults: [vault] };
    for (const u of b["unlockers"] as Body[]) await this.#enrol(account, u);
    this.all.push(account);
    return this.#begin(account, account.unlockers[0]!, b);
  }

  async #enrol(a: StoredAccount, u: Body): Promise<void> {
    const [kind, params, wrapped] = [u["kind"] as string, u["params"] as string, u["wrapped"] as string];
    if (kind !== "passkey") a.unlockers = a.unlockers.filter((old) => old.kind !== kind);
    const verifier = kind === "passkey" ? "" : hex(await sha256(bytes(u, "auth")));
    const credential = kind === "passkey" ? ((JSON.parse(u["attestation"] as string) as Body)["rawId"] as string) : "";
    a.unlockers.push({ unlocker: u["unlocker"] as string, kind, params, wrapped, verifier, credential });
  }

  async #signIn(b: Body): Promise<Reply> {
    const verifier = hex(await sha256(bytes(b, "auth")));
    const rawId = b["assertion"] === undefined ? null : ((JSON.parse(b["assertion"] as string) as Body)["rawId"] as string);
    for (const a of this.all) {
      const u = a.unlockers.find((u) => {
        if (rawId !== null) return u.credential === rawId;
        if (b["locator"] !== undefined) return u.kind === "recovery" && u.params === b["locator"] && u.verifier === verifier;
        return a.email === b["email"] && u.kind === "passphrase" && u.verifier === verifier && (!a.codes || b["code"] === "123456");
      });
      if (u !== undefined) return this.#begin(a, u, b);
    }
    throw new Refuse(403, "refused");
  }

  async #begin(account: StoredAccount, u: StoredUnlocker, b: Body): Promise<Reply> {
    const mac = bytes(b, "mac_key");
    this.sessions.push({ id: base32(random(16)), account, key: await MACKey.of(mac), bytes: mac });
    const { unlocker, kind, params, wrapped } = u;
    return { status: 201, body: { account: account.account, session: this.newest.id, expires: 0, vault: base64(account.vaults.at(-1)!), unlocker: { unlocker, kind, params, wrapped } } };
  }

  async #follows(next: Bytes, prev: Bytes | null): Promise<Vault> {
    const [v, before] = [await parseVault(next), prev === null ? null : await parseVault(prev)];
    if (v.number <= (before?.number ?? 0) || hex(v.prev) !== (before === null ? "00".repeat(32) : hex(before.hash))) throw new Refuse(409, "conflict", prev === null ? {} : { document: base64(prev) });
    return v;
  }

  async #inside(route: string, b: Body, s: AccountSession): Promise<Reply> {
    const a = s.account;
    const ok = (body: Body = { ok: true }): Reply => ({ status: 200, body: { account: a.account, ...body } });
    const [verb, part] = [route.replace(/\/(unlockers|sessions)\/.*$/, "/$1/"), route.split("/").at(-1)!];
    switch (verb) {
      case "GET ":
        return ok({ email: a.email, verified: false, codes: a.codes, vault: (await parseVault(a.vaults.at(-1)!)).number, unlockers: a.unlockers.map(({ unlocker, kind, params }) => ({ unlocker, kind, params, added: 1, used: 0 })) });
      case "GET /sessions":
        return ok({ sessions: this.sessions.filter((x) => x.account === a).map((x) => ({ session: x.id, browser: "Chromium on Linux", started: 1, seen: 1, expires: 9, current: x === s })) });
      case "DELETE /sessions/":
        this.sessions = this.sessions.filter((x) => x.account !== a || x.id !== part);
        return ok();
      case "DELETE /session":
        this.sessions = this.sessions.filter((x) => x !== s);
        return ok();
      case "GET /vault":
        return ok({ vault: base64(a.vaults.at(-1)!) });
      case "PUT /vault":
        await this.#follows(bytes(b, "vault"), a.vaults.at(-1)!);
        a.vaults.push(bytes(b, "vault"));
        return ok();
    }
    if (this.stale) throw new Refuse(403, "prove-again");
    switch (verb) {
      case "DELETE ":
        return ok({ account: this.#end(a.account), end: proofOf(a.account) });
      case "POST /unlockers/":
        return ok({ options: `{"challenge":"AAAA"}` });
      case "POST /unlockers":
        await this.#enrol(a, b["unlocker"] as Body);
        return ok();
      case "DELETE /unlockers/": {
        const left = a.unlockers.filter((u) => u.unlocker !== part);
        if (left.length < 2 || left.every((u) => u.kind === "passkey")) throw new Refuse(409, "last-unlockers");
        a.unlockers = left;
        return ok();
      }
      case "POST /codes":
        return ok({ secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/Latchkey" });
      case "PUT /codes":
        if (b["code"] !== "123456") throw new Refuse(403, "refused");
        a.codes = true;
        return ok();
      case "DELETE /codes":
        a.codes = false;
        return ok();
      case "POST /email":
        if (!this.mail) a.email = b["email"] as string;
        return ok({ mail: this.mail ? "sent" : "none" });
      case "POST /email/confirm":
        if (b["code"] !== "12345678") throw new Refuse(403, "refused");
        a.email = b["email"] as string;
        return ok();
    }
    throw new Refuse(404, "not-found");
  }
}
