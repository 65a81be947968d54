// What a server is shown by somebody who signs up, so that nobody fills its disk
// (docs/account.md, "What a server does").

import { signerOf } from "../deed/key.ts";
import { idBytes } from "../seal/name.ts";
import { base64, concat, label, Writer } from "../wire.ts";
import type { Ticket } from "./accounts.ts";
import type { Hall } from "./hall.ts";
import { InviteKeys, readLink } from "./invite.ts";
import { refused } from "./result.ts";

const life = 2 * 60 * 1_000_000; // microseconds

/** The text of a ticket: a set-up link's secret, an invitation's slot, or a device's signature. */
export async function ticketText(ticket: Ticket, hall: Hall): Promise<string> {
  if ("setup" in ticket) return ticket.setup;
  if ("invite" in ticket) return (await InviteKeys.of(readLink(ticket.invite).secret)).slot;
  const kept = (await hall.kept()).find((h) => h.home === ticket.home);
  if (kept?.secrets == null) throw refused("no-home", "This browser has no keys of that home.");
  const { device, deviceSigning } = kept.secrets;
  const said = new Writer().raw(idBytes("home", ticket.home)).raw(idBytes("device", device)).u64(Date.now() * 1000 + life).bytes();
  const signature = await (await signerOf(deviceSigning)).sign(concat(label("latchkey ticket v1"), said));
  return base64(concat(said, signature));
}
