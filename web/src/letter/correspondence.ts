// Writing a command and opening what is answered; opening an agent's condition.

import type { Key, Signer } from "../deed/key.ts";
import { publicKey } from "../deed/key.ts";
import type { Title } from "../deed/title.ts";
import { type PrivateKey, privateKey, seedSize } from "../hpke.ts";
import type { AgentID, KeyID } from "../seal/name.ts";
import { type Bytes, equal, random } from "../wire.ts";
import type { Command, Condition, Replies, Reply } from "./content.ts";
import { commandLife, type Letter, LetterError, openBody, parseLetter, verifyLetter, writeLetter } from "./letter.ts";
import { commandBytes, readCommand, readCondition, reading, readReply } from "./read.ts";

/** A command that was sealed; it opens the replies. */
export class Sent<D extends keyof Replies> {
  // The number of the newest reply that was opened.
  #last = 0;

  constructor(
    readonly bytes: Bytes,
    private readonly command: Letter,
    private readonly what: D,
    private readonly asker: { id: KeyID; key: PrivateKey },
  ) {}

  /** Opens a reply; one to another command is refused, and nothing of it is given. */
  async open(b: Bytes, title: Title): Promise<{ reply: Reply<D>; plain: Bytes }> {
    const l = await parseLetter(b);
    this.#answers(l);
    await verifyLetter(l, title);
    if (l.incarnation !== this.command.incarnation) throw new LetterError("stale", `a reply of incarnation ${l.incarnation}`);
    if (l.number <= this.#last) throw new LetterError("replayed", `reply ${l.number} after ${this.#last}`);
    const plain = await openBody(l, l.recipient.key === this.asker.id ? this.asker.key : null);
    const reply = readReply(plain, this.what);
    if (reply === null) throw new LetterError("content", "it opens, and what it says is no reply to this command");
    this.#last = l.number;
    return { reply, plain };
  }

  #answers(l: Letter): void {
    const { home, agent, hash } = this.command;
    if (l.kind !== "reply") throw new LetterError("wrong-kind", `a ${l.kind} where a reply belongs`);
    if (l.home !== home) throw new LetterError("wrong-home", `a reply of home ${l.home}`);
    if (!equal(l.re, hash)) throw new LetterError("wrong-command", "a reply to another command");
    if (l.agent !== agent) throw new LetterError("wrong-agent", "a reply of another agent");
  }
}

/** Seals a command to an agent of the title, signed by a member's device; `confirm-head` by the person's own key too. */
export async function sealCommand<C extends Command>(device: Signer, title: Title, agent: AgentID, incarnation: number, time: number, command: C): Promise<Sent<C["do"]>> {
  const to = title.agent(agent);
  if (to === null) throw new Error("internal error: no such agent");
  const key = await privateKey(random(seedSize));
  const about = { kind: "command", agent, incarnation, number: 0, re: new Uint8Array(32), time, expires: time + commandLife } as const;
  const bytes = await writeLetter(about, device, title, { recipient: "agent", key: to.kem }, commandBytes(command, key.publicKey));
  const letter = await parseLetter(bytes);
  return new Sent(bytes, letter, command.do, { id: (await publicKey("X-Wing", key.publicKey)).id, key });
}

/** Opens a command as its agent does; whether it is fresh is not asked. */
export async function openCommand(b: Bytes, title: Title, agent: AgentID, kem: PrivateKey): Promise<{ letter: Letter; command: Command; reply: Key; plain: Bytes }> {
  const letter = await parseLetter(b);
  if (letter.kind !== "command") throw new LetterError("wrong-kind", `a ${letter.kind} where a command belongs`);
  await verifyLetter(letter, title);
  if (letter.agent !== agent) throw new LetterError("wrong-agent", "a command for another agent");
  const plain = await openBody(letter, letter.recipient.key === (await publicKey("X-Wing", kem.publicKey)).id ? kem : null);
  const read = reading(plain, readCommand);
  if (read === null) throw new LetterError("content", "it opens, and what it says is no command");
  if (title.holder(letter.signer)!.kind === "person" && read.command.do !== "confirm-head") throw new LetterError("not-allowed", "a person's own key only has a head confirmed");
  return { letter, command: read.command, reply: await publicKey("X-Wing", read.reply), plain };
}

/** Which condition of an agent was seen last. */
export type SeenCondition = Pick<Letter, "incarnation" | "number" | "hash">;

/** Opens the condition of an agent; one that is older than the one seen is refused. */
export async function openCondition(
  b: Bytes,
  title: Title,
  agent: AgentID,
  seen: SeenCondition | null,
  ring: ReadonlyMap<KeyID, PrivateKey>,
): Promise<{ letter: Letter; condition: Condition; plain: Bytes }> {
  const letter = await parseLetter(b);
  if (letter.kind !== "condition") throw new LetterError("wrong-kind", `a ${letter.kind} where a condition belongs`);
  await verifyLetter(letter, title);
  if (letter.agent !== agent) throw new LetterError("wrong-agent", "the condition of another agent");
  checkSince(letter, seen);
  const plain = await openBody(letter, ring.get(letter.recipient.key) ?? null);
  const condition = reading(plain, readCondition);
  if (condition === null) throw new LetterError("content", "it opens, and what it says is no condition");
  return { letter, condition, plain };
}

function checkSince(l: Letter, seen: SeenCondition | null): void {
  if (seen === null) return;
  if (l.incarnation < seen.incarnation || (l.incarnation === seen.incarnation && l.number < seen.number)) throw new LetterError("replayed", "older than the one that was seen");
  if (l.incarnation === seen.incarnation && l.number === seen.number && !equal(l.hash, seen.hash)) throw new LetterError("fork", "two conditions of one number");
}
