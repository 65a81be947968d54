// What binds a page's requests, and the answers to them, to the page and to each other
// (docs/wire.md, "MACs"). It guards against crossing, not against the server.

import { sha256 } from "./deed/key.ts";
import { ascii, base64, type Bytes, label, random, unbase64, Writer } from "./wire.ts";

/** A session's key in this page: nobody can take it out again. */
export class MACKey {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** A new key, and its bytes for the server. */
  static async make(): Promise<{ key: MACKey; bytes: Bytes }> {
    const bytes = random(32);
    return { key: await MACKey.of(bytes), bytes };
  }

  static async of(bytes: Bytes): Promise<MACKey> {
    return new MACKey(await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]));
  }

  /** The MAC of a request; the path is as it is sent. */
  async request(method: string, path: string, id: string, body: Bytes): Promise<string> {
    const message = new Writer().raw(label("latchkey request mac v1")).lp16(ascii(method)).lp16(ascii(path)).lp16(ascii(id)).raw(await sha256(body));
    return base64(new Uint8Array(await crypto.subtle.sign("HMAC", this.#key, message.bytes())));
  }

  /** Whether that is the MAC of the answer to a request. */
  async answers(mac: string, id: string, status: number, body: Bytes): Promise<boolean> {
    const message = new Writer().raw(label("latchkey answer mac v1")).lp16(ascii(id)).u16(status).raw(await sha256(body));
    const bytes = unbase64(mac);
    return bytes !== null && crypto.subtle.verify("HMAC", this.#key, bytes, message.bytes());
  }
}
