// The object vectors of this side: what a reader could get wrong that shares every
// mistake of its own writer, and every reason of docs/seal.md.

import { envelopeBytes, wrap } from "../src/seal/envelope.ts";
import { parseBinding } from "../src/seal/binding.ts";
import { idBytes, idText, parseDay } from "../src/seal/name.ts";
import { ascii, type Bytes, concat, label, maxInt, random } from "../src/wire.ts";
import { anyCamera, asked, assemble, bend, envelope, header, headAt, jpeg, moment, type Pieces, pieces, sign, signAsSaid, u64 } from "./pieces.ts";
import { type Homes } from "./homes.ts";
import { formerDrafts, ownDrafts } from "./former.ts";
import { otherBody } from "./strange.ts";

/** One vector before it is written. A content that opens is hashed by the writer. */
export interface Draft {
  name: string;
  says: string;
  home: string;
  asked: string;
  file: Bytes;
  expect: string;
  content?: Bytes;
}

export type Make = (name: string, says: string, expect: string, p: Pieces, change?: Partial<Draft>) => void;

/** Every object vector of this side. */
export async function objectDrafts(homes: Homes): Promise<Draft[]> {
  const drafts: Draft[] = [];
  const add: Make = (name, says, expect, p, change = {}) => {
    const home = Object.entries(homes).find(([, h]) => h === p.home)![0];
    drafts.push({ name, says, home, asked: change.asked ?? asked(p), file: change.file ?? assemble(p), expect, ...change });
  };
  await opened(homes, add);
  await files(homes, add);
  await bindings(homes, add);
  await headers(homes, add);
  await questions(homes, add);
  await signers(homes, add);
  await bodies(homes, add);
  await envelopes(homes, add);
  await ciphers(homes, add);
  await formerDrafts(homes, add);
  await ownDrafts(homes, add);
  return drafts;
}

async function opened(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  for (const n of [0, 1, 16383, 16384, 16385, 32768]) {
    const content = jpeg(n);
    add(`content-${n}`, `a content of ${n} bytes`, "opened", await pieces(a, { content }), { content });
  }
  const clip = random(50_000);
  add("clip", "a clip of four chunks", "opened", await pieces(a, { kind: "clip", content: clip }), { content: clip });
  const text = ascii(`{"v":1,"start":${moment},"end":${moment + 12e6},"cause":"motion","score":0.42}`);
  add("description", "a description", "opened", await pieces(a, { kind: "description", content: text }), { content: text });
  const content = jpeg(99);
  add("no-question", "a file in somebody's hands: only the home is compared", "opened", await pieces(a, { content }), { content, asked: "" });
  add("second-agent", "the third camera stands with the second agent", "opened", await pieces(a, { content, camera: 2 }), { content });
  add("sealed-before-placed", "the agent's head is older than its own placing; the title says now that it is placed", "opened", await pieces(a, { content, at: 1 }), { content });
  add("newer-envelope", "sealed in epoch 1, wrapped in epoch 2", "opened", await pieces(a, { content, at: 4, epoch: 2 }), { content });
  add("old-object", "sealed and wrapped in epoch 1, which its reader still holds", "opened", await pieces(a, { content, at: 4, epoch: 1 }), { content });
  add("time-zero", "a clock that says 1970", "opened", await pieces(a, { content, time: 0, quality: "unknown" }), { content });
  add("time-largest", "the largest time, a day in 2255", "opened", await pieces(a, { content, time: maxInt, quality: "estimated" }), { content });
  add("last-of-day", "the last microsecond of a day", "opened", await pieces(a, { content, time: Date.UTC(2026, 1, 1) * 1000 - 1 }), { content });
  const many = await pieces(a, { content });
  const b = homes["B"]!;
  const foreign = await wrap(many.objectKey, parseBinding(many.binding), "epoch", b.title.epochKey(1)!, 1);
  const person = await wrap(many.objectKey, parseBinding(many.binding), "person", a.title.epochKey(2)!, 2);
  many.envelopes.unshift(envelopeBytes(foreign), envelopeBytes(person));
  add("others-envelopes-first", "envelopes for others stand before the reader's", "opened", many, { content });
}

