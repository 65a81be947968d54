// What is made of a passkey's PRF output (docs/account.md, "Unlockers").

import { sha256 } from "../deed/key.ts";
import { ascii, type Bytes } from "../wire.ts";
import { derive } from "./derive.ts";

/** What a passkey's PRF extension is asked for. */
export function prfInput(): Promise<Bytes> {
  return sha256(ascii("latchkey passkey prf v1"));
}

/** The key that the vault key is wrapped under. */
export function passkeyKEK(prf: Bytes): Promise<Bytes> {
  return derive(prf, "latchkey passkey wrap v1");
}
