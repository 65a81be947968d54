// What the page and its worker say to each other. The worker holds the keys, does
// every request, verifies and opens; the page gets what it may show and nothing
// else. Every result is a closed union, so that the compiler asks the page what it
// does about each way things can end.

import type { CameraTimeline, Pieces, Stretch, Strip } from "../letter/footage.ts";
import type { Asked, Part } from "./recordings.ts";
import type { AgentID, CameraID, EventID, HomeID, Kind, NameText, PersonID } from "../seal/name.ts";
import type { Reason } from "../seal/reasons.ts";
import type { AgentCondition, CameraDescription, CameraSource, Device, Found, Still, WouldHaveFired } from "../letter/content.ts";
import type { CameraSettings, MotionSettings } from "../settings/camera.ts";
import type { Sighting } from "../sightings.ts";
import type { AccountCalls, KnownHome } from "./accounts.ts";
import type { MemberCalls, Rights, Role } from "./members.ts";

export type { AgentCondition, CameraCondition, CameraDescription, CameraSource, Condition, Device, Finding, Found, FoundStream, Pin, Still, WouldHaveFired } from "../letter/content.ts";
export type { Part } from "./recordings.ts";
export type { CameraTimeline, Hole, Pieces, Stretch, Strip, TrackName } from "../letter/footage.ts";
export type { CameraSettings, Hours, Mask, MotionSettings, Point, Sensitivity, Zone } from "../settings/camera.ts";
export type { AccountID, AgentID, CameraID, Day, DeviceID, EventID, HomeID, InviteID, Kind, NameText, PersonID } from "../seal/name.ts";
export type { Reason } from "../seal/reasons.ts";
export type * from "./accounts.ts";
export type * from "./members.ts";

/** What went wrong with an object (docs/seal.md, "Three words"). */
export type Word = "misroute" | "corrupt" | "unknown-key";

/** Why an object is not shown; `misroute` is also the server's own word for what it found crossed, `corrupt` for what it found damaged. */
export type RefusedFor = Reason | "misroute" | "corrupt";

/**
 * Why something could not be done. `offline`: nobody answered. `busy`: the server asks
 * to come back. `crossed`: the answer was not to our question. `fork`: the chain of
 * deeds is not the one this browser has seen. `bad-chain`: the chain does not verify.
 * `signed-out`: this device's key is not taken. `no-home`: this browser holds no keys
 * of that home. `storage`: the browser keeps nothing. `refused`: the server said no.
 * `locked`: the account's vault is shut. `unconfirmed`: this browser remembers nothing of
 * the home, and no agent answered for the head; a person has to compare its words.
 * `closed`: the server was restored from a backup, and nobody who knows has spoken yet;
 * `mayConfirm` if this person and browser could.
 * `held`: whoever runs the server has stopped it.
 * `porch`: only the home's own server does that; this is the one that an agent has at home.
 * `away`: the agent is not connected. `agent`: the agent could not do it, and its message
 * says why. `broken`: an answer that does not parse, or an error of our own.
 */
export type Trouble =
  | { trouble: "offline" }
  | { trouble: "busy"; retryAfterMs: number }
  | { trouble: "crossed"; what: "request" | "home" | "name" | "letter" | "answer" | "account" }
  | { trouble: "fork"; seen: string; offered: string }
  | { trouble: "bad-chain"; reason: string; at: number }
  | { trouble: "signed-out" }
  | { trouble: "no-home" }
  | { trouble: "deleted" }
  | { trouble: "locked" }
  | { trouble: "unconfirmed"; words: string[] }
  | { trouble: "closed"; mayConfirm: boolean }
  | ({ trouble: "held" } & Held)
  | { trouble: "storage"; message: string }
  | { trouble: "refused"; status: number; reason: string; message: string }
  | { trouble: "porch" }
  | { trouble: "away" }
  | { trouble: "agent"; reason: string; message: string }
  | { trouble: "broken"; message: string };

/** An operator's hold, as people are told of it: of what, since when (microseconds of UTC), and the operator's words, "" for none. */
export interface Held {
  scope: "everything" | "server" | "home" | "route";
  since: number;
  says: string;
}

/** A value, or the reason why there is none. */
export type Result<T> = ({ ok: true } & T) | ({ ok: false } & Trouble);

/** What the verified chain says. */
export interface TitleView {
  home: HomeID;
  /** SEQ:HEX of the newest deed. */
  head: string;
  epoch: number;
  cameras: { id: CameraID; agent: AgentID }[];
  agents: { id: AgentID }[];
  /** Cameras that stood in the home and do not any more. */
  former: CameraID[];
  /** Whoever has this browser. */
  me: { person: PersonID; role: Role; rights: Rights | null };
  frozen: boolean;
  /** How long and how much is kept, 0 for no bound. */
  retention: { days: number; bytes: number };
  /** Whether an owner has said so, also that there is no bound. */
  retained: boolean;
  /** How many deeds this page has given back to a server that had lost them. */
  gaveBack: number;
}

