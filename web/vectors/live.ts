// The vectors of live view of this side: what a page knocks with, and signatures, nonces
// and contexts that are almost the right ones.

import { type Key, publicKey, sha256, type Signer } from "../src/deed/key.ts";
import { Title } from "../src/deed/title.ts";
import { fragmentMessage } from "../src/live/fragment.ts";
import { grantFormat } from "../src/live/grant.ts";
import { knockFormat, knockLife, sealKnock } from "../src/live/knock.ts";
import { type Stream, streams, writeStart } from "../src/live/message.ts";
import { idBytes } from "../src/seal/name.ts";
import { privateKey } from "../src/hpke.ts";
import { type Recipient, writeParcel } from "../src/seal/parcel.ts";
import { ascii, base64, type Bytes, concat, hex, label, random, Writer } from "../src/wire.ts";
import type { Homes, TestHome } from "./homes.ts";
import { type LiveMessage, type LiveVector, readAll } from "./livecheck.ts";
import { moment } from "./pieces.ts";

const second = 1_000_000;
const type = 'video/mp4; codecs="avc1.4d401f"';
const zeros = (n: number): Bytes => new Uint8Array(n);

/** What differs from an honest message. */
interface Change {
  agent?: number;
  camera?: number;
  kind?: number;
  signer?: Signer;
  title?: Title;
  to?: { recipient: Recipient; key: Key };
  content?: Bytes;
  bend?: (b: Bytes) => Bytes;
}

interface GrantChange extends Change {
  run?: Bytes;
  from?: number;
  number?: number;
  knock?: Bytes;
}

/** A fragment, and how it is sealed and signed. */
interface Piece {
  sequence: number;
  flags?: number;
  media?: Bytes;
  time?: number;
  cipher?: Partial<AesGcmParams>;
  /** Its sealed content, in place of what the media make. */
  sealed?: Bytes;
  message?: (header: Bytes, sealed: Bytes) => Promise<Bytes>;
}

/** Writes messages of one run of one home, for one viewer, and collects vectors. */
export class Writing {
  readonly vectors: LiveVector[] = [];
  readonly run = random(16);
  readonly key = random(32);

  private constructor(
    readonly name: string,
    readonly home: TestHome,
    readonly seed: Bytes,
    readonly asker: Key,
    /** The viewer's. */
    readonly knock: Bytes,
  ) {}

  static async begin(name: string, home: TestHome, agent: number): Promise<Writing> {
    const seed = random(32);
    const asker = await publicKey("X-Wing", (await privateKey(seed)).publicKey);
    return new Writing(name, home, seed, asker, await knock(home, asker.bytes, { agent }));
  }

  /** A knock that a carrier or an agent reads. */
  async knocks(name: string, says: string, expect: string, reader: string, bytes: Bytes): Promise<void> {
    await this.#add({ name, says, home: this.name, reader, ...(reader === "carrier" ? {} : { now: moment }), messages: [] }, [{ message: base64(bytes), expect }]);
  }

  /** What a viewer makes of messages, each a tenth of a second after the one before. */
  async views(name: string, says: string, ...messages: [bytes: Bytes, expect: string][]): Promise<void> {
    const v = { name, says, home: this.name, reader: "viewer", now: moment, camera: this.home.cameras[0]!.id, stream: streams.main, knock: base64(this.knock), asker: base64(this.seed), messages: [] };
    await this.#add(v, messages.map(([b, expect], i) => ({ message: base64(b), at: moment + ((i + 2) * second) / 10, expect })));
  }

  // How far behind the viewer is afterwards is what this implementation says, and the other has to say too.
  async #add(v: LiveVector, messages: LiveMessage[]): Promise<void> {
    v.messages = messages;
    const outcomes = await readAll(v, this.home);
    for (const [i, got] of outcomes.entries()) {
      const [, what, behind] = /^(.*?)(?: \((\d+)\))?$/.exec(got)!;
      if (what !== messages[i]!.expect) throw new Error(`${v.name}: message ${i}: ${what}, want ${messages[i]!.expect}`);
      if (behind !== undefined) messages[i]!.behind = Number(behind);
    }
    this.vectors.push(v);
  }

  async grant(change: GrantChange = {}): Promise<Bytes> {
    const title = change.title ?? this.home.title;
    const agent = this.home.agents[change.agent ?? 0]!;
    const own = writeStart("grant", stream(this.home, change))
      .raw(idBytes("agent", agent.id))
      .raw(change.run ?? this.run)
      .u32(change.from ?? 1)
      .u64(3)
      .u64(change.number ?? 1)
      .u64(moment + second / 10)
      .raw(change.knock ?? (await sha256(this.knock)));
    const to = change.to ?? { recipient: "asker" as const, key: this.asker };
    const b = await writeParcel(grantFormat, own, change.signer ?? agent.signer, title, [{ ...to, epoch: title.epoch }], change.content ?? content(this.key, type, ascii("moov")));
    return change.bend?.(b) ?? b;
  }

  async fragment(p: Piece, signer = this.home.agents[0]!.signer): Promise<Bytes> {
    const header = writeStart("fragment", stream(this.home, {})).raw(this.run).u32(p.sequence).u8(p.flags ?? 1).u64(p.time ?? moment + second / 10).bytes();
    const key = await crypto.subtle.importKey("raw", this.key, "AES-GCM", false, ["encrypt"]);
    const cipher = { name: "AES-GCM", iv: concat(zeros(8), u32(p.sequence)), additionalData: header, ...p.cipher };
    const sealed = p.sealed ?? new Uint8Array(await crypto.subtle.encrypt(cipher, key, p.media ?? ascii("a picture")));
    const signature = await signer.sign(await (p.message ?? fragmentMessage)(header, sealed));
    return new Writer().raw(header).lp32(sealed).u8(1).lp16(signature).bytes();
  }
}

