// A device's signed-in state at the server. The session is in a cookie that no script
// sees; when it is missing, the device signs in once, and if that does not help it is
// signed out until the home is opened again.

import { Failed, atHome, type Answered, type Delivery, type Question, type Server } from "../api.ts";
import { type Head, headBytes, headText } from "../deed/head.ts";
import type { Signer } from "../deed/key.ts";
import { type AgentID, type DeviceID, type HomeID, idBytes } from "../seal/name.ts";
import { base64, type Bytes, label, Writer } from "../wire.ts";

export class Session {
  readonly server: Server;
  readonly home: HomeID;
  readonly #device: DeviceID;
  readonly #signer: Signer;
  readonly #head: () => Head;
  #signingIn: Promise<void> | null = null;
  #lost = false;
  // Whether the cookie has been seen to be of this home.
  #sure = false;

  constructor(server: Server, home: HomeID, device: DeviceID, signer: Signer, head: () => Head) {
    this.server = server;
    this.home = home;
    this.#device = device;
    this.#signer = signer;
    this.#head = head;
  }

  /** Lets a device that was turned away try once more. */
  again(): void {
    this.#lost = false;
    this.#sure = false;
  }

  /** Asks about the home. */
  ask(method: Question["method"], rest: string, body?: Record<string, unknown>): Promise<Answered> {
    const q = { method, path: atHome(this.home, rest), home: this.home, ...(body === undefined ? {} : { body: { home: this.home, ...body } }) };
    return this.#signedIn(() => this.server.ask(q));
  }

  /** Fetches an object file by the rest of its address. */
  object(path: string, again: boolean): Promise<Delivery> {
    return this.#signedIn(() => this.server.object(path, again));
  }

  /** Sends a command to an agent of the home. */
  letters(agent: AgentID, letter: Bytes, stop: AbortSignal): Promise<Delivery> {
    return this.#signedIn(() => this.server.letters(atHome(this.home, `/agents/${agent}/commands`), letter, stop));
  }

  /** Ends the session. */
  async signOut(): Promise<void> {
    await this.server.ask({ method: "DELETE", path: "/v1/sessions", home: null });
    this.#lost = true;
  }

  async #signedIn<T>(request: () => Promise<T>): Promise<T> {
    if (this.#lost) throw new Failed({ trouble: "signed-out" });
    try {
      const answer = await request();
      this.#sure = true;
      return answer;
    } catch (e) {
      // With the cookie of another home that was open here, this one is not there.
      if (!isSignedOut(e) && (this.#sure || !isNotFound(e))) throw e;
    }
    // Requests that were turned away together sign in together.
    this.#signingIn ??= this.#signIn().finally(() => (this.#signingIn = null));
    await this.#signingIn;
    this.#sure = true;
    try {
      return await request();
    } catch (e) {
      if (isSignedOut(e)) this.#lost = true;
      throw e;
    }
  }

  async #signIn(): Promise<void> {
    const { server, home } = this;
    const device = this.#device;
    const challenge = await server.ask({ method: "POST", path: "/v1/sessions/challenge", home, body: { home, device } });
    const nonce = challenge.fields.bytes("nonce");
    const head = this.#head();
    const message = new Writer().raw(label("latchkey sign-in v1")).raw(nonce).raw(idBytes("home", home)).raw(idBytes("device", device)).raw(headBytes(head)).bytes();
    const signature = base64(await this.#signer.sign(message));
    try {
      await server.ask({ method: "POST", path: "/v1/sessions", home, body: { home, device, nonce: base64(nonce), head: headText(head), signature } });
    } catch (e) {
      if (!(e instanceof Failed)) throw e;
      // A server without the deeds that this browser has seen was rolled back.
      if (e.reason === "unknown-head") throw new Failed({ trouble: "fork", seen: headText(head), offered: "" }, null, e.request);
      if (e.reason === "refused" || e.reason === "not-found" || isSignedOut(e)) {
        this.#lost = true;
        throw new Failed({ trouble: "signed-out" });
      }
      throw e;
    }
  }
}

function isSignedOut(e: unknown): boolean {
  return e instanceof Failed && e.trouble.trouble === "signed-out";
}

function isNotFound(e: unknown): boolean {
  return e instanceof Failed && e.reason === "not-found";
}
