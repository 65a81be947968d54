// The closed list of docs/deed.md, "Reasons".

export type DeedReason =
  | "oversize"
  | "malformed"
  | "future-version"
  | "unknown-type"
  | "wrong-home"
  | "replayed"
  | "gap"
  | "fork"
  | "backdated"
  | "unknown-signer"
  | "former-signer"
  | "not-allowed"
  | "bad-signature"
  | "bad-key"
  | "not-found"
  | "wrong-epoch"
  | "wrong-wraps"
  | "wrong-past"
  | "reused-key"
  | "already-placed"
  | "unknown-agent"
  | "unknown-camera"
  | "unknown-person"
  | "unknown-device"
  | "unknown-invite"
  | "bad-proof"
  | "expired"
  | "last-owner"
  | "wrong-state"
  | "too-many";

/** The refusal of a deed; `at` is its index among the deeds that were given. */
export class DeedError extends Error {
  at = 0;

  constructor(
    readonly reason: DeedReason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}
