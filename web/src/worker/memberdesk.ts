// Where the page's calls about the people of the home that is open are answered.

import { broken, Fields } from "../api.ts";
import { nameFits as deviceNameFits } from "../account/content.ts";
import type { Body } from "../deed/body.ts";
import { headText } from "../deed/head.ts";
import { seesAll } from "../deed/parts.ts";
import type { Member, Title } from "../deed/title.ts";
import { type AgentID, type CameraID, type DeviceID, type EventID, type InviteID, parseID, type PersonID } from "../seal/name.ts";
import { nameFits } from "../settings/content.ts";
import { atOnce, signTombstone, type What } from "../tombstone/tombstone.ts";
import { base64 } from "../wire.ts";
import { Answering } from "./answering.ts";
import type { Hall, Room } from "./hall.ts";
import type { Home } from "./home.ts";
import { Inviting } from "./inviting.ts";
import type { Joins } from "./joins.ts";
import type { Admission, Invitation, InviteAnswer, Invited, MemberCalls, PeopleView, PersonView, Rights, Role, SessionView, TrustView, UsageView } from "./members.ts";
import type { Result, SettingsView, TitleView } from "./protocol.ts";
import { rekey, rekeyOthers } from "./rekeying.ts";
import { ignoreTrouble, refused, result } from "./result.ts";
import { rightsView, standingOf } from "./rightsview.ts";
import { headWords, homeWords } from "./spell.ts";
import { pastIf, turnTo } from "./turning.ts";

export class MemberDesk implements MemberCalls {
  readonly #hall: Hall;
  readonly #joins: Joins;
  readonly #inviting: Inviting;
  readonly #answering: Answering;

