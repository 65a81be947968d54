// Where the page's calls about the home that is open are answered.

import type { CameraTimeline, Pieces, Stretch, Strip } from "../letter/footage.ts";
import { type Asked, type Part, checkPieces, checkStrip, checkTimelines } from "./recordings.ts";
import { type AgentID, type CameraID, type EventID, type HomeID, type NameText, parseName } from "../seal/name.ts";
import { base64 } from "../wire.ts";
import type { Listening } from "./agents.ts";
import { found } from "./founding.ts";
import type { Hall, Room } from "./hall.ts";
import { Joins, placeAsked, placeCamera, readAsks } from "./joins.ts";
import type {
  AgentCondition,
  Ask,
  Calls,
  CameraDescription,
  CameraSource,
  Description,
  Device,
  EventsPage,
  FullClip,
  Export,
  Found,
  Glance,
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
  Spared,
  StreamName,
  TitleView,
  Track,
  Trouble,
  WouldHaveFired,
} from "./protocol.ts";
import { ignoreTrouble, openedResult, result } from "./result.ts";

export class Desk implements Calls {
  readonly #hall: Hall;
  readonly #joins: Joins;

  constructor(hall: Hall, joins = new Joins(hall.server)) {
    this.#hall = hall;
    this.#joins = joins;
    hall.hear(({ changed }) => changed === "joins" && this.#joins.hinted());
  }

  homes(): Promise<Result<{ homes: KnownHome[] }>> {
    return result(async () => ({ homes: await this.#hall.homes() }));
  }

  found(setUp: SetUp): Promise<Result<{ home: HomeID }>> {
    return result(async () => {
      const home = await found(setUp.setup, this.#hall.server, await this.#hall.keep());
      await this.#hall.deposit().catch(ignoreTrouble);
      const room = await this.#hall.enter(home);
      const { home: name, zone } = setUp;
      // The home stands; a name that could not be saved now can be given later.
      await room.home.names.save(room.home.signer, { ...(name ? { home: name } : {}), ...(zone ? { zone } : {}) }).catch(ignoreTrouble);
      room.changes.start();
      return { home };
    });
  }

  open(home?: HomeID): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return result(async () => {
      const room = await this.#hall.enter(home);
      room.home.session.again();
      await this.#hall.refresh(room);
      room.changes.start();
      const settings = await room.home.names.read();
      void this.#hall.remember(room.home).catch(ignoreTrouble);
      return { settings, title: room.home.view() };
    });
  }

  title(): Promise<Result<{ title: TitleView }>> {
    return this.#in(async (room) => {
      await this.#hall.refresh(room);
      void this.#hall.remember(room.home).catch(ignoreTrouble);
      return { title: room.home.view() };
    });
  }

  settings(): Promise<Result<{ settings: SettingsView }>> {
    return this.#in(async ({ home }) => ({ settings: await home.names.read() }));
  }

  saveSettings(change: SettingsChange): Promise<Result<{ settings: SettingsView }>> {
    return this.#in(async ({ home }) => ({ settings: await home.names.save(home.signer, change) }));
  }

  events(...asked: Parameters<Calls["events"]>): Promise<Result<EventsPage>> {
    return this.#in((room) => room.events.page(...asked));
  }

  review(events: EventID[], through?: EventID): Promise<Result<object>> {
    return this.#in((room) => room.events.review(events, through));
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

  clipFile(name: NameText): Promise<Opened<{ blob: Blob }>> {
    return this.#opened((room) => room.films.cloud(name));
  }

  fullClip(name: NameText, description: NameText, command: string): Promise<Result<FullClip>> {
    return this.#in(({ films }) => films.home(name, description, command, (done, of) => this.#hall.tell({ changed: "progress", command, says: "", done, of })));
  }

  beginClip(name: NameText, description: NameText): Promise<Opened<{ track: Track | null }>> {
    return this.#opened((room) => room.clips.begin(name, description));
  }

  clipPart(name: NameText, part: number): Promise<Opened<{ bytes: Uint8Array<ArrayBuffer> }>> {
    return this.#opened((room) => room.clips.part(name, part));
  }

  openJoin(secret?: string): Promise<Result<Join>> {
    return this.#in((room) => this.#joins.open(room, secret));
  }

  watchJoin(slot: string): Promise<Result<JoinAnswer>> {
    return this.#in((room) => this.#joins.watch(room, slot));
  }

  stopJoin(slot: string): Promise<Result<object>> {
    return result(() => {
      this.#joins.stop(slot);
      return {};
    });
  }

  placeAgent(slot: string): Promise<Result<{ agent: AgentID }>> {
    return this.#in((room) => this.#joins.placeAgent(room, slot));
  }

  asks(): Promise<Result<{ asks: Ask[]; refused: number }>> {
    return this.#in(readAsks);
  }

  placeCamera(camera: CameraID, name?: string): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return this.#in((room) => placeAsked(room, camera, name));
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
    return this.#in(async ({ films }) => {
      films.stop(command);
      return {};
    });
  }