function stream(home: TestHome, change: Change): Stream {
  return { home: home.home, camera: home.cameras[change.camera ?? 0]!.id, kind: change.kind ?? streams.main };
}

function u32(n: number): Bytes {
  return new Writer().u32(n).bytes();
}

function content(key: Bytes, of: string, segment: Bytes): Bytes {
  return new Writer().raw(key).lp16(new TextEncoder().encode(of)).lp16(segment).bytes();
}

/** A knock of the home's owner that brings that key. */
async function knock(home: TestHome, brings: Bytes, change: Change = {}): Promise<Bytes> {
  const title = change.title ?? home.title;
  const agent = home.agents[change.agent ?? 0]!;
  const own = writeStart("knock", stream(home, change)).raw(idBytes("agent", agent.id)).raw(random(16)).u64(moment).u64(moment + knockLife);
  const to = change.to ?? { recipient: "agent" as const, key: await publicKey("X-Wing", agent.kem.publicKey) };
  const b = await writeParcel(knockFormat, own, change.signer ?? home.device, title, [{ ...to, epoch: title.epoch }], brings);
  return change.bend?.(b) ?? b;
}

/** Somebody's key who signs another message than the one that is asked for. */
function bent(signer: Signer, bend: (m: Bytes) => Bytes): Signer {
  return { key: signer.key, sign: (m) => signer.sign(bend(m)) };
}

const unlabelled = (m: Bytes): Bytes => m.slice(m.indexOf(0) + 1);
const labelled = (text: string) => (m: Bytes): Bytes => concat(label(text), unlabelled(m));

/** Every vector of this side. */
export async function liveDrafts(homes: Homes): Promise<LiveVector[]> {
  const w = await Writing.begin("A", homes["A"]!, 0);
  await knocks(w, homes);
  await grants(w, homes);
  await fragments(w);
  await sequences(w);
  return [...w.vectors, ...(await ofD(homes["D"]!))];
}

async function knocks(w: Writing, homes: Homes): Promise<void> {
  const { home } = w;
  const brings = w.asker.bytes;
  const at = async (kind: number, camera = 0): Promise<Bytes> => (await sealKnock(home.device, home.title, stream(home, { kind, camera }), moment)).bytes;
  await w.knocks("page-knocks", "as this page knocks", "opened", "agent 0", await at(streams.main));
  await w.knocks("page-knocks-carried", "the same for a carrier", "opened", "carrier", await at(streams.main));
  await w.knocks("page-knocks-sub", "for the sub stream", "opened", "agent 0", await at(streams.sub));
  await w.knocks("page-knocks-sound", "for the sound", "opened", "agent 0", await at(streams.sound));
  await w.knocks("page-knocks-garden", "for the second agent's camera", "opened", "agent 1", await at(streams.main, 2));
  await w.knocks("knock-unlabelled", "signed without the label", "bad-signature", "carrier", await knock(home, brings, { signer: bent(home.device, unlabelled) }));
  await w.knocks("knock-as-letter", "signed as if it were a letter", "bad-signature", "carrier", await knock(home, brings, { signer: bent(home.device, labelled("latchkey letter v1")) }));
  await w.knocks("knock-as-grant", "signed as if it were a grant", "bad-signature", "carrier", await knock(home, brings, { signer: bent(home.device, labelled("latchkey grant v1")) }));
  await w.knocks("knock-to-epoch", "sealed to the epoch", "malformed", "carrier", await knock(home, brings, { to: { recipient: "epoch", key: home.title.epochKey(2)! } }));
  const second = await publicKey("X-Wing", home.agents[1]!.kem.publicKey);
  await w.knocks("knock-to-second", "sealed to the second agent", "wrong-recipients", "carrier", await knock(home, brings, { to: { recipient: "agent", key: second } }));
  await w.knocks("knock-by-neighbours-owner", "signed by the owner of home B", "unknown-signer", "carrier", await knock(home, brings, { signer: homes["B"]!.owner }));
  const early = await Title.start(home.deeds.slice(0, 4));
  await w.knocks("knock-early", "at the head at which the camera was placed", "opened", "carrier", await knock(home, brings, { title: early }));
  const before = await Title.start(home.deeds.slice(0, 2));
  await w.knocks("knock-before-agent", "at a head before the agent was placed", "wrong-agent", "carrier", await knock(home, brings, { title: before }));
  await w.knocks("knock-key-1217", "it brings a key and a byte", "content", "agent 0", await knock(home, concat(brings, zeros(1))));
}

