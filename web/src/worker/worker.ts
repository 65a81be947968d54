// The worker's door: calls come in as messages, answers go out. Only what the
// protocol names can be called.

import { Server } from "../api.ts";
import type { Keep } from "../keep/keep.ts";
import { MemoryKeep } from "../keep/memory.ts";
import { openKeep } from "../keep/store.ts";
import { AccountDesk } from "./accountdesk.ts";
import { Desk } from "./desk.ts";
import { Hall } from "./hall.ts";
import { Joins } from "./joins.ts";
import { MemberDesk } from "./memberdesk.ts";
import type { AccountCalls, Calls, MemberCalls, Message, Piece, Request } from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const homeCalls: Record<keyof Calls, true> = {
  homes: true,
  found: true,
  open: true,
  title: true,
  settings: true,
  saveSettings: true,
  events: true,
  review: true,
  thumbnail: true,
  description: true,
  clip: true,
  clipFile: true,
  fullClip: true,
  beginClip: true,
  clipPart: true,
  openJoin: true,
  watchJoin: true,
  stopJoin: true,
  placeAgent: true,
  asks: true,
  placeCamera: true,
  refuseCamera: true,
  conditions: true,
  probe: true,
  discover: true,
  stopCommand: true,
  addCamera: true,
  describeCamera: true,
  changeCamera: true,
  forgetCamera: true,
  acceptDevice: true,
  still: true,
  timeline: true,
  stills: true,
  footage: true,
  glance: true,
  spared: true,
  lookAhead: true,
  saveFootage: true,
  unsaveFootage: true,
  deleteFootage: true,
  watch: true,
  unwatch: true,
  wouldFire: true,
  exportObject: true,
  exportKey: true,
  signOut: true,
};

const accountCalls: Record<keyof AccountCalls, true> = {
  standing: true,
  beginSignUp: true,
  prepareSignUp: true,
  finishSignUp: true,
  beginPasskey: true,
  signInPasskey: true,
  signInPassphrase: true,
  signInRecovery: true,
  account: true,
  beginAddPasskey: true,
  addPasskey: true,
  setPassphrase: true,
  newRecovery: true,
  finishRecovery: true,
  removeUnlocker: true,
  beginTotp: true,
  finishTotp: true,
  removeTotp: true,
  changeEmail: true,
  confirmEmail: true,
  endAccountSession: true,
  lock: true,
  homesLeft: true,
  deleteAccount: true,
};

const memberCalls: Record<keyof MemberCalls, true> = {
  people: true,
  namePerson: true,
  nameDevice: true,
  invite: true,
  inviteBack: true,
  handOver: true,
  withdraw: true,
  watchInvite: true,
  stopInvite: true,
  admit: true,
  readInvitation: true,
  answerInvitation: true,
  watchAdmission: true,
  changePerson: true,
  dismiss: true,
  leave: true,
  strike: true,
  lostDevice: true,
  sessions: true,
  endSession: true,
  freeze: true,
  thaw: true,
  releaseCamera: true,
  releaseAgent: true,
  replaceAgent: true,
  retain: true,
  deleteEvents: true,
  deleteSpans: true,
  deleteHome: true,
  usage: true,
  trust: true,
  confirmHead: true,
  confirmRestored: true,
};

let keep: Promise<Keep> | null = null;

// Of a copy this browser keeps nothing: whoever opens it again unlocks it again.
const opened = self.name.split(" ")[1] ?? "";
const keeping = (): Promise<Keep> => (opened === "" ? openKeep() : Promise.resolve(new MemoryKeep()));

const hall = new Hall(
  new Server(self.location.origin, undefined, opened),
  () => (keep ??= keeping().catch((e: unknown) => ((keep = null), Promise.reject(e)))),
  (change) => post({ change }),
  (watch, piece) => post({ watch, piece }, bytesOf(piece)),
);
// What one page locks is locked in all of them.
const pages = new BroadcastChannel("latchkey locked");
pages.onmessage = () => hall.forget();

const joins = new Joins(hall.server);
const desks: { answers: Calls | AccountCalls | MemberCalls; calls: object }[] = [
  { answers: new Desk(hall, joins), calls: homeCalls },
  { answers: new AccountDesk(hall, () => pages.postMessage("")), calls: accountCalls },
  { answers: new MemberDesk(hall, joins), calls: memberCalls },
];

/** What goes over to the page and is not copied. */
function bytesOf(piece: Piece): ArrayBuffer[] {
  return piece.is === "media" ? [piece.media] : piece.is === "init" ? [piece.segment] : [];
}

function post(message: Message, bytes: ArrayBuffer[] = []): void {
  self.postMessage(message, bytes);
}

self.onmessage = async (e: MessageEvent<Request>) => {
  const { id, call, args } = e.data;
  const desk = desks.find(({ calls }) => Object.hasOwn(calls, call));
  if (desk === undefined) return;
  const answer = (desk.answers as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[call]!;
  post({ id, result: await answer.apply(desk.answers, args) });
};

self.ononline = () => hall.online();