  constructor(hall: Hall, joins: Joins) {
    this.#hall = hall;
    this.#joins = joins;
    this.#inviting = new Inviting(hall.server, () => hall.keep());
    this.#answering = new Answering(hall);
    hall.hear(({ changed }) => changed === "joins" && this.#inviting.hinted());
  }

  people(): Promise<Result<PeopleView>> {
    return this.#then(async () => undefined);
  }

  namePerson(person: PersonID, name: string): Promise<Result<PeopleView>> {
    return this.#then(async ({ home }) => {
      if (!nameFits(name)) throw refused("name", "A name has 1 to 64 characters, and no control characters.");
      await home.names.save(home.signer, { people: { [person]: name } });
    });
  }

  nameDevice(device: DeviceID, name: string): Promise<Result<PeopleView>> {
    return this.#then(async ({ home }) => {
      if (!deviceNameFits(name)) throw refused("name", "A name has at most 64 characters, and no control characters.");
      await this.#hall.nameDevice(home.id, device, name);
    });
  }

  invite({ name, role, rights, days }: { name: string; role: Exclude<Role, "link">; rights: Rights | null; days: number }): Promise<Result<Invited>> {
    return this.#in((room) => {
      if (!nameFits(name)) throw refused("name", "A name has 1 to 64 characters, and no control characters.");
      return this.#inviting.invite(room, { purpose: "join", standing: standingOf(role, rights) }, name, days);
    });
  }

  inviteBack(person: PersonID): Promise<Result<Invited>> {
    return this.#in((room) => this.#inviting.invite(room, { purpose: "recover", person }, room.home.names.people[person] ?? ""));
  }

  handOver(): Promise<Result<Invited>> {
    return this.#in((room) => this.#inviting.invite(room, { purpose: "hand over" }, ""));
  }

  withdraw(invite: InviteID): Promise<Result<PeopleView>> {
    return this.#then((room) => this.#inviting.withdraw(room, invite));
  }

  watchInvite(invite: InviteID): Promise<Result<InviteAnswer>> {
    return this.#in((room) => this.#inviting.watch(room, invite));
  }

  stopInvite(invite: InviteID): Promise<Result<object>> {
    return result(() => {
      this.#inviting.stop(invite);
      return {};
    });
  }

  admit(invite: InviteID, past: boolean): Promise<Result<PeopleView>> {
    return this.#in(async (room) => {
      const { home } = room;
      const { person, name } = await this.#inviting.admit(room, invite, past);
      if (home.title.personBySigningKey(home.signer.key.id) === null) {
        await this.#hall.left(home.id); // it was handed over
        return { people: [], invites: [] };
      }
      // The document is sealed to the epoch of its head: without a new one a newcomer reads no names.
      await home.names.save(home.signer, name === "" ? {} : { people: { [person]: name } }).catch(ignoreTrouble);
      return this.#view(room);
    });
  }

  readInvitation(link: string): Promise<Result<{ invitation: Invitation }>> {
    return result(async () => ({ invitation: await this.#answering.read(link) }));
  }

  answerInvitation(link: string): Promise<Result<object>> {
    return result(async () => {
      await this.#answering.answer(link);
      return {};
    });
  }

  watchAdmission(link: string): Promise<Result<Admission>> {
    return result(() => this.#answering.watch(link));
  }

  changePerson(person: PersonID, role: Exclude<Role, "link">, rights: Rights | null, past: boolean): Promise<Result<PeopleView>> {
    return this.#changing(async ({ home }, title) => {
      const [before, standing] = [standsIn(title, person), standingOf(role, rights)];
      const [saw, sees] = [seesAll(before.role), seesAll(role)];
      const turn = saw === sees ? null : await turnTo(title, sees ? { and: before } : { without: person });
      return { type: "change", person, standing, past: sees && !saw ? await pastIf(past, home, title, before) : null, turn };
    });
  }

  dismiss(person: PersonID): Promise<Result<PeopleView>> {
    return this.#changing(async (_, title) => {
      const { role } = standsIn(title, person);
      return { type: "dismiss", person, turn: seesAll(role) ? await turnTo(title, { without: person }) : null };
    });
  }

  leave(): Promise<Result<object>> {
    return this.#in(async ({ home }) => {
      const { id: person, rights } = home.me;
      if (rights === null) throw refused("not-allowed", "Whoever sees the whole home is removed by an owner.");
      await home.chain.append(home.signer, (title) => (title.person(person) === null ? null : { type: "dismiss", person, turn: null }));
      await this.#hall.left(home.id);
      return {};
    });
  }

  strike(device: DeviceID): Promise<Result<PeopleView>> {
    return this.#then(async ({ home }) => {
      await home.chain.append(home.signer, (title) => (title.device(device) === null ? null : { type: "strike", device }));
    });
  }

  lostDevice(): Promise<Result<PeopleView>> {
    return this.#in(async (room) => {
      const { vault } = this.#hall;
      // Whoever has the lost device has what opens the vault on it: without a session they get no newer one.
      if (await vault.isOpen()) await vault.endOthers();
      this.#hall.leave(); // from the deed on the old keys are refused, and nobody asks with them any more
      const renewed = await rekey(this.#hall, room.home).then(
        () => this.#hall.again(room.home.id),
        async (e: unknown) => {
          await this.#hall.again(room.home.id).catch(ignoreTrouble);
          throw e;
        },
      );
      await this.#reseal(renewed);
      const missed = await rekeyOthers(this.#hall, renewed.home.id);
      if (missed.length > 0) throw refused("other-homes", `You have new keys in this home, and not yet in: ${missed.map((name) => name || "a home without a name").join(", ")}. Open each of them, and say there too that you have lost a device.`);
      return this.#view(renewed);
    });
  }

  sessions(): Promise<Result<{ sessions: SessionView[] }>> {
    return this.#in(async (room) => ({ sessions: await sessionsIn(room) }));
  }

  endSession(session: string): Promise<Result<{ sessions: SessionView[] }>> {
    return this.#in(async (room) => {
      await room.home.session.ask("DELETE", `/sessions/${encodeURIComponent(session)}`);
      return { sessions: await sessionsIn(room) };
    });
  }

  freeze(): Promise<Result<{ title: TitleView }>> {
    return this.#titled((title) => (title.frozen ? null : { type: "freeze" }));
  }

  thaw(): Promise<Result<{ title: TitleView }>> {
    return this.#titled((title) => (title.frozen ? { type: "thaw" } : null));
  }

  releaseCamera(camera: CameraID): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return this.#in((room) => this.#place(room, (title) => (title.camera(camera) === null ? null : { type: "release camera", camera })));
  }

  releaseAgent(agent: AgentID): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return this.#in((room) => this.#place(room, (title) => (title.agent(agent) === null ? null : { type: "release agent", agent, lasts: [] })));
  }

  replaceAgent(agent: AgentID, slot: string): Promise<Result<{ title: TitleView }>> {
    return this.#in(async (room) => {
      const { signing, kem, agent: answered } = this.#joins.answered(slot);
      if (answered !== agent) throw refused("wrong-agent", "Another agent has answered. On the machine of this one, run `latchkey agent join --replace` with the link.");
      const { title } = await this.#place(room, (title) => (title.agent(agent)?.signing.id === signing.id ? null : { type: "replace agent", agent, signing, kem, lasts: [] }));
      this.#joins.forget(slot);
      return { title };
    });
  }

  retain(days: number, bytes: number): Promise<Result<{ title: TitleView }>> {
    return this.#titled(({ retention, retained }) => (retained && retention.days === days && retention.bytes === bytes ? null : { type: "retain", days, bytes }));
  }

  deleteEvents(events: readonly EventID[]): Promise<Result<object>> {
    return this.#delete({ events });
  }

  deleteSpans(cameras: readonly CameraID[], from: number, to: number): Promise<Result<object>> {
    return this.#delete(...cameras.map((camera) => ({ camera, from, to })));
  }

  deleteHome(): Promise<Result<object>> {
    return this.#in(async ({ home }) => {
      await this.#bury(home, ["home"]);
      await this.#hall.left(home.id);
      return {};
    });
  }

  usage(): Promise<Result<{ usage: UsageView }>> {
    return this.#in(async ({ home }) => {
      const { fields } = await home.session.ask("GET", "/usage");
      return { usage: { objects: fields.number("objects"), bytes: fields.number("bytes"), most: fields.number("most") } };
    });
  }

  trust(): Promise<Result<{ trust: TrustView }>> {
    return this.#in(async ({ home, reporter }) => {
      const { head, epoch } = home.title;
      const trust = { words: homeWords(home.id), head: headText(head), headWords: headWords(head), deeds: head.seq + 1, epoch, confirmed: home.confirmed ?? "memory", gaveBack: home.chain.gaveBack, refused: reporter.refused() };
      return { trust };
    });
  }

  confirmHead(by: "agent" | "compared"): Promise<Result<{ title: TitleView; settings: SettingsView }>> {
    return result(async () => {
      const room = await this.#hall.confirm(by);
      await room.home.chain.refresh();
      room.changes.start();
      const settings = await room.home.names.read();
      void this.#hall.remember(room.home).catch(ignoreTrouble);
      return { title: room.home.view(), settings };
    });
  }

  confirmRestored(): Promise<Result<object>> {
    return this.#in(async ({ home }) => {
      await home.confirmRestored();
      return {};
    });
  }

  #in<T>(work: (room: Room) => Promise<T>): Promise<Result<T>> {
    return result(() => work(this.#hall.room));
  }

  #delete(...all: What[]): Promise<Result<object>> {
    return this.#in(async ({ home }) => {
      await this.#bury(home, all);
      return {};
    });
  }

  async #bury(home: Home, all: readonly What[]): Promise<void> {
    const tombstones = await Promise.all(all.map((what) => signTombstone(home.signer, home.id, home.title.head, Date.now() * 1000, what)));
    for (let at = 0; at < tombstones.length; at += atOnce) await home.session.ask("POST", "/tombstones", { tombstones: tombstones.slice(at, at + atOnce).map(base64) });
  }

  /** Does something, and shows the people as they are then. */
  #then(work: (room: Room) => Promise<unknown>): Promise<Result<PeopleView>> {
    return this.#in(async (room) => {
      await work(room);
      return this.#view(room);
    });
  }

  /** Changes who may see what, and seals the settings to those who may now. */
  #changing(build: (room: Room, title: Title) => Promise<Body>): Promise<Result<PeopleView>> {
    return this.#then(async (room) => {
      await room.home.chain.append(room.home.signer, (title) => build(room, title));
      await this.#reseal(room);
    });
  }

  async #reseal({ home }: Room): Promise<void> {
    if (home.isOwner) await home.names.save(home.signer, {}).catch(ignoreTrouble);
  }

  #titled(build: (title: Title) => Body | null): Promise<Result<{ title: TitleView }>> {
    return this.#in(async ({ home }) => {
      await home.chain.append(home.signer, build);
      return { title: home.view() };
    });
  }

  /** Changes what stands in the home; agents that are new read the settings, those that left do not. */
  async #place(room: Room, build: (title: Title) => Body | null): Promise<{ title: TitleView; settings: SettingsView }> {
    const { home } = room;
    await home.chain.append(home.signer, build);
    await this.#reseal(room);
    return { title: home.view(), settings: home.names.view() };
  }

  async #view(room: Room): Promise<PeopleView> {
    const { home } = room;
    void this.#hall.remember(room.home).catch(ignoreTrouble);
    const [names, seen] = [await this.#hall.deviceNames(home.id), seenIn(await sessionsIn(room))];
    const me = home.me.id;
    const people = home.title.people.map((p): PersonView => ({
      person: p.id,
      name: home.names.people[p.id] ?? "",
      role: p.role,
      rights: rightsView(p.rights),
      me: p.id === me,
      devices: p.devices.map(({ id }) => ({ device: id, name: p.id === me ? (names[id] ?? "") : "", here: id === home.device })),
      seen: seen.get(p.id) ?? 0,
    }));
    return { people, invites: await this.#inviting.views(home, home.names.people) };
  }
}

function standsIn(title: Title, person: PersonID): Member {
  const member = title.person(person);
  if (member === null) throw refused("unknown-person", "That person is not in this home any more.");
  return member;
}

async function sessionsIn({ home }: Room): Promise<SessionView[]> {
  const { fields } = await home.session.ask("GET", "/sessions");
  return fields.list("sessions").map((item) => {
    const f = new Fields(item);
    const [person, device] = [parseID("person", f.text("person")), parseID("device", f.text("device"))];
    if (person === null || device === null) throw broken("a session of nobody");
    const session = f.text("session");
    return { session, person, device, browser: f.text("browser"), started: f.number("started"), seen: f.number("seen"), here: session === home.session.id };
  });
}

/** When the server last saw somebody; of people whose sessions are not ours to see it says nothing. */
function seenIn(sessions: readonly SessionView[]): Map<PersonID, number> {
  const seen = new Map<PersonID, number>();
  for (const { person, seen: at } of sessions) seen.set(person, Math.max(seen.get(person) ?? 0, at));
  return seen;
}