async function grants(w: Writing, homes: Homes): Promise<void> {
  const granted = (name: string, says: string, expect: string, change: GrantChange): Promise<void> => w.grant(change).then((b) => w.views(name, says, [b, expect]));
  const agent = w.home.agents[0]!.signer;
  const none = { run: zeros(16), from: 0 };
  await granted("grant", "a grant", "granted", {});
  await granted("grant-refusal-64", "a word of 64 letters", `refused ${"x".repeat(64)}`, { ...none, content: ascii("x".repeat(64)) });
  await granted("grant-refusal-umlaut", "a word that is not ASCII", "content", { ...none, content: new TextEncoder().encode("über") });
  await granted("grant-refusal-key", "it refuses, and holds a key", "content", { ...none });
  await granted("grant-key-in-word", "it grants, and holds a word", "content", { content: ascii("frozen") });
  await granted("grant-type-1", "a type of one letter", "granted", { content: content(w.key, "~", zeros(1)) });
  await granted("grant-type-tab", "a type with a tab", "content", { content: content(w.key, "video/mp4;\tcodecs", zeros(1)) });
  await granted("grant-init-16384", "an init segment of 16 KiB", "granted", { content: content(w.key, type, zeros(16 << 10)) });
  await granted("grant-key-16", "a key of 16 bytes", "content", { content: content(w.key.slice(0, 16), type, zeros(1)) });
  await granted("grant-number-high", "the highest number", "granted", { number: Number.MAX_SAFE_INTEGER });
  await granted("grant-number-2-53", "a number of 2^53", "malformed", { bend: (b) => set(b, 95, 0, 0x20, 0, 0, 0, 0, 0, 0) });
  await granted("grant-unlabelled", "signed without the label", "bad-signature", { signer: bent(agent, unlabelled) });
  await granted("grant-as-letter", "signed as if it were a letter", "bad-signature", { signer: bent(agent, labelled("latchkey letter v1")) });
  await granted("grant-neighbours-key", "signed by an agent of home B", "unknown-signer", { signer: homes["B"]!.agents[0]!.signer });
  await granted("grant-by-device", "signed by the viewer's own device", "not-allowed", { signer: w.home.device });
  await granted("grant-earlier-knock", "for a knock that this viewer sent before", "wrong-knock", { knock: await sha256(await knock(w.home, w.asker.bytes)) });
  await granted("grant-of-first-epoch", "at a head of the first epoch", "granted", { title: await Title.start(w.home.deeds.slice(0, 5)) });
  await granted("grant-stream-255", "a stream that nobody has asked for", "wrong-stream", { kind: 255 });
}

function set(b: Bytes, at: number, ...bytes: number[]): Bytes {
  b.set(bytes, at);
  return b;
}

async function plays(media: Bytes, key: boolean): Promise<string> {
  return `${key ? "plays key" : "plays"} ${hex(await sha256(media))}`;
}

