// What the home's agents say of themselves, and what is asked of them. A condition is
// shown only if its own agent wrote it, to this home and on this home's chain, and a
// reply only if it answers the very command that was sent.

import { broken, Failed, Fields } from "../api.ts";
import type { Title } from "../deed/title.ts";
import type { AgentCondition, Command, Condition, Progress, Replies } from "../letter/content.ts";
import { openCondition, sealCommand, type SeenCondition, type Sent } from "../letter/correspondence.ts";
import { LetterError, type LetterReason, maxLetter } from "../letter/letter.ts";
import { type AgentID, type KeyID, parseID } from "../seal/name.ts";
import { Source } from "../source.ts";
import { base32, type Bytes } from "../wire.ts";
import type { Home } from "./home.ts";
import type { Reporter } from "./report.ts";
import { Turns } from "./turns.ts";

// So many commands of a home the server carries at once.
const atOnce = 4;

/** What is known of an agent in this session. */
interface Known {
  seen: SeenCondition;
  condition: Condition;
}

/** What the page hears while it waits for the last reply. */
export interface Listening {
  /** The page's own name for the command, by which it can be stopped. */
  readonly name?: string;
  readonly progress?: (p: Progress) => void;
}

export class Agents {
  readonly #home: Home;
  readonly #reporter: Reporter;
  /** Told when times that were shown are known better. */
  readonly #corrected: () => void;
  readonly #known = new Map<AgentID, Known>();
  readonly #running = new Map<string, AbortController>();
  readonly #turns = new Turns(atOnce);
  readonly #fetching = new Turns();
  #asked: Promise<void> | null = null;
  // Whether a list was made by what is known of clocks.
  #listed = false;

  constructor(home: Home, reporter: Reporter, corrected: () => void) {
    this.#home = home;
    this.#reporter = reporter;
    this.#corrected = corrected;
  }

  /** Fetches and opens the condition of every agent. */
  conditions(): Promise<{ agents: AgentCondition[]; refused: number }> {
    return this.#fetching.run(() => this.#conditions());
  }

