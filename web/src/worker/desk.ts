// Where the page's calls are answered. Whatever goes wrong inside is thrown and ends
// here as one of the troubles of the protocol.

import { Failed, type Server } from "../api.ts";
import type { AgentBody } from "../deed/body.ts";
import { type AgentID, type CameraID, type HomeID, type NameText, parseName } from "../seal/name.ts";
import type { Keep, KeptHome } from "../keep/keep.ts";
import { base64 } from "../wire.ts";
import { Agents, type Listening } from "./agents.ts";
import { type ParsedAsk, parseAsk, readAsk } from "./ask.ts";
import { Changes } from "./changes.ts";
import { Events } from "./events.ts";
import { found } from "./founding.ts";
import { Home } from "./home.ts";
import { Invitation } from "./join.ts";
import { Objects } from "./objects.ts";
import type {
  AgentCondition,
  Ask,
  Calls,
  CameraDescription,
  CameraSource,
  Change,
  Description,
  Device,
  EventsPage,
  Export,
  Found,
  Join,
  JoinAnswer,
  KnownHome,
  MotionSettings,
  Opened,
  Result,
  SettingsChange,
  SettingsView,
  SetUp,
  Still,
  TitleView,
  WouldHaveFired,
} from "./protocol.ts";
import { Reporter } from "./report.ts";
import { Turns } from "./turns.ts";

const joinPoll = 2000; // milliseconds, beside the hints

/** What belongs to the home that is open. */
interface Room {
  home: Home;
  agents: Agents;
  events: Events;
  objects: Objects;
  reporter: Reporter;
  changes: Changes;
  asks: Map<CameraID, { ask: ParsedAsk; name: string }>;
}

interface OpenJoin {
  invitation: Invitation;
  agent: AgentBody | null;
  stopped: boolean;
  wake: () => void;
}

export class Desk implements Calls {
  readonly #server: Server;
  readonly #keep: () => Promise<Keep>;
  readonly #tell: (change: Change) => void;
  readonly #joins = new Map<string, OpenJoin>();
  readonly #entering = new Turns();
  #room: Room | null = null;

  constructor(server: Server, keep: () => Promise<Keep>, tell: (change: Change) => void) {
    this.#server = server;
    this.#keep = keep;
    this.#tell = tell;
  }

