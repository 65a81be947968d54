// What the desks share: the server, what this browser keeps, the account's vault, and
// the home that is open.

import { Failed, type Server } from "../api.ts";
import type { VaultHome } from "../account/content.ts";
import type { HomeSecrets, Keep, KeptHome } from "../keep/keep.ts";
import { equal } from "../wire.ts";
import type { Head } from "../deed/head.ts";
import type { AccountID, CameraID, DeviceID, HomeID } from "../seal/name.ts";
import { accountEnded, AccountVault } from "./accountvault.ts";
import { Agents } from "./agents.ts";
import type { ParsedAsk } from "./ask.ts";
import { Changes } from "./changes.ts";
import { askAgents, type Going, settle, visit, type Visit } from "./arrival.ts";
import { depositing, remembering } from "./deposit.ts";
import { Events } from "./events.ts";
import { Home } from "./home.ts";
import { Clips } from "./clips.ts";
import { Films } from "./films.ts";
import { Objects } from "./objects.ts";
import type { Change, KnownHome, Piece } from "./protocol.ts";
import { Reporter } from "./report.ts";
import { checkStrip } from "./recordings.ts";
import { ignoreTrouble, refused } from "./result.ts";
import { type AskStills, Strips } from "./strips.ts";
import { Turns } from "./turns.ts";
import { Watches } from "./watches.ts";

/** What belongs to the home that is open. */
export interface Room {
  readonly home: Home;
  readonly agents: Agents;
  readonly events: Events;
  readonly objects: Objects;
  readonly clips: Clips;
  readonly films: Films;
  readonly reporter: Reporter;
  readonly changes: Changes;
  readonly watches: Watches;
  readonly strips: Strips;
  readonly asks: Map<CameraID, { ask: ParsedAsk; name: string }>;
}

/** Somebody at the door: let in as a person, and no device yet. */
interface Visitor extends Visit {
  readonly kept: KeptHome | null;
  readonly called: string;
}

export class Hall {
  readonly server: Server;
  readonly vault: AccountVault;
  readonly tell: (change: Change) => void;
  readonly #give: (watch: string, piece: Piece) => void;
  readonly #openKeep: () => Promise<Keep>;
  readonly #entering = new Turns();
  readonly #listeners: ((change: Change) => void)[] = [];
  #room: Room | null = null;
  #visitor: Visitor | null = null;

  constructor(server: Server, keep: () => Promise<Keep>, tell: (change: Change) => void, give: (watch: string, piece: Piece) => void = () => undefined) {
    this.server = server;
    this.#openKeep = keep;
    this.tell = tell;
    this.#give = give;
    this.vault = new AccountVault(server, () => this.keep());
  }

  async keep(): Promise<Keep> {
    try {
      return await this.#openKeep();
    } catch (e) {
      throw new Failed({ trouble: "storage", message: String(e) });
    }
  }