async function files(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const p = await pieces(a);
  const file = assemble(p);
  const magic = (text: string): Partial<Draft> => ({ file: concat(ascii(text), file.subarray(18)), asked: asked(p) });
  add("file-empty", "no bytes at all", "truncated", p, { file: new Uint8Array(0) });
  add("magic-short", "17 bytes of the magic", "truncated", p, { file: file.slice(0, 17) });
  add("magic-0", "a lower digit is no later version", "malformed", p, magic("latchkey object 0\n"));
  add("magic-2", "a later version of the file", "future-version", p, magic("latchkey object 2\n"));
  add("magic-9", "a much later version of the file", "future-version", p, magic("latchkey object 9\n"));
  add("magic-colon", "the character after 9 is no digit", "malformed", p, magic("latchkey object :\n"));
  add("magic-case", "another letter case", "malformed", p, magic("Latchkey object 1\n"));
  add("magic-later-and-wrong", "a greater digit before another ending", "malformed", p, magic("latchkey object 2\r"));
  add("header-missing", "the file ends after the magic", "truncated", p, { file: file.slice(0, 18) });
  add("header-cut", "the file ends within the header", "truncated", p, { file: file.slice(0, 300) });
  add("count-missing", "the file ends after the header", "truncated", p, { file: file.slice(0, 18 + 2 + 313) });
  add("envelope-cut", "the file ends within an envelope", "truncated", p, { file: file.slice(0, 18 + 2 + 313 + 2 + 2 + 600) });
}

async function bindings(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const bent = async (name: string, says: string, expect: string, at: number, ...bytes: number[]): Promise<void> => {
    const p = await pieces(a);
    const question = asked(p);
    add(name, says, expect, await bend(p, at, ...bytes), { asked: question });
  };
  await bent("binding-version-0", "a binding of version 0", "malformed", 0, 0);
  await bent("binding-version-2", "a binding of a later version", "future-version", 0, 2);
  await bent("binding-suite-0", "suite 0", "unknown-suite", 1, 0);
  await bent("binding-kind-0", "kind 0", "malformed", 2, 0);
  await bent("binding-kind-4", "a kind that is not yet", "malformed", 2, 4);
  await bent("binding-quality-3", "an unknown quality of the time", "malformed", 3, 3);
  await bent("binding-incarnation-0", "incarnations count from 1", "malformed", 116, 0, 0, 0, 0, 0, 0, 0, 0);
  await bent("binding-sequence-0", "sequences count from 1", "malformed", 124, 0, 0, 0, 0, 0, 0, 0, 0);
  await bent("binding-time-2-53", "a time of 2^53, one more than JavaScript counts exactly", "malformed", 132, 0, 32, 0, 0, 0, 0, 0, 0);
  await bent("binding-monotonic-top-bit", "a monotonic time with the top bit set", "malformed", 156, 128, 0, 0, 0, 0, 0, 0, 0);
  await bent("binding-head-2-53", "a head numbered 2^53", "malformed", 164, 0, 32, 0, 0, 0, 0, 0, 0);
  const sized = async (name: string, says: string, expect: string, size: number, ...first: number[]): Promise<void> => {
    const p = await pieces(a);
    const question = asked(p);
    const binding = new Uint8Array(size);
    binding.set(p.binding.subarray(0, size));
    binding.set(first);
    add(name, says, expect, await signAsSaid({ ...p, binding }), { asked: question });
  };
  await sized("binding-203", "a binding of 203 bytes", "truncated", 203);
  await sized("binding-205", "a binding of 205 bytes", "malformed", 205);
  await sized("binding-future-short", "a later version is named as such whatever its length", "future-version", 40, 7);
  await sized("binding-suite-short", "the suite is looked at before the length", "unknown-suite", 40, 1, 9);
  await sized("binding-empty", "a binding of no bytes", "truncated", 0);
}

