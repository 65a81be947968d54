// The closed list of docs/account.md, "Reasons".

import { ParseError } from "../wire.ts";

export type AccountReason =
  | "oversize"
  | "truncated"
  | "malformed"
  | "future-version"
  | "wrong-account"
  | "replayed"
  | "fork"
  | "vault"
  | "content"
  | "wrap"
  | "weak"
  | "letters"
  | "length"
  | "check";

/** The refusal of a vault, an unlocker or a recovery code. What it says has no secret in it. */
export class AccountError extends Error {
  constructor(
    readonly reason: AccountReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

/** Gives what is wrong with a layout its reason. */
export function layout<T>(parse: () => T): T {
  try {
    return parse();
  } catch (e) {
    if (e instanceof ParseError) throw new AccountError(e.why, e.message);
    throw e;
  }
}
