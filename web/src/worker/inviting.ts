// The owner's half of inviting a person: the deed and the slot of a link, what is
// answered there, and the deed that lets whoever answered in.

import { Failed, type Server } from "../api.ts";
import type { Body, Purpose } from "../deed/body.ts";
import { headText, parseHead } from "../deed/head.ts";
import { verifySignature } from "../deed/key.ts";
import { seesAll } from "../deed/parts.ts";
import { proofMessage } from "../deed/proof.ts";
import type { Invite, Title } from "../deed/title.ts";
import type { Keep, KeptInvite } from "../keep/keep.ts";
import { idText, type InviteID, type PersonID } from "../seal/name.ts";
import { base64, random } from "../wire.ts";
import type { Room } from "./hall.ts";
import type { Home } from "./home.ts";
import { type Answer, commitment, type Greeting, InviteKeys, linkText, parseAnswer, phrase, proofIn } from "./invite.ts";
import type { InviteAnswer, Invited, InviteView } from "./members.ts";
import { ignoreTrouble, refused } from "./result.ts";
import { rightsView } from "./rightsview.ts";
import { pastIf, turnTo } from "./turning.ts";

const poll = 2000; // milliseconds, beside the hints
const day = 24 * 3600 * 1_000_000; // microseconds
const mostDays = 7;

interface Watched {
  stopped: boolean;
  wake: () => void;
}

export class Inviting {
  readonly #server: Server;
  readonly #keep: () => Promise<Keep>;
  readonly #watched = new Map<InviteID, Watched>();
  readonly #answers = new Map<InviteID, Answer>();

  constructor(server: Server, keep: () => Promise<Keep>) {
    this.#server = server;
    this.#keep = keep;
  }