async function headers(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const p = await pieces(a);
  const h = header(p);
  add("header-oversize", "a header of 513 bytes", "oversize", p, { file: assemble(p, concat(h, new Uint8Array(200))) });
  add("header-trailing", "a byte after the signature, inside the header", "malformed", p, { file: assemble(p, concat(h, new Uint8Array(1))) });
  add("signatures-none", "a header without a signature", "malformed", { ...p, signatures: [] });
  add("signatures-two", "the right signature twice", "malformed", { ...p, signatures: [p.signatures[0]!, p.signatures[0]!] });
  add("signature-63", "a signature of 63 bytes", "malformed", { ...p, signatures: [p.signatures[0]!.slice(0, 63)] });
  const large = { ...(await pieces(a)), bodyLength: (1 << 20) + 1 };
  add("thumbnail-oversize", "a thumbnail that says one byte more than it may have", "oversize", await signAsSaid(large));
  const words = { ...(await pieces(a, { kind: "description" })), bodyLength: (64 << 10) + 1 };
  add("description-oversize", "a description that says one byte more than it may have", "oversize", await signAsSaid(words));
  const endless = { ...(await pieces(a)), bodyLength: maxInt + 1 };
  add("length-2-53", "a body length of 2^53", "malformed", await signAsSaid(endless));
}

async function questions(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const b = homes["B"]!;
  const p = await pieces(a);
  const theirs = await pieces(b);
  add("neighbours", "the neighbours' object under a name of ours", "wrong-home", theirs, { home: "A", asked: asked(p) });
  add("neighbours-by-their-name", "the neighbours' object by its own name, in our home", "wrong-home", theirs, { home: "A" });
  add("neighbours-unasked", "the neighbours' file in our hands", "wrong-home", theirs, { home: "A", asked: "" });
  add("asked-of-neighbours", "our object, asked for as the neighbours'", "wrong-home", p, { asked: asked(p, { home: b.home }) });
  add("other-camera", "the same home's other camera", "wrong-camera", await pieces(a, { camera: 1 }), { asked: asked(p) });
  add("day-after", "asked for the day after", "wrong-day", p, { asked: asked(p, { day: parseDay("2026-05-05")! }) });
  const midnight = await pieces(a, { time: Date.UTC(2026, 1, 1) * 1000 });
  add("midnight", "midnight belongs to the day that begins", "wrong-day", midnight, { asked: asked(midnight, { day: parseDay("2026-01-31")! }) });
  add("other-kind", "the thumbnail where the clip was asked for", "wrong-kind", p, { asked: asked(p, { kind: "clip" }) });
  add("other-object", "another object of the same camera and day", "wrong-object", await pieces(a), { asked: asked(p) });
  const both = { camera: anyCamera(), object: idText("object", random(16)) };
  add("camera-before-object", "camera and object differ: the camera is compared first", "wrong-camera", p, { asked: asked(p, both) });
  const forged = { ...p, signatures: [random(64)] };
  add("question-before-signature", "another camera's, and not genuine: the question comes first", "wrong-camera", forged, { asked: asked(p, { camera: anyCamera() }) });
}

async function signers(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const c = homes["C"]!;
  const head = async (name: string, says: string, bytes: Bytes): Promise<void> => {
    const p = await pieces(a);
    add(name, says, "unknown-head", await bend(p, 164, ...bytes));
  };
  const hash = async (seq: number): Promise<Bytes> => new Uint8Array((await headAt(a, seq)).hash.match(/../g)!.map((x) => parseInt(x, 16)));
  await head("head-beyond", "a head one beyond the end of the chain", concat(u64(8), await hash(7)));
  await head("head-other-number", "a deed's hash under another number", concat(u64(6), await hash(7)));
  await head("head-fork", "the right number with the hash of another chain", concat(u64(7), random(32)));
  add("min-version-2", "the home takes nothing below version 2", "old-version", await pieces(c));
  add("owner-signs", "signed by the owner, who is no agent", "unknown-signer", await pieces(a, { signer: a.owner }));
  add("device-signs", "signed by the owner's browser", "unknown-signer", await pieces(a, { signer: a.device }));
  add("neighbours-agent", "signed by the neighbours' agent", "unknown-signer", await pieces(a, { signer: homes["B"]!.agents[0]!.signer }));
  add("other-agent", "the home's other agent signs for a camera that is not with it", "wrong-agent", await pieces(a, { agent: 1 }));
  const nowhere = await pieces(a);
  add("camera-not-placed", "a camera that no deed places", "wrong-agent", await bend(nowhere, 36, ...idBytes("camera", anyCamera())));
  const swapped = await pieces(a);
  swapped.signer = a.agents[1]!.signer;
  add("other-agents-signature", "one agent's key ID, the other's signature", "bad-signature", await signAsSaid(swapped));
  const p = await pieces(a);
  const unlabelled = await p.signer.sign(header(p).slice(0, 2 + 204 + 8 + 32));
  add("signature-without-label", "signed without the label", "bad-signature", { ...p, signatures: [unlabelled] });
  const deed = await p.signer.sign(concat(label("latchkey deed v1"), header(p).slice(0, 2 + 204 + 8 + 32)));
  add("signature-of-a-deed", "signed as if it were a deed", "bad-signature", { ...p, signatures: [deed] });
  add("event-changed", "the event changed and not signed again", "bad-signature", { ...p, binding: p.binding.map((x, i) => (i === 52 ? x ^ 1 : x)) });
}

