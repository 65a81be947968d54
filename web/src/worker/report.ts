// Tells the server what came that should not have (docs/wire.md, "Report"). A report
// is no verdict: the server looks into its own records.

import { Failed } from "../api.ts";
import { sha256 } from "../deed/key.ts";
import { base64, type Bytes, hex, concat, ascii } from "../wire.ts";
import type { LiveReason } from "../live/message.ts";
import type { LetterReason } from "../letter/letter.ts";
import type { RefusedFor, Reported, TrustView, Word } from "./protocol.ts";
import { parseName } from "../seal/name.ts";
import { reportsPath, type Session } from "./session.ts";
import { Turns } from "./turns.ts";

export interface Refusal {
  /** The request ID of the answer in which it came. */
  readonly delivery: string;
  /** The name that was asked for, "" for a list. */
  readonly asked: string;
  readonly reason: RefusedFor | LetterReason | LiveReason;
  readonly word: Word;
  /** The header of what came, empty if it had none. */
  readonly header: Bytes;
  /** What it should have been, if it is no object. */
  readonly what?: "condition" | "reply" | "live";
}

// A server that sends nothing but nonsense is told so often, and then no more for a while.
const perMinute = 60;
// So many the trust page shows.
const mostRemembered = 50;

export class Reporter {
  readonly #session: Session;
  readonly #told = new Map<string, Promise<Reported>>();
  readonly #turns = new Turns(4);
  #sent: number[] = [];
  #refused: TrustView["refused"] = [];

  constructor(session: Session) {
    this.#session = session;
    session.heed((delivery) => void this.tell({ delivery, asked: "", reason: "misroute", word: "misroute", header: new Uint8Array(0) }));
  }

  /** What was refused since the page was opened, newest first. */
  refused(): TrustView["refused"] {
    return [...this.#refused];
  }

  /** Reports once what was refused, however often it is met; never fails. */
  async tell(r: Refusal): Promise<Reported> {
    const key = hex(await sha256(concat(ascii(`${r.delivery} ${r.asked} ${r.reason} `), r.header)));
    const known = this.#told.get(key);
    if (known !== undefined) return known;
    this.#refused = [{ what: whatOf(r), reason: r.reason, time: Date.now() * 1000 }, ...this.#refused].slice(0, mostRemembered);
    if (this.#told.size > 1000) this.#told.clear();
    const sent = this.#turns.run(() => this.#send(r));
    this.#told.set(key, sent);
    return sent;
  }

  async #send(r: Refusal): Promise<Reported> {
    const now = Date.now();
    this.#sent = this.#sent.filter((at) => at > now - 60_000);
    if (this.#sent.length >= perMinute) return "not-sent";
    this.#sent.push(now);
    try {
      const body = { delivery: r.delivery, asked: r.asked, reason: r.reason, word: r.word, header: base64(r.header) };
      const { fields } = await this.#session.ask("POST", reportsPath, body);
      return fields.boolean("confirmed") ? "confirmed" : "unconfirmed";
    } catch (e) {
      if (e instanceof Failed) return "not-sent";
      throw e;
    }
  }
}

function whatOf({ asked, reason, what }: Refusal): string {
  return what ?? parseName(asked)?.kind ?? (reason === "unknown-head" ? "deed" : "answer");
}