  /** A hint said that somebody has answered. */
  hinted(): void {
    for (const w of this.#watched.values()) w.wake();
  }

  /** Invites, and opens the slot of the link. Its secret is kept before the deed is signed. */
  async invite({ home }: Room, to: Purpose, name: string, days = mostDays): Promise<Invited> {
    const { signer } = home;
    if (!Number.isInteger(days) || days < 1 || days > mostDays) throw refused("expired", "An invitation is open for one to seven days.");
    const kept: KeptInvite = { invite: idText("invite", random(16)), secret: random(16), reveal: random(32), head: "", name };
    const { invite } = kept;
    const keys = await InviteKeys.of(kept.secret);
    const expires = Date.now() * 1000 + days * day;
    await this.#keeping(home, (all) => [...all, kept]);
    const title = await home.chain.append(signer, (t) => (t.invite(invite) === null ? { type: "invite", invite, signing: keys.proof.key, expires, to } : null));
    await this.#keeping(home, (all) => all.map((k) => (k.invite === invite ? { ...k, head: headText(title.head) } : k)));
    const greeting = greetingOf(home, title, to);
    const announcement = await keys.announce({ home: home.id, head: title.head, expires, invite, commitment: await commitment(kept.reveal), greeting });
    await home.session.ask("POST", "/joins", { slot: keys.slot, for: "person", announcement: base64(announcement), expires });
    return { invite, link: await this.#link(home, { ...kept, head: headText(title.head) }), expires };
  }

  async #keeping(home: Home, change: (all: readonly KeptInvite[]) => readonly KeptInvite[]): Promise<void> {
    await (await this.#keep()).change(home.id, (s) => ({ ...s, invites: change(s.invites) }));
  }

  async #kept(home: Home): Promise<readonly KeptInvite[]> {
    return (await (await this.#keep()).homes()).find((h) => h.home === home.id)?.secrets?.invites ?? [];
  }

  async #link(home: Home, { secret, head: text }: KeptInvite): Promise<string> {
    const head = parseHead(text);
    return head === null ? "" : linkText(this.#server.origin, { secret, home: home.id, head }, await this.#server.trust());
  }

  /** The invitations that stand open. */
  async views(home: Home, names: Readonly<Record<PersonID, string>>): Promise<InviteView[]> {
    const kept = await this.#kept(home);
    return Promise.all(
      home.title.invites.map(async ({ id, to, expires }) => {
        const mine = kept.find((k) => k.invite === id);
        const standing = to.purpose === "join" ? to.standing : null;
        const name = mine?.name ?? (to.purpose === "recover" ? (names[to.person] ?? "") : "");
        const role = standing === null ? null : standing.role;
        return { invite: id, link: mine === undefined ? "" : await this.#link(home, mine), purpose: to.purpose, name, role, rights: rightsView(standing?.rights ?? null), expires, expired: expires <= Date.now() * 1000 };
      }),
    );
  }

  /** Takes an invitation back. */
  async withdraw({ home }: Room, invite: InviteID): Promise<void> {
    await home.chain.append(home.signer, (t) => (t.invite(invite) === null ? null : { type: "withdraw", invite }));
    await this.#close(home, invite);
  }

  /** Closes the slot and forgets what was kept. */
  async #close(home: Home, invite: InviteID): Promise<void> {
    const kept = (await this.#kept(home)).find((k) => k.invite === invite);
    if (kept === undefined) return;
    const { slot } = await InviteKeys.of(kept.secret);
    await home.session.ask("DELETE", `/joins/${slot}`).catch(ignoreTrouble);
    await this.#keeping(home, (all) => all.filter((k) => k.invite !== invite));
    this.#answers.delete(invite);
    this.stop(invite);
  }

  /** Waits for an answer, checks its proof, and reveals what the phrase is made of. */
  async watch({ home }: Room, invite: InviteID): Promise<InviteAnswer> {
    const kept = (await this.#kept(home)).find((k) => k.invite === invite);
    if (kept === undefined) throw refused("not-here", "Only the browser that made this invitation can compare.");
    const { slot } = await InviteKeys.of(kept.secret);
    const watched: Watched = { stopped: false, wake: () => undefined };
    this.stop(invite);
    this.#watched.set(invite, watched);
    for (;;) {
      const open = home.title.invite(invite);
      if (watched.stopped) return { state: "stopped" };
      if (open === null || open.expires <= Date.now() * 1000) return { state: "expired" };
      const { fields } = await home.session.ask("GET", `/joins/${slot}`);
      if (fields.text("slot") !== slot) throw new Failed({ trouble: "crossed", what: "name" });
      const bytes = fields.bytes("answer");
      if (bytes.length > 0) {
        this.#answers.set(invite, await proven(home, open, await parseAnswer(bytes)));
        await home.session.ask("PUT", `/joins/${slot}`, { slot, reveal: base64(kept.reveal) });
        return { state: "answered", phrase: await phrase(kept.reveal, bytes) };
      }
      await new Promise<void>((go) => {
        const timer = setTimeout(go, poll);
        watched.wake = () => (clearTimeout(timer), go());
      });
    }
  }

  stop(invite: InviteID): void {
    const watched = this.#watched.get(invite);
    if (watched !== undefined) watched.stopped = true;
    watched?.wake();
  }

  /** Signs what the invitation was for, after the phrases were the same. Returns what the newcomer is called. */
  async admit({ home }: Room, invite: InviteID, past: boolean): Promise<{ person: PersonID; name: string }> {
    const answer = this.#answers.get(invite);
    if (answer === undefined) throw refused("order", "First wait for the answer, and compare the words.");
    const name = (await this.#kept(home)).find((k) => k.invite === invite)?.name ?? "";
    await home.chain.append(home.signer, (title) => {
      // Appended already, and the answer to that was lost.
      if (title.personBySigningKey(answer.person.signing.id) !== null) return null;
      const open = title.invite(invite);
      if (open === null) throw refused("unknown-invite", "That invitation was used or withdrawn. Make a new one.");
      return admission(home, title, open, answer, past);
    });
    await this.#close(home, invite).catch(ignoreTrouble);
    return { person: answer.person.id, name };
  }
}

/** The statement that an answered invitation comes to. */
async function admission(home: Home, title: Title, { id, to }: Invite, answer: Answer, given: boolean): Promise<Body> {
  const [proof, { person }] = [proofIn(id, answer), answer];
  switch (to.purpose) {
    case "join":
      if (!seesAll(to.standing.role)) return { type: "admit", proof, person, past: null, turn: null };
      return { type: "admit", proof, person, past: await pastIf(given, home, title, person), turn: await turnTo(title, { and: person }) };
    case "recover":
      if (!seesAll(title.person(to.person)?.role ?? "guest")) return { type: "rekey", person, proof, past: null, turn: null };
      return { type: "rekey", person, proof, past: await pastIf(given, home, title, person), turn: await turnTo(title, { without: person.id, and: person }) };
    case "hand over":
      if (answer.turn?.number !== title.epoch + 1) throw refused("wrong-epoch", "People of the home have changed since the invitation. Withdraw it, and make a new one.");
      return { type: "hand over", proof, person, turn: answer.turn };
  }
}

/** The answer, if whoever gave it has the link, and it is one to this invitation. */
async function proven(home: Home, { id, signing, to }: Invite, answer: Answer | null): Promise<Answer> {
  const genuine = answer !== null && (await verifySignature(signing, proofMessage(home.id, id, answer.person), answer.signature));
  if (!genuine || (to.purpose === "recover" && answer.person.id !== to.person) || (to.purpose === "hand over") !== (answer.turn !== null)) {
    throw refused("bad-proof", "That answer was not made with the link of this invitation. Withdraw it, and make a new one.");
  }
  return answer;
}

function greetingOf(home: Home, title: Title, to: Purpose): Greeting {
  const from = home.names.people[home.person] ?? "";
  const greeting = { home: home.names.view().home, from, purpose: to.purpose, role: null, rights: null, person: null, epoch: 0 };
  switch (to.purpose) {
    case "join":
      if (to.standing.role === "link") throw new Error("internal error: nobody is invited as a link");
      return { ...greeting, role: to.standing.role, rights: rightsView(to.standing.rights) };
    case "recover":
      return { ...greeting, person: to.person };
    case "hand over":
      return { ...greeting, epoch: title.epoch + 1 };
  }
}