/** What the settings document says; before there is one, an empty one of number 0. */
export interface SettingsView {
  number: number;
  home: string;
  zone: string;
  cameras: Record<CameraID, CameraSettings>;
}

/** What a person may change; what is absent stays, of each camera too. */
export interface SettingsChange {
  home?: string;
  zone?: string;
  cameras?: Record<CameraID, Partial<CameraSettings>>;
}

/** Founding a home from a set-up link. */
export interface SetUp {
  /** The secret of the link's fragment. */
  setup: string;
  /** What the house is called, and its zone as the browser knows it ("Europe/Berlin"). */
  home?: string;
  zone?: string;
}

/**
 * One object of an event, as far as its list row says. Times are microseconds of UTC. A
 * time of unknown quality is `corrected` if the agent has found out by how much its
 * clock was wrong then; the name has the day that the clock showed.
 */
export type ObjectRow =
  | { state: "verified"; name: NameText; kind: Kind; time: number; quality: "unknown" | "synchronised" | "estimated"; bytes: number; openable: boolean; corrected?: true }
  | { state: "refused"; name: NameText | null; kind: Kind | null; word: Word; reason: RefusedFor };

/**
 * One event. Camera and time come from verified bindings only; both are null when no
 * object of the event verified, and then there is nothing to show but that.
 */
export interface EventRow {
  /** Tells rows apart; it is the event's ID when one verified. */
  key: string;
  event: EventID | null;
  camera: CameraID | null;
  time: number | null;
  /** Whether this person has looked at it. */
  reviewed: boolean;
  objects: ObjectRow[];
}

export interface EventsPage {
  events: EventRow[];
  /** Give it back for older events; "" when there are none. */
  next: string;
  /** Whether these are what an agent has at home, while the home's own server, which has the others, cannot be reached. */
  porch: boolean;
}

/** When the stages of one opening were passed, in performance.timeOrigin + now() milliseconds. */
export interface Timings {
  /** The hint on the changes socket that led here, 0 if none did. */
  notified: number;
  listed: number;
  fetched: number;
  opened: number;
}

/** What became of a report: the server confirmed it, had no such delivery, or was not reached. */
export type Reported = "confirmed" | "unconfirmed" | "not-sent";

/** An object opened, refused or not to be had. A refused one is never shown. */
export type Opened<T> =
  | ({ state: "opened"; timings: Timings } & T)
  | { state: "refused"; word: Word; reason: RefusedFor; reported: Reported }
  | ({ state: "trouble" } & Trouble);

/** A description's content (docs/seal.md, "Description"). Times are microseconds. */
export interface Description {
  start: number;
  end: number;
  cause: string;
  /** What the camera itself said that it saw, each once and in the order of the set. */
  saw: Sighting[];
  score: number | null;
  /** The event of the same camera that this one goes on from. */
  continues: EventID | null;
  /** `stream` is the one that it was made of, "" if nobody says. */
  clip: { object: string; type: string; width: number; height: number; duration: number; bytes: number; stream: "main" | "sub" | "" } | null;
  /** What home and camera were called then, for guests, who read no settings; a camera without a name is "". */
  names: { home: string; camera: string; zone: string } | null;
}

/** What home has of the time of a clip, as one file. Microseconds. */
export interface FullClip {
  blob: Blob;
  lasts: number;
  /** How much of the clip's time is not in it. */
  lacks: number;
}

/** A clip that is played as its parts come. Times are seconds. */
export interface Track {
  /** Its MIME type with its codecs, as the agent says. */
  type: string;
  /** What stands before the parts. */
  head: Uint8Array<ArrayBuffer>;
  /** When each of its parts is shown; every one begins with a picture that needs no other. */
  parts: { start: number; end: number }[];
}

/** An opened join slot: what to hand to the agent. */
export interface Join {
  link: string;
  slot: string;
  /** Microseconds of UTC. */
  expires: number;
}

/** What came of waiting for an agent; `answered` only if the answer verified. */
export type JoinAnswer = { state: "answered"; slot: string; agent: AgentID } | { state: "expired" } | { state: "stopped" };

/** A camera that a placed agent asks to place. The name is what its person typed there. */
export interface Ask {
  camera: CameraID;
  agent: AgentID;
  name: string;
  time: number;
}

/** A file for the person to keep. */
export interface Export {
  file: Blob;
  filename: string;
}

/** What a server leaves out for a while because it has a lot to do. */
export type Spared = "filmstrips" | "backfill" | "clips" | "live-quality";

/**
 * What the changes socket says: fetch that again, or the state of the socket itself; and
 * how far a command to an agent has come.
 */
