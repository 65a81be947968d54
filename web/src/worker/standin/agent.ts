// An agent in memory: joins, asks and seals as docs/wire.md and docs/seal.md say.

import { type AgentBody, bodyBytes } from "../../deed/deed.ts";
import { headBytes } from "../../deed/head.ts";
import { publicKey, type Signer, signerOf } from "../../deed/key.ts";
import type { Title } from "../../deed/title.ts";
import { privateKey, seal } from "../../hpke.ts";
import { type Binding, bindingBytes } from "../../seal/binding.ts";
import { sealBody } from "../../cobblestone.ts";
import { envelopeBytes, wrap } from "../../seal/envelope.ts";
import { prefixBytes } from "../../seal/file.ts";
import { type Header, headerBytes } from "../../seal/header.ts";
import { signHeader } from "../../seal/make.ts";
import { type CameraID, type EventID, idBytes, idText, type Kind } from "../../seal/name.ts";
import { ascii, base64, type Bytes, concat, label, random, unbase32, Writer } from "../../wire.ts";

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, message));
}

/** A sealed object with the row that lists it. */
export interface Made {
  binding: Binding;
  header: Header;
  file: Bytes;
  row: { header: string; envelope: string };
}

export class TestAgent {
  #sequence = 0;

  private constructor(
    readonly body: AgentBody,
    readonly signer: Signer,
  ) {}

  static async make(): Promise<TestAgent> {
    const signer = await signerOf(random(32));
    const kem = await publicKey("X-Wing", (await privateKey(random(32))).publicKey);
    return new TestAgent({ type: "place agent", agent: idText("agent", random(16)), signing: signer.key, kem }, signer);
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

  /** Seals an object. */
  async seal(title: Title, camera: CameraID, kind: Kind, content: Bytes, event: EventID = idText("event", random(16))): Promise<Made> {
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
    };
    const objectKey = random(32);
    const body = await sealBody(objectKey, bindingBytes(binding), content);
    const header = await signHeader(binding, body, this.signer);
    const envelope = await wrap(objectKey, binding, "epoch", title.epochKey(title.epoch)!, title.epoch);
    const file = concat(prefixBytes({ header, envelopes: [] }), body);
    return { binding, header, file, row: { header: base64(headerBytes(header)), envelope: base64(envelopeBytes(envelope)) } };
  }
}
