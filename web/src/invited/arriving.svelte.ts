// An invitation on the side of whoever has its link: what it says, making keys, the
// words to compare, waiting, and being in.

import type { Keeps } from "../keeper.ts";
import type { HomeID, Invitation, Result, Trouble } from "../worker/protocol.ts";

export type Stage =
  | { is: "reading" }
  | { is: "read" }
  | { is: "answering" }
  | { is: "calling" }
  | { is: "phrase"; phrase: string[] }
  | { is: "in"; home: HomeID }
  | { is: "refused" }
  | { is: "expired" }
  | { is: "gone" }
  | { is: "failed"; why: Trouble; at: "reading" | "answering" | "waiting" };

// Reasons of a server for which an invitation is no good any more.
const spent: ReadonlySet<string> = new Set(["not-found", "expired", "unknown-invite", "malformed"]);

export class Arriving {
  stage = $state.raw<Stage>({ is: "reading" });
  invitation = $state.raw<Invitation | null>(null);

  readonly link: string;
  readonly #keeper: Keeps;
  readonly #patiently: <T>(ask: () => Promise<Result<T>>) => Promise<Result<T>>;

  /** `patiently` asks again for as long as the server does not answer. */
  constructor(keeper: Keeps, link: string, patiently: <T>(ask: () => Promise<Result<T>>) => Promise<Result<T>>) {
    this.#keeper = keeper;
    this.link = link;
    this.#patiently = patiently;
  }

  /** Reads what the invitation says. */
  async read(): Promise<void> {
    this.stage = { is: "reading" };
    const answer = await this.#patiently(() => this.#keeper.readInvitation(this.link));
    if (!answer.ok) return this.#fail(answer, "reading");
    this.invitation = answer.invitation;
    this.stage = { is: "read" };
  }

  /** Makes keys and answers. The account's vault is open. */
  async accept(): Promise<void> {
    this.stage = { is: "answering" };
    const answered = await this.#keeper.answerInvitation(this.link);
    if (!answered.ok) return this.#fail(answered, "answering");
    this.stage = { is: "calling" };
    await this.wait();
  }

  /** Waits for the words, and then for being let in. */
  async wait(): Promise<void> {
    for (;;) {
      const next = await this.#patiently(() => this.#keeper.watchAdmission(this.link));
      if (!next.ok) return this.#fail(next, "waiting");
      if (next.state === "phrase") {
        this.stage = { is: "phrase", phrase: next.phrase };
        continue;
      }
      this.stage = next.state === "admitted" ? { is: "in", home: next.home } : { is: next.state };
      return;
    }
  }

  /** Tries again what failed. */
  again(): Promise<void> {
    if (this.stage.is !== "failed") return Promise.resolve();
    if (this.stage.at === "reading") return this.read();
    return this.stage.at === "answering" ? this.accept() : this.wait();
  }

  #fail(why: Trouble, at: "reading" | "answering" | "waiting"): void {
    this.stage = why.trouble === "refused" && spent.has(why.reason) ? { is: "gone" } : { is: "failed", why, at };
  }
}
