// A stand-in for the worker, for working on looks: pictures are painted, nothing is
// sealed, nothing is verified. It is no part of the built page.

import type { Keeps } from "../keeper.ts";
import type { AgentCondition, AgentID, Ask, CameraCondition, CameraID, CameraSource, Change, EventID, EventRow, HomeID, NameText, ObjectRow, PersonID, SettingsView, TitleView } from "../worker/protocol.ts";
import { offer, placed, report, silentReport, troubles } from "./agents.ts";
import { film, paint, type Scene } from "./paint.ts";

const letters = "abcdefghijklmnopqrstuvwxyz234567";

function id(seed: number, length: number): string {
  let text = "";
  let x = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length - 1; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    text += letters[x >>> 27];
  }
  return `${text}a`;
}

const home = id(7, 52) as HomeID;
const agent = id(8, 26) as AgentID;
const second = id(9, 26) as AgentID;
const scenes: Scene[] = ["door", "garden", "garage"];
const names = ["Front door", "Garden", "Garage"];
const cameras = scenes.map((_, i) => id(20 + i, 26) as CameraID);
const troubled = troubles.map((_, i) => id(60 + i, 26) as CameraID);
const shed = id(90, 26) as CameraID;

interface Fake {
  row: EventRow;
  seconds: number;
  scene: Scene;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the address of the dev page asks for: ?is=offline, fork, empty, new, asks … */
export const asked = new URLSearchParams(location.search);
const is = (what: string) => (asked.get("is") ?? "").split(",").includes(what);

export class FakeKeeper implements Keeps {
  readonly #events: Fake[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  #founded = !is("new");
  #offline = false;
  #begun = false;
  #asks: Ask[] = [];
  readonly #stopped = new Set<string>();
  #added: CameraID[] = [];
  #title: TitleView = { home, head: `7:${"4f".repeat(32)}`, epoch: 1, cameras: [], agents: [], me: { person: id(30, 26) as PersonID, role: "owner", rights: null }, frozen: false, retention: { days: 0, bytes: 0 } };
  #settings: SettingsView = { number: 1, home: "Birch Lane 4", zone: "Europe/Berlin", cameras: {} };

