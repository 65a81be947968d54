// That somebody's keys are those of whoever holds an invitation's link (docs/deed.md,
// "Proof"). The link's secret is the seed of the invitation's signing key.

import { type Bytes, label, Writer } from "../wire.ts";
import { type HomeID, idBytes, type InviteID } from "../seal/name.ts";
import { signerOf } from "./key.ts";
import { type Person, personBytes, type Proof } from "./parts.ts";

/** What the invitation's key signs. */
export function proofMessage(home: HomeID, invite: InviteID, person: Person): Bytes {
  return new Writer().raw(label("latchkey invite proof v1")).raw(idBytes("home", home)).raw(idBytes("invite", invite)).raw(personBytes(person)).bytes();
}

/** Proves with the secret of an invitation that these keys are those of whoever holds it. */
export async function prove(secret: Bytes, home: HomeID, invite: InviteID, person: Person): Promise<Proof> {
  const signer = await signerOf(secret);
  return { invite, signature: await signer.sign(proofMessage(home, invite, person)) };
}
