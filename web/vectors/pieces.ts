// A sealed object in pieces, so that a vector can bend one of them and leave the
// rest right: what bends the body signs again, what bends the header need not.

import { sealBody } from "../src/cobblestone.ts";
import { sha256, type Signer } from "../src/deed/key.ts";
import { type Binding, bindingBytes, nameOf, parseBinding } from "../src/seal/binding.ts";
import { type Envelope, envelopeBytes, wrap } from "../src/seal/envelope.ts";
import { type CameraID, idText, type Kind, type Name, nameText } from "../src/seal/name.ts";
import { ascii, type Bytes, concat, label, random, Writer } from "../src/wire.ts";
import type { Head } from "../src/deed/head.ts";
import type { TestHome } from "./homes.ts";

/** The moment of most vectors: 2026-05-04T03:02:01Z. */
export const moment = Date.UTC(2026, 4, 4, 3, 2, 1) * 1000;

export interface Wish {
  kind?: Kind;
  content?: Bytes;
  camera?: number;
  agent?: number;
  time?: number;
  quality?: Binding["quality"];
  /** The deed whose head the agent knew; the chain's last if absent. */
  at?: number;
  epoch?: number;
  signer?: Signer;
  incarnation?: number;
  sequence?: number;
}

export interface Pieces {
  magic: Bytes;
  binding: Bytes;
  objectKey: Bytes;
  body: Bytes;
  bodyLength: number;
  bodyHash: Bytes;
  signatures: Bytes[];
  envelopes: Bytes[];
  signer: Signer;
  home: TestHome;
}

/** A right object. */
export async function pieces(home: TestHome, wish: Wish = {}): Promise<Pieces> {
  const camera = home.cameras[wish.camera ?? 0]!;
  const agent = wish.agent === undefined ? home.agents.find((a) => a.id === camera.agent)! : home.agents[wish.agent]!;
  const signer = wish.signer ?? agent.signer;
  const b: Binding = {
    kind: wish.kind ?? "thumbnail",
    quality: wish.quality ?? "synchronised",
    home: home.home,
    camera: camera.id,
    event: idText("event", random(16)),
    object: idText("object", random(16)),
    agentKey: signer.key.id,
    incarnation: wish.incarnation ?? 3,
    sequence: wish.sequence ?? 41,
    time: wish.time ?? moment,
    boot: random(16),
    monotonic: 77_000_000,
    head: await headAt(home, wish.at ?? home.deeds.length - 1),
  };
  const binding = bindingBytes(b);
  const objectKey = random(32);
  const body = await sealBody(objectKey, binding, wish.content ?? jpeg(300));
  const p: Pieces = { magic: ascii("latchkey object 1\n"), binding, objectKey, body, bodyLength: 0, bodyHash: body, signatures: [], envelopes: [], signer, home };
  await sign(p);
  p.envelopes = [envelopeBytes(await envelope(p, wish.epoch ?? home.epochs.length))];
  return p;
}

/** The head that the deed with that number is. */
export async function headAt(home: TestHome, seq: number): Promise<Head> {
  const hash = await sha256(home.deeds[seq]!);
  return { seq, hash: Array.from(hash, (x) => x.toString(16).padStart(2, "0")).join("") };
}

/** Gives the pieces the length, hash and signature of the body that they now have. */
export async function sign(p: Pieces): Promise<Pieces> {
  p.bodyLength = p.body.length;
  p.bodyHash = await sha256(p.body);
  return signAsSaid(p);
}

/** Signs whatever length and hash the pieces say. */
export async function signAsSaid(p: Pieces): Promise<Pieces> {
  p.signatures = [await p.signer.sign(concat(label("latchkey object v1"), signedPart(p)))];
  return p;
}

function signedPart(p: Pieces): Bytes {
  return new Writer().lp16(p.binding).raw(u64(p.bodyLength)).raw(p.bodyHash).bytes();
}

// Not the Writer's, which refuses what no vector but a bad one holds.
export function u64(n: number): Bytes {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, BigInt(n));
  return b;
}

/** An envelope of the pieces' key for an epoch of their home. */
export async function envelope(p: Pieces, epoch: number): Promise<Envelope> {
  return wrap(p.objectKey, parseBinding(p.binding), "epoch", p.home.title.epochKey(epoch)!, epoch);
}

/** The name that the object answers. */
export function question(p: Pieces): Name {
  return nameOf(parseBinding(p.binding));
}

/** The question as vectors spell it, with a member or two changed. */
export function asked(p: Pieces, change: Partial<Name> = {}): string {
  return nameText({ ...question(p), ...change });
}

export function header(p: Pieces): Bytes {
  const w = new Writer().raw(signedPart(p)).u8(p.signatures.length);
  for (const s of p.signatures) w.lp16(s);
  return w.bytes();
}

/** The file that the pieces make. */
export function assemble(p: Pieces, h: Bytes = header(p)): Bytes {
  const w = new Writer().raw(p.magic).lp16(h).u16(p.envelopes.length);
  for (const e of p.envelopes) w.lp16(e);
  return w.raw(p.body).bytes();
}

/** The pieces with bytes of the binding set, signed again. The body was made for the binding as it was. */
export async function bend(p: Pieces, at: number, ...bytes: number[]): Promise<Pieces> {
  p.binding.set(bytes, at);
  return signAsSaid(p);
}

/** Content that begins as a JPEG does. */
export function jpeg(n: number): Bytes {
  const b = random(n);
  b.set([0xff, 0xd8, 0xff, 0xe0].slice(0, n));
  return b;
}

/** Any other camera's ID. */
export function anyCamera(): CameraID {
  return idText("camera", random(16));
}
