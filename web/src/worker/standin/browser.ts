// A browser of somebody: what it keeps stays when its page is loaded again.

import type { AccountDesk } from "../accountdesk.ts";
import type { PasskeyAnswer, RecoveryCode } from "../accounts.ts";
import type { Change, HomeID } from "../protocol.ts";
import { base64, type Bytes, random } from "../../wire.ts";
import { good, Page } from "./house.ts";
import { MemoryKeep } from "../../keep/memory.ts";
import type { StandIn } from "./server.ts";

/** What a passkey answers; each has a credential of its own. */
export function passkey(prf: Bytes = random(32)): PasskeyAnswer {
  const rawId = base64(random(15)).replaceAll("+", "-").replaceAll("/", "_");
  return { ceremony: "c", credential: { rawId, clientExtensionResults: { prf: { results: { first: base64(prf) } }, credProps: { rk: true } } }, prf: prf.buffer };
}

/** What a person types of a recovery code. */
export function typed({ groups, ask }: RecoveryCode): [string, string] {
  return [groups[ask[0]]!.toLowerCase(), ` ${groups[ask[1]]!} `];
}

export class Browser {
  readonly keep = new MemoryKeep();
  readonly heard: Change[] = [];
  #page: Page;

  constructor(readonly server: StandIn) {
    this.#page = new Page(server, this.keep, this.heard);
  }

  reload(): void {
    this.#page = new Page(this.server, this.keep, this.heard);
  }

  get desk(): Page["desk"] {
    return this.#page.desk;
  }

  get account(): Page["account"] {
    return this.#page.account;
  }

  get members(): Page["members"] {
    return this.#page.members;
  }

  async found(): Promise<HomeID> {
    this.server.setup = "a set-up secret";
    return (await good(this.desk.found({ setup: this.server.setup, home: "Our house", zone: "UTC" }))).home;
  }

  /** Signs up; with a passkey there is nothing to stretch. */
  async signUp(email: string, with_: Parameters<AccountDesk["prepareSignUp"]>[0]): Promise<RecoveryCode> {
    this.server.setup = `for ${email}`;
    await good(this.account.beginSignUp({ setup: this.server.setup }, email));
    const code = await good(this.account.prepareSignUp(with_));
    await good(this.account.finishSignUp("", typed(code)));
    return code;
  }
}