export type Change =
  | { changed: "events" | "deeds" | "asks" | "joins" | "settings" | "conditions" | "spared" }
  /** By the page's own name for the command; `of` is 0 if nobody knows. */
  | { changed: "progress"; command: string; says: string; done: number; of: number; still?: Blob }
  | { changed: "link"; up: boolean }
  /** There are stills of filmstrips that there were not. */
  | { changed: "stills" };

/** A still of a camera's filmstrip, and when it was taken (microseconds). */
export interface Glance {
  camera: CameraID;
  time: number;
  blob: Blob;
}

/** The streams of a camera that can be watched. */
export type StreamName = "main" | "sub" | "sound";

/**
 * Why nothing comes of a stream, which is asked for again by itself. `line`: the way to
 * the server is being made. `silent`: it is there, and nothing comes. `offline`: the
 * server does not answer; `busy`: it or the agent has its hands full. `held`, `closed`:
 * the server gives nothing of the home. The other words are the agent's, or `away`: it is not there.
 */
export type Waits = "line" | "silent" | "offline" | "busy" | "held" | "closed" | "away" | "frozen" | "off" | "no-stream" | "not-allowed" | "other";

/**
 * What comes of watching a stream, in order. All of it is verified: signed by the
 * camera's agent, for this stream, once, and opened here.
 */
export type Piece =
  /** A run begins with the media that come next. */
  | { is: "init"; type: string; segment: ArrayBuffer }
  /** `time` of its first frame, microseconds by the agent's clock; `seen`, when the camera saw it at the earliest, by the steady clock (steady.ts). */
  | { is: "media"; media: ArrayBuffer; key: boolean; time: number; seen: number }
  /** So many pieces did not come. */
  | { is: "gap"; missing: number }
  | { is: "waits"; why: Waits }
  /** Something came that was of another stream; it was thrown away and reported. */
  | { is: "misroute" }
  /** Nothing comes any more. */
  | { is: "ended"; why: Trouble };

