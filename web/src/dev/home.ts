// The stand-in's calls about the home that is open.

import type { AgentCondition, AgentID, CameraCondition, CameraID, CameraSource, Calls, Description, Trouble } from "../worker/protocol.ts";
import { offer, placed, report, silentReport, troubles } from "./agents.ts";
import { id, is, wait } from "./ids.ts";
import { film, paint } from "./paint.ts";
import { FakeRecorded } from "./recorded.ts";
import { agent, cameras, home, names, scenes, second, shed, type Stage, troubled } from "./stage.ts";

/** What a description says of a clip that was made of the sub-stream. */
const clipOf = (name: string, seconds: number): Description["clip"] => ({ object: name, type: "video/mp4", width: 320, height: 180, duration: seconds * 1e6, bytes: 1, stream: "sub" });

const held: Extract<Trouble, { trouble: "held" }> = { trouble: "held", scope: is("home-held") ? "home" : "server", since: (Date.now() - 3_600_000) * 1000, says: is("home-held") ? "" : "We are looking into two reports. Nothing of yours is lost." };

export class FakeHome implements Calls {
  readonly #s: Stage;
  readonly #recorded = new FakeRecorded();

  constructor(stage: Stage) {
    this.#s = stage;
  }

  homes: Calls["homes"] = async () => (this.#s.standing.state === "locked" ? { ok: false, trouble: "locked" } : this.#s.answer({ homes: this.#s.homes() }));
  found: Calls["found"] = async (setUp) => {
    await wait(900);
    if (is("used")) return { ok: false, trouble: "refused", status: 404, reason: "not-found", message: "" };
    this.#s.founded = true;
    this.#s.settings = { ...this.#s.settings, home: setUp.home ?? "", zone: setUp.zone ?? "" };
    return { ok: true, home };
  };
  open: Calls["open"] = async (which) => {
    await wait(200);
    if (this.#s.standing.state === "locked") return { ok: false, trouble: "locked" };
    if (this.#s.shut) return { ok: false, ...this.#s.shut };
    if (which !== undefined && which !== home) return { ok: true, title: { ...this.#s.title, home: which, cameras: [], agents: [] }, settings: { ...this.#s.settings, home: which === id(91, 52) ? "Grandma's flat" : "Allotment" } };
    if (is("fork")) return { ok: false, trouble: "fork", seen: "7:aa", offered: "5:bb" };
    if (is("signed-out")) return { ok: false, trouble: "signed-out" };
    if (is("down")) return { ok: false, trouble: "offline" };
    return { ok: true, title: this.#s.title, settings: this.#s.settings };
  };
  title = () => this.#s.answer({ title: this.#s.title });
  settings = () => this.#s.answer({ settings: this.#s.settings });
  saveSettings: Calls["saveSettings"] = async (change) => {
    const cameras = { ...this.#s.settings.cameras };
    for (const [id, members] of Object.entries(change.cameras ?? {})) cameras[id as CameraID] = { ...placed(""), ...cameras[id as CameraID], ...members };
    this.#s.settings = { ...this.#s.settings, ...change, cameras };
    return this.#s.answer({ settings: this.#s.settings });
  };
  events: Calls["events"] = async (before, { camera, from: since = 0, until = Infinity } = {}) => {
    if (is("slow")) await wait(60_000);
    if (is("held")) return { ok: false, ...held };
    const from = before ? Number(before) : 0;
    const all = this.#s.events.filter(({ row }) => (camera === undefined || row.camera === camera) && (row.time ?? 0) >= since && (row.time ?? 0) < until);
    return this.#s.answer({ events: all.slice(from, from + 30).map((e) => ({ ...e.row })), next: from + 30 < all.length ? String(from + 30) : "", porch: is("porch") });
  };
  review: Calls["review"] = () => this.#s.answer({});
  thumbnail: Calls["thumbnail"] = async (name) => {
    await wait(150 + Math.random() * 300);
    const e = this.#s.find(name);
    if (!e || this.#s.offline) return { state: "trouble", trouble: "offline" };
    const at = this.#s.events.indexOf(e);
    if (at === 7) return { state: "refused", word: "corrupt", reason: "chunk", reported: "confirmed" };
    if (at === 14) return { state: "refused", word: "unknown-key", reason: "no-envelope", reported: "unconfirmed" };
    const blob = await paint(e.scene, names[scenes.indexOf(e.scene)] ?? "", new Date((e.row.time ?? 0) / 1000));
    this.#s.begin();
    return { state: "opened", blob, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  description: Calls["description"] = async (name) => {
    const e = this.#s.find(name);
    const start = e?.row.time ?? 0;
    const description = { start, end: start + (e?.seconds ?? 1) * 1e6, cause: "motion", saw: e?.saw ?? [], score: 0.4, continues: this.#s.formerOf(e), clip: clipOf(name, e?.seconds ?? 1), names: null };
    return { state: "opened", description, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  clip: Calls["clip"] = async (name) => {
    const e = this.#s.find(name);
    if (!e || this.#s.offline) return { state: "trouble", trouble: "offline" };
    if (this.#s.events.indexOf(e) === 5) return { state: "refused", word: "misroute", reason: "wrong-object", reported: "confirmed" };
    if (is("h265")) return { state: "opened", blob: new Blob(["    ftypisom  hvc1"]), timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
    const blob = await film(e.scene, names[scenes.indexOf(e.scene)] ?? "", new Date((e.row.time ?? 0) / 1000), is("sound"));
    return { state: "opened", blob, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } };
  };
  clipFile: Calls["clipFile"] = (name) => this.clip(name);
  fullClip: Calls["fullClip"] = async (name, _, command) => {
    const e = this.#s.find(name);
    const lasts = (e?.seconds ?? 1) * 1e6;
    for (let done = 0; done < lasts; done += lasts / 5) {
      this.#s.tell({ changed: "progress", command, says: "", done, of: lasts });
      await wait(is("slowly") ? 60_000 : 400);
      if (this.#s.stopped.has(command)) return { ok: false, trouble: "refused", status: 0, reason: "stopped", message: "" };
    }
    if (!e || is("gone")) return { ok: false, trouble: "refused", status: 0, reason: "no-footage", message: "Home has nothing of this time any more." };
    return { ok: true, blob: await film(e.scene, names[scenes.indexOf(e.scene)] ?? "", new Date((e.row.time ?? 0) / 1000), is("sound")), lasts, lacks: 0 };
  };
  beginClip: Calls["beginClip"] = async () => ({ state: "opened", track: null, timings: { notified: 0, listed: 0, fetched: 0, opened: 0 } });
  clipPart: Calls["clipPart"] = async () => ({ state: "trouble", trouble: "offline" });
  openJoin = () => this.#s.answer({ link: `${location.origin}/#join=${id(3, 26)}&home=${home}&head=${this.#s.title.head}`, slot: "slot", expires: (Date.now() + 1_800_000) * 1000 });
  watchJoin: Calls["watchJoin"] = async () => {
    await wait(is("new") || is("new-agent") ? 900 : 60_000);
    return { ok: true, state: "answered", slot: "slot", agent };
  };
  stopJoin = () => this.#s.answer({});
  placeAgent: Calls["placeAgent"] = async () => {
    this.#s.title = { ...this.#s.title, agents: [{ id: agent }] };
    if (is("new"))
      cameras.forEach((camera, i) =>
        setTimeout(() => {
          this.#s.asks.push({ camera, agent, name: names[i] ?? "", time: 0 });
          this.#s.tell({ changed: "asks" });
        }, 700 * (i + 1)),
      );
    return this.#s.answer({ agent });
  };
  asks = () => this.#s.answer({ asks: [...this.#s.asks], refused: 0 });
  placeCamera: Calls["placeCamera"] = async (camera, name) => {
    this.#s.asks = this.#s.asks.filter((a) => a.camera !== camera);
    this.#s.title = { ...this.#s.title, cameras: [...this.#s.title.cameras, { id: camera, agent }] };
    this.#s.settings = { ...this.#s.settings, cameras: { ...this.#s.settings.cameras, [camera]: placed(name ?? "") } };
    return this.#s.answer({ title: this.#s.title, settings: this.#s.settings });
  };
  refuseCamera: Calls["refuseCamera"] = async (camera) => {
    this.#s.asks = this.#s.asks.filter((a) => a.camera !== camera);
    return this.#s.answer({});
  };
  conditions: Calls["conditions"] = async () => {
    if (is("untold")) return this.#s.answer({ agents: [], refused: 1 });
    const how = new Map<CameraID, Partial<CameraCondition>>(troubled.map((c, i) => [c, troubles[i]?.[1] ?? {}]));
    for (const { id } of this.#s.title.cameras) if (this.#s.settings.cameras[id]?.off) how.set(id, { ...how.get(id), state: "off", recording: false });
    const own = this.#s.title.cameras.filter((c) => c.agent === agent).map((c) => c.id);
    const agents: AgentCondition[] = this.#s.title.agents.length > 0 ? [report(agent, "attic-pi", own, how)] : [];
    if (this.#s.cloned) return this.#s.answer({ agents: agents.map((a) => ({ ...a, cloned: (Date.now() - 1_500_000) * 1000, connected: false })), refused: 0 });
    if (is("states")) agents.push(silentReport(second, "garden-pc", [shed]));
    if (is("away")) return this.#s.answer({ agents: [silentReport(agent, "attic-pi", own)], refused: 0 });
    return this.#s.answer({ agents, refused: 0 });
  };
  discover: Calls["discover"] = async (_, command) => {
    await wait(700);
    if (this.#s.stopped.has(command)) return { ok: false, trouble: "refused", status: 0, reason: "stopped", message: "" };
    if (is("alone")) return this.#s.answer({ devices: [] });
    const device = (host: string, name: string, hardware: string) => ({ host, name, hardware, address: `rtsp://${host}:554` });
    return this.#s.answer({ devices: [device("192.168.1.64", "Garden cam", "DS-2CD2043G2"), device("192.168.1.71", "", "IPC-HDW1230")] });
  };
  probe: Calls["probe"] = async (_, command, { password }) => {
    const says = ["Connecting to 192.168.1.64.", "Asking which streams it has.", "Watching stream 1.", "Watching stream 2."];
    for (const [done, sentence] of says.entries()) {
      const still = done > 1 || is("slowly") ? { still: await paint("garden", "", new Date()) } : {};
      this.#s.tell({ changed: "progress", command, says: sentence, done, of: says.length, ...still });
      await wait(is("slowly") ? 60_000 : 250);
      if (this.#s.stopped.has(command)) return { ok: false, trouble: "refused", status: 0, reason: "stopped", message: "" };
    }
    if (password === "wrong") return { ok: false, trouble: "agent", reason: "wrong-password", message: "The camera refuses this user and password. No further try was made, so that it does not lock the account." };
    return this.#s.answer({ found: await offer() });
  };
  stopCommand: Calls["stopCommand"] = async (command) => {
    this.#s.stopped.add(command);
    return { ok: true };
  };
  addCamera: Calls["addCamera"] = async (at: AgentID, { name }: CameraSource) => {
    const camera = id(300 + this.#s.added.length, 26) as CameraID;
    this.#s.added.push(camera);
    this.#s.title = { ...this.#s.title, cameras: [...this.#s.title.cameras, { id: camera, agent: at }] };
    this.#s.settings = { ...this.#s.settings, cameras: { ...this.#s.settings.cameras, [camera]: placed(name) } };
    return this.#s.answer({ camera, title: this.#s.title, settings: this.#s.settings });
  };
  describeCamera: Calls["describeCamera"] = (_, camera) => {
    const [main, sub] = ["rtsp://192.168.1.64:554/Streaming/Channels/101", "rtsp://192.168.1.64:554/Streaming/Channels/102"];
    return this.#s.answer({ name: this.#s.settings.cameras[camera]?.name ?? "", main, sub, user: "viewer", pin: { mac: "", serial: "5B0042218", certificate: "" } });
  };
  changeCamera = () => this.#s.answer({});
  forgetCamera = () => this.#s.answer({});
  acceptDevice = () => this.#s.answer({});
  // The page itself watches by live(), which has a stand-in of its own (live.ts).
  watch: Calls["watch"] = () => this.#s.answer({});
  unwatch: Calls["unwatch"] = () => this.#s.answer({});
  still: Calls["still"] = async () => {
    if (is("no-still")) return { ok: false, trouble: "agent", reason: "unreachable", message: "The camera cannot be reached." };
    const now = new Date();
    return this.#s.answer({ blob: await paint("door", "Front door", now), width: 1920, height: 1080, time: now.getTime() * 1000 });
  };
  timeline: Calls["timeline"] = async (_, about) => (is("away") ? { ok: false, trouble: "away" } : this.#s.answer({ timelines: about.cameras.map((c) => this.#recorded.timeline(c, about)) }));
  stills: Calls["stills"] = (_, { until }) => this.#s.answer({ stills: [], until });
  footage: Calls["footage"] = async (_, about) => (is("away") ? { ok: false, trouble: "away" } : this.#s.answer(await this.#recorded.pieces(about)));
  spared: Calls["spared"] = () => this.#s.answer({ spared: is("strained") ? ["filmstrips", "backfill", "clips"] : [] });
  glance: Calls["glance"] = async (which, at, step) => ({ ok: true, glances: await this.#recorded.glances(which, at, step), why: null });
  lookAhead: Calls["lookAhead"] = () => this.#s.answer({});
  saveFootage: Calls["saveFootage"] = (_, about) => (this.#recorded.save(about), this.#s.answer({}));
  unsaveFootage: Calls["unsaveFootage"] = (_, about) => (this.#recorded.unsave(about), this.#s.answer({}));
  deleteFootage: Calls["deleteFootage"] = (_, about) => (this.#recorded.erase(about), this.#s.answer({}));
  wouldFire: Calls["wouldFire"] = (_, __, { sensitivity, zones, masks }) => {
    const times = { low: 6, medium: 14, high: 41 }[sensitivity] - Math.min(5, zones.length * 2 + masks.length);
    return this.#s.answer({ times, since: (Date.now() - 24 * 3600_000) * 1000 });
  };
  exportObject = () => this.#s.answer({ file: new Blob(["sealed"]), filename: "event.latchkey" });
  exportKey = () => this.#s.answer({ file: new Blob(["{}"]), filename: "home.key.json" });
  signOut = () => this.#s.answer({});
}
