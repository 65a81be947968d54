// What this browser keeps: homes with the person's and the device's keys in each, the
// account, and what was seen of both (the chain, the numbers of settings and vault), so
// that an older one is noticed. How it lies on the disk is in keepstore.ts.

import type { SeenVault } from "../account/vault.ts";
import type { AccountID, DeviceID, HomeID, InviteID, PersonID } from "../seal/name.ts";
import type { Bytes } from "../wire.ts";

/** The secrets of a person at this device. */
export interface PersonSecrets {
  readonly person: PersonID;
  readonly device: DeviceID;
  /** 32-byte seeds: of the keys that sign deeds, that epochs are wrapped for, that sign requests. */
  readonly signing: Bytes;
  readonly kem: Bytes;
  readonly deviceSigning: Bytes;
}

/** An invitation that was made in this browser, which alone can compare and admit. */
export interface KeptInvite {
  readonly invite: InviteID;
  /** The secret of its link. */
  readonly secret: Bytes;
  /** What the phrase is made of, and was committed to. */
  readonly reveal: Bytes;
  /** The head that the link names, once the invitation stands in the chain; "" before. */
  readonly head: string;
  /** What its maker called the guest to be. */
  readonly name: string;
}

/** All that is secret about a home. */
export interface HomeSecrets extends PersonSecrets {
  /** Keys that a deed on its way puts in the place of these. */
  readonly next: PersonSecrets | null;
  /** What an invitation was answered with, for these keys or the next. */
  readonly answer: Bytes | null;
  /** What the home was called when it was open last: nobody else's business either. */
  readonly called: string;
  /** What the person calls their devices, as far as no account keeps it. */
  readonly names: Readonly<Record<DeviceID, string>>;
  readonly invites: readonly KeptInvite[];
}

/** Which settings document was seen last, and the document, for a server that loses it. */
export interface SeenSettings {
  readonly number: number;
  readonly hash: Bytes;
  /** The deed at its head; absent in what earlier versions kept. */
  readonly head?: number;
  readonly document?: Bytes;
}

/**
 * How far a home has come here. `founding`: it was made here, and the server has not yet
 * said that it took it. `invited`: an invitation was answered with these keys. `joining`:
 * the deed that brings this device may not yet stand in the chain. `in`: it did.
 */
export type Stage = "founding" | "invited" | "joining" | "in";

/** How this browser came to believe that the chain it was shown is the newest; `copy`: it need not be. */
export type Confirmed = "memory" | "link" | "agent" | "compared" | "copy";

/** What is kept of one home. */
export interface KeptHome {
  readonly home: HomeID;
  /** Null if the keys were taken out of this browser. */
  readonly secrets: HomeSecrets | null;
  /** The secrets, sealed to the account's vault key, while the account is locked. */
  readonly shut: Bytes | null;
  /** The whole chain that was verified last; its end is the head that was seen. */
  readonly deeds: readonly Bytes[];
  readonly settings: SeenSettings | null;
  readonly stage: Stage;
  /** Null in a browser without memory of the home, which signs no deed. */
  readonly confirmed: Confirmed | null;
  /** Whose it is, null if it is not in the vault of an account. */
  readonly account: AccountID | null;
}

/** The account that this browser knows. */
export interface KeptAccount {
  readonly account: AccountID;
  readonly email: string;
  readonly seen: SeenVault;
  /** When the server was last restored from a backup, as far as this browser knows; 0 for never. */
  readonly generation: number;
  /** Null while the vault is shut: the vault's key, and the key that binds requests to the account's session. */
  readonly open: { readonly vaultKey: Bytes; readonly macKey: Bytes } | null;
}

/** An account that was deleted in this browser. */
export interface KeptEnd {
  readonly account: AccountID;
  /** The server's, which proves to it that it has. */
  readonly proof: Bytes;
  /** When the server that knows of it was last restored from a backup; 0 for never. */
  readonly generation: number;
}

/** What may be said of a home at any time. */
export type Marks = Partial<Pick<KeptHome, "stage" | "confirmed" | "account">>;

/** A home that was not kept before. */
export function newlyKept(home: HomeID, secrets: PersonSecrets & Partial<HomeSecrets>, stage: Stage, confirmed: Confirmed | null, deeds: readonly Bytes[] = []): KeptHome {
  return { home, secrets: { next: null, invites: [], answer: null, called: "", names: {}, ...secrets }, shut: null, deeds, settings: null, stage, confirmed, account: null };
}

/** Keeps homes and an account. What is seen only ever rises. */
export interface Keep {
  homes(): Promise<KeptHome[]>;
  /** Keeps a home with its keys. Keys that are there are not written over; what was seen of it stays. */
  add(home: KeptHome): Promise<void>;
  mark(home: HomeID, marks: Marks): Promise<void>;
  /** Changes the secrets of a home that has some; nothing is lost if it is done twice at once. */
  change(home: HomeID, change: (secrets: HomeSecrets) => HomeSecrets): Promise<void>;
  /** Takes the keys of a home out of this browser; what was seen of it stays. */
  strip(home: HomeID): Promise<void>;
  /** Forgets a home that the server never took, or that was left. */
  drop(home: HomeID): Promise<void>;
  /** Keeps a longer chain; a shorter one changes nothing. */
  sawDeeds(home: HomeID, deeds: readonly Bytes[]): Promise<void>;
  /** Keeps a higher number; a lower one changes nothing. */
  sawSettings(home: HomeID, settings: SeenSettings): Promise<void>;

  account(): Promise<KeptAccount | null>;
  /** Keeps an account in the place of the one before. */
  setAccount(account: KeptAccount): Promise<void>;
  /** Keeps a higher number of the account's vault; a lower one changes nothing. */
  sawVault(account: AccountID, seen: SeenVault): Promise<void>;
  /** Takes an account's keys, and those of its homes, out of this browser; seal says what is left of those of a home. */
  lock(account: AccountID, seal: (home: HomeID, secrets: HomeSecrets) => Promise<Bytes>): Promise<void>;

  /** Forgets an account with all of its homes, and keeps what proves its end, if anything does. */
  end(account: AccountID, proof: KeptEnd | null): Promise<void>;
  /** Forgets an account that was deleted elsewhere. Homes of it whose keys lie here are no account's then. */
  release(account: AccountID): Promise<void>;
  ended(): Promise<KeptEnd[]>;
  /** Notes that a server of that generation knows of the end. */
  told(account: AccountID, generation: number): Promise<void>;
}