  /** The home that is open. */
  get room(): Room {
    if (this.#room === null) throw new Failed({ trouble: "no-home" });
    return this.#room;
  }

  /** Calls listener for each hint that a home's server gives. */
  hear(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** What is kept of the homes that are not another account's. */
  async kept(): Promise<KeptHome[]> {
    const keep = await this.keep();
    const known = await keep.account();
    return (await keep.homes()).filter((h) => h.account === null || h.account === known?.account);
  }

  /** Every home that the person has, in this browser or in the vault. */
  async homes(): Promise<KnownHome[]> {
    const here = (await this.kept()).filter(isHere).map((h) => ({ home: h.home, name: h.secrets!.called, here: true }));
    const unread = (e: unknown) => {
      if (here.length === 0) throw e; // that there is no home is not known
      return unlessUnreached(e);
    };
    const vault = (await this.vault.isOpen()) ? await this.vault.content().catch(unread) : null;
    const elsewhere = (vault?.homes ?? []).filter((v) => !v.invited && here.every((h) => h.home !== v.home));
    return [...here, ...elsewhere.map((v) => ({ home: v.home, name: v.name, here: false }))];
  }

  /** Puts the homes of this browser that no account has into the vault that is open. */
  async deposit(): Promise<void> {
    if (!(await this.vault.isOpen())) return;
    const fresh = (await this.kept()).filter((h) => h.account === null && h.secrets !== null && h.stage !== "founding");
    if (fresh.length === 0) return;
    await this.vault.change(await depositing(fresh));
    await this.claim(fresh);
  }

  /** Says that homes lie in the vault that is open. */
  async claim(homes: readonly KeptHome[]): Promise<void> {
    const { account } = await this.vault.account();
    for (const { home } of homes) await (await this.keep()).mark(home, { account });
  }

  /** Gives the homes back what a lock took, as far as this vault opens it. */
  async unlock(): Promise<void> {
    const { homes } = await this.vault.content();
    for (const row of await this.kept()) {
      const there = homes.find((h) => h.home === row.home);
      // Another browser has put new keys into the place of these.
      if (row.secrets !== null && there !== undefined && isOutdated(row.secrets, there)) await (await this.keep()).strip(row.home);
      if (row.secrets !== null || row.shut === null) continue;
      const secrets = await this.vault.unlock(row.home, row.shut);
      if (secrets !== null) await (await this.keep()).add({ ...row, secrets, shut: null });
    }
  }

  /** Shuts another account that is open here, before this one is taken. */
  async makeWay(account: AccountID): Promise<void> {
    if (!(await this.vault.isOpen()) || (await this.vault.account()).account === account) return;
    this.leave();
    await this.vault.lock();
  }

  /** Opens a home that the person has, or stays in it. */
  enter(id?: HomeID): Promise<Room> {
    return this.#entering.run(() => this.#enter(id));
  }

  async #enter(id?: HomeID): Promise<Room> {
    if (this.#room !== null && (id === undefined || id === this.#room.home.id)) return this.#room;
    return this.#furnish(await this.#go(id));
  }

  /** A home that the person has, beside the one that is open. */
  aside(id: HomeID): Promise<Home> {
    return this.#entering.run(async () => {
      try {
        return await this.#go(id);
      } finally {
        this.#visitor = null; // nobody is asked about a home that they do not look at
      }
    });
  }

