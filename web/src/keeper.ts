// The page's hold on the worker: each call is a message there and an answer back.
// No key and no request is on this side.

import type { AllCalls, CameraID, Change, Message, Piece, Request, StreamName } from "./worker/protocol.ts";

type Waiting = (result: unknown) => void;

/** Everything the worker can do, as promises. One page makes one Keeper. */
export class Keeper {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #watching = new Map<string, (piece: Piece) => void>();
  #last = 0;

  /** Whether the home is a copy at this machine. */
  readonly copy: boolean;

  /** `opened` is the secret of the link to a copy at this machine, "" at a server. */
  constructor(opened = "") {
    this.copy = opened !== "";
    const worker = new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module", name: `keeper ${opened}`.trim() });
    this.#worker = worker;
    worker.onmessage = (e: MessageEvent<Message>) => this.#hear(e.data);
    // A worker that fails to start answers nothing: whoever waits is told.
    worker.onerror = () => this.#fail("the part of the page that holds the keys has stopped: load the page again");
    worker.onmessageerror = () => this.#fail("an answer of the worker could not be read: load the page again");
  }

  /** Calls listener for every hint that something is to be fetched again; returns how to stop. */
  changes(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches a stream and hands on what comes of it; returns how to stop. */
  live(camera: CameraID, stream: StreamName, take: (piece: Piece) => void): () => void {
    const name = `live ${++this.#last}`;
    this.#watching.set(name, take);
    void this.watch(name, camera, stream).then((r) => !r.ok && this.#watching.get(name)?.({ is: "ended", why: r }));
    return () => {
      this.#watching.delete(name);
      void this.unwatch(name);
    };
  }

  /** Ends the worker; nothing is answered after that. */
  close(): void {
    this.#worker.terminate();
    this.#fail("the page was closed");
  }

  readonly homes = this.#call("homes");
  readonly #found = this.#call("found");
  /** Before the keys are made the browser is asked not to clear them away when its disk is full. */
  readonly found: AllCalls["found"] = (setUp) => {
    void navigator.storage?.persist?.().catch(() => false); // a browser may ask its person first: nobody waits for that
    return this.#found(setUp);
  };
  readonly open = this.#call("open");
  readonly title = this.#call("title");
  readonly settings = this.#call("settings");
  readonly saveSettings = this.#call("saveSettings");
  readonly events = this.#call("events");
  readonly review = this.#call("review");
  readonly thumbnail = this.#call("thumbnail");
  readonly description = this.#call("description");
  readonly clip = this.#call("clip");
  readonly clipFile = this.#call("clipFile");
  readonly fullClip = this.#call("fullClip");
  readonly beginClip = this.#call("beginClip");
  readonly clipPart = this.#call("clipPart");
  readonly openJoin = this.#call("openJoin");
  readonly watchJoin = this.#call("watchJoin");
  readonly stopJoin = this.#call("stopJoin");
  readonly placeAgent = this.#call("placeAgent");
  readonly asks = this.#call("asks");
  readonly placeCamera = this.#call("placeCamera");
  readonly refuseCamera = this.#call("refuseCamera");
  readonly conditions = this.#call("conditions");
  readonly probe = this.#call("probe");
  readonly discover = this.#call("discover");
  readonly stopCommand = this.#call("stopCommand");
  readonly addCamera = this.#call("addCamera");
  readonly describeCamera = this.#call("describeCamera");
  readonly changeCamera = this.#call("changeCamera");
  readonly forgetCamera = this.#call("forgetCamera");
  readonly acceptDevice = this.#call("acceptDevice");
  readonly still = this.#call("still");
  readonly timeline = this.#call("timeline");
  readonly stills = this.#call("stills");
  readonly footage = this.#call("footage");
  readonly glance = this.#call("glance");
  readonly lookAhead = this.#call("lookAhead");
  readonly saveFootage = this.#call("saveFootage");
  readonly unsaveFootage = this.#call("unsaveFootage");
  readonly deleteFootage = this.#call("deleteFootage");
  readonly watch = this.#call("watch");
  readonly unwatch = this.#call("unwatch");
  readonly wouldFire = this.#call("wouldFire");
  readonly exportObject = this.#call("exportObject");
  readonly exportKey = this.#call("exportKey");
  readonly signOut = this.#call("signOut");

  readonly standing = this.#call("standing");
  readonly beginSignUp = this.#call("beginSignUp");
  readonly prepareSignUp = this.#call("prepareSignUp");
  readonly finishSignUp = this.#call("finishSignUp");
  readonly beginPasskey = this.#call("beginPasskey");
  readonly signInPasskey = this.#call("signInPasskey");
  readonly signInPassphrase = this.#call("signInPassphrase");
  readonly signInRecovery = this.#call("signInRecovery");
  readonly account = this.#call("account");
  readonly beginAddPasskey = this.#call("beginAddPasskey");
  readonly addPasskey = this.#call("addPasskey");
  readonly setPassphrase = this.#call("setPassphrase");
  readonly newRecovery = this.#call("newRecovery");
  readonly finishRecovery = this.#call("finishRecovery");
  readonly removeUnlocker = this.#call("removeUnlocker");
  readonly beginTotp = this.#call("beginTotp");
  readonly finishTotp = this.#call("finishTotp");
  readonly removeTotp = this.#call("removeTotp");
  readonly changeEmail = this.#call("changeEmail");
  readonly confirmEmail = this.#call("confirmEmail");
  readonly endAccountSession = this.#call("endAccountSession");
  readonly lock = this.#call("lock");
  readonly homesLeft = this.#call("homesLeft");
  readonly deleteAccount = this.#call("deleteAccount");

  readonly spared = this.#call("spared");
  readonly people = this.#call("people");
  readonly namePerson = this.#call("namePerson");
  readonly nameDevice = this.#call("nameDevice");
  readonly invite = this.#call("invite");
  readonly inviteBack = this.#call("inviteBack");
  readonly handOver = this.#call("handOver");
  readonly withdraw = this.#call("withdraw");
  readonly watchInvite = this.#call("watchInvite");
  readonly stopInvite = this.#call("stopInvite");
  readonly admit = this.#call("admit");
  readonly readInvitation = this.#call("readInvitation");
  readonly answerInvitation = this.#call("answerInvitation");
  readonly watchAdmission = this.#call("watchAdmission");
  readonly changePerson = this.#call("changePerson");
  readonly dismiss = this.#call("dismiss");
  readonly leave = this.#call("leave");
  readonly strike = this.#call("strike");
  readonly lostDevice = this.#call("lostDevice");
  readonly sessions = this.#call("sessions");
  readonly endSession = this.#call("endSession");
  readonly freeze = this.#call("freeze");
  readonly thaw = this.#call("thaw");
  readonly releaseCamera = this.#call("releaseCamera");
  readonly releaseAgent = this.#call("releaseAgent");
  readonly replaceAgent = this.#call("replaceAgent");
  readonly retain = this.#call("retain");
  readonly deleteEvents = this.#call("deleteEvents");
  readonly deleteHome = this.#call("deleteHome");
  readonly deleteSpans = this.#call("deleteSpans");
  readonly usage = this.#call("usage");
  readonly trust = this.#call("trust");
  readonly confirmHead = this.#call("confirmHead");
  readonly confirmRestored = this.#call("confirmRestored");

  #call<K extends keyof AllCalls>(call: K): AllCalls[K] {
    const ask = (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve) => {
        const id = ++this.#last;
        this.#waiting.set(id, resolve);
        this.#worker.postMessage({ id, call, args } satisfies Request);
      });
    return ask as AllCalls[K];
  }

  #hear(message: Message): void {
    if ("change" in message) {
      for (const listener of this.#listeners) listener(message.change);
      return;
    }
    if ("watch" in message) {
      this.#watching.get(message.watch)?.(message.piece);
      return;
    }
    this.#waiting.get(message.id)?.(message.result);
    this.#waiting.delete(message.id);
  }

  #fail(message: string): void {
    const result = { ok: false, state: "trouble", trouble: "broken", message };
    for (const waiting of this.#waiting.values()) waiting(result);
    this.#waiting.clear();
  }
}

/** A Keeper's calls alone: what a screen needs, and what its tests can stand in for. */
export type Keeps = Pick<Keeper, keyof AllCalls | "changes" | "live"> & Partial<Pick<Keeper, "copy">>;
