// What the page may ask of the worker about a person's account: signing up and in, what
// opens the vault, devices' memory (docs/account.md). A passphrase and a passkey's
// secret pass through the page because a browser gives them to pages alone; the worker
// turns them into keys, and the page keeps nothing of them.

import type { AccountID, HomeID } from "../seal/name.ts";
import type { Result } from "./protocol.ts";

/**
 * What lets somebody sign up: the secret of a set-up link, an invitation's link, or a home
 * whose keys lie in this browser without an account.
 */
export type Ticket = { setup: string } | { invite: string } | { home: HomeID };

/** What the page's navigator.credentials is asked: the JSON of WebAuthn's own options. */
export type PasskeyAsk = { ceremony: string; options: object };

/** What it answered: the credential as JSON, and the 32 bytes of its PRF. */
export interface PasskeyAnswer {
  ceremony: string;
  credential: object;
  prf: ArrayBuffer;
}

/** Something that opens the vault. Times are microseconds. */
export interface UnlockerView {
  id: string;
  kind: "passkey" | "passphrase" | "recovery";
  /** What the person calls it; a passkey's is its maker's if nobody named it. */
  name: string;
  made: number;
  used: number;
}

/** A browser in which somebody is signed in to the account. */
export interface AccountSessionView {
  session: string;
  /** "Chromium on Linux". */
  browser: string;
  started: number;
  seen: number;
  here: boolean;
}

export interface AccountView {
  account: AccountID;
  email: string;
  verified: boolean;
  totp: boolean;
  unlockers: UnlockerView[];
  sessions: AccountSessionView[];
}

/**
 * How this browser stands. `none`: it knows no account; keys of homes may lie here all the
 * same. `locked`: the account is known, its vault is shut. `open`: the vault is open.
 */
export type Standing = { state: "none" } | { state: "locked"; email: string } | { state: "open"; email: string };

/**
 * A recovery code to be written down, shown once: seven groups of four letters, and which
 * two of them (from 0) the person is to type again.
 */
export interface RecoveryCode {
  groups: string[];
  ask: [number, number];
}

/** A home that a person has: keys of it lie in this browser (`here`), or only in the vault. */
export interface KnownHome {
  home: HomeID;
  /** What the person calls it; "" if nobody has said so yet. */
  name: string;
  here: boolean;
}

/** A home of the account, and what it loses with it: by what this browser saw of the home last. */
export interface HomeLeft {
  home: HomeID;
  name: string;
  as: "only owner" | "owner" | "member" | "unknown";
}

export interface AccountCalls {
  standing(): Promise<Result<{ standing: Standing; mail: boolean; passkeys: boolean }>>;
  /** Begins to sign up; `mail` says whether a code was sent to the address, which is then to be typed. */
  beginSignUp(ticket: Ticket, email: string): Promise<Result<{ mail: boolean; passkey: PasskeyAsk | null }>>;
  /** Makes the keys, and the recovery code. Nothing is at the server before finishSignUp. */
  prepareSignUp(with_: { passphrase: string } | { passkey: PasskeyAnswer }): Promise<Result<RecoveryCode>>;
  /**
   * Makes the account once the person has typed the two groups; `code` is that of the mail,
   * "" if none was sent. Homes that lie in this browser go into the vault. It may be asked
   * again with another code, and the recovery code stays the one that was written down.
   */
  finishSignUp(code: string, typed: [string, string]): Promise<Result<{ account: AccountView }>>;

  beginPasskey(): Promise<Result<{ passkey: PasskeyAsk }>>;
  signInPasskey(answer: PasskeyAnswer): Promise<Result<{ homes: KnownHome[] }>>;
  /** `totp` is "" if the person has none. */
  signInPassphrase(email: string, passphrase: string, totp: string): Promise<Result<{ homes: KnownHome[] }>>;
  signInRecovery(code: string): Promise<Result<{ homes: KnownHome[] }>>;

  account(): Promise<Result<{ account: AccountView }>>;
  /** Those below are refused as `prove-again` if the last sign-in is more than 15 minutes ago. */
  beginAddPasskey(): Promise<Result<{ passkey: PasskeyAsk }>>;
  addPasskey(name: string, answer: PasskeyAnswer): Promise<Result<{ account: AccountView }>>;
  setPassphrase(passphrase: string): Promise<Result<{ account: AccountView }>>;
  /** Makes another recovery code; the old one holds until finishRecovery. */
  newRecovery(): Promise<Result<RecoveryCode>>;
  finishRecovery(typed: [string, string]): Promise<Result<{ account: AccountView }>>;
  removeUnlocker(id: string): Promise<Result<{ account: AccountView }>>;
  beginTotp(): Promise<Result<{ secret: string; uri: string }>>;
  finishTotp(code: string): Promise<Result<{ account: AccountView }>>;
  removeTotp(): Promise<Result<{ account: AccountView }>>;
  /** Sends a code to the new address, and a notice to the old. */
  changeEmail(email: string): Promise<Result<object>>;
  confirmEmail(code: string): Promise<Result<{ account: AccountView }>>;
  endAccountSession(session: string): Promise<Result<{ account: AccountView }>>;
  /** Shuts the vault and takes every key out of this browser; what was seen of chains stays. */
  lock(): Promise<Result<object>>;
  /** The homes of the account, for who thinks of deleting it. */
  homesLeft(): Promise<Result<{ homes: HomeLeft[] }>>;
  /** Deletes the account at the server, and here with the keys of its homes. Refused as `prove-again` like those above. */
  deleteAccount(): Promise<Result<object>>;
}
