// Arriving at a home in a browser that is none of its devices yet: as the person, with
// the keys of the vault; a device of it only once an agent, or a person, has confirmed
// that the chain which was shown is the newest (docs/deed.md, "The title").

import { Failed, type Server } from "../api.ts";
import type { PersonKeys, VaultHome } from "../account/content.ts";
import { type Head, headText } from "../deed/head.ts";
import { signerOf } from "../deed/key.ts";
import { type Keep, type KeptHome, newlyKept } from "../keep/keep.ts";
import { type AccountID, idText } from "../seal/name.ts";
import { random } from "../wire.ts";
import type { Agents } from "./agents.ts";
import { keysOf } from "./deposit.ts";
import { Home } from "./home.ts";
import { headWords } from "./spell.ts";

/** Where a person is going: what the vault says of the home. */
export interface Going extends Pick<VaultHome, "home" | "person" | "signing" | "kem" | "next" | "name"> {
  /** The newest that any of the person's devices is known to have seen; null if this browser remembers more. */
  readonly head: Head | null;
}

/** A person in a home, and the keys with which they were let in. */
export interface Visit {
  readonly home: Home;
  readonly keys: PersonKeys;
}

/** Enters as the person. `kept` is what this browser remembers of the home. */
export async function visit(going: Going, kept: KeptHome | null, server: Server, keep: Keep): Promise<Visit> {
  // Which of two pairs of keys holds is for the chain to say.
  const candidates = going.next === null ? [keysOf(going)] : [keysOf(going), going.next];
  for (const keys of candidates) {
    try {
      const home = await Home.visit(going.home, keys, going.head, kept, server, keep);
      await home.chain.refresh();
      if (going.head !== null && !home.title.onChain(going.head)) throw new Failed({ trouble: "fork", seen: headText(going.head), offered: headText(home.title.head) });
      if (home.me.id === keys.person) return { home, keys };
    } catch (e) {
      if (!(e instanceof Failed) || e.trouble.trouble !== "signed-out") throw e;
    }
  }
  throw new Failed({ trouble: "signed-out" });
}

/** Has an agent confirm the head; if none answers, whoever sits here has to compare its words. */
export async function askAgents(home: Home, agents: Agents): Promise<void> {
  for (const { id } of home.title.agents) {
    try {
      const { head } = await agents.command(id, { do: "confirm-head" });
      await home.chain.reach(head);
      if (!home.title.onChain(head)) throw new Failed({ trouble: "fork", seen: headText(head), offered: headText(home.title.head) });
      home.confirm("agent");
      return;
    } catch (e) {
      // An agent that is away, or cannot: another one may do.
      if (!(e instanceof Failed) || e.trouble.trouble === "fork" || e.trouble.trouble === "bad-chain") throw e;
    }
  }
  throw new Failed({ trouble: "unconfirmed", words: headWords(home.title.head) });
}

/** Makes this browser a device of the home. What a crash left behind is taken up again. */
export async function settle({ home, keys }: Visit, kept: KeptHome | null, called: string, account: AccountID | null, keep: Keep): Promise<void> {
  const { signer } = home; // there is none before the head is confirmed
  const secrets = kept?.secrets ?? { ...keys, device: idText("device", random(16)), deviceSigning: random(32) };
  if (kept?.secrets == null) {
    await keep.add({ ...newlyKept(home.id, { ...secrets, called }, "joining", home.confirmed, home.title.deeds()), account });
  }
  const device = { id: secrets.device, signing: (await signerOf(secrets.deviceSigning)).key };
  await home.chain.append(signer, (title) => (title.device(device.id) === null ? { type: "device", device } : null));
  await keep.mark(home.id, { stage: "in" });
}
