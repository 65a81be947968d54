// Passkeys that lock keys, in front of one page: the browser's own stand-in for a
// finger on a sensor (WebAuthn over the DevTools protocol). It lives as long as the page
// does, and as a phone would it outlives whatever that page's browser forgets.

import type { CDPSession } from "playwright-core";

import type { Visitor } from "./browser.ts";

const kind = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true } as const;

export class Passkeys {
  readonly #devtools: CDPSession;
  readonly #id: string;

  private constructor(devtools: CDPSession, id: string) {
    this.#devtools = devtools;
    this.#id = id;
  }

  /** Gives somebody a device with a sensor. */
  static async give({ context, page }: Visitor): Promise<Passkeys> {
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable", { enableUI: false });
    const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options: kind });
    return new Passkeys(devtools, authenticatorId);
  }

  /** How many there are. */
  async count(): Promise<number> {
    return (await this.#devtools.send("WebAuthn.getCredentials", { authenticatorId: this.#id })).credentials.length;
  }
}