  async #go(id?: HomeID): Promise<Home> {
    const all = await this.kept();
    const kept = all.find((h) => isHere(h) && (id === undefined || h.home === id));
    if (kept?.stage === "in") return this.#unlock(kept);
    const going = kept === undefined ? await this.#inVault(id) : fromKept(kept);
    if (going === null) throw new Failed({ trouble: "no-home" });
    return this.#arrive(going, kept ?? all.find((h) => h.home === going.home) ?? null);
  }

  async #inVault(id?: HomeID): Promise<Going | null> {
    if (!(await this.vault.isOpen())) return null;
    const { homes } = await this.vault.content();
    return homes.find((h) => !h.invited && (id === undefined || h.home === id)) ?? null;
  }

  /** Unlocks a home of which this browser is a device. New keys may be on their way: the chain says whether they have come. */
  async #unlock(kept: KeptHome): Promise<Home> {
    const keep = await this.keep();
    const next = kept.secrets?.next;
    if (next == null) return Home.unlock(kept, this.server, keep);
    const home = await Home.unlock(kept, this.server, keep, { ...kept.secrets!, ...next, next: null });
    try {
      await home.chain.refresh();
      if (home.me.id !== next.person) throw new Failed({ trouble: "signed-out" });
    } catch (e) {
      if (!(e instanceof Failed) || e.trouble.trouble !== "signed-out") throw e;
      return Home.unlock(kept, this.server, keep);
    }
    await keep.change(kept.home, (s) => ({ ...s, ...next, next: null }));
    return home;
  }

  /** Goes to a home of which this browser is no device, and becomes one. */
  async #arrive(going: Going, kept: KeptHome | null): Promise<Home> {
    const visitor = { ...(await visit(going, kept, this.server, await this.keep())), kept, called: going.name };
    this.#visitor = visitor;
    // A copy is as old as it is: no head of it is the newest, and nothing that is signed onto one leaves this machine.
    if (this.server.copy) visitor.home.confirm("copy");
    if (visitor.home.confirmed === null) await askAgents(visitor.home, this.#roomFor(visitor.home).agents);
    return this.#settle(visitor);
  }

  async #settle(v: Visitor): Promise<Home> {
    const keep = await this.keep();
    const account = (await this.vault.isOpen()) ? (await this.vault.account()).account : null;
    await settle(v, v.kept, v.called, account, keep);
    await v.home.session.signOut().catch(ignoreTrouble);
    this.#visitor = null;
    const kept = (await keep.homes()).find((h) => h.home === v.home.id)!;
    return Home.unlock(kept, this.server, keep);
  }

  /** Confirms the head of the home at whose door this browser stands, and goes in. */
  confirm(by: "agent" | "compared"): Promise<Room> {
    return this.#entering.run(async () => {
      const v = this.#visitor;
      if (v === null) throw new Failed({ trouble: "no-home" });
      if (by === "compared") v.home.confirm(by);
      else if (v.home.confirmed === null) await askAgents(v.home, this.#roomFor(v.home).agents);
      return this.#furnish(await this.#settle(v));
    });
  }

  #furnish(home: Home): Room {
    const room = this.#roomFor(home);
    this.leave();
    return (this.#room = room);
  }

  #roomFor(home: Home): Room {
    const reporter = new Reporter(home.session);
    const agents = new Agents(home, reporter, () => this.tell({ changed: "events" }));
    const events = new Events(home, reporter, agents);
    const objects = new Objects(home, events, reporter, () => this.tell({ changed: "settings" }));
    const changes = new Changes(home.session, (change) => this.#heard(change), () => home.chain.refresh());
    const watches: Watches = new Watches(home, reporter, () => this.refresh(room), this.#give);
    const ask: AskStills = async (camera, stretch, most) => {
      const about = { camera, most, ...stretch };
      const placed = home.title.camera(camera);
      if (placed === null) throw refused("no-camera", "The camera is not in the home any more.");
      return checkStrip(await agents.command(placed.agent, { ...about, do: "stills" }), about);
    };
    const strips = new Strips(ask, () => this.tell({ changed: "stills" }));
    const room: Room = { home, agents, events, objects, clips: new Clips(objects), films: new Films(home, objects, agents), reporter, changes, watches, strips, asks: new Map() };
    return room;
  }

  /** Fetches the chain of a room; a fork is told to the server's records too. */
  async refresh(room: Room): Promise<void> {
    try {
      await room.home.chain.refresh();
    } catch (e) {
      if (e instanceof Failed && e.trouble.trouble === "fork") {
        void room.reporter.tell({ delivery: e.request, asked: "", reason: "unknown-head", word: "corrupt", header: new Uint8Array(0) });
      }
      if (e instanceof Failed && e.trouble.trouble === "signed-out") await this.turnedAway(room).catch(ignoreTrouble);
      throw e;
    }
  }

  /** Says in the vault, and here, how it stands with a home; that may fail without harm. */
  async remember(home: Home): Promise<void> {
    const name = home.names.view().home;
    await (await this.keep()).change(home.id, (s) => (s.called === name ? s : { ...s, called: name }));
    const kept = (await this.kept()).find((h) => h.home === home.id);
    if (kept?.secrets == null || !(await this.vault.isOpen())) return;
    const change = remembering({ home: home.id, head: home.title.head, keys: kept.secrets, name });
    if (change(await this.vault.content()) !== (await this.vault.content())) await this.vault.change(change);
  }

  /** Somebody who was invited is in: the vault says so too. */
  async admitted(home: HomeID, head: Head): Promise<void> {
    if (this.#room?.home.id === home) this.leave(); // it was open with keys of before
    const kept = (await this.kept()).find((h) => h.home === home);
    if (kept?.secrets == null) return;
    await this.vault.change(remembering({ home, head, keys: kept.secrets, name: kept.secrets.called }));
  }

  /**
   * The home does not take this device any more. If it takes the person it was struck:
   * then keys and vault are shut, and only who signs in again gets in, as another device.
   */
  async turnedAway(room: Room): Promise<void> {
    // Whoever has just made new keys was in that room with the old ones.
    if (this.#room !== room) return;
    const { id } = room.home;
    const keep = await this.keep();
    const kept = (await this.kept()).find((h) => h.home === id);
    if (kept?.secrets == null || kept.account === null) return;
    const inside = await visit({ ...fromKept(kept), next: kept.secrets.next }, kept, this.server, keep).catch(ignoreTrouble);
    await inside?.home.session.signOut().catch(ignoreTrouble);
    if (inside === undefined || !equal(inside.keys.signing, kept.secrets.signing)) return; // gone, or in with the keys to come
    if (inside.home.title.device(kept.secrets.device) !== null || this.#room !== room) return;
    this.leave();
    await keep.strip(id);
    await this.vault.shut();
  }

  /** Another page of this browser was locked: nothing is held here either. */
  forget(): void {
    this.leave();
    this.vault.forget();
    this.tell({ changed: "deeds" });
  }

  /** Closes the home that is open, and opens it with the keys that are kept now. */
  async again(id: HomeID): Promise<Room> {
    this.leave();
    const room = await this.enter(id);
    room.changes.start();
    return room;
  }

  /** What the person calls their devices. */
  async deviceNames(home: HomeID): Promise<HomeSecrets["names"]> {
    const here = (await this.kept()).find((h) => h.home === home)?.secrets?.names ?? {};
    const vault = (await this.vault.isOpen()) ? await this.vault.content().catch(unlessUnreached) : null;
    return { ...here, ...vault?.devices };
  }

  /** Names a device: in the vault, or as long as there is none in this browser. */
  async nameDevice(home: HomeID, device: DeviceID, name: string): Promise<void> {
    if (await this.vault.isOpen()) {
      await this.vault.change((c) => ({ ...c, devices: { ...c.devices, [device]: name } }));
      return;
    }
    await (await this.keep()).change(home, (s) => ({ ...s, names: { ...s.names, [device]: name } }));
  }

  /** The person is not in the home any more: nothing of it is kept. */
  async left(id: HomeID): Promise<void> {
    this.leave();
    await (await this.keep()).drop(id);
    if (await this.vault.isOpen()) await this.vault.change((c) => ({ ...c, homes: c.homes.filter((h) => h.home !== id) }));
  }

  /** Ends the account that is open; nothing of it and its homes is kept here. */
  async endAccount(): Promise<void> {
    const session = this.#room?.home.session;
    await this.vault.end();
    this.leave();
    await session?.signOut().catch(ignoreTrouble);
  }

  /** Closes the home that is open. */
  leave(): void {
    this.#room?.changes.close();
    this.#room?.watches.close();
    this.#room = null;
  }

  /** The machine says that it is online again. */
  online(): void {
    this.#room?.changes.hurry();
    this.#room?.watches.hurry();
  }

  #heard(change: Change): void {
    if (change.changed === "events") this.#room?.events.hinted();
    for (const listener of this.#listeners) listener(change);
    this.tell(change);
  }
}

/** Whether keys of that home lie here, and the server has it. */
function isHere({ secrets, stage }: KeptHome): boolean {
  return secrets !== null && stage !== "founding" && stage !== "invited";
}

function unlessUnreached(e: unknown): null {
  const unreached = ["offline", "busy", "porch", "locked"];
  if (e instanceof Failed && !unreached.includes(e.trouble.trouble) && e.reason !== accountEnded) throw e;
  ignoreTrouble(e);
  return null;
}

/** Where somebody was going whose browser stopped on the way. */
function fromKept({ home, secrets }: KeptHome): Going {
  const { person, signing, kem, called } = secrets!;
  return { home, person, signing, kem, head: null, next: null, name: called };
}

function isOutdated(secrets: HomeSecrets, there: VaultHome): boolean {
  const here = [secrets.signing, ...(secrets.next === null ? [] : [secrets.next.signing])];
  return ![there.signing, ...(there.next === null ? [] : [there.next.signing])].some((k) => here.some((h) => equal(h, k)));
}