  constructor() {
    if (!is("new") && !is("empty")) this.#furnish();
    if (is("asks")) this.#asks = [{ camera: id(40, 26) as CameraID, agent, name: "Cellar stairs", time: Date.now() * 1000 }];
    if (is("lively")) setInterval(() => this.#happen(), 3000);
  }

  /** What is to go on once the page has something to show. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (is("offline")) setTimeout(() => ((this.#offline = true), this.#tell({ changed: "link", up: false })), 3000);
    if (is("once")) setTimeout(() => [0, 1, 2].forEach(() => this.#happen()), 4000);
  }

  #furnish(): void {
    this.#title = { ...this.#title, agents: [{ id: agent }], cameras: cameras.map((c) => ({ id: c, agent })) };
    this.#settings = { ...this.#settings, cameras: Object.fromEntries(cameras.map((c, i) => [c, placed(names[i] ?? "")])) };
    if (is("states")) this.#trouble();
    const [door] = cameras;
    if (is("drawn") && door) this.#settings.cameras[door] = { ...placed("Front door"), zones: [{ name: "Path", points: [[3200, 5200], [6900, 5200], [8200, 9400], [2100, 9400]] }], masks: [{ points: [[300, 400], [2600, 300], [2400, 4200], [400, 3900]] }], offWhen: [{ days: [1, 2, 3, 4, 5], from: "07:00", to: "17:00" }] };
    if (is("quiet")) return;
    const now = Date.now();
    let ago = 20;
    for (let i = 0; i < 180; i++) {
      this.#events.push(this.#make(i, now - ago * 1000));
      ago += 60 + ((i * 7919) % 2600) * (i % 9 === 8 ? 6 : 1);
    }
  }

  #trouble(): void {
    const all = [...cameras, ...troubled];
    this.#title = { ...this.#title, agents: [{ id: agent }, { id: second }], cameras: [...all.map((c) => ({ id: c, agent })), { id: shed, agent: second }] };
    troubled.forEach((c, i) => {
      const [name, , more] = troubles[i] ?? ["", {}, {}];
      this.#settings.cameras[c] = { ...placed(name), ...more };
    });
    this.#settings.cameras[shed] = placed("Shed");
  }

  #make(i: number, ms: number): Fake {
    const which = (i * 5 + Math.floor(i / 3)) % 3;
    const camera = cameras[which] as CameraID;
    const event = id(1000 + i, 26) as EventID;
    const time = ms * 1000;
    const day = new Date(ms).toISOString().slice(0, 10);
    const name = (kind: string, n: number) => `v1/${home}/${camera}/${day}/${kind}/${id(5000 + i * 3 + n, 26)}` as NameText;
    const object = (kind: "thumbnail" | "clip" | "description", n: number): ObjectRow => ({ state: "verified", name: name(kind, n), kind, time, quality: "synchronised", bytes: 40_000, openable: true });
    const objects = [object("thumbnail", 0)];
    if (i > 0) objects.push(object("description", 1));
    if (i > 1) objects.push(object("clip", 2));
    const fake = { row: { key: event as string, event, camera, time, objects } as EventRow, seconds: 6 + ((i * 31) % 55), scene: scenes[which] ?? "door" };
    if (i === 4) objects[0] = { state: "refused", name: name("thumbnail", 0), kind: "thumbnail", word: "misroute", reason: "wrong-camera" };
    if (i === 11) fake.row = { key: "row 11", event: null, camera: null, time: null, objects: [{ state: "refused", name: null, kind: null, word: "corrupt", reason: "bad-signature" }] };
    return fake;
  }

  #happen(): void {
    const fake = this.#make(2000 + Math.floor(Math.random() * 1e6) * 3, Date.now());
    fake.row.objects.splice(1);
    this.#events.unshift(fake);
    this.#tell({ changed: "events" });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #find(name: NameText): Fake | undefined {
    return this.#events.find((e) => e.row.objects.some((o) => o.name === name));
  }

  async #answer<T>(value: T): Promise<({ ok: true } & T) | { ok: false; trouble: "offline" }> {
    await wait(120);
    return this.#offline ? { ok: false, trouble: "offline" } : { ok: true, ...value };
  }

  changes = (listener: (change: Change) => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  homes = () => this.#answer({ homes: this.#founded ? [{ home, name: "Birch Lane 4", here: true }] : [] });
  found: Keeps["found"] = async (setUp) => {
    await wait(900);
    if (is("used")) return { ok: false, trouble: "refused", status: 404, reason: "not-found", message: "" };
    this.#founded = true;
    this.#settings = { ...this.#settings, home: setUp.home ?? "", zone: setUp.zone ?? "" };
    return { ok: true, home };
  };
  open: Keeps["open"] = async () => {
    await wait(200);
    if (is("fork")) return { ok: false, trouble: "fork", seen: "7:aa", offered: "5:bb" };
    if (is("signed-out")) return { ok: false, trouble: "signed-out" };
    if (is("down")) return { ok: false, trouble: "offline" };
    return { ok: true, title: this.#title, settings: this.#settings };
  };
  title = () => this.#answer({ title: this.#title });
  settings = () => this.#answer({ settings: this.#settings });
  saveSettings: Keeps["saveSettings"] = async (change) => {
    const cameras = { ...this.#settings.cameras };
    for (const [id, members] of Object.entries(change.cameras ?? {})) cameras[id as CameraID] = { ...placed(""), ...cameras[id as CameraID], ...members };
    this.#settings = { ...this.#settings, ...change, cameras };
    return this.#answer({ settings: this.#settings });
  };
  events: Keeps["events"] = async (before) => {
    if (is("slow")) await wait(60_000);
    const from = before ? Number(before) : 0;
    const page = this.#events.slice(from, from + 30).map((e) => ({ ...e.row }));
    return this.#answer({ events: page, next: from + 30 < this.#events.length ? String(from + 30) : "" });
  };
  thumbnail: Keeps["thumbnail"] = async (name) => {
    await wait(150 + Math.random() * 300);
    const e = this.#find(name);
    if (!e || this.#offline) return { state: "trouble", trouble: "offline" };
    const at = this.#events.indexOf(e);
    if (at === 7) return { state: "refused", word: "corrupt", reason: "chunk", reported: "confirmed" };
    if (at === 14) return { state: "refused", word: "unknown-key", reason: "no-envelope", reported: "unconfirmed" };
    const blob = await paint(e.scene, names[scenes.indexOf(e.scene)] ?? "", new Date((e.row.time ?? 0) / 1000));
    this.#begin();
    return { state: "opened", blob, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  description: Keeps["description"] = async (name) => {
    const e = this.#find(name);
    const start = e?.row.time ?? 0;
    const description = { start, end: start + (e?.seconds ?? 1) * 1e6, cause: "motion", score: 0.4, clip: null };
    return { state: "opened", description, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  clip: Keeps["clip"] = async (name) => {
    const e = this.#find(name);
    if (!e || this.#offline) return { state: "trouble", trouble: "offline" };
    if (this.#events.indexOf(e) === 5) return { state: "refused", word: "misroute", reason: "wrong-object", reported: "confirmed" };
    if (is("h265")) return { state: "opened", blob: new Blob(["    ftypisom  hvc1"]), timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
    const blob = await film(e.scene, names[scenes.indexOf(e.scene)] ?? "", new Date((e.row.time ?? 0) / 1000), is("sound"));
    return { state: "opened", blob, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  openJoin = () => this.#answer({ link: `${location.origin}/#join=${id(3, 26)}&home=${home}&head=${this.#title.head}`, slot: "slot", expires: (Date.now() + 1_800_000) * 1000 });
  watchJoin: Keeps["watchJoin"] = async () => {
    await wait(is("new") ? 900 : 60_000);
    return { ok: true, state: "answered", slot: "slot", agent };
  };
  stopJoin = () => this.#answer({});
  placeAgent: Keeps["placeAgent"] = async () => {
    this.#title = { ...this.#title, agents: [{ id: agent }] };
    if (is("new"))
      cameras.forEach((camera, i) =>
        setTimeout(() => {
          this.#asks.push({ camera, agent, name: names[i] ?? "", time: 0 });
          this.#tell({ changed: "asks" });
        }, 700 * (i + 1)),
      );
    return this.#answer({ agent });
  };
  asks = () => this.#answer({ asks: [...this.#asks], refused: 0 });
  placeCamera: Keeps["placeCamera"] = async (camera, name) => {
    this.#asks = this.#asks.filter((a) => a.camera !== camera);
    this.#title = { ...this.#title, cameras: [...this.#title.cameras, { id: camera, agent }] };
    this.#settings = { ...this.#settings, cameras: { ...this.#settings.cameras, [camera]: placed(name ?? "") } };
    return this.#answer({ title: this.#title, settings: this.#settings });
  };
  refuseCamera: Keeps["refuseCamera"] = async (camera) => {
    this.#asks = this.#asks.filter((a) => a.camera !== camera);
    return this.#answer({});
  };
  conditions: Keeps["conditions"] = async () => {
    if (is("untold")) return this.#answer({ agents: [], refused: 1 });
    const how = new Map<CameraID, Partial<CameraCondition>>(troubled.map((c, i) => [c, troubles[i]?.[1] ?? {}]));
    for (const { id } of this.#title.cameras) if (this.#settings.cameras[id]?.off) how.set(id, { ...how.get(id), state: "off", recording: false });
    const own = this.#title.cameras.filter((c) => c.agent === agent).map((c) => c.id);
    const agents: AgentCondition[] = this.#title.agents.length > 0 ? [report(agent, "attic-pi", own, how)] : [];
    if (is("states")) agents.push(silentReport(second, "garden-pc", [shed]));
    if (is("away")) return this.#answer({ agents: [silentReport(agent, "attic-pi", own)], refused: 0 });
    return this.#answer({ agents, refused: 0 });
  };
  discover: Keeps["discover"] = async (_, command) => {
    await wait(700);
    if (this.#stopped.has(command)) return { ok: false, trouble: "refused", status: 0, reason: "stopped", message: "" };
    if (is("alone")) return this.#answer({ devices: [] });
    const device = (host: string, name: string, hardware: string) => ({ host, name, hardware, address: `rtsp://${host}:554` });
    return this.#answer({ devices: [device("192.168.1.64", "Garden cam", "DS-2CD2043G2"), device("192.168.1.71", "", "IPC-HDW1230")] });
  };
  probe: Keeps["probe"] = async (_, command, { password }) => {
    const says = ["Connecting to 192.168.1.64.", "Asking which streams it has.", "Watching stream 1.", "Watching stream 2."];
    for (const [done, sentence] of says.entries()) {
      const still = done > 1 || is("slowly") ? { still: await paint("garden", "", new Date()) } : {};
      this.#tell({ changed: "progress", command, says: sentence, done, of: says.length, ...still });
      await wait(is("slowly") ? 60_000 : 250);
      if (this.#stopped.has(command)) return { ok: false, trouble: "refused", status: 0, reason: "stopped", message: "" };
    }
    if (password === "wrong") return { ok: false, trouble: "agent", reason: "wrong-password", message: "The camera refuses this user and password. No further try was made, so that it does not lock the account." };
    return this.#answer({ found: await offer() });
  };
  stopCommand: Keeps["stopCommand"] = async (command) => {
    this.#stopped.add(command);
    return { ok: true };
  };
  addCamera: Keeps["addCamera"] = async (at: AgentID, { name }: CameraSource) => {
    const camera = id(300 + this.#added.length, 26) as CameraID;
    this.#added.push(camera);
    this.#title = { ...this.#title, cameras: [...this.#title.cameras, { id: camera, agent: at }] };
    this.#settings = { ...this.#settings, cameras: { ...this.#settings.cameras, [camera]: placed(name) } };
    return this.#answer({ camera, title: this.#title, settings: this.#settings });
  };
  describeCamera: Keeps["describeCamera"] = (_, camera) => {
    const [main, sub] = ["rtsp://192.168.1.64:554/Streaming/Channels/101", "rtsp://192.168.1.64:554/Streaming/Channels/102"];
    return this.#answer({ name: this.#settings.cameras[camera]?.name ?? "", main, sub, user: "viewer", pin: { mac: "", serial: "5B0042218", certificate: "" } });
  };
  changeCamera = () => this.#answer({});
  forgetCamera = () => this.#answer({});
  acceptDevice = () => this.#answer({});
  still: Keeps["still"] = async () => {
    if (is("no-still")) return { ok: false, trouble: "agent", reason: "unreachable", message: "The camera cannot be reached." };
    const now = new Date();
    return this.#answer({ blob: await paint("door", "Front door", now), width: 1920, height: 1080, time: now.getTime() * 1000 });
  };
  wouldFire: Keeps["wouldFire"] = (_, __, { sensitivity, zones, masks }) => {
    const times = { low: 6, medium: 14, high: 41 }[sensitivity] - Math.min(5, zones.length * 2 + masks.length);
    return this.#answer({ times, since: (Date.now() - 24 * 3600_000) * 1000 });
  };
  exportObject = () => this.#answer({ file: new Blob(["sealed"]), filename: "event.latchkey" });
  exportKey = () => this.#answer({ file: new Blob(["{}"]), filename: "home.key.json" });
  signOut = () => this.#answer({});
}
