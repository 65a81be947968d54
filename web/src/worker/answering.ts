// The half of an invitation of whoever has its link: reading it, answering with new keys,
// and waiting to be let in (docs/wire.md, "Inviting a person").

import { Failed } from "../api.ts";
import { homeIn, type PersonKeys, type VaultHome, withHome } from "../account/content.ts";
import { turn } from "../deed/epoch.ts";
import { publicKey, signerOf, verifySignature } from "../deed/key.ts";
import { proofMessage } from "../deed/proof.ts";
import type { Person } from "../deed/parts.ts";
import { privateKey } from "../hpke.ts";
import { type HomeSecrets, type KeptHome, newlyKept, type PersonSecrets } from "../keep/keep.ts";
import { type HomeID, idText } from "../seal/name.ts";
import { base64, type Bytes, equal, random } from "../wire.ts";
import { visit } from "./arrival.ts";
import { keysOf } from "./deposit.ts";
import type { Hall } from "./hall.ts";
import type { Home } from "./home.ts";
import { type Announcement, InviteKeys, isCommitted, type Link, parseAnswer, phrase, readLink } from "./invite.ts";
import type { Admission, Invitation } from "./members.ts";
import { ignoreTrouble, refused } from "./result.ts";

const poll = 3000; // milliseconds

/** What lies in a link's slot. */
interface Slot {
  readonly said: Announcement;
  readonly reveal: Bytes;
}

export class Answering {
  readonly #hall: Hall;
  // The slots whose phrase this page has shown.
  readonly #shown = new Set<string>();

  constructor(hall: Hall) {
    this.#hall = hall;
  }

  /** Reads what a link's slot says. */
  async read(text: string): Promise<Invitation> {
    const link = readLink(text);
    const { said } = await this.#slot(link, await InviteKeys.of(link.secret));
    const { home: name, from, purpose, role, rights } = said.greeting;
    return { home: link.home, name, from, purpose, role, rights, expires: said.expires };
  }