async function bodies(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const p = await pieces(a, { content: jpeg(17_000) });
  const cut = { ...p, body: p.body.slice(0, -1) };
  add("body-cut", "the last byte is missing", "truncated", cut);
  add("body-missing", "no body", "truncated", { ...p, body: new Uint8Array(0) });
  add("body-trailing", "one byte more than the header says", "trailing", { ...p, body: concat(p.body, new Uint8Array(1)) });
  add("body-bit", "one bit of the last byte is another", "wrong-hash", { ...p, body: p.body.map((x, i) => (i === p.body.length - 1 ? x ^ 1 : x)) });
  const other = await pieces(a, { content: jpeg(17_000) });
  add("body-of-another", "another object's body of the same length", "wrong-hash", { ...p, body: other.body });
  const signed = async (name: string, says: string, expect: string, body: Bytes): Promise<void> => {
    add(name, says, expect, await sign({ ...p, body }));
  };
  await signed("body-71", "a body of 71 bytes, signed", "truncated", p.body.slice(0, 71));
  await signed("last-chunk-15", "the last chunk would be 15 bytes, signed", "truncated", p.body.slice(0, 56 + 16400 + 15));
  await signed("last-chunk-full", "the last chunk is a full one, signed", "truncated", p.body.slice(0, 56 + 16400));
  await signed("last-chunk-cut", "the last chunk is cut, signed", "chunk", p.body.slice(0, 56 + 16400 + 100));
  const first = p.body.slice(56, 56 + 16400);
  const last = p.body.slice(56 + 16400);
  const ahead = p.body.slice(0, 56);
  await signed("chunk-bit", "one bit of the first chunk is another, signed", "chunk", p.body.map((x, i) => (i === 60 ? x ^ 1 : x)));
  await signed("chunk-twice", "the first chunk twice, signed", "chunk", concat(ahead, first, first, last));
  await signed("chunk-dropped", "the first chunk left out, signed", "chunk", concat(ahead, last));
  await signed("chunk-empty-at-end", "an empty last chunk put on, signed", "chunk", concat(ahead, first, last.slice(0, 16)));
  await signed("salt-bit", "one bit of the salt is another, signed", "commitment", p.body.map((x, i) => (i === 0 ? x ^ 1 : x)));
  await signed("commitment-bit", "one bit of the commitment is another, signed", "commitment", p.body.map((x, i) => (i === 55 ? x ^ 128 : x)));
}

