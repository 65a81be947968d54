// Why a change of the home does not hold, for whoever wanted to make it.

import type { DeedReason } from "../deed/reasons.ts";

/** A sentence for each refusal that people can run into; the others are mistakes of a program. */
export const deedRefusals: Partial<Record<DeedReason, string>> = {
  "former-signer": "Your keys for this home were replaced or taken back. Open it with the new ones, or ask an owner.",
  "not-allowed": "You may not do that in this home. Ask an owner.",
  backdated: "The clock of this device is more than five minutes slow. Set it, and try again.",
  expired: "The time for it is over. Choose a later end, or make a new invitation.",
  "last-owner": "A home has at least one owner. Make somebody else an owner first.",
  "wrong-state": "Somebody was faster: the home is in that state already.",
  "too-many": "The home has no room for more. Remove one first.",
  "already-placed": "That was in this home before, and nothing comes back under its old keys. Start anew.",
  "reused-key": "Those keys were in this home before. New ones are needed.",
  "bad-proof": "That answer was not made with the link of this invitation. Make a new invitation.",
  "unknown-invite": "That invitation was used or withdrawn. Make a new one.",
  "unknown-person": "That person is not in this home any more.",
  "unknown-device": "That device is not in this home any more.",
  "unknown-agent": "That agent is not in this home any more.",
  "unknown-camera": "One of these cameras is not in this home any more.",
  "wrong-past": "What was recorded before can be given only by an owner who has all of it. Choose a later beginning.",
};