  async #slot(link: Link, keys: InviteKeys): Promise<Slot> {
    const { fields, request } = await this.#hall.server.ask({ method: "GET", path: `/v1/joins/${keys.slot}`, home: null });
    if (fields.text("slot") !== keys.slot) throw new Failed({ trouble: "crossed", what: "name" }, null, request);
    const said = await keys.check(fields.bytes("announcement"));
    if (said === null) throw refused("join-proof", "Whoever opened this link's place at the server does not have the link. Ask for a new one.");
    const same = said.home === link.home && said.head.seq === link.head.seq && said.head.hash === link.head.hash;
    if (!same) throw refused("wrong-home", "The link and what the server shows for it are about different homes. Ask for a new one.");
    return { said, reveal: fields.bytes("reveal") };
  }

  /** Makes keys, keeps them, and answers with them. */
  async answer(text: string): Promise<void> {
    const link = readLink(text);
    const { vault } = this.#hall;
    const { account } = await vault.account(); // whoever is let in without one loses the home with this browser
    const keys = await InviteKeys.of(link.secret);
    const { said } = await this.#slot(link, keys);
    const before = await this.#before(link, keys, said);
    const answer = before ?? (await this.#make(link, keys, said, homeIn(await vault.read(), link.home), account));
    await this.#deposit(link, said.greeting.home);
    try {
      await this.#hall.server.ask({ method: "PUT", path: `/v1/joins/${keys.slot}`, home: null, body: { slot: keys.slot, answer: base64(answer) } });
    } catch (e) {
      // This browser has answered before: whether the server heard that or somebody else, the phrase tells.
      if (before === null || !(e instanceof Failed) || e.trouble.trouble !== "refused" || e.trouble.status !== 409) throw e;
    }
  }

  /** What this browser has answered in this very slot already. */
  async #before(link: Link, keys: InviteKeys, said: Announcement): Promise<Bytes | null> {
    const kept = await this.#kept(link.home);
    const bytes = kept?.secrets?.answer ?? null;
    const answer = bytes === null ? null : await parseAnswer(bytes);
    if (answer === null) return null;
    if (await verifySignature(keys.proof.key, proofMessage(said.home, said.invite, answer.person), answer.signature)) return bytes;
    // An answer to another invitation: its keys go only if they did not come in.
    const home = await this.#letIn(link, [newest(kept!.secrets!)]);
    if (home !== null) await this.#admitted(home, kept!.secrets!);
    else if (kept!.stage === "invited") await (await this.#hall.keep()).drop(link.home);
    return null;
  }

  async #kept(home: HomeID): Promise<KeptHome | undefined> {
    return (await this.#hall.kept()).find((h) => h.home === home);
  }

  async #make(link: Link, keys: InviteKeys, said: Announcement, there: VaultHome | null, account: KeptHome["account"]): Promise<Bytes> {
    const { purpose, person: who, epoch, home: name } = said.greeting;
    const kept = await this.#kept(link.home);
    const known = [...(kept?.secrets == null ? [] : [kept.secrets]), ...(there === null ? [] : [there])];
    if (purpose === "join" && (await this.#letIn(link, known)) !== null) throw refused("already-placed", "You are in this home already.");
    const mine: PersonSecrets = { person: who ?? idText("person", random(16)), device: idText("device", random(16)), signing: random(32), kem: random(32), deviceSigning: random(32) };
    const person = await personOf(mine);
    const answer = await keys.answer(said, person, purpose === "hand over" ? (await turn({ home: link.home, epoch: epoch - 1 }, [person])).turn : null);
    const keep = await this.#hall.keep();
    // Keys that are there stay until the chain says that these have taken their place.
    if (kept?.secrets != null) await keep.change(link.home, (s) => ({ ...s, next: mine, answer }));
    else await keep.add({ ...newlyKept(link.home, { ...mine, answer, called: name }, "invited", null), account });
    return answer;
  }

  /** Puts the keys into the vault, before anybody can let them in. */
  async #deposit(link: Link, name: string): Promise<void> {
    const mine = keysOf(newest((await this.#kept(link.home))!.secrets!));
    await this.#hall.vault.change((c) => {
      const there = homeIn(c, link.home);
      const known = there !== null && [there, ...(there.next === null ? [] : [there.next])].some((k) => equal(k.signing, mine.signing));
      return known ? c : withHome(c, invitedHome(there, link, mine, name));
    });
  }

  /** Waits for the next thing that happens to an answer. */
  async watch(text: string): Promise<Admission> {
    const link = readLink(text);
    const keys = await InviteKeys.of(link.secret);
    const kept = await this.#kept(link.home);
    if (kept?.secrets?.answer == null) throw refused("order", "Answer the invitation first.");
    const { secrets } = kept;
    for (;;) {
      const home = await this.#letIn(link, [newest(secrets)]);
      if (home !== null) return this.#admitted(home, secrets);
      const slot = await this.#slot(link, keys).catch(unlessGone);
      if (slot === null) {
        // Closed because they were let in, or turned down.
        const late = await this.#letIn(link, [newest(secrets)]);
        return late === null ? { state: "refused" } : this.#admitted(late, secrets);
      }
      if (slot.said.expires <= Date.now() * 1000) return { state: "expired" };
      if (slot.reveal.length > 0 && !this.#shown.has(keys.slot)) {
        if (!(await isCommitted(slot.said, slot.reveal))) throw refused("commitment", "The server shows something else than the owner committed to. Nobody should let you in: ask for a new link.");
        this.#shown.add(keys.slot);
        return { state: "phrase", phrase: await phrase(slot.reveal, secrets.answer!) };
      }
      await new Promise((go) => setTimeout(go, poll));
    }
  }

  /** The home, if it takes one of these keys: on the very chain that the link names. */
  async #letIn(link: Link, known: readonly PersonKeys[]): Promise<Home | null> {
    for (const keys of known) {
      const going = { home: link.home, head: link.head, ...keysOf(keys), next: null, name: "" };
      try {
        return (await visit(going, null, this.#hall.server, await this.#hall.keep())).home;
      } catch (e) {
        if (!(e instanceof Failed) || e.trouble.trouble !== "signed-out") throw e;
      }
    }
    return null;
  }

  async #admitted(home: Home, secrets: HomeSecrets): Promise<Admission> {
    const answer = await parseAnswer(secrets.answer!);
    // Whoever takes a home over takes it with the epoch that they made, or not at all.
    if (answer?.turn != null && home.title.epochKey(answer.turn.number)?.id !== answer.turn.key.id) throw new Failed({ trouble: "bad-chain", reason: "wrong-epoch", at: home.title.handedOver });
    const keep = await this.#hall.keep();
    await keep.change(home.id, ({ next, ...s }) => ({ ...s, ...next, next: null, answer: null }));
    await keep.mark(home.id, { stage: "in", confirmed: (await this.#kept(home.id))?.confirmed ?? "link" });
    await keep.sawDeeds(home.id, home.title.deeds());
    await home.session.signOut().catch(ignoreTrouble);
    await this.#hall.admitted(home.id, home.title.head);
    return { state: "admitted", home: home.id };
  }
}

/** What the vault says of a home to which somebody is invited. */
function invitedHome(there: VaultHome | null, { home, head }: Link, mine: PersonKeys, name: string): VaultHome {
  if (there !== null && !there.invited) return { ...there, next: mine };
  return { home, head, ...mine, next: null, invited: true, name, more: {} };
}

/** The keys with which somebody answered last. */
function newest(secrets: HomeSecrets): PersonSecrets {
  return secrets.next ?? secrets;
}

async function personOf(s: PersonSecrets): Promise<Person> {
  const [signer, device, kem] = await Promise.all([signerOf(s.signing), signerOf(s.deviceSigning), privateKey(s.kem)]);
  return { id: s.person, signing: signer.key, kem: await publicKey("X-Wing", kem.publicKey), devices: [{ id: s.device, signing: device.key }] };
}

/** A slot that is not there any more. */
function unlessGone(e: unknown): null {
  if (e instanceof Failed && e.reason === "not-found") return null;
  throw e;
}