  homes(): Promise<Result<{ homes: KnownHome[] }>> {
    return result(async () => {
      const kept = await (await this.#openKeep()).homes();
      return { homes: kept.filter(isHere).map(({ home }) => ({ home, name: "", here: true })) };
    });
  }

  found(setUp: SetUp): Promise<Result<{ home: HomeID }>> {
    return result(async () => {
      const home = await found(setUp.setup, this.#server, await this.#openKeep());
      const room = await this.#enter(home);
      const { home: name, zone } = setUp;
      // The home stands; a name that could not be saved now can be given later.
      await room.home.names.save(room.home.signer, { ...(name ? { home: name } : {}), ...(zone ? { zone } : {}) }).catch(ignoreTrouble);
      room.changes.start();
      return { home };
    });
  }

  open(home?: HomeID): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return result(async () => {
      const room = await this.#enter(home);
      room.home.session.again();
      await this.#refresh(room);
      room.changes.start();
      return { settings: await room.home.names.read(), title: room.home.view() };
    });
  }

  title(): Promise<Result<{ title: TitleView }>> {
    return this.#in(async (room) => {
      await this.#refresh(room);
      return { title: room.home.view() };
    });
  }

  settings(): Promise<Result<{ settings: SettingsView }>> {
    return this.#in(async ({ home }) => ({ settings: await home.names.read() }));
  }

  saveSettings(change: SettingsChange): Promise<Result<{ settings: SettingsView }>> {
    return this.#in(async ({ home }) => ({ settings: await home.names.save(home.signer, change) }));
  }

  events(before?: string): Promise<Result<EventsPage>> {
    return this.#in((room) => room.events.page(before));
  }

  thumbnail(name: NameText): Promise<Opened<{ blob: Blob }>> {
    return this.#opened((room) => room.objects.blob(name, "thumbnail"));
  }

  description(name: NameText): Promise<Opened<{ description: Description }>> {
    return this.#opened((room) => room.objects.description(name));
  }

  clip(name: NameText): Promise<Opened<{ blob: Blob }>> {
    return this.#opened((room) => room.objects.blob(name, "clip"));
  }

  openJoin(secret?: string): Promise<Result<Join>> {
    return this.#in(async ({ home }) => {
      await home.chain.refresh();
      const { head } = home.title;
      const invitation = await Invitation.make(home.id, head, Date.now() * 1000, secret);
      if (invitation === null) throw new Failed({ trouble: "refused", status: 0, reason: "join-secret", message: "That link is not whole: copy all of it." });
      const { slot, announcement, expires } = invitation;
      await home.session.ask("POST", "/joins", { slot, announcement: base64(announcement), expires });
      this.#joins.set(slot, { invitation, agent: null, stopped: false, wake: () => undefined });
      const trust = await this.#server.trust();
      const link = `${this.#server.origin}/#join=${invitation.secret}&home=${home.id}&head=${head.seq}:${head.hash}${trust && `&trust=${trust}`}`;
      return { link, slot, expires };
    });
  }

  watchJoin(slot: string): Promise<Result<JoinAnswer>> {
    return this.#in(async ({ home }) => {
      const join = this.#joins.get(slot);
      while (join !== undefined && !join.stopped && join.invitation.expires > Date.now() * 1000) {
        const agent = join.agent ?? (await this.#answerIn(home, join));
        if (agent !== null) return { state: "answered", slot, agent: agent.agent };
        await new Promise<void>((go) => {
          const timer = setTimeout(go, joinPoll);
          join.wake = () => (clearTimeout(timer), go());
        });
      }
      return { state: join?.stopped ? "stopped" : "expired" };
    });
  }

  stopJoin(slot: string): Promise<Result<object>> {
    return result(async () => {
      const join = this.#joins.get(slot);
      if (join !== undefined) join.stopped = true;
      join?.wake();
      return {};
    });
  }

  placeAgent(slot: string): Promise<Result<{ agent: AgentID }>> {
    return this.#in(async ({ home }) => {
      const body = this.#joins.get(slot)?.agent;
      if (body == null) throw new Failed({ trouble: "refused", status: 0, reason: "join-answer", message: "No agent has answered yet." });
      await home.chain.append(home.signer, (title) => (title.agent(body.agent) === null ? body : null));
      this.#joins.delete(slot);
      // The document is sealed to the agents of its head: without a new one the agent reads no names.
      await home.names.save(home.signer, {}).catch(ignoreTrouble);
      return { agent: body.agent };
    });
  }

  asks(): Promise<Result<{ asks: Ask[]; refused: number }>> {
    return this.#in(async (room) => {
      const { home } = room;
      const { fields } = await home.session.ask("GET", "/asks");
      const parsed = fields.bytesList("asks").map(parseAsk);
      await home.chain.refresh();
      const ring = await home.ring();
      room.asks.clear();
      let refused = 0;
      for (const ask of parsed) {
        const name = ask === null ? null : await readAsk(ask, home.title, ring);
        if (name !== null) room.asks.set(ask!.camera, { ask: ask!, name });
        else if (ask === null || home.title.camera(ask.camera) === null) refused++;
      }
      const asks = [...room.asks.values()].map(({ ask, name }) => ({ camera: ask.camera, agent: ask.agent, name, time: ask.time }));
      return { asks, refused };
    });
  }

  placeCamera(camera: CameraID, name?: string): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return this.#in(async (room) => {
      const asked = room.asks.get(camera);
      if (asked === undefined) throw new Failed({ trouble: "refused", status: 0, reason: "not-asked", message: "No agent asks for that camera any more." });
      return this.#place(room, camera, asked.ask.agent, name ?? asked.name);
    });
  }

  /** Places a camera with its agent, by the owner's deed, and names it. */
  async #place({ home, asks }: Room, camera: CameraID, agent: AgentID, name: string): Promise<{ title: TitleView; settings: SettingsView }> {
    const title = await home.chain.append(home.signer, (title) => (title.camera(camera) === null ? { type: "place camera", camera, agent } : null));
    if (title.camera(camera)?.agent !== agent) throw new Failed({ trouble: "refused", status: 0, reason: "wrong-agent", message: "Another agent has that camera." });
    const settings = await home.names.save(home.signer, { cameras: { [camera]: { name } } });
    asks.delete(camera);
    return { title: home.view(), settings };
  }

  refuseCamera(camera: CameraID): Promise<Result<object>> {
    return this.#in(async ({ home, asks }) => {
      await home.session.ask("DELETE", `/asks/${camera}`);
      asks.delete(camera);
      return {};
    });
  }

  conditions(): Promise<Result<{ agents: AgentCondition[]; refused: number }>> {
    return this.#in(({ agents }) => agents.conditions());
  }

  probe(agent: AgentID, command: string, { address, user, password }: { address: string; user: string; password: string }): Promise<Result<{ found: Found }>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "probe", address, user, password }, this.#listening(command)));
  }

  discover(agent: AgentID, command: string): Promise<Result<{ devices: Device[] }>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "discover" }, this.#listening(command)));
  }

  stopCommand(command: string): Promise<Result<object>> {
    return this.#in(async ({ agents }) => {
      agents.stop(command);
      return {};
    });
  }

  addCamera(agent: AgentID, source: CameraSource): Promise<Result<{ camera: CameraID; title: TitleView; settings: SettingsView }>> {
    return this.#in(async (room) => {
      const { camera } = await room.agents.command(agent, { do: "add-camera", ...source });
      return { camera, ...(await this.#place(room, camera, agent, source.name)) };
    });
  }

  describeCamera(agent: AgentID, camera: CameraID): Promise<Result<CameraDescription>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "describe-camera", camera }));
  }

  changeCamera(agent: AgentID, camera: CameraID, source: CameraSource): Promise<Result<object>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "change-camera", camera, ...source }));
  }

  forgetCamera(agent: AgentID, camera: CameraID): Promise<Result<object>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "forget-camera", camera }));
  }

  acceptDevice(agent: AgentID, camera: CameraID): Promise<Result<object>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "accept-device", camera }));
  }

  still(agent: AgentID, camera: CameraID): Promise<Result<Still>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "still", camera }));
  }

  wouldFire(agent: AgentID, camera: CameraID, { sensitivity, zones, masks }: MotionSettings): Promise<Result<WouldHaveFired>> {
    return this.#in(({ agents }) => agents.command(agent, { do: "would-fire", camera, sensitivity, zones, masks }));
  }

  exportObject(text: NameText): Promise<Result<Export>> {
    return this.#in(async ({ objects }) => {
      const file = await objects.file(text);
      const name = parseName(text)!;
      return { file, filename: `${name.day}-${name.kind}-${name.object.slice(0, 8)}.latchkey` };
    });
  }

  exportKey(): Promise<Result<Export>> {
    return this.#in(async ({ home }) => {
      const secrets = await home.secrets();
      const epochs = secrets.map(({ epoch, seed }) => ({ epoch, seed: base64(seed) }));
      const text = JSON.stringify({ v: 1, home: home.id, deeds: home.title.deeds().map(base64), epochs });
      return { file: new Blob([text], { type: "application/json" }), filename: `latchkey-home-${home.id.slice(0, 8)}.key.json` };
    });
  }

  signOut(): Promise<Result<object>> {
    return this.#in(async ({ home, changes }) => {
      await home.session.signOut();
      changes.close();
      this.#room = null;
      return {};
    });
  }

  /** The machine says that it is online again. */
  online(): void {
    this.#room?.changes.hurry();
  }

  async #openKeep(): Promise<Keep> {
    try {
      return await this.#keep();
    } catch (e) {
      throw new Failed({ trouble: "storage", message: String(e) });
    }
  }

  /** Opens a home that this browser keeps, or stays in it. */
  #enter(id?: HomeID): Promise<Room> {
    return this.#entering.run(() => this.#enterNext(id));
  }

  async #enterNext(id?: HomeID): Promise<Room> {
    if (this.#room !== null && (id === undefined || id === this.#room.home.id)) return this.#room;
    const keep = await this.#openKeep();
    const kept = (await keep.homes()).find((h) => isHere(h) && (id === undefined || h.home === id));
    if (kept === undefined) throw new Failed({ trouble: "no-home" });
    const home = await Home.unlock(kept, this.#server, keep);
    const reporter = new Reporter(home.session);
    const agents = new Agents(home, reporter, () => this.#tell({ changed: "events" }));
    const events = new Events(home, reporter, agents);
    const objects = new Objects(home, events, reporter);
    this.#room?.changes.close();
    const changes = new Changes(home.session, (change) => this.#heard(change), () => home.chain.refresh());
    this.#room = { home, agents, events, objects, reporter, changes, asks: new Map() };
    return this.#room;
  }

  /** Tells the page how far a command has come, by the page's name for it. */
  #listening(command: string): Listening {
    return {
      name: command,
      progress: ({ still, ...p }) => this.#tell({ changed: "progress", command, ...p, ...(still === null ? {} : { still }) }),
    };
  }

  #heard(change: Change): void {
    if (change.changed === "events") this.#room?.events.hinted();
    if (change.changed === "joins") for (const join of this.#joins.values()) join.wake();
    this.#tell(change);
  }

  /** Fetches the chain; a fork is told to the server's records too. */
  async #refresh(room: Room): Promise<void> {
    try {
      await room.home.chain.refresh();
    } catch (e) {
      if (e instanceof Failed && e.trouble.trouble === "fork") {
        void room.reporter.tell({ delivery: e.request, asked: "", reason: "unknown-head", word: "corrupt", header: new Uint8Array(0) });
      }
      throw e;
    }
  }

  async #answerIn(home: Home, join: OpenJoin): Promise<AgentBody | null> {
    const { slot } = join.invitation;
    const { fields } = await home.session.ask("GET", `/joins/${slot}`);
    if (fields.text("slot") !== slot) throw new Failed({ trouble: "crossed", what: "name" });
    const answer = fields.bytes("answer");
    if (answer.length === 0) return null;
    join.agent = await join.invitation.check(answer);
    if (join.agent === null) throw new Failed({ trouble: "refused", status: 0, reason: "join-proof", message: "Somebody without the link answered. Make a new link." });
    return join.agent;
  }

  #in<T>(work: (room: Room) => Promise<T>): Promise<Result<T>> {
    return result(() => {
      if (this.#room === null) throw new Failed({ trouble: "no-home" });
      return work(this.#room);
    });
  }

  async #opened<T>(work: (room: Room) => Promise<Opened<T>>): Promise<Opened<T>> {
    const done = await this.#in(async (room) => ({ opened: await work(room) }));
    if (done.ok) return done.opened;
    const { ok: _, ...trouble } = done;
    return { state: "trouble", ...trouble };
  }
}

/** Whether keys of that home lie here, and the server has it. */
function isHere({ secrets, stage }: KeptHome): boolean {
  return secrets !== null && stage !== "founding" && stage !== "invited";
}

function ignoreTrouble(e: unknown): void {
  if (!(e instanceof Failed)) throw e;
}

/** Ends every call as a value. */
async function result<T>(work: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, ...(await work()) };
  } catch (e) {
    if (e instanceof Failed) return { ok: false, ...e.trouble };
    if (e instanceof DOMException && /quota|invalidstate|notfound|abort/i.test(e.name)) return { ok: false, trouble: "storage", message: e.message };
    return { ok: false, trouble: "broken", message: e instanceof Error ? e.message : String(e) };
  }
}
