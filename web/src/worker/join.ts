// The owner's half of taking an agent in (docs/wire.md, "Joining an agent"). The
// secret of a link never leaves this browser but in the link; the server sees what
// is derived from it.

import { type Head, headBytes } from "../deed/head.ts";
import { hmac } from "../deed/key.ts";
import { type AgentBody, parseAgent } from "../deed/body.ts";
import { type HomeID, idBytes } from "../seal/name.ts";
import { ascii, base32, type Bytes, concat, copy, equalSecret, random, unbase32, Writer } from "../wire.ts";

const secretSize = 16;
const macSize = 32;
const life = 30 * 60 * 1_000_000; // microseconds

/** An announcement in a slot, and what an answer to it is checked with. */
export class Invitation {
  private constructor(
    readonly secret: string,
    readonly slot: string,
    readonly announcement: Bytes,
    readonly expires: number,
    private readonly agentKey: Bytes,
  ) {}

  /** Announces the home with the secret of a link, or with a fresh one; null if that is no secret. */
  static async make(home: HomeID, head: Head, now: number, text?: string): Promise<Invitation | null> {
    const secret = text === undefined ? random(secretSize) : unbase32(text, secretSize);
    if (secret === null) return null;
    const slot = base32((await hmac(secret, ascii("latchkey join slot v1"))).slice(0, 16));
    const ownerKey = await hmac(secret, ascii("latchkey join owner v1"));
    const agentKey = await hmac(secret, ascii("latchkey join agent v1"));
    const expires = now + life;
    const said = new Writer().raw(idBytes("home", home)).raw(headBytes(head)).u64(expires).bytes();
    return new Invitation(base32(secret), slot, concat(said, await hmac(ownerKey, said)), expires, agentKey);
  }

  /** The agent that an answer brings, or null if whoever answered does not have the secret. */
  async check(answer: Bytes): Promise<AgentBody | null> {
    if (answer.length < macSize) return null;
    const agent = copy(answer.subarray(0, answer.length - macSize));
    const said = this.announcement.subarray(0, this.announcement.length - macSize);
    if (!equalSecret(await hmac(this.agentKey, concat(said, agent)), answer.subarray(answer.length - macSize))) return null;
    return parseAgent(agent).catch(() => null);
  }
}
