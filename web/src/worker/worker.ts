// The worker's door: calls come in as messages, answers go out. Only what the
// protocol names can be called.

import { Server } from "../api.ts";
import { openVault, type Vault } from "../vault.ts";
import { Desk } from "./desk.ts";
import type { Calls, Message, Request } from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const calls: Record<keyof Calls, true> = {
  homes: true,
  found: true,
  open: true,
  title: true,
  settings: true,
  saveSettings: true,
  events: true,
  thumbnail: true,
  description: true,
  clip: true,
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
  wouldFire: true,
  exportObject: true,
  exportKey: true,
  signOut: true,
};

let vault: Promise<Vault> | null = null;

const desk = new Desk(
  new Server(self.location.origin),
  () => (vault ??= openVault().catch((e: unknown) => ((vault = null), Promise.reject(e)))),
  (change) => post({ change }),
);

function post(message: Message): void {
  self.postMessage(message);
}

self.onmessage = async (e: MessageEvent<Request>) => {
  const { id, call, args } = e.data;
  if (!Object.hasOwn(calls, call)) return;
  const answer = desk[call] as (...args: unknown[]) => Promise<unknown>;
  post({ id, result: await answer.apply(desk, args) });
};

self.ononline = () => desk.online();
