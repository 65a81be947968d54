// What the desks share: the server, what this browser keeps, the account's vault, and
// the home that is open.

import { Failed, type Server } from "../api.ts";
import type { Keep, KeptHome } from "../keep/keep.ts";
import type { AccountID, CameraID, HomeID } from "../seal/name.ts";
import { AccountVault } from "./accountvault.ts";
import { Agents } from "./agents.ts";
import type { ParsedAsk } from "./ask.ts";
import { Changes } from "./changes.ts";
import { depositing } from "./deposit.ts";
import { Events } from "./events.ts";
import { Home } from "./home.ts";
import { Objects } from "./objects.ts";
import type { Change, KnownHome } from "./protocol.ts";
import { Reporter } from "./report.ts";
import { ignoreTrouble } from "./result.ts";
import { Turns } from "./turns.ts";

/** What belongs to the home that is open. */
export interface Room {
  readonly home: Home;
  readonly agents: Agents;
  readonly events: Events;
  readonly objects: Objects;
  readonly reporter: Reporter;
  readonly changes: Changes;
  readonly asks: Map<CameraID, { ask: ParsedAsk; name: string }>;
}

export class Hall {
  readonly server: Server;
  readonly vault: AccountVault;
  readonly tell: (change: Change) => void;
  readonly #openKeep: () => Promise<Keep>;
  readonly #entering = new Turns();
  readonly #listeners: ((change: Change) => void)[] = [];
  #room: Room | null = null;

  constructor(server: Server, keep: () => Promise<Keep>, tell: (change: Change) => void) {
    this.server = server;
    this.#openKeep = keep;
    this.tell = tell;
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
    const here = (await this.kept()).filter(isHere).map((h) => ({ home: h.home, name: h.called, here: true }));
    const vault = (await this.vault.isOpen()) ? await this.vault.content().catch(unlessUnreached) : null;
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
    for (const row of await this.kept()) {
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

  /** Opens a home that this browser keeps, or stays in it. */
  enter(id?: HomeID): Promise<Room> {
    return this.#entering.run(() => this.#enter(id));
  }

  async #enter(id?: HomeID): Promise<Room> {
    if (this.#room !== null && (id === undefined || id === this.#room.home.id)) return this.#room;
    const kept = (await this.kept()).find((h) => isHere(h) && (id === undefined || h.home === id));
    if (kept === undefined) throw new Failed({ trouble: "no-home" });
    const home = await Home.unlock(kept, this.server, await this.keep());
    const reporter = new Reporter(home.session);
    const agents = new Agents(home, reporter, () => this.tell({ changed: "events" }));
    const events = new Events(home, reporter, agents);
    const objects = new Objects(home, events, reporter);
    const changes = new Changes(home.session, (change) => this.#heard(change), () => home.chain.refresh());
    this.leave();
    this.#room = { home, agents, events, objects, reporter, changes, asks: new Map() };
    return this.#room;
  }

  /** Closes the home that is open. */
  leave(): void {
    this.#room?.changes.close();
    this.#room = null;
  }

  /** The machine says that it is online again. */
  online(): void {
    this.#room?.changes.hurry();
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
  const unreached = ["offline", "busy", "locked"];
  if (e instanceof Failed && !unreached.includes(e.trouble.trouble)) throw e;
  ignoreTrouble(e);
  return null;
}
