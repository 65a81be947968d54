// The stand-in's people: Anna has the house, Ben lives in it, Carla comes to water the
// plants. Whoever is invited is called Nora and answers within a moment.

import type { CameraID, DeviceID, Invitation, InviteID, InviteView, MemberCalls, PersonID, PersonView, Result, SessionView, TrustView } from "../worker/protocol.ts";
import { id, is, wait } from "./ids.ts";
import { agent, cameras, home, me, type Stage } from "./stage.ts";

const minutes = (n: number) => (Date.now() - n * 60_000) * 1000;
const device = (n: number, name = "", here = false) => ({ device: id(700 + n, 26) as DeviceID, name, here });
const link = (invite: string) => `${location.origin}/#invite=${invite}&home=${home}&head=7:${"4f".repeat(32)}`;
const phrase = ["amber", "kettle", "north", "violin"];
const refused = (reason: string, message: string) => ({ ok: false, trouble: "refused", status: 403, reason, message }) as const;

function household(): PersonView[] {
  const all: PersonView[] = [
    { person: me, name: is("nameless") ? "" : "Anna", role: "owner", rights: null, me: false, devices: [device(1, "Laptop in the kitchen", true), device(2, "Anna's phone")], seen: minutes(0) },
    { person: id(32, 26) as PersonID, name: "Ben", role: "resident", rights: null, me: false, devices: [device(3)], seen: minutes(130) },
    { person: id(33, 26) as PersonID, name: "Carla", role: "guest", rights: { kinds: ["thumbnail", "clip"], until: (Date.now() + 3 * 24 * 3600_000) * 1000, cameras: cameras.slice(0, 1) }, me: false, devices: [device(4), device(5)], seen: 0 },
  ];
  if (is("two-owners")) all.push({ ...(all[0] as PersonView), person: id(34, 26) as PersonID, name: "Dora", devices: [device(6)], seen: minutes(60 * 30) });
  const mine = is("guest") ? 2 : is("resident") ? 1 : 0;
  return all.map((p, i) => ({ ...p, me: i === mine, devices: p.devices.map((d, n) => ({ ...d, here: i === mine && n === 0 })) }));
}