async function fragments(w: Writing): Promise<void> {
  const grant = await w.grant();
  const of = async (name: string, says: string, expect: string, p: Omit<Piece, "sequence">): Promise<void> => w.views(name, says, [grant, "granted"], [await w.fragment({ sequence: 1, ...p }), expect]);
  const begins = `begins ${type}, `;
  const [large, picture] = [zeros(70_000), ascii("a picture")];
  await of("fragment", "a fragment", begins + (await plays(picture, true)), {});
  await of("fragment-70000", "a fragment of 70,000 bytes", begins + (await plays(large, true)), { media: large });
  await of("fragment-one-byte", "a fragment of one byte", begins + (await plays(zeros(1), true)), { media: zeros(1) });
  await of("fragment-empty", "nothing at all is sealed", "malformed", { sealed: zeros(0) });
  await of("fragment-flags-3", "a key frame of a run that ends", `${begins}${await plays(picture, true)}, knock`, { flags: 3 });
  await of("fragment-flags-128", "a flag that there is not", "malformed", { flags: 128 });
  await of("fragment-unlabelled", "signed without the label", "bad-signature", { message: async (h, s) => unlabelled(await fragmentMessage(h, s)) });
  await of("fragment-as-object", "signed as if it were an object", "bad-signature", { message: async (h, s) => labelled("latchkey object v1")(await fragmentMessage(h, s)) });
  await of("fragment-header-alone", "the signature is over the header alone", "bad-signature", { message: async (h) => concat(label("latchkey fragment v1"), h) });
  await of("fragment-no-length", "the signature leaves out the length", "bad-signature", { message: async (h, s) => concat(label("latchkey fragment v1"), h, await sha256(s)) });
  await of("fragment-plain-hash", "the signature is over the hash of the media", "bad-signature", { message: (h) => fragmentMessage(h, picture) });
  await of("nonce-little-endian", "a nonce whose number is written backwards", "chunk", { cipher: { iv: concat(zeros(8), u32(1).reverse() as Bytes) } });
  await of("nonce-number-first", "a nonce that begins with its number", "chunk", { cipher: { iv: concat(u32(1), zeros(8)) } });
  await of("nonce-16", "a nonce of 16 bytes", "chunk", { cipher: { iv: concat(zeros(12), u32(1)) } });
  await of("aad-empty", "sealed without a context", "chunk", { cipher: { additionalData: zeros(0) } });
  await of("tag-12", "a tag of 12 bytes", "chunk", { cipher: { tagLength: 96 } });
  await of("time-0", "a picture of 1970", begins + (await plays(picture, true)), { time: 0 });
  await of("time-later", "a picture of later than now", begins + (await plays(picture, true)), { time: moment + 60 * second });
}

async function sequences(w: Writing): Promise<void> {
  const last = 2 ** 32 - 1;
  const media = (n: number): Bytes => ascii(`number ${n}`);
  const f = (sequence: number, flags: number): Promise<Bytes> => w.fragment({ sequence, flags, media: media(sequence), time: moment + second });
  const begins = async (n: number): Promise<string> => `begins ${type}, ${await plays(media(n), true)}`;
  await w.views("last-of-all", "the last two that a run can have", [await w.grant({ from: last - 1 }), "granted"], [await f(last - 1, 1), await begins(last - 1)], [await f(last, 0), await plays(media(last), false)], [await f(last, 0), "replayed"]);
  await w.views("from-first-to-last", "as many are missing as can be", [await w.grant(), "granted"], [await f(1, 1), await begins(1)], [await f(last, 1), `missing ${last - 2}, ${await plays(media(last), true)}`]);
  await w.views("waits-for-key", "no key frame at first, then one", [await w.grant({ from: 7 }), "granted"], [await f(8, 0), "waits"], [await f(10, 0), "waits"], [await f(11, 1), await begins(11)], [await f(10, 0), "replayed"]);
  await w.views("ending-in-gap", "that the run ends is said in a gap too", [await w.grant(), "granted"], [await f(1, 1), await begins(1)], [await f(3, 2), "missing 1, knock"], [await f(4, 3), await plays(media(4), true)]);
  await w.views("refused-then-fragment", "the agent refuses, and a fragment comes all the same", [await w.grant({ run: zeros(16), from: 0, content: ascii("off") }), "refused off"], [await f(1, 1), "wrong-run"], [await w.grant(), "wrong-knock"]);
}

/** Of home D, whose people and agents came and went. */
async function ofD(home: TestHome): Promise<LiveVector[]> {
  const w = await Writing.begin("D", home, 1);
  const { anna, link } = home.people as Record<"anna" | "link", { device: Signer }>;
  const before = await Title.start(home.deeds.slice(0, 12));
  const brings = w.asker.bytes;
  await w.knocks("knock-by-link", "the device of a link", "opened", "agent 1", await knock(home, brings, { agent: 1, signer: link.device }));
  await w.knocks("knock-by-former", "the device of a resident who is gone, at a head at which she stood", "former-signer", "carrier", await knock(home, brings, { title: before, signer: anna.device }));
  await w.views("grant-by-present-key", "with the keys that the agent has", [await w.grant({ agent: 1 }), "granted"]);
  await w.views("grant-by-former-key", "with the keys that the agent had, at the newest head", [await w.grant({ agent: 0 }), "former-signer"]);
  await w.views("grant-by-gone-agent", "an agent that has left, for another's camera", [await w.grant({ agent: 2 }), "former-signer"]);
  return w.vectors;
}
