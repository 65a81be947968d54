// Who I am and what I may see: the home that is open in this page, as far as it is
// verified, and the state of everything that all screens share.

import { SvelteMap } from "svelte/reactivity";

import { Inbox } from "./events/inbox.svelte.ts";
import { Openings } from "./events/openings.svelte.ts";
import type { Keeps } from "./keeper.ts";
import { Connection } from "./parts/connection.svelte.ts";
import { People } from "./people/people.svelte.ts";
import { browserZone, isZone } from "./parts/time.ts";
import type { Screen } from "./route.svelte.ts";
import { words } from "./words.ts";
import type { UsageView } from "./worker/members.ts";
import type { AgentCondition, AgentID, Ask, CameraID, CameraSettings, Change, Held, HomeID, KnownHome, Result, SettingsChange, SettingsView, Spared, TitleView, Trouble } from "./worker/protocol.ts";

/**
 * Where the page stands. `door`: the home does not open before somebody has done something.
 * `left` the session, `gone` from the home itself. `stopped` shows nothing of it any more.
 */
export type Phase =
  | { is: "starting" }
  | { is: "none" }
  | { is: "choose"; homes: KnownHome[] }
  | { is: "open" }
  | { is: "door"; why: AtTheDoor }
  | { is: "left" }
  | { is: "gone"; why: Gone }
  | { is: "stopped"; why: Trouble };

/** Why a home is nothing of this person's any more, by their own doing. `account`: nor is any other. */
export type Gone = "left" | "handed over" | "deleted" | "account";

/** Why a home does not open yet. */
export type AtTheDoor = Extract<Trouble, { trouble: "locked" | "unconfirmed" | "closed" | "held" }>;

const stops: ReadonlySet<Trouble["trouble"]> = new Set(["fork", "bad-chain", "signed-out", "no-home", "deleted", "storage"]);

function isAtTheDoor(why: Trouble): why is AtTheDoor {
  return why.trouble === "locked" || why.trouble === "unconfirmed" || why.trouble === "closed" || why.trouble === "held";
}

// How long the cameras of an agent that came with the set-up link are taken in without
// a further question: the link was made by whoever has the machine in hand.
const welcome = 120_000;

// Hints come over a socket; while it is down the page asks by itself.
const poll = 15_000;

// Whether an agent is connected is no document that changes: it is asked for, too.
const askAgents = 30_000;

// How long an agent may take to report a camera that was just added to it.
const settling = 45_000;

const asPlaced: CameraSettings = { name: "", off: false, offWhen: [], sensitivity: "medium", zones: [], masks: [] };

export class House {
  phase = $state.raw<Phase>({ is: "starting" });
  #title = $state.raw<TitleView | null>(null);
  settings = $state.raw<SettingsView | null>(null);
  asks = $state.raw<Ask[]>([]);
  /** How many asks did not verify; they are not shown. */
  refusedAsks = $state(0);
  /** What the agents report, as far as it was asked for. */
  conditions = $state.raw<AgentCondition[]>([]);
  /** How many reports did not verify; they are not shown. */
  refusedConditions = $state(0);
  /** What whoever runs the server has stopped here, since the last look at the list. */
  held = $state.raw<Held | null>(null);
  /** How much the home has stored, as far as it was asked for. */
  usage = $state.raw<UsageView | null>(null);
  /** What the server leaves out for a while. */
  spared = $state.raw<Spared[]>([]);
  /** Set when an answer came that was not to our question. */
  crossed = $state(false);
  /** Names of cameras that were taken in without a question, newest last. */
  welcomed = $state.raw<string[]>([]);

  /** How many of the deeds that were given back to the server the person has been told of. */
  #noted = $state(0);

  readonly keeper: Keeps;
  readonly connection: Connection;
  readonly openings: Openings;
  readonly inbox: Inbox;
  readonly people: People;

  #home: HomeID | undefined;
  #called = $state("");
  #welcome: { agent: AgentID; until: number } | null = null;
  readonly #placing = new Set<CameraID>();
  readonly #added = new SvelteMap<CameraID, number>();
  #askAgents: ReturnType<typeof setInterval> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  /** Set while this browser changes its own keys: with the old ones it is signed out for a moment. */
  #rekeying = false;
  readonly #stopListening: () => void;