async function envelopes(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const p = await pieces(a);
  const binding = parseBinding(p.binding);
  const right = p.envelopes[0]!;
  const alone = (e: Bytes): Pieces => ({ ...p, envelopes: [e] });
  add("envelopes-none", "no envelope", "no-envelope", { ...p, envelopes: [] });
  const person = await wrap(p.objectKey, binding, "person", a.title.epochKey(2)!, 2);
  add("envelope-person-kind", "the epoch's key, named as a person's", "no-envelope", alone(envelopeBytes(person)));
  const b = homes["B"]!.title.epochKey(1)!;
  add("envelope-neighbours", "an envelope for the neighbours alone", "no-envelope", alone(envelopeBytes(await wrap(p.objectKey, binding, "epoch", b, 1))));
  const misnamed = await wrap(p.objectKey, binding, "epoch", a.title.epochKey(2)!, 1);
  add("envelope-wrong-number", "the key of epoch 2 under the number 1", "unknown-epoch", alone(envelopeBytes(misnamed)));
  const future = await wrap(p.objectKey, binding, "epoch", a.title.epochKey(2)!, 3);
  add("envelope-future-number", "the key of epoch 2 under the number 3", "unknown-epoch", alone(envelopeBytes(future)));
  add("envelope-old", "sealed in epoch 2, wrapped for epoch 1", "old-epoch", alone(envelopeBytes(await envelope(p, 1))));
  const oldFirst = { ...p, envelopes: [envelopeBytes(await envelope(p, 1)), right] };
  add("envelope-old-first", "of several for the reader the first counts", "old-epoch", oldFirst);
  const other = await pieces(a);
  add("envelope-of-another", "another object's envelope", "envelope", alone(other.envelopes[0]!));
  add("envelope-bit-enc", "one bit of the encapsulated key is another", "envelope", alone(right.map((x, i) => (i === 44 + 5 ? x ^ 1 : x))));
  add("envelope-bit-x25519", "one bit of the X25519 half is another", "envelope", alone(right.map((x, i) => (i === 44 + 1100 ? x ^ 1 : x))));
  add("envelope-bit-tag", "one bit of the tag is another", "envelope", alone(right.map((x, i) => (i === right.length - 1 ? x ^ 1 : x))));
  const zero = await wrap(new Uint8Array(32), binding, "epoch", a.title.epochKey(2)!, 2);
  add("envelope-other-key", "an envelope with another object key", "commitment", alone(envelopeBytes(zero)));
  const set = (at: number, ...bytes: number[]): Bytes => {
    const e = right.slice();
    e.set(bytes, at);
    return e;
  };
  add("envelope-version-0", "an envelope of version 0", "malformed", alone(set(0, 0)));
  add("envelope-version-2", "an envelope of a later version", "future-version", alone(set(0, 2)));
  add("envelope-kind-0", "a recipient of kind 0", "malformed", alone(set(1, 0)));
  add("envelope-kind-4", "an agent is no recipient of objects", "malformed", alone(set(1, 4)));
  add("envelope-epoch-0", "epochs count from 1", "malformed", alone(set(34, 0, 0, 0, 0, 0, 0, 0, 0)));
  add("envelope-short", "a sealed key of 1,167 bytes", "malformed", alone(concat(set(42, 4, 0x8f).subarray(0, -1))));
  add("envelope-trailing", "a byte after the sealed key", "malformed", alone(concat(right, new Uint8Array(1))));
  add("envelope-oversize", "an envelope of 2,049 bytes", "oversize", alone(concat(right, new Uint8Array(2049 - right.length))));
  add("envelopes-64", "as many envelopes as a file may have", "no-envelope", { ...p, envelopes: Array.from({ length: 64 }, () => envelopeBytes(person)) });
  add("envelopes-65", "one envelope more than a file may have", "oversize", { ...p, envelopes: Array.from({ length: 65 }, () => right) });
}

async function ciphers(homes: Homes, add: Make): Promise<void> {
  const a = homes["A"]!;
  const p = await pieces(a, { content: jpeg(20_000) });
  const strange = async (name: string, says: string, expect: string, body: Bytes): Promise<void> => {
    add(name, says, expect, await sign({ ...p, body }));
  };
  const content = jpeg(20_000);
  const make = (change: Parameters<typeof otherBody>[3]): Promise<Bytes> => otherBody(p.objectKey, p.binding, content, change);
  await strange("cobblestone-label", "the label of another instantiation", "commitment", await make({ aead: "AEAD_AES_128_GCM" }));
  await strange("cobblestone-revision", "the label of another revision", "commitment", await make({ revision: "c2sp.org/chunked-encryption@v0+" }));
  await strange("cobblestone-sha256", "derived with SHA-256", "commitment", await make({ hash: "SHA-256" }));
  await strange("cobblestone-extract", "derived with HKDF's extract before its expand", "commitment", await make({ extract: true }));
  await strange("cobblestone-no-context", "encrypted without the binding as context", "commitment", await make({ context: new Uint8Array(0) }));
  await strange("cobblestone-other-context", "encrypted for another binding", "commitment", await make({ context: (await pieces(a)).binding }));
  await strange("cobblestone-nonce-from-1", "chunks counted from 1", "chunk", await make({ first: 1 }));
  await strange("cobblestone-nonce-little-endian", "the second chunk's number little-endian", "chunk", await make({ littleEndian: true }));
  await strange("cobblestone-aad", "the binding as additional data of each chunk", "chunk", await make({ aad: p.binding }));
  await strange("cobblestone-order", "the two chunks encrypted in the other order", "chunk", await make({ swap: true }));
}
