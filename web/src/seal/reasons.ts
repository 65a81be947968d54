// The closed list of docs/seal.md, "Reasons". Go and TypeScript report the same one
// for the same bytes.

export type Reason =
  | "malformed"
  | "truncated"
  | "trailing"
  | "oversize"
  | "future-version"
  | "unknown-suite"
  | "old-version"
  | "wrong-home"
  | "wrong-camera"
  | "wrong-day"
  | "wrong-kind"
  | "wrong-object"
  | "unknown-head"
  | "unknown-signer"
  | "wrong-agent"
  | "former-signer"
  | "bad-signature"
  | "wrong-hash"
  | "no-envelope"
  | "unknown-epoch"
  | "old-epoch"
  | "envelope"
  | "commitment"
  | "chunk";

/** The refusal of a sealed object. */
export class SealError extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

/** The word for what went wrong: only what answers another question is a privacy alarm. */
export function wordFor(reason: Reason): "misroute" | "corrupt" | "unknown-key" {
  if (reason.startsWith("wrong-") && reason !== "wrong-agent" && reason !== "wrong-hash") return "misroute";
  return reason === "no-envelope" ? "unknown-key" : "corrupt";
}
