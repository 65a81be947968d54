// What the page may ask of the worker about the people of a home and what stands in it:
// who may see what, invitations, devices and sessions, cameras and agents that come and go.
// Every change is a deed that this device's person signs (docs/deed.md).

import type { Confirmed } from "../keep/keep.ts";
import type { AgentID, CameraID, DeviceID, EventID, HomeID, InviteID, PersonID } from "../seal/name.ts";
import type { Result, SettingsView, TitleView } from "./protocol.ts";

export type Role = "owner" | "resident" | "guest" | "link";
export type Sees = "thumbnail" | "clip" | "description" | "live" | "footage";

/** What a guest may see. `until` is microseconds, 0 for as long as nobody changes it; `cameras` null for every camera. */
export interface Rights {
  kinds: Sees[];
  until: number;
  cameras: CameraID[] | null;
}

export interface DeviceView {
  device: DeviceID;
  /** What its person calls it; "" for other people's. */
  name: string;
  here: boolean;
}

/** Somebody in the home. Names come from the sealed settings. */
export interface PersonView {
  person: PersonID;
  name: string;
  role: Role;
  rights: Rights | null;
  me: boolean;
  devices: DeviceView[];
  /** When the server last saw one of their devices, microseconds; 0 for never or not known. */
  seen: number;
}

/**
 * An open invitation. `name` is what its maker called the guest to be; `link` is "" in
 * every browser but the one that made it, which alone can compare and admit.
 */
export interface InviteView {
  invite: InviteID;
  link: string;
  purpose: "join" | "recover" | "hand over";
  name: string;
  role: Role | null;
  rights: Rights | null;
  expires: number;
  expired: boolean;
}

export interface PeopleView {
  people: PersonView[];
  invites: InviteView[];
}

/** A device's signed-in state at the server. */
export interface SessionView {
  session: string;
  person: PersonID;
  device: DeviceID;
  browser: string;
  started: number;
  seen: number;
  here: boolean;
}

/** An invitation's link, for a person and as a QR code's text. */
export interface Invited {
  invite: InviteID;
  link: string;
  expires: number;
}

/** Waiting for somebody to answer an invitation: the phrase is to be compared with theirs. */
export type InviteAnswer = { state: "answered"; phrase: string[] } | { state: "expired" } | { state: "stopped" };

/** What an invitation says to whoever has its link. */
export interface Invitation {
  home: HomeID;
  /** What the home is called, and who invites; sealed in the link's slot. */
  name: string;
  from: string;
  purpose: "join" | "recover" | "hand over";
  role: Role | null;
  rights: Rights | null;
  expires: number;
}

/** How it goes on for somebody who answered. */
export type Admission = { state: "phrase"; phrase: string[] } | { state: "admitted"; home: HomeID } | { state: "refused" } | { state: "expired" };

/** What the trust page shows. */
export interface TrustView {
  /** The home's fingerprint, as `latchkey agent status` prints it. */
  words: string[];
  head: string;
  headWords: string[];
  deeds: number;
  epoch: number;
  /** How the newest head was confirmed to this browser. */
  confirmed: Confirmed;
  /** How many deeds this browser gave back to a server that had lost them. */
  gaveBack: number;
  /** What was refused since the page was opened, newest first. */
  refused: { what: string; reason: string; time: number }[];
}

/** What the server has of the home, and how many bytes that may be, 0 for no bound. */
export interface UsageView {
  objects: number;
  bytes: number;
  most: number;
}

export interface MemberCalls {
  people(): Promise<Result<PeopleView>>;
  namePerson(person: PersonID, name: string): Promise<Result<PeopleView>>;
  nameDevice(device: DeviceID, name: string): Promise<Result<PeopleView>>;
  /** Invites somebody who is not in the home yet. */
  invite(who: { name: string; role: Exclude<Role, "link">; rights: Rights | null; days: number }): Promise<Result<Invited>>;
  /** Lets somebody back in who has lost every key, with the same role. */
  inviteBack(person: PersonID): Promise<Result<Invited>>;
  /** Gives the whole home to somebody else. */
  handOver(): Promise<Result<Invited>>;
  withdraw(invite: InviteID): Promise<Result<PeopleView>>;
  watchInvite(invite: InviteID): Promise<Result<InviteAnswer>>;
  stopInvite(invite: InviteID): Promise<Result<object>>;
  /** Signs what the invitation was for. `past` lets them see what was recorded before; with "hand over" there is none. */
  admit(invite: InviteID, past: boolean): Promise<Result<PeopleView>>;

  /** Reads the invitation of a link. */
  readInvitation(link: string): Promise<Result<{ invitation: Invitation }>>;
  /** Makes keys and answers; the account's vault must be open. */
  answerInvitation(link: string): Promise<Result<object>>;
  /** The next thing that happens to an answer; it waits. */
  watchAdmission(link: string): Promise<Result<Admission>>;

  changePerson(person: PersonID, role: Exclude<Role, "link">, rights: Rights | null, past: boolean): Promise<Result<PeopleView>>;
  dismiss(person: PersonID): Promise<Result<PeopleView>>;
  /** A guest leaves. */
  leave(): Promise<Result<object>>;
  strike(device: DeviceID): Promise<Result<PeopleView>>;
  /** "I lost this phone": new keys for me, every other device of mine is shut out. */
  lostDevice(): Promise<Result<PeopleView>>;

  sessions(): Promise<Result<{ sessions: SessionView[] }>>;
  endSession(session: string): Promise<Result<{ sessions: SessionView[] }>>;

  freeze(): Promise<Result<{ title: TitleView }>>;
  thaw(): Promise<Result<{ title: TitleView }>>;
  releaseCamera(camera: CameraID): Promise<Result<{ title: TitleView; settings: SettingsView }>>;
  releaseAgent(agent: AgentID): Promise<Result<{ title: TitleView; settings: SettingsView }>>;
  /** Gives an agent new keys: those of the agent that answered in a join's slot. */
  replaceAgent(agent: AgentID, slot: string): Promise<Result<{ title: TitleView }>>;
  retain(days: number, bytes: number): Promise<Result<{ title: TitleView }>>;
  /** Deletes events for good. */
  deleteEvents(events: readonly EventID[]): Promise<Result<object>>;
  /** Deletes the home itself for good, and drops its keys here. */
  deleteHome(): Promise<Result<object>>;
  /** Deletes for good what cameras recorded in that time, in microseconds. */
  deleteSpans(cameras: readonly CameraID[], from: number, to: number): Promise<Result<object>>;
  usage(): Promise<Result<{ usage: UsageView }>>;

  trust(): Promise<Result<{ trust: TrustView }>>;
  /** Confirms the head to this browser, which remembers none of the home: by an agent's fresh answer, or because the person compared its words. */
  confirmHead(by: "agent" | "compared"): Promise<Result<{ title: TitleView; settings: SettingsView }>>;
  /** An owner vouches that a restored server lacks nothing that this browser knows. */
  confirmRestored(): Promise<Result<object>>;
}