/** What a page may ask of the worker about the home that is open; the rest is in AccountCalls and MemberCalls. */
export interface Calls {
  /** The homes that this browser has keys for. */
  homes(): Promise<Result<{ homes: KnownHome[] }>>;
  /** Makes the keys here, founds the home with a set-up link, and opens it. */
  found(setUp: SetUp): Promise<Result<{ home: HomeID }>>;
  /** Unlocks a home (the only one if none is named), signs in if needed, and verifies its chain. */
  open(home?: HomeID): Promise<Result<{ title: TitleView; settings: SettingsView }>>;
  /** The title, fetched and verified again. */
  title(): Promise<Result<{ title: TitleView }>>;
  settings(): Promise<Result<{ settings: SettingsView }>>;
  /** Changes the settings; another person's change of something else is kept. */
  saveSettings(change: SettingsChange): Promise<Result<{ settings: SettingsView }>>;
  /** A page of verified rows, newest first; of a camera or a time (microseconds) alone if that is chosen. */
  events(before?: string, choice?: { camera?: CameraID; from?: number; until?: number }): Promise<Result<EventsPage>>;
  /** Marks events as looked at, and with `through` all that are listed with that one or behind it. */
  review(events: EventID[], through?: EventID): Promise<Result<object>>;
  thumbnail(name: NameText): Promise<Opened<{ blob: Blob }>>;
  description(name: NameText): Promise<Opened<{ description: Description }>>;
  clip(name: NameText): Promise<Opened<{ blob: Blob }>>;
  /** The cloud's clip as one file that any player takes, with the time in it. */
  clipFile(name: NameText): Promise<Opened<{ blob: Blob }>>;
  /** The main stream's pictures of the time of a clip, from home. `command` is the page's own name for it, in the hints of its progress (microseconds) and for stopCommand. */
  fullClip(name: NameText, description: NameText, command: string): Promise<Result<FullClip>>;
  /** What a clip is and where its parts are, by what its event's description says of them; no track if it has to be opened whole. */
  beginClip(name: NameText, description: NameText): Promise<Opened<{ track: Track | null }>>;
  /** A part of a clip that was begun. */
  clipPart(name: NameText, part: number): Promise<Opened<{ bytes: Uint8Array<ArrayBuffer> }>>;
  /** Opens a slot for an agent: with the secret of a set-up link's `join`, or a fresh one. */
  openJoin(secret?: string): Promise<Result<Join>>;
  /** Waits for the agent's answer. */
  watchJoin(slot: string): Promise<Result<JoinAnswer>>;
  /** Ends a watchJoin. */
  stopJoin(slot: string): Promise<Result<object>>;
  /** Places the agent whose verified answer watchJoin has seen. */
  placeAgent(slot: string): Promise<Result<{ agent: AgentID }>>;
  /** What placed agents ask for; asks that do not verify are left out and counted. */
  asks(): Promise<Result<{ asks: Ask[]; refused: number }>>;
  /** Places a camera that was asked for, and names it in the settings. */
  placeCamera(camera: CameraID, name?: string): Promise<Result<{ title: TitleView; settings: SettingsView }>>;
  /** Turns an ask down. */
  refuseCamera(camera: CameraID): Promise<Result<object>>;
  /** How the agents and their cameras are; those that do not verify are counted, and one older than was seen is refused. */
  conditions(): Promise<Result<{ agents: AgentCondition[]; refused: number }>>;
  /** What a camera offers. `command` is the page's own name for it, in the hints of its progress and for stopCommand. */
  probe(agent: AgentID, command: string, ask: { address: string; user: string; password: string }): Promise<Result<{ found: Found }>>;
  /** Which cameras in the agent's network say of themselves that they are there. */
  discover(agent: AgentID, command: string): Promise<Result<{ devices: Device[] }>>;
  /** Ends a probe or a discovery; its call then ends as refused, for the reason `stopped`. */
  stopCommand(command: string): Promise<Result<object>>;
  /** Gives the agent a camera, places it in the home and names it. */
  addCamera(agent: AgentID, camera: CameraSource): Promise<Result<{ camera: CameraID; title: TitleView; settings: SettingsView }>>;
  /** What the agent keeps of a camera; never its password. */
  describeCamera(agent: AgentID, camera: CameraID): Promise<Result<CameraDescription>>;
  /** Changes what the agent keeps; an empty password stays as it is. */
  changeCamera(agent: AgentID, camera: CameraID, change: CameraSource): Promise<Result<object>>;
  forgetCamera(agent: AgentID, camera: CameraID): Promise<Result<object>>;
  /** Takes the device that is now at the camera's address for the right one. */
  acceptDevice(agent: AgentID, camera: CameraID): Promise<Result<object>>;
  /** A picture of now. */
  still(agent: AgentID, camera: CameraID): Promise<Result<Still>>;
  /** What there is of some cameras' footage; those that are missing are to be asked for again. */
  timeline(agent: AgentID, about: Asked<"timeline">): Promise<Result<{ timelines: CameraTimeline[] }>>;
  /** Pictures of a camera's filmstrip, and up to when they answer the question. */
  stills(agent: AgentID, about: Asked<"stills">): Promise<Result<Strip>>;
  /** What was recorded, from a group on: each a movie fragment that belongs behind `init`. */
  footage(agent: AgentID, about: Asked<"footage">): Promise<Result<Pieces>>;
  /** The nearest still that is here of each camera at that time, at once; nearer ones, so many microseconds apart, are fetched, and the change `stills` says that some have come, or why not. */
  glance(cameras: CameraID[], at: number, step: number): Promise<Result<{ glances: Glance[]; why: Trouble | null }>>;
  /** What the server leaves out at present; what is this page's part in that is heeded. */
  spared(): Promise<Result<{ spared: Spared[] }>>;
  /** Fetches some stills of a time before anybody looks at it. */
  lookAhead(cameras: CameraID[], stretch: Stretch): Promise<Result<object>>;
  /** Keeps a stretch of footage from being removed to make room; only an owner may. */
  saveFootage(agent: AgentID, about: Part): Promise<Result<object>>;
  /** Ends that, of exactly such a stretch. */
  unsaveFootage(agent: AgentID, about: Part): Promise<Result<object>>;
  /** Deletes a stretch of footage at home; only an owner may. */
  deleteFootage(agent: AgentID, about: Part): Promise<Result<object>>;
  /** Watches a stream, under the page's own name for it, until unwatch; what comes of it comes as pieces. */
  watch(watch: string, camera: CameraID, stream: StreamName): Promise<Result<object>>;
  unwatch(watch: string): Promise<Result<object>>;
  /** How often the camera would have told of motion lately with other settings. */
  wouldFire(agent: AgentID, camera: CameraID, motion: MotionSettings): Promise<Result<WouldHaveFired>>;
  /** The object file with the reader's envelope, as `latchkey open` takes it. */
  exportObject(name: NameText): Promise<Result<Export>>;
  /** The home file with the epochs' keys: whoever has it can open everything. */
  exportKey(): Promise<Result<Export>>;
  /** Ends the session at the server. The keys stay in this browser. */
  signOut(): Promise<Result<object>>;
}

/** Everything that a page may ask of the worker. */
export interface AllCalls extends Calls, AccountCalls, MemberCalls {}

/** Page to worker. */
export type Request = { id: number; call: keyof AllCalls; args: unknown[] };

/** Worker to page. */
export type Message = { id: number; result: unknown } | { change: Change } | { watch: string; piece: Piece };
