// An invitation's link and what lies in its slot (docs/wire.md, "Inviting a person"). The
// secret of a link never leaves a browser but in the link; the server sees what is
// derived from it.

import { gcmOpen, gcmSeal } from "../account/derive.ts";
import { type Head, headBytes, headText, parseHead, readHead } from "../deed/head.ts";
import { hmac, sha256, type Signer, signerOf } from "../deed/key.ts";
import { type Person, personBytes, type Proof, readEpoch, readPerson, type Turn, writeEpoch } from "../deed/parts.ts";
import { proofMessage } from "../deed/proof.ts";
import { DeedError } from "../deed/reasons.ts";
import { ContentError, ContentObject } from "../fields.ts";
import { type HomeID, idBytes, idText, type InviteID, parseID, type PersonID } from "../seal/name.ts";
import { ascii, base32, type Bytes, concat, copy, equal, equalSecret, label, ParseError, Reader, unbase32, Writer } from "../wire.ts";
import type { Rights, Role, Sees } from "./members.ts";
import { refused } from "./result.ts";
import { spell } from "./spell.ts";

const secretSize = 16;
const macSize = 32;
const maxAnswer = 8 << 10;
const maxName = 64;
const phraseWords = 4;
const all: readonly Sees[] = ["thumbnail", "clip", "description", "live", "footage"];

/** What an invitation's link says. */
export interface Link {
  readonly secret: Bytes;
  readonly home: HomeID;
  readonly head: Head;
}

/** The address of a link. */
export function linkText(origin: string, { secret, home, head }: Link, trust: string): string {
  return `${origin}/#invite=${base32(secret)}&home=${home}&head=${headText(head)}${trust && `&trust=${trust}`}`;
}

/** The link that an address is, null if it is none or not whole. */
export function parseLink(text: string): Link | null {
  const parts = new Map(text.slice(text.indexOf("#") + 1).split("&").map((p) => [p.slice(0, p.indexOf("=")), p.slice(p.indexOf("=") + 1)]));
  const secret = unbase32(parts.get("invite") ?? "", secretSize);
  const [home, head] = [parseID("home", parts.get("home") ?? ""), parseHead(parts.get("head") ?? "")];
  return secret === null || home === null || head === null ? null : { secret, home, head };
}

/** The link that an address is; one that is not whole is refused in words for people. */
export function readLink(text: string): Link {
  const link = parseLink(text);
  if (link === null) throw refused("join-secret", "That link is not whole: copy all of it.");
  return link;
}

/** What whoever opens the link is shown, sealed to the link. */
export interface Greeting {
  readonly home: string;
  readonly from: string;
  readonly purpose: "join" | "recover" | "hand over";
  readonly role: Exclude<Role, "link"> | null;
  readonly rights: Rights | null;
  /** Who is let back in. */
  readonly person: PersonID | null;
  /** The number of the epoch that whoever takes the home over makes; 0 otherwise. */
  readonly epoch: number;
}

/** What an owner says in a link's slot. */
export interface Announcement {
  readonly home: HomeID;
  readonly head: Head;
  readonly expires: number;
  readonly invite: InviteID;
  readonly commitment: Bytes;
  readonly greeting: Greeting;
}

/** What somebody answers. */
export interface Answer {
  readonly person: Person;
  readonly signature: Bytes;
  readonly turn: Turn | null;
}

/** What a link's secret makes. */
export class InviteKeys {
  private constructor(
    readonly slot: string,
    private readonly owner: Bytes,
    private readonly cover: Bytes,
    /** Signs for the keys of whoever has the link; its public half stands in the deed. */
    readonly proof: Signer,
  ) {}

  static async of(secret: Bytes): Promise<InviteKeys> {
    const derive = (what: string): Promise<Bytes> => hmac(secret, ascii(`latchkey invite ${what} v1`));
    const [slot, owner, cover, proof] = await Promise.all([derive("slot"), derive("owner"), derive("cover"), derive("proof")]);
    return new InviteKeys(base32(slot.slice(0, 16)), owner, cover, await signerOf(proof));
  }

  async announce(a: Announcement): Promise<Bytes> {
    const greeting = await gcmSeal(this.cover, about(a), greetingBytes(a.greeting));
    const said = new Writer().raw(idBytes("home", a.home)).raw(headBytes(a.head)).u64(a.expires).raw(idBytes("invite", a.invite)).raw(a.commitment).lp16(greeting).bytes();
    return concat(said, await hmac(this.owner, said));
  }