export class FakeMembers implements MemberCalls {
  readonly #s: Stage;
  #people = household();
  #invites: InviteView[] = [];
  readonly #stopped = new Set<string>();
  #arriving = 0;
  #gave = 0;
  #sessions: SessionView[] = [
    { session: "h1", person: me, device: device(1).device, browser: "Chromium on Linux", started: minutes(60 * 24 * 12), seen: minutes(0), here: true },
    { session: "h2", person: me, device: device(2).device, browser: "Safari on iPhone", started: minutes(60 * 24 * 38), seen: minutes(50), here: false },
  ];

  constructor(stage: Stage) {
    this.#s = stage;
    if (is("invited")) {
      const open = { link: "", role: null, rights: null, expired: false, expires: (Date.now() + 5 * 24 * 3600_000) * 1000 };
      this.#invites = [
        { ...open, invite: id(800, 26) as InviteID, purpose: "join", name: "Emil", role: "guest", rights: { kinds: ["thumbnail"], until: 0, cameras: null } },
        { ...open, invite: id(801, 26) as InviteID, purpose: "recover", name: "Ben", link: link(id(801, 26)) },
        { ...open, invite: id(802, 26) as InviteID, purpose: "join", name: "Frida", role: "resident", expired: true },
      ];
    }
  }

  #view = () => this.#s.answer({ people: this.#people, invites: this.#invites });

  #invited(purpose: InviteView["purpose"], name: string, more: Pick<InviteView, "role" | "rights">, days = 7) {
    const invite = id(810 + this.#invites.length, 26) as InviteID;
    const expires = (Date.now() + days * 24 * 3600_000) * 1000;
    this.#invites = [...this.#invites, { invite, link: link(invite), purpose, name, ...more, expires, expired: false }];
    return this.#s.answer({ invite, link: link(invite), expires });
  }

  #close(invite: InviteID): InviteView | undefined {
    const closed = this.#invites.find((i) => i.invite === invite);
    this.#invites = this.#invites.filter((i) => i.invite !== invite);
    return closed;
  }

  #titled = (more: Partial<Stage["title"]>) => {
    this.#s.title = { ...this.#s.title, ...more };
    return this.#s.answer({ title: this.#s.title, settings: this.#s.settings });
  };

  people: MemberCalls["people"] = () => this.#view();
  namePerson: MemberCalls["namePerson"] = (person, name) => ((this.#people = this.#people.map((p) => (p.person === person ? { ...p, name } : p))), this.#view());
  nameDevice: MemberCalls["nameDevice"] = (which, name) => ((this.#people = this.#people.map((p) => ({ ...p, devices: p.devices.map((d) => (d.device === which ? { ...d, name } : d)) }))), this.#view());
  invite: MemberCalls["invite"] = ({ name, role, rights, days }) => this.#invited("join", name, { role, rights }, days);
  inviteBack: MemberCalls["inviteBack"] = (person) => this.#invited("recover", this.#people.find((p) => p.person === person)?.name ?? "", { role: null, rights: null });
  handOver: MemberCalls["handOver"] = () => this.#invited("hand over", "", { role: null, rights: null });
  withdraw: MemberCalls["withdraw"] = (invite) => (this.#close(invite), this.#view());
  watchInvite: MemberCalls["watchInvite"] = async (invite) => {
    this.#stopped.delete(invite);
    for (let i = 0; i < (is("unanswered") ? 6000 : 15); i++) {
      await wait(100);
      if (this.#stopped.has(invite)) return { ok: true, state: "stopped" };
    }
    return { ok: true, state: "answered", phrase };
  };
  stopInvite: MemberCalls["stopInvite"] = async (invite) => {
    this.#stopped.add(invite);
    return { ok: true };
  };
  admit: MemberCalls["admit"] = async (invite) => {
    const closed = this.#close(invite);
    await wait(600);
    if (closed?.purpose === "join") this.#people = [...this.#people, { person: id(900 + this.#people.length, 26) as PersonID, name: closed.name, role: closed.role ?? "guest", rights: closed.rights, me: false, devices: [device(20)], seen: minutes(0) }];
    return this.#view();
  };

  readInvitation: MemberCalls["readInvitation"] = async () => {
    await wait(300);
    if (is("used")) return refused("not-found", "");
    const purpose = is("recover") ? "recover" : is("hand-over") ? "hand over" : "join";
    const rights = is("to-guest") ? { kinds: ["thumbnail", "clip"] as const, until: (Date.now() + 3 * 24 * 3600_000) * 1000, cameras: cameras.slice(0, 1) } : null;
    const role = purpose === "join" ? (rights ? "guest" : "resident") : null;
    const invitation = { home, name: "Birch Lane 4", from: "Anna", purpose, role, rights, expires: (Date.now() + 6 * 24 * 3600_000) * 1000 } as Invitation;
    return { ok: true, invitation };
  };
  answerInvitation: MemberCalls["answerInvitation"] = async () => {
    await wait(500);
    this.#arriving = 0;
    return { ok: true };
  };
  watchAdmission: MemberCalls["watchAdmission"] = async () => {
    await wait(this.#arriving === 0 ? 1200 : is("unanswered") ? 600_000 : 3000);
    if (this.#arriving++ === 0) return { ok: true, state: "phrase", phrase };
    if (is("turned-down")) return { ok: true, state: "refused" };
    this.#s.founded = true;
    this.#s.furnish();
    return { ok: true, state: "admitted", home };
  };

  changePerson: MemberCalls["changePerson"] = (person, role, rights) => ((this.#people = this.#people.map((p) => (p.person === person ? { ...p, role, rights } : p))), this.#view());
  dismiss: MemberCalls["dismiss"] = (person) => ((this.#people = this.#people.filter((p) => p.person !== person)), this.#view());
  leave = () => this.#s.answer({});
  strike: MemberCalls["strike"] = (which) => ((this.#people = this.#people.map((p) => ({ ...p, devices: p.devices.filter((d) => d.device !== which) }))), this.#view());
  lostDevice: MemberCalls["lostDevice"] = async () => {
    await wait(900);
    this.#people = this.#people.map((p) => (p.me ? { ...p, devices: p.devices.filter((d) => d.here) } : p));
    this.#sessions = this.#sessions.filter((s) => s.here);
    return this.#view();
  };
  sessions: MemberCalls["sessions"] = () => this.#s.answer({ sessions: this.#sessions });
  endSession: MemberCalls["endSession"] = (session) => ((this.#sessions = this.#sessions.filter((s) => s.session !== session)), this.#s.answer({ sessions: this.#sessions }));
  freeze = () => this.#titled({ frozen: true });
  thaw = () => this.#titled({ frozen: false });
  releaseCamera: MemberCalls["releaseCamera"] = (camera: CameraID) => this.#titled({ cameras: this.#s.title.cameras.filter((c) => c.id !== camera) });
  releaseAgent: MemberCalls["releaseAgent"] = (which) => this.#titled({ agents: this.#s.title.agents.filter((a) => a.id !== which), cameras: this.#s.title.cameras.filter((c) => c.agent !== which) });
  replaceAgent: MemberCalls["replaceAgent"] = async (which) => {
    if (which === agent) this.#s.cloned = false;
    return this.#titled({});
  };
  retain: MemberCalls["retain"] = (days, bytes) => this.#titled({ retention: { days, bytes }, retained: true });
  deleteEvents: MemberCalls["deleteEvents"] = () => this.#s.answer({});
  deleteHome: MemberCalls["deleteHome"] = () => this.#s.answer({});
  deleteSpans: MemberCalls["deleteSpans"] = () => this.#s.answer({});
  usage: MemberCalls["usage"] = () => this.#s.answer({ usage: { objects: 412, bytes: is("quota-full") ? 49.9e9 : is("quota-soon") ? 41e9 : 3.4e9, most: 50e9 } });

  trust: MemberCalls["trust"] = async () => {
    const words = "harbor lemon quartz meadow pencil ribbon copper walnut island thunder".split(" ");
    const trust: TrustView = { words, head: this.#s.title.head, headWords: "velvet onion basket garnet sunset ladder pepper orchid fossil marble".split(" "), deeds: 8, epoch: 1, confirmed: is("new") ? "link" : "memory", gaveBack: is("gave-back") ? 2 : 0, refused: is("refusals") ? [{ what: "thumbnail", reason: "wrong-camera", time: minutes(3) }, { what: "deed", reason: "fork", time: minutes(40) }] : [] };
    return this.#s.answer({ trust });
  };
  confirmHead: MemberCalls["confirmHead"] = async (by) => {
    if (by === "agent") return { ok: false, trouble: "away" };
    this.#s.shut = null;
    return this.#titled({});
  };
  confirmRestored: MemberCalls["confirmRestored"] = async (): Promise<Result<object>> => {
    if (this.#gave++ === 0 && is("too-soon")) return { ok: false, trouble: "busy", retryAfterMs: 60_000 };
    this.#s.shut = null;
    return this.#s.answer({});
  };
}
