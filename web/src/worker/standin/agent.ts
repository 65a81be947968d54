// An agent in memory: joins, asks and seals as docs/wire.md and docs/seal.md say.

import { type AgentBody, bodyBytes } from "../../deed/body.ts";
import { headBytes } from "../../deed/head.ts";
import { hmac, type Key, publicKey, type Signer, signerOf } from "../../deed/key.ts";
import type { Title } from "../../deed/title.ts";
import { type PrivateKey, privateKey, seal } from "../../hpke.ts";
import { openCommand } from "../../letter/correspondence.ts";
import { writeLetter } from "../../letter/letter.ts";
import { type Binding, bindingBytes } from "../../seal/binding.ts";
import { sealBody } from "../../cobblestone.ts";
import { envelopeBytes, wrap } from "../../seal/envelope.ts";
import { prefixBytes } from "../../seal/file.ts";
import { type Header, headerBytes } from "../../seal/header.ts";
import { signHeader } from "../../seal/make.ts";
import { type CameraID, type EventID, idBytes, idText, type Kind } from "../../seal/name.ts";
import { ascii, base64, type Bytes, concat, label, random, unbase32, Writer } from "../../wire.ts";

/** A sealed object with the row that lists it. */
export interface Made {
  binding: Binding;
  header: Header;
  objectKey: Bytes;
  file: Bytes;
  row: { header: string; envelope: string };
}

const now = (): number => Date.now() * 1000;
const text = (content: Record<string, unknown>): Bytes => new TextEncoder().encode(JSON.stringify(content));

const healthy = {
  v: 1,
  version: "1",
  name: "attic",
  started: 1,
  clock: { quality: "synchronised", boots: [] },
  cameras: [],
  spool: { objects: 0, bytes: 0, limit: 1, says: "" },
  disk: { free: 1, says: "" },
};

export class TestAgent {
  #sequence = 0;

  private constructor(
    readonly body: AgentBody,
    readonly signer: Signer,
    private readonly kem: PrivateKey,
  ) {}

  static async make(): Promise<TestAgent> {
    const signer = await signerOf(random(32));
    const secret = await privateKey(random(32));
    const kem = await publicKey("X-Wing", secret.publicKey);
    return new TestAgent({ type: "place agent", agent: idText("agent", random(16)), signing: signer.key, kem }, signer, secret);
  }

  /** What it says of itself. */
  async condition(title: Title, number: number, change: Record<string, unknown> = {}, incarnation = 1): Promise<Bytes> {
    const content = { ...healthy, ...change };
    const about = { kind: "condition", agent: this.body.agent, incarnation, number, re: new Uint8Array(32), time: now(), expires: 0 } as const;
    return writeLetter(about, this.signer, title, { recipient: "epoch", key: title.epochKey(title.epoch)! }, text(content));
  }

  /** Opens a command. */
  open(title: Title, letter: Bytes): ReturnType<typeof openCommand> {
    return openCommand(letter, title, this.body.agent, this.kem);
  }

  /** A reply to a command that was opened. */
  async reply(title: Title, to: Awaited<ReturnType<typeof openCommand>>, number: number, content: Record<string, unknown>, behind?: Bytes): Promise<Bytes> {
    const about = { kind: "reply", agent: this.body.agent, incarnation: to.letter.incarnation, number, re: to.letter.hash, time: now(), expires: 0 } as const;
    const json = text({ v: 1, ...content });
    return writeLetter(about, this.signer, title, { recipient: "asker", key: to.reply }, behind === undefined ? json : concat(json, new Uint8Array(1), behind));
  }

  /** The answer to an announcement, proven with the secret of the link. */
  async answer(link: string, announcement: Bytes): Promise<Bytes> {
    const secret = unbase32(/#join=([a-z2-7]+)/.exec(link)![1]!, 16)!;
    const mine = bodyBytes(this.body);
    const key = await hmac(secret, ascii("latchkey join agent v1"));
    return concat(mine, await hmac(key, concat(announcement.subarray(0, announcement.length - 32), mine)));
  }

  /** An ask for a camera with a name. */
  async ask(title: Title, camera: CameraID, name: string): Promise<Bytes> {
    const epoch = title.epochKey(title.epoch)!;
    const info = concat(label("latchkey ask name v1"), idBytes("home", title.home), idBytes("camera", camera));
    const k = new Writer().u8(1).raw(idBytes("home", title.home)).raw(idBytes("agent", this.body.agent)).raw(idBytes("camera", camera));
    k.raw(headBytes(title.head)).u64(Date.now() * 1000).raw(idBytes("key", epoch.id)).u64(title.epoch);
    k.lp16(await seal(epoch.bytes, info, new TextEncoder().encode(name)));
    const signature = await this.signer.sign(concat(label("latchkey ask v1"), k.bytes()));
    return new Writer().raw(k.bytes()).u8(1).lp16(signature).bytes();
  }

  /** Seals an object, for those who see the whole home or for one person. */
  async seal(title: Title, camera: CameraID, kind: Kind, content: Bytes, event: EventID = idText("event", random(16)), change: Partial<Binding> = {}, to: Key | null = null): Promise<Made> {
    const binding: Binding = {
      kind,
      quality: "synchronised",
      home: title.home,
      camera,
      event,
      object: idText("object", random(16)),
      agentKey: this.signer.key.id,
      incarnation: 1,
      sequence: ++this.#sequence,
      time: 1_780_000_000_000_000,
      boot: random(16),
      monotonic: 1,
      head: title.head,
      ...change,
    };
    const objectKey = random(32);
    const body = await sealBody(objectKey, bindingBytes(binding), content);
    const header = await signHeader(binding, body, this.signer);
    const envelope = await wrap(objectKey, binding, to === null ? "epoch" : "person", to ?? title.epochKey(title.epoch)!, title.epoch);
    const file = concat(prefixBytes({ header, envelopes: [] }), body);
    return { binding, header, objectKey, file, row: { header: base64(headerBytes(header)), envelope: base64(envelopeBytes(envelope)) } };
  }
}