  /** The announcement, null if whoever made it does not have the link's secret. */
  async check(b: Bytes): Promise<Announcement | null> {
    if (b.length < macSize) return null;
    const said = copy(b.subarray(0, b.length - macSize));
    if (!equalSecret(await hmac(this.owner, said), b.subarray(b.length - macSize))) return null;
    try {
      const r = new Reader(said);
      const home = idText("home", r.raw(32));
      const head = readHead(r);
      const rest = { expires: r.u64(), invite: idText("invite", r.raw(16)), commitment: r.raw(32) };
      const sealed = r.lp16();
      r.done();
      const greeting = await gcmOpen(this.cover, about({ home, ...rest }), sealed);
      return greeting === null ? null : { home, head, ...rest, greeting: readGreeting(ContentObject.parse(greeting)) };
    } catch (e) {
      if (e instanceof ParseError || e instanceof ContentError) return null;
      throw e;
    }
  }

  /** The answer of a person who has the link. */
  async answer({ home, invite }: Pick<Announcement, "home" | "invite">, person: Person, turn: Turn | null): Promise<Bytes> {
    const signature = await this.proof.sign(proofMessage(home, invite, person));
    const w = new Writer().raw(personBytes(person)).lp16(signature);
    if (turn !== null) writeEpoch(w, turn);
    return w.bytes();
  }
}

/** Reads an answer. Whether its proof verifies is for the fold to say. */
export async function parseAnswer(b: Bytes): Promise<Answer | null> {
  if (b.length > maxAnswer) return null;
  try {
    const r = new Reader(b);
    const [person, signature] = [await readPerson(r), r.lp16()];
    const turn = r.left > 0 ? await readEpoch(r) : null;
    r.done();
    return { person, signature, turn };
  } catch (e) {
    if (e instanceof ParseError || e instanceof DeedError) return null;
    throw e;
  }
}

/** The proof of an answer, as a deed has it. */
export function proofIn(invite: InviteID, { signature }: Answer): Proof {
  return { invite, signature };
}

/** What an owner commits to before anybody has answered. */
export function commitment(reveal: Bytes): Promise<Bytes> {
  return sha256(concat(label("latchkey invite commitment v1"), reveal));
}

/** Whether that is what the owner committed to. */
export async function isCommitted(a: Announcement, reveal: Bytes): Promise<boolean> {
  return equal(await commitment(reveal), a.commitment);
}

/** What the two people compare: the same on both sides if both have seen the same answer. */
export async function phrase(reveal: Bytes, answer: Bytes): Promise<string[]> {
  const sum = await sha256(concat(label("latchkey invite phrase v1"), reveal, await sha256(answer)));
  return spell(sum.subarray(0, phraseWords));
}

function about({ home, invite }: Pick<Announcement, "home" | "invite">): Bytes {
  return concat(idBytes("home", home), idBytes("invite", invite));
}

function greetingBytes(g: Greeting): Bytes {
  const { home, from, purpose, role, rights, person, epoch } = g;
  const said = { v: 1, home, from, purpose, ...(role && { role }), ...(rights && { rights: { ...rights, cameras: rights.cameras ?? undefined } }), ...(person && { person }), ...(epoch && { epoch }) };
  return new TextEncoder().encode(JSON.stringify(said));
}

function readGreeting(o: ContentObject): Greeting {
  if (o.count("v") !== 1) throw new ContentError("another version");
  const purpose = o.oneOf("purpose", ["join", "recover", "hand over"] as const);
  const role = o.has("role") ? o.oneOf("role", ["owner", "resident", "guest"] as const) : null;
  const person = o.has("person") ? parseID("person", o.text("person", maxName)) : null;
  const epoch = o.has("epoch") ? o.count("epoch") : 0;
  if ((purpose === "recover") !== (person !== null) || (purpose === "hand over") !== (epoch > 0)) throw new ContentError("it does not say for whom");
  return { home: o.text("home", maxName), from: o.text("from", maxName), purpose, role, rights: o.has("rights") ? readRights(o.object("rights")) : null, person, epoch };
}

function readRights(o: ContentObject): Rights {
  const kinds = o.list("kinds", all.length).map((k) => {
    const kind = all.find((a) => a === k);
    if (kind === undefined) throw new ContentError("a kind that is none");
    return kind;
  });
  const cameras = o.has("cameras") ? o.list("cameras", 256).map((c) => (typeof c === "string" ? parseID("camera", c) : null)) : null;
  if (cameras?.includes(null)) throw new ContentError("a camera that is none");
  return { kinds, until: o.count("until"), cameras: cameras as Rights["cameras"] };
}