  async #conditions(): Promise<{ agents: AgentCondition[]; refused: number }> {
    if (this.#home.me.rights !== null) return { agents: [], refused: 0 }; // a guest is told nothing of them
    const { fields, request } = await this.#home.session.ask("GET", "/conditions");
    const before = this.#corrections();
    const agents = new Map<AgentID, AgentCondition>();
    let refused = 0;
    for (const item of fields.list("conditions")) {
      const said = await this.#condition(new Fields(item), request);
      if (said === null || agents.has(said.agent)) refused++;
      else agents.set(said.agent, said);
      if (said?.state === "refused") refused++;
    }
    for (const { id } of this.#home.title.agents) {
      if (!agents.has(id)) agents.set(id, { agent: id, connected: false, received: 0, state: "none" });
    }
    if (this.#listed && this.#corrections() !== before) this.#corrected();
    this.#asked ??= Promise.resolve();
    return { agents: [...agents.values()], refused };
  }

  /** One agent's; null if the home has no such agent. */
  async #condition(f: Fields, request: string): Promise<AgentCondition | null> {
    const agent = parseID("agent", f.text("agent"));
    if (agent === null) return null;
    if (this.#home.title.agent(agent) === null) await this.#home.chain.refresh();
    if (this.#home.title.agent(agent) === null) return null;
    const about = { agent, connected: f.boolean("connected"), received: f.number("received"), ...(f.has("cloned") && f.number("cloned") > 0 && { cloned: f.number("cloned") }) };
    const letter = f.bytes("letter");
    if (letter.length === 0) return { ...about, state: "none" };
    try {
      const ring = await this.#home.ring();
      const opened = await this.#onChain((title) => openCondition(letter, title, agent, this.#known.get(agent)?.seen ?? null, ring));
      this.#known.set(agent, { seen: opened.letter, condition: opened.condition });
      return { ...about, state: "verified", condition: opened.condition };
    } catch (e) {
      if (!(e instanceof LetterError)) throw e;
      await this.#report("condition", e.reason, request);
      return { ...about, state: "refused", reason: e.reason };
    }
  }

  /** Opens a letter; one that was written on a longer chain than is known here, once more on that. */
  async #onChain<T>(open: (title: Title) => Promise<T>): Promise<T> {
    try {
      return await open(this.#home.title);
    } catch (e) {
      if (!(e instanceof LetterError) || e.reason !== "unknown-head") throw e;
      return open(await this.#home.chain.refresh());
    }
  }

  #report(what: "condition" | "reply", reason: LetterReason, request: string): Promise<unknown> {
    return this.#reporter.tell({ what, delivery: request, asked: "", reason, word: isMisroute(reason) ? "misroute" : "corrupt", header: new Uint8Array(0) });
  }

  /** Has the conditions been asked for once, so that what can be corrected is; never fails. */
  async ready(): Promise<void> {
    this.#asked ??= this.conditions().then(
      () => undefined,
      (e: unknown) => {
        this.#asked = null; // the next list asks again
        if (!(e instanceof Failed)) throw e;
      },
    );
    await this.#asked;
    this.#listed = true;
  }

  /** By how much the clock of that agent was wrong in that boot: to be added to its times; null if nothing is known. */
  correction(signer: KeyID, boot: Bytes): number | null {
    const agent = this.#home.title.agentByKey(signer);
    const boots = agent === null ? [] : (this.#known.get(agent.id)?.condition.clock.boots ?? []);
    return boots.find((b) => b.boot === base32(boot))?.correction ?? null;
  }

  #corrections(): string {
    return JSON.stringify([...this.#known].map(([agent, { condition }]) => [agent, condition.clock.boots]));
  }

  /** Asks something of an agent and returns its last reply. */
  async command<C extends Command>(agent: AgentID, command: C, listening: Listening = {}): Promise<Replies[C["do"]]> {
    const stop = new AbortController();
    const { name } = listening;
    if (name !== undefined) this.#running.set(name, stop);
    try {
      return await this.#turns.run(() => this.#command(agent, command, listening, stop.signal));
    } catch (e) {
      throw stop.signal.aborted ? new Failed({ trouble: "refused", status: 0, reason: "stopped", message: "It was stopped." }) : e;
    } finally {
      stop.abort(); // whatever else would come is not waited for
      if (name !== undefined && this.#running.get(name) === stop) this.#running.delete(name);
    }
  }

  /** Ends a command by the page's name for it. */
  stop(name: string): void {
    this.#running.get(name)?.abort();
  }

  async #command<C extends Command>(agent: AgentID, command: C, listening: Listening, stop: AbortSignal): Promise<Replies[C["do"]]> {
    let incarnation = this.#known.get(agent)?.seen.incarnation ?? (await this.#incarnation(agent));
    for (let again = true; ; again = false) {
      stop.throwIfAborted();
      const sent = await sealCommand(this.#home.asks, this.#home.title, agent, incarnation, Date.now() * 1000, command);
      try {
        return await this.#send(agent, sent, listening, stop);
      } catch (e) {
        // It has started anew since its condition was read.
        if (!again || !(e instanceof Failed) || e.reason !== "stale") throw e;
        incarnation = await this.#incarnation(agent);
      }
    }
  }

  async #incarnation(agent: AgentID): Promise<number> {
    await this.conditions();
    const known = this.#known.get(agent);
    if (known === undefined || this.#home.title.agent(agent) === null) throw new Failed({ trouble: "away" });
    return known.seen.incarnation;
  }

  async #send<D extends keyof Replies>(agent: AgentID, sent: Sent<D>, { progress }: Listening, stop: AbortSignal): Promise<Replies[D]> {
    const { body, request } = await this.#home.session.letters(agent, sent.bytes, stop);
    const source = new Source(body);
    stop.addEventListener("abort", () => void source.cancel(), { once: true });
    try {
      for (;;) {
        const reply = await this.#open(sent, await nextLetter(source), request);
        if (reply.is === "error") throw new Failed({ trouble: "agent", reason: reply.reason, message: reply.message });
        if (reply.is === "last") return reply.reply;
        progress?.(reply.progress);
      }
    } finally {
      await source.cancel();
    }
  }

  async #open<D extends keyof Replies>(sent: Sent<D>, letter: Bytes, request: string): Promise<Awaited<ReturnType<Sent<D>["open"]>>["reply"]> {
    try {
      return (await this.#onChain((title) => sent.open(letter, title))).reply;
    } catch (e) {
      if (!(e instanceof LetterError)) throw e;
      await this.#report("reply", e.reason, request);
      if (isMisroute(e.reason)) throw new Failed({ trouble: "crossed", what: "letter" }, null, request);
      throw new Failed({ trouble: "refused", status: 0, reason: e.reason, message: "What the agent answered could not be verified." }, null, request);
    }
  }
}

/** Whether a letter was refused for being an answer to something else: a privacy alarm. */
function isMisroute(reason: LetterReason): boolean {
  return reason === "wrong-home" || reason === "wrong-agent" || reason === "wrong-kind" || reason === "wrong-command";
}

/** The next letter of an answer, which does not end before the agent's last reply. */
async function nextLetter(source: Source): Promise<Bytes> {
  const head = await source.take(4);
  if (head.length < 4) throw new Failed({ trouble: "away" });
  const length = new DataView(head.buffer).getUint32(0);
  if (length === 0 || length > maxLetter) throw broken(`a reply of ${length} bytes`);
  const letter = await source.take(length);
  if (letter.length < length) throw new Failed({ trouble: "away" });
  return letter;
}
