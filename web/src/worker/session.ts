// A device's signed-in state at the server, or that of a person in a browser that is no
// device of the home yet, which may read the chain and add to it. The session is in a cookie that no script
// sees, and in a MAC key that this page alone has; when either is missing, the device
// signs in once, and if that does not help it is signed out until the home is opened again.

import { Failed, atHome, type Answered, type Delivery, type Question, type Server } from "../api.ts";
import { type Head, headBytes, headText } from "../deed/head.ts";
import type { Signer } from "../deed/key.ts";
import { MACKey } from "../mac.ts";
import { type AgentID, type DeviceID, type HomeID, idBytes, type PersonID } from "../seal/name.ts";
import { base32, base64, type Bytes, label, Writer } from "../wire.ts";

// How long a page that has signed in for nothing does not do so again.
const vainFor = 30_000;

/** Where reports go, in a home. */
export const reportsPath = "/reports";

/** Who signs in, and with which key. */
export type Who = ({ readonly device: DeviceID } | { readonly person: PersonID }) & { readonly signer: Signer };

export class Session {
  readonly server: Server;
  readonly home: HomeID;
  readonly #who: Who;
  readonly #head: () => Head;
  readonly #mayConfirm: () => boolean;
  #key: MACKey | null = null;
  #id = "";
  #signingIn: Promise<MACKey> | null = null;
  #lost = false;
  #crossed: (delivery: string) => void = () => undefined;
  // When signing in last did not help: milliseconds of performance.now.
  #vain = -Infinity;

  constructor(server: Server, home: HomeID, who: Who, head: () => Head, mayConfirm: () => boolean) {
    this.server = server;
    this.home = home;
    this.#who = who;
    this.#head = head;
    this.#mayConfirm = mayConfirm;
  }

  /** Its name in a list of sessions; "" before it has begun. */
  get id(): string {
    return this.#id;
  }

  /** Has somebody told of every answer that was to another question. */
  heed(crossed: (delivery: string) => void): void {
    this.#crossed = crossed;
  }

  /** Lets a device that was turned away try once more. */
  again(): void {
    this.#lost = false;
    this.#vain = -Infinity;
  }

  /** Asks about the home. */
  ask(method: Question["method"], rest: string, body?: Record<string, unknown>): Promise<Answered> {
    const q = { method, path: atHome(this.home, rest), home: this.home, ...(body === undefined ? {} : { body: { home: this.home, ...body } }) };
    return this.#heeded(rest, this.#signedIn((key) => this.server.ask(q, key)));
  }

  /** Fetches an object file by the rest of its address. */
  object(path: string, again: boolean): Promise<Delivery> {
    return this.#signedIn((key) => this.server.object(path, again, key));
  }

  /** Fetches a part of an object file. */
  part(path: string, from: number, to: number): Promise<{ bytes: Bytes; request: string }> {
    return this.#signedIn((key) => this.server.part(path, from, to, key));
  }

  /** Sends a command to an agent of the home. */
  letters(agent: AgentID, letter: Bytes, stop: AbortSignal): Promise<Delivery> {
    const rest = `/agents/${agent}/commands`;
    return this.#heeded(rest, this.#signedIn((key) => this.server.letters(atHome(this.home, rest), letter, stop, key)));
  }

  /** Opens a websocket of the home. Whether the session still holds is not known before it is open. */
  async socket(rest: string): Promise<WebSocket> {
    return this.server.socket(atHome(this.home, rest), this.#key ?? (await this.#signInOnce(null)));
  }

  /** Ends the session. */
  async signOut(): Promise<void> {
    await this.ask("DELETE", "/session");
    this.#lose();
  }

  #lose(): void {
    this.#lost = true;
    this.#key = null;
  }

  /** Tells of a crossed answer, but not of one to a report of such. */
  async #heeded<T>(rest: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (e) {
      if (e instanceof Failed && e.trouble.trouble === "crossed" && rest !== reportsPath) this.#crossed(e.request);
      throw e;
    }
  }

  async #signedIn<T>(request: (key: MACKey) => Promise<T>): Promise<T> {
    const key = this.#key ?? (await this.#signInOnce(null));
    try {
      return await request(key);
    } catch (e) {
      if (!isSignedOut(e)) throw this.#explained(e);
      if (performance.now() < this.#vain + vainFor) throw altered(e);
    }
    const next = await this.#signInOnce(key);
    try {
      return await request(next);
    } catch (e) {
      if (!isSignedOut(e)) throw this.#explained(e);
      this.#vain = performance.now();
      throw altered(e);
    }
  }

  /** Says of a home that is closed whether this person may confirm it. */
  #explained(e: unknown): unknown {
    if (!(e instanceof Failed) || e.trouble.trouble !== "closed") return e;
    return new Failed({ trouble: "closed", mayConfirm: this.#mayConfirm() }, e.fields, e.request);
  }

  /** The key that follows the one that is not taken. Requests that were turned away together sign in together. */
  async #signInOnce(refused: MACKey | null): Promise<MACKey> {
    if (this.#lost) throw new Failed({ trouble: "signed-out" });
    const newest = this.#key ?? refused;
    if (newest !== null && newest !== refused) return newest;
    this.#signingIn ??= this.#signIn().finally(() => (this.#signingIn = null));
    return (this.#key = await this.#signingIn);
  }

  async #signIn(): Promise<MACKey> {
    const { server, home } = this;
    const who = this.#who;
    const [path, words, id, named] =
      "device" in who
        ? ["/v1/sessions", "latchkey sign-in v2", idBytes("device", who.device), { device: who.device }]
        : ["/v1/sessions/person", "latchkey sign-in person v1", idBytes("person", who.person), { person: who.person }];
    // The challenge is for sixteen bytes, whosever ID they are.
    const challenge = await server.ask({ method: "POST", path: "/v1/sessions/challenge", home, body: { home, device: base32(id) } });
    const nonce = challenge.fields.bytes("nonce");
    const head = this.#head();
    const { key, bytes } = await MACKey.make();
    const of = new Writer().raw(label(words)).raw(nonce).raw(idBytes("home", home)).raw(id);
    const signature = base64(await who.signer.sign(of.raw(headBytes(head)).raw(bytes).bytes()));
    const body = { home, ...named, nonce: base64(nonce), head: headText(head), mac_key: base64(bytes), signature };
    try {
      const { fields } = await server.ask({ method: "POST", path, home, body }, null, key);
      this.#id = fields.text("session");
      return key;
    } catch (e) {
      if (!(e instanceof Failed)) throw e;
      // The server has another deed in the place of the one that this browser has seen.
      if (e.reason === "unknown-head") throw new Failed({ trouble: "fork", seen: headText(head), offered: "" }, null, e.request);
      if (e.reason === "refused" || e.reason === "not-found" || isSignedOut(e)) {
        this.#lose();
        throw new Failed({ trouble: "signed-out" });
      }
      throw e;
    }
  }
}

/** A request that is turned away from a session which has just begun: it, or its cookie, has become another on the way. */
function altered(e: Failed): Failed {
  return new Failed({ trouble: "crossed", what: "request" }, null, e.request);
}

function isSignedOut(e: unknown): e is Failed {
  return e instanceof Failed && e.trouble.trouble === "signed-out";
}
