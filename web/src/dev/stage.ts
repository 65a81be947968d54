// The house of the stand-in: what is in it, and what happens there.

import type { AgentID, Ask, CameraID, Change, EventID, EventRow, HomeID, KnownHome, NameText, ObjectRow, PersonID, Rights, Role, SettingsView, Standing, TitleView, Trouble } from "../worker/protocol.ts";
import type { Sighting } from "../sightings.ts";
import { placed, troubles } from "./agents.ts";
import { id, is, wait } from "./ids.ts";
import type { Scene } from "./paint.ts";

export const home = id(7, 52) as HomeID;
export const agent = id(8, 26) as AgentID;
export const second = id(9, 26) as AgentID;
export const scenes: Scene[] = ["door", "garden", "garage"];
export const names = ["Front door", "Garden", "Garage"];
export const cameras = scenes.map((_, i) => id(20 + i, 26) as CameraID);
export const troubled = troubles.map((_, i) => id(60 + i, 26) as CameraID);
export const shed = id(90, 26) as CameraID;
export const me = id(30, 26) as PersonID;
const email = "anna@example.org";
const headWords = "velvet onion basket garnet sunset ladder pepper orchid fossil marble".split(" ");

// Whoever looks at the page, by its address.
function lookedAtBy(): { person: PersonID; role: Role; rights: Rights | null } {
  if (is("resident")) return { person: id(32, 26) as PersonID, role: "resident", rights: null };
  const rights: Rights = { kinds: ["thumbnail", "clip"], until: (Date.now() + 3 * 24 * 3600_000) * 1000, cameras: cameras.slice(0, 1) };
  return is("guest") ? { person: id(33, 26) as PersonID, role: "guest", rights } : { person: me, role: "owner", rights: null };
}

function whyShut(): Trouble | null {
  if (is("unconfirmed")) return { trouble: "unconfirmed", words: headWords };
  if (is("closed")) return { trouble: "closed", mayConfirm: !is("guest") };
  return null;
}

/** An event of the house, and which picture there is to it. */
export interface Fake {
  row: EventRow;
  seconds: number;
  scene: Scene;
  saw: Sighting[];
}

/** What the cameras of the house see by turns: the first one knows most, the last one nothing. */
const seen: Sighting[][][] = [[["person"], ["visitor", "person"], [], ["package"]], [["animal"], [], ["person", "animal"], ["vehicle"]], [[]]];

/** What all calls of the stand-in know and change. */
export class Stage {
  readonly events: Fake[] = [];
  readonly listeners = new Set<(change: Change) => void>();
  founded = !is("new");
  /** Whether the account of the stand-in has a home in its vault that is not in this browser. */
  readonly vaulted = is("new") && is("vaulted");
  standing: Standing = is("new") || is("unsecured") ? { state: "none" } : { state: is("locked") ? "locked" : "open", email };
  /** Why the home does not open, if it does not. */
  shut: Trouble | null = whyShut();
  cloned = is("cloned");
  offline = false;
  #begun = false;
  asks: Ask[] = [];
  readonly stopped = new Set<string>();
  added: CameraID[] = [];
  title: TitleView = { home, head: `7:${"4f".repeat(32)}`, epoch: 1, cameras: [], agents: [], former: [id(49, 26) as CameraID], me: lookedAtBy(), frozen: is("frozen"), retention: { days: is("unasked") ? 0 : 30, bytes: 0 }, retained: !is("unasked"), gaveBack: is("gave-back") ? 2 : 0 };
  settings: SettingsView = { number: 1, home: "Birch Lane 4", zone: "Europe/Berlin", cameras: {} };