  addCamera(agent: AgentID, source: CameraSource): Promise<Result<{ camera: CameraID; title: TitleView; settings: SettingsView }>> {
    return this.#in(async (room) => {
      const { camera } = await room.agents.command(agent, { do: "add-camera", ...source });
      return { camera, ...(await placeCamera(room, camera, agent, source.name)) };
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

  timeline(agent: AgentID, about: Asked<"timeline">): Promise<Result<{ timelines: CameraTimeline[] }>> {
    return this.#in(async ({ agents }) => ({ timelines: checkTimelines((await agents.command(agent, { ...about, do: "timeline" })).timelines, about) }));
  }

  stills(agent: AgentID, about: Asked<"stills">): Promise<Result<Strip>> {
    return this.#in(async ({ agents }) => checkStrip(await agents.command(agent, { ...about, do: "stills" }), about));
  }

  footage(agent: AgentID, about: Asked<"footage">): Promise<Result<Pieces>> {
    return this.#in(async ({ agents }) => checkPieces(await agents.command(agent, { ...about, do: "footage" }), about));
  }

  glance(cameras: CameraID[], at: number, step: number): Promise<Result<{ glances: Glance[]; why: Trouble | null }>> {
    return this.#in(({ home, strips }) => {
      // What an agent would not give any more is not shown from memory either.
      const closed = home.title.frozen || home.me.rights !== null;
      if (closed) strips.forget();
      const mine = closed ? [] : cameras.filter((c) => home.title.camera(c) !== null);
      return strips.glance(mine, at, step);
    });
  }

  spared(): Promise<Result<{ spared: Spared[] }>> {
    return this.#in(async ({ home, strips }) => {
      const spared = await home.session.server.spared();
      strips.rest(spared.includes("filmstrips"));
      return { spared };
    });
  }

  lookAhead(cameras: CameraID[], stretch: Stretch): Promise<Result<object>> {
    return this.#in(({ strips }) => (strips.ahead(cameras, stretch), {}));
  }

  saveFootage(agent: AgentID, about: Part): Promise<Result<object>> {
    return this.#in(({ agents }) => agents.command(agent, { ...about, do: "save" }));
  }

  unsaveFootage(agent: AgentID, about: Part): Promise<Result<object>> {
    return this.#in(({ agents }) => agents.command(agent, { ...about, do: "unsave" }));
  }

  deleteFootage(agent: AgentID, about: Part): Promise<Result<object>> {
    return this.#in(async ({ agents, strips }) => {
      try {
        return await agents.command(agent, { ...about, do: "delete-footage" });
      } finally {
        strips.forget(about.camera); // even if the answer was lost
      }
    });
  }

  watch(watch: string, camera: CameraID, stream: StreamName): Promise<Result<object>> {
    return this.#in(async ({ watches }) => {
      watches.begin(watch, camera, stream);
      return {};
    });
  }

  unwatch(watch: string): Promise<Result<object>> {
    return this.#in(async ({ watches }) => {
      watches.end(watch);
      return {};
    });
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
    return this.#in(async ({ home }) => {
      await home.session.signOut();
      this.#hall.leave();
      return {};
    });
  }

  /** Tells the page how far a command has come, by the page's name for it. */
  #listening(command: string): Listening {
    return {
      name: command,
      progress: ({ still, ...p }) => this.#hall.tell({ changed: "progress", command, ...p, ...(still === null ? {} : { still }) }),
    };
  }

  #in<T>(work: (room: Room) => T | Promise<T>): Promise<Result<T>> {
    return result(() => work(this.#hall.room));
  }

  #opened<T>(work: (room: Room) => Promise<Opened<T>>): Promise<Opened<T>> {
    return openedResult(() => work(this.#hall.room));
  }
}
