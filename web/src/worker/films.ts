// Clips as files that any player takes: the cloud's, and the better picture that is at
// home alone, fetched from its agent group by group.

import { Failed } from "../api.ts";
import { maxCarried, type Piece } from "../letter/footage.ts";
import type { NameText } from "../seal/name.ts";
import { type Bytes, concat, equal } from "../wire.ts";
import type { Agents } from "./agents.ts";
import { parseDescription } from "./content.ts";
import { Film, FilmError, joined } from "./film.ts";
import type { Home } from "./home.ts";
import type { Objects } from "./objects.ts";
import type { AgentID, FullClip, Opened } from "./protocol.ts";
import { type Asked, checkPieces } from "./recordings.ts";
import { refused } from "./result.ts";

/** What is asked for of a camera's main stream. */
type Span = Pick<Asked<"footage">, "camera" | "from" | "until">;

/** Told how much has come, of how much; microseconds of what is shown. */
type Told = (done: number, of: number) => void;

export class Films {
  readonly #home: Home;
  readonly #objects: Objects;
  readonly #agents: Agents;
  readonly #running = new Map<string, AbortController>();

  constructor(home: Home, objects: Objects, agents: Agents) {
    this.#home = home;
    this.#objects = objects;
    this.#agents = agents;
  }

  /** The cloud's clip; one that cannot be joined as it is. */
  cloud(text: NameText): Promise<Opened<{ blob: Blob }>> {
    return this.#objects.open(text, "clip", ({ header, content }) => {
      try {
        return { blob: joined(content, header.binding.time) };
      } catch (e) {
        if (!(e instanceof FilmError)) throw e;
        return { blob: new Blob([content], { type: "video/mp4" }) };
      }
    });
  }

  /** What home has of the time of a clip, by what the description of its event says. `command` is the page's name for it. */
  async home(text: NameText, description: NameText, command: string, told: Told): Promise<FullClip> {
    const { agent, span } = await this.#spanOf(text, description);
    const stop = new AbortController();
    this.#running.set(command, stop);
    try {
      return await this.#fetch(agent, span, command, stop.signal, told);
    } catch (e) {
      if (e instanceof FilmError) throw refused("no-film", "What is recorded at home is not one film. The cloud's clip is still here.");
      throw e;
    } finally {
      this.#running.delete(command);
    }
  }

  /** Ends a home(), or another command of that name. */
  stop(command: string): void {
    this.#running.get(command)?.abort();
    this.#agents.stop(command);
  }

  /** Of which agent's camera a clip is, and from when until when. */
  async #spanOf(text: NameText, description: NameText): Promise<{ agent: AgentID; span: Span }> {
    const told = await this.#objects.open(description, "description", ({ header, content }) => ({ by: header.binding.camera, clip: parseDescription(content)?.clip ?? null }));
    if (told.state === "trouble") throw new Failed(told);
    const is = this.#objects.listed(text);
    if (told.state === "refused" || is === null || told.clip === null || told.by !== is.camera || told.clip.object !== is.object || told.clip.duration === 0) {
      throw refused("no-clip", "What belongs to this clip could not be verified.");
    }
    // What is listed was verified: a camera of the home took it.
    const { agent } = this.#home.title.anyCamera(is.camera)!;
    return { agent, span: { camera: is.camera, from: is.time, until: is.time + told.clip.duration } };
  }

  async #fetch(agent: AgentID, span: Span, command: string, stop: AbortSignal, told: Told): Promise<FullClip> {
    const of = span.until - span.from;
    let taking = new Taking();
    let longest = taking;
    let next = { group: 0, offset: 0 };
    told(0, of);
    for (;;) {
      if (stop.aborted) throw refused("stopped", "It was stopped.");
      const asked = { ...span, track: "main" as const, most: maxCarried, ...next };
      const came = checkPieces(await this.#agents.command(agent, { ...asked, do: "footage" }, { name: command }), asked);
      // What is coded otherwise, because sound has joined it, goes into no file with what was before.
      if (!taking.coded(came.type, came.init)) taking = new Taking();
      taking.coded(came.type, came.init);
      for (const p of came.pieces) taking.take(p);
      if (taking.lasts > longest.lasts) longest = taking;
      told(Math.min(of, Math.max(0, taking.until - span.from)), of);
      if (!came.more) return longest.done(of);
      next = { group: came.group, offset: came.offset };
    }
  }
}

/** The groups of one film as they come, in parts. */
class Taking {
  #init: Bytes | null = null;
  #film: Film | null = null;
  #group: Bytes[] = [];
  #there = 0; // bytes of that group
  #begins = 0; // when the first picture was taken
  /** How long what is there is shown. */
  lasts = 0;
  /** Up to when something has come. */
  until = 0;

  /** Says whether what comes next is coded as what is there: only that can go on in one file. */
  coded(type: string, init: Bytes): boolean {
    if (type === "") return true; // of nothing, or of what is damaged
    this.#init ??= init;
    return equal(this.#init, init);
  }

  take(p: Piece): void {
    if (p.damaged || this.#init === null) return;
    if (p.offset === 0) [this.#group, this.#there] = [[], 0];
    this.#group.push(p.bytes);
    this.#there += p.bytes.length;
    if (this.#there < p.of) return;
    this.until = p.time + p.lasts;
    if (this.#film === null && !p.key) return; // nothing can begin here
    if (this.#film === null) {
      this.#film = new Film(this.#init);
      this.#begins = p.time;
    }
    this.#film.add(concat(...this.#group));
    this.#group = [];
    this.lasts += p.lasts;
  }

  done(of: number): FullClip {
    if (this.#film === null) throw refused("no-footage", "Home has nothing of this time any more.");
    // Groups are taken whole, so that there is usually a little more than was asked for.
    return { blob: this.#film.file(this.#begins), lasts: this.lasts, lacks: Math.max(0, of - this.lasts) };
  }
}