  constructor() {
    if (!is("new") && !is("empty")) this.furnish();
    if (is("asks")) this.asks = [{ camera: id(40, 26) as CameraID, agent, name: "Cellar stairs", time: Date.now() * 1000 }];
    if (is("lively")) setInterval(() => this.#happen(), 3000);
  }

  /** What is to go on once the page has something to show. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (is("offline")) setTimeout(() => ((this.offline = true), this.tell({ changed: "link", up: false })), 3000);
    if (is("once")) setTimeout(() => [0, 1, 2].forEach(() => this.#happen()), 4000);
  }

  furnish(): void {
    this.title = { ...this.title, agents: [{ id: agent }], cameras: cameras.map((c) => ({ id: c, agent })) };
    this.settings = { ...this.settings, cameras: Object.fromEntries(cameras.map((c, i) => [c, placed(names[i] ?? "")])) };
    if (is("states")) this.#trouble();
    const [door] = cameras;
    if (is("drawn") && door) this.settings.cameras[door] = { ...placed("Front door"), zones: [{ name: "Path", points: [[3200, 5200], [6900, 5200], [8200, 9400], [2100, 9400]] }], masks: [{ points: [[300, 400], [2600, 300], [2400, 4200], [400, 3900]] }], offWhen: [{ days: [1, 2, 3, 4, 5], from: "07:00", to: "17:00" }] };
    if (is("quiet")) return;
    const now = Date.now();
    let ago = 20;
    for (let i = 0; i < 180; i++) {
      this.events.push(this.#make(i, now - ago * 1000));
      ago += 60 + ((i * 7919) % 2600) * (i % 9 === 8 ? 6 : 1);
    }
  }

  #trouble(): void {
    const all = [...cameras, ...troubled];
    this.title = { ...this.title, agents: [{ id: agent }, { id: second }], cameras: [...all.map((c) => ({ id: c, agent })), { id: shed, agent: second }] };
    troubled.forEach((c, i) => {
      const [name, , more] = troubles[i] ?? ["", {}, {}];
      this.settings.cameras[c] = { ...placed(name), ...more };
    });
    this.settings.cameras[shed] = placed("Shed");
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
    const fake = { row: { key: event as string, event, camera, time, reviewed: i > 2, objects } as EventRow, seconds: 6 + ((i * 31) % 55), scene: scenes[which] ?? "door", saw: seen[which]?.[i % seen[which].length] ?? [] };
    if (i === 4) objects[0] = { state: "refused", name: name("thumbnail", 0), kind: "thumbnail", word: "misroute", reason: "wrong-camera" };
    if (i === 11) fake.row = { key: "row 11", event: null, camera: null, time: null, reviewed: false, objects: [{ state: "refused", name: null, kind: null, word: "corrupt", reason: "bad-signature" }] };
    return fake;
  }

  #happen(): void {
    const fake = this.#make(2000 + Math.floor(Math.random() * 1e6) * 3, Date.now());
    fake.row.objects.splice(1);
    this.events.unshift(fake);
    this.tell({ changed: "events" });
  }

  homes(): KnownHome[] {
    if (!this.founded || this.standing.state === "locked") return [];
    const all = [{ home, name: this.settings.home || "Birch Lane 4", here: true }];
    return is("several") ? [...all, { home: id(91, 52) as HomeID, name: "Grandma's flat", here: true }, { home: id(95, 52) as HomeID, name: "", here: false }] : all;
  }

  tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  find(name: NameText): Fake | undefined {
    return this.events.find((e) => e.row.objects.some((o) => o.name === name));
  }

  /** The event that one goes on from: with "long" the newest three of the third camera are one. */
  formerOf(e: Fake | undefined): EventID | null {
    if (!is("long") || e === undefined || e.row.camera !== cameras[2]) return null;
    const mine = this.events.filter((x) => x.row.camera === e.row.camera && x.row.objects.length === 3).slice(0, 3);
    const at = mine.indexOf(e);
    return at < 0 ? null : (mine[at + 1]?.row.event ?? null);
  }

  async answer<T>(value: T): Promise<({ ok: true } & T) | { ok: false; trouble: "offline" }> {
    await wait(120);
    return this.offline ? { ok: false, trouble: "offline" } : { ok: true, ...value };
  }
}