  constructor(keeper: Keeps) {
    this.keeper = keeper;
    this.connection = new Connection(() => this.#reconnect());
    this.openings = new Openings(keeper, (trouble) => this.#note(trouble));
    this.inbox = new Inbox(
      async (...asked) => this.#listed(await keeper.events(...asked)),
      async (events, through) => this.heard(await keeper.review(events, ...(through === undefined ? [] : [through]))),
      this.openings,
    );
    this.people = new People(this);
    this.#stopListening = keeper.changes((change) => this.#changed(change));
  }

  /** What the chain says, as far as it is this person's business: a guest has the cameras of their rights. */
  get title(): TitleView | null {
    return this.#title;
  }

  #took(title: TitleView): void {
    const only = title.me.role === "guest" ? title.me.rights?.cameras : null;
    this.#title = only ? { ...title, cameras: title.cameras.filter((c) => only.includes(c.id)) } : title;
  }

  /** Whether this person decides about the home. */
  get isOwner(): boolean {
    return this.title?.me.role === "owner";
  }

  /** Whether this person sees the whole home: guests do not. */
  get seesAll(): boolean {
    return this.isOwner || this.title?.me.role === "resident";
  }

  /** Whether this is a copy at this machine: nothing of it is newer than it is, and nothing can be changed. */
  get copy(): boolean {
    return this.keeper.copy === true;
  }

  /** The home's name. Before the settings are read it has none but what its person calls it. */
  get name(): string {
    return this.settings?.home || this.#called || words.home;
  }

  /** The zone that days and times are shown in. */
  get zone(): string {
    const zone = this.settings?.zone ?? "";
    return isZone(zone) ? zone : browserZone();
  }

  /** How many deeds this page has given back to a server that had lost them, and nobody has been told of. */
  get gaveBack(): number {
    return (this.title?.gaveBack ?? 0) - this.#noted;
  }

  /** The person has been told. */
  noted(): void {
    this.#noted = this.title?.gaveBack ?? 0;
  }

  cameraName(id: CameraID | null): string {
    if (id === null) return words.unknownCamera;
    return this.settings?.cameras[id]?.name || words.unnamedCamera(id);
  }

  /** What the settings say of a camera; of one that they do not know, what holds then. */
  camera(id: CameraID): CameraSettings {
    return this.settings?.cameras[id] ?? asPlaced;
  }

  /** What an agent reports of itself and its cameras. */
  condition(agent: AgentID): AgentCondition | undefined {
    return this.conditions.find((c) => c.agent === agent);
  }

  /** An agent by its machine's name, once it has said that. Two of one name are told apart. */
  agentName(agent: AgentID): string {
    const name = hostOf(this.condition(agent));
    if (!name) return words.agent(agent);
    const alone = this.conditions.every((c) => c.agent === agent || hostOf(c) !== name);
    return alone ? name : words.agentAmong(name, agent);
  }

  /** Whether the camera was added so lately that its agent may not have reported it yet. */
  isNew(camera: CameraID): boolean {
    return Date.now() - (this.#added.get(camera) ?? Number.NEGATIVE_INFINITY) < settling;
  }

  /** Takes in what adding a camera came to. */
  added(camera: CameraID, title: TitleView, settings: SettingsView): void {
    this.#added.set(camera, Date.now());
    this.took(title, settings);
    this.#dropAsk(camera);
  }

  /** Takes in the title, and the settings, that a change came to. */
  took(title: TitleView, settings = this.settings): void {
    this.#took(title);
    this.settings = settings;
  }

  /** Opens the home of this browser: the named one, or the only one. */
  async start(home?: HomeID, called = ""): Promise<void> {
    this.#called ||= called;
    if (home === undefined && this.#home === undefined) {
      const known = this.heard(await this.keeper.homes());
      if (!known.ok) return this.#stop(known);
      if (known.homes.length === 0) return this.#go({ is: "none" });
      if (known.homes.length > 1) return this.#go({ is: "choose", homes: known.homes });
      this.#called = known.homes[0]?.name ?? "";
    }
    this.#home = home ?? this.#home;
    if (this.phase.is === "choose") this.#go({ is: "starting" });
    const opened = this.heard(await this.keeper.open(...(this.#home === undefined ? [] : [this.#home])));
    if (!opened.ok) return this.#stop(opened);
    this.took(opened.title, opened.settings);
    this.#home = opened.title.home;
    this.#go({ is: "open" });
    clearInterval(this.#askAgents);
    this.#askAgents = setInterval(() => void (this.connection.up && Promise.all([this.loadConditions(), this.loadUsage()])), askAgents);
    await Promise.all([this.inbox.refresh(), this.#loadAsks(), this.loadConditions(), this.people.load(), this.loadUsage(), this.#loadSpared()]);
  }

  /** Places a camera that was asked for. */
  async place(ask: Ask): Promise<Result<object>> {
    const placed = this.heard(await this.keeper.placeCamera(ask.camera, ask.name));
    if (!placed.ok) return placed;
    this.added(ask.camera, placed.title, placed.settings);
    return { ok: true };
  }

  async turnDown(ask: Ask): Promise<Result<object>> {
    const done = this.heard(await this.keeper.refuseCamera(ask.camera));
    if (done.ok) this.#dropAsk(ask.camera);
    return done;
  }

  async save(change: SettingsChange): Promise<Result<object>> {
    const saved = this.heard(await this.keeper.saveSettings(change));
    if (saved.ok) this.settings = saved.settings;
    return saved;
  }

  /** Signs out; the page shows nothing of the home after that. */
  async leave(): Promise<Result<object>> {
    const done = this.heard(await this.keeper.signOut());
    if (done.ok) {
      this.#go({ is: "left" });
      this.close();
    }
    return done;
  }

  /** Takes in what a change of the home itself came to. */
  async settled<T extends { title: TitleView; settings?: SettingsView }>(change: Promise<Result<T>>): Promise<Result<T>> {
    const answer = this.heard(await change);
    if (answer.ok) this.took(answer.title, answer.settings);
    return answer;
  }

  /** Runs what gives this browser other keys, and looks at everything with those. */
  async rekey<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    this.#rekeying = true;
    const done = await work();
    this.#rekeying = false;
    if (done.ok) await this.#loadEverything();
    return this.heard(done);
  }

  /** Nothing of the home is this person's business any more. */
  gone(why: Gone): void {
    this.phase = { is: "gone", why }; // the answer to something else may have told so before, as if it were a fault
    this.close();
  }

  /** Takes in the cameras that this agent asks for in the next two minutes. */
  async expect(agent: AgentID): Promise<void> {
    this.#welcome = { agent, until: Date.now() + welcome };
    await Promise.all([this.#loadTitle(), this.#loadAsks()]);
  }

  /** Reads the title again, after a deed of our own. */
  async renew(): Promise<void> {
    await this.#loadTitle();
  }

  /** Asks again for as long as the server does not answer: for what takes minutes anyway. */
  async patiently<T>(ask: () => Promise<Result<T>>, wanted: () => boolean = () => true): Promise<Result<T>> {
    for (;;) {
      const result = this.heard(await ask());
      const silent = !result.ok && (result.trouble === "offline" || result.trouble === "busy");
      if (!silent || !wanted()) return result;
      while (!this.connection.up && wanted()) await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Asks what the agents report. */
  async loadConditions(): Promise<void> {
    const answer = this.heard(await this.keeper.conditions());
    if (!answer.ok) return;
    this.conditions = answer.agents;
    this.refusedConditions = answer.refused;
  }

  /** Asks how much is stored. */
  async loadUsage(): Promise<void> {
    if (!this.seesAll) return;
    const answer = this.heard(await this.keeper.usage());
    if (answer.ok) this.usage = answer.usage;
  }

  async #loadSpared(): Promise<void> {
    const answer = this.heard(await this.keeper.spared());
    if (answer.ok) this.spared = answer.spared;
  }

  /** Every answer passes here: the state of the line, and what ends all showing. */
  heard<T>(result: Result<T>): Result<T> {
    this.#note(result.ok ? null : result);
    return result;
  }

  /** Whether nothing is shown on a screen because it is held: of a single route, that of the list is. */
  holds(screen: Screen): boolean {
    return screen === "events" || screen === "live" || screen === "timeline" || (screen === "cameras" && this.held?.scope !== "route");
  }

  /** Asks whether it has been released, and for everything if it has. */
  async askIfHeld(): Promise<void> {
    await this.inbox.refresh();
    if (this.held === null) await this.#loadEverything();
  }

  // The list says whether anything is held, and that nothing is any more.
  #listed<T>(page: Result<T>): Result<T> {
    if (page.ok) this.held = null;
    else if (page.trouble === "held") this.held = page;
    return this.heard(page);
  }

  close(): void {
    clearInterval(this.#poll);
    clearInterval(this.#askAgents);
    this.connection.close();
    this.#stopListening();
  }

  #note(trouble: Trouble | null): void {
    if (trouble?.trouble === "offline") return this.connection.silent();
    if (trouble?.trouble === "busy") return this.connection.silent(trouble.retryAfterMs);
    this.connection.heard();
    if (trouble?.trouble === "crossed") this.crossed = true;
    if (trouble?.trouble === "held") {
      // A route that is held by itself is said where it is missed.
      if (trouble.scope !== "route") this.held = trouble;
      return;
    }
    if (trouble && (stops.has(trouble.trouble) || isAtTheDoor(trouble))) this.#stop(trouble);
  }

  #stop(why: Trouble): void {
    if (why.trouble === "offline" || why.trouble === "busy" || this.phase.is === "stopped") return;
    if (this.#rekeying && (why.trouble === "signed-out" || why.trouble === "no-home")) return;
    if (isAtTheDoor(why)) return this.#go({ is: "door", why });
    this.#go({ is: "stopped", why });
    this.close();
  }

  #go(phase: Phase): void {
    if (this.phase.is !== "stopped" && this.phase.is !== "left" && this.phase.is !== "gone") this.phase = phase;
  }

  async #reconnect(): Promise<void> {
    if (this.phase.is === "starting") return this.start();
    if (this.phase.is === "open") await this.#loadEverything();
  }

  async #loadEverything(): Promise<void> {
    await this.#loadTitle();
    if (!this.connection.up) return;
    await Promise.all([this.#loadSettings(), this.inbox.refresh(), this.#loadAsks(), this.loadConditions(), this.people.load(), this.loadUsage(), this.#loadSpared()]);
  }

  async #loadTitle(): Promise<void> {
    const answer = this.heard(await this.keeper.title());
    if (answer.ok) this.#took(answer.title);
  }

  async #loadSettings(): Promise<void> {
    const answer = this.heard(await this.keeper.settings());
    if (answer.ok) this.settings = answer.settings;
  }

  async #loadAsks(): Promise<void> {
    const answer = this.heard(await this.keeper.asks());
    if (!answer.ok) return;
    this.refusedAsks = answer.refused;
    this.asks = answer.asks.filter((a) => !this.#placing.has(a.camera));
    await this.#takeIn();
  }

  // Placing is one deed after the other: each names the one before it.
  async #takeIn(): Promise<void> {
    for (const ask of this.asks) {
      if (!this.#welcome || Date.now() > this.#welcome.until || ask.agent !== this.#welcome.agent || this.#placing.has(ask.camera)) continue;
      this.#placing.add(ask.camera);
      const placed = await this.place(ask);
      this.#placing.delete(ask.camera);
      if (placed.ok) this.welcomed = [...this.welcomed, ask.name];
    }
  }

  #dropAsk(camera: CameraID): void {
    this.asks = this.asks.filter((a) => a.camera !== camera);
  }

  #changed(change: Change): void {
    if (change.changed === "link") this.#linked(change.up);
    if (this.phase.is !== "open") return;
    if (change.changed === "events") void this.inbox.refresh();
    // Who is in the home stands in its deeds, and their names in the settings.
    const people = () => (this.connection.up ? this.people.load() : undefined);
    if (change.changed === "deeds") void this.#loadTitle().then(people);
    if (change.changed === "settings") void this.#loadSettings().then(people);
    if (change.changed === "asks") void this.#loadAsks();
    if (change.changed === "conditions") void this.loadConditions();
    if (change.changed === "spared") void this.#loadSpared();
  }

  #linked(up: boolean): void {
    clearInterval(this.#poll);
    if (!up) this.#poll = setInterval(() => void (this.connection.up && this.phase.is === "open" && this.#loadEverything()), poll);
    // Hints may have been missed while the socket was down.
    if (this.phase.is === "open") void this.#loadEverything();
  }
}

function hostOf(condition: AgentCondition | undefined): string {
  return condition?.state === "verified" ? condition.condition.name : "";
}
