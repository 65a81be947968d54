// A whole house of real processes: cameras, agents, a server behind a wire, and what a
// person does at a terminal and in front of the page to bring them together.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";

import type { Browser } from "playwright-core";
import { expect } from "vitest";

import { words } from "../../src/words.ts";
import { Visitor } from "./browser.ts";
import type { Built } from "./build.ts";
import { until } from "./look.ts";
import { type Ended, Process } from "./process.ts";
import { Wire } from "./wire.ts";

/** What a painted camera looks at (demo/paint). */
export const scene = { frontDoor: 0, garden: 1, driveway: 2 } as const;

/** A painted camera: where it is and who may watch it. */
export interface Camera {
  main: string;
  sub: string;
  user: string;
  password: string;
}

/** A port of this machine that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** The environment of everything that is started: nothing of whoever runs the tests but the way to the programs. */
export function environment(folder: string, program: string): Record<string, string> {
  const [home, tmp] = [join(folder, "home"), join(folder, "tmp")];
  for (const f of [home, tmp]) mkdirSync(f, { recursive: true });
  return { PATH: `${dirname(program)}:${process.env["PATH"]}`, HOME: home, TMPDIR: tmp, TZ: "UTC" };
}

/** A server, and everything that its operator holds. */
export class Cloud {
  readonly folder: string;
  readonly wire: Wire;
  readonly env: Record<string, string>;
  readonly #port: number;
  readonly #more: readonly string[];
  /** Where the server counts for its operator. */
  metrics = "";
  /** Every start of the server, the last one last. */
  readonly starts: Process[] = [];

  private constructor(folder: string, port: number, wire: Wire, env: Record<string, string>, more: readonly string[]) {
    this.folder = folder;
    this.#port = port;
    this.#more = more;
    this.wire = wire;
    this.env = env;
  }

  /** Starts a server in an empty folder, perhaps with more flags. */
  static async start(folder: string, program: string, ...more: string[]): Promise<Cloud> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const cloud = new Cloud(folder, port, await Wire.lay(() => port), environment(folder, program), more);
    await cloud.run(program);
    return cloud;
  }

  /** Where its people find it. */
  get origin(): string {
    return this.wire.origin;
  }

  get data(): string {
    return join(this.folder, "data");
  }

  get server(): Process {
    return this.starts.at(-1)!;
  }

  /** Everything that the server has ever written to its log. */
  get log(): string {
    return this.starts.map((s) => s.log).join("\n");
  }

  /** Starts the server, perhaps of another build, on what it has kept. */
  async run(program: string): Promise<void> {
    const args = ["server", "--data", this.data, "--listen", `127.0.0.1:${this.#port}`, "--origin", this.origin, "--metrics", "127.0.0.1:0", ...this.#more];
    this.starts.push(new Process({ name: "server", command: program, args, cwd: this.folder, env: this.env }));
    const [, metrics] = await this.server.line(/^Counters: (\S+)$/);
    this.metrics = metrics!;
  }

  /** Ends the server and starts it again, perhaps of another build. */
  async restart(program: string): Promise<void> {
    expect(await this.server.stop()).toBe(0);
    await this.run(program);
  }

  /** The set-up link that the server prints when it is first started; after that, one that its operator asks for. */
  async setupLink(program: string): Promise<string> {
    const link = /(http:\/\/localhost:\d+\/#setup=\S+)/;
    if (!this.#founded) {
      this.#founded = true;
      return (await this.server.line(link))[1]!;
    }
    const ask = new Process({ name: "setup-link", command: program, args: ["server", "setup-link", "--data", this.data, "--origin", this.origin], cwd: this.folder, env: this.env });
    const [, made] = await ask.line(link);
    expect(await ask.ended).toBe(0);
    return made!;
  }
  #founded = false;

  async stop(): Promise<void> {
    if (this.server.exit === null) await this.server.stop();
    this.wire.close();
  }
}

/** One home: somebody with a browser, and a machine in the house with an agent on it. */
export class Household {
  readonly cloud: Cloud;
  readonly owner: Visitor;
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly program: string;
  /** Everything that the agent has ever written to its log, and its commands to their terminal. */
  readonly said: Process[] = [];
  #agent: Process | null = null;

  private constructor(cloud: Cloud, owner: Visitor, folder: string, program: string) {
    this.cloud = cloud;
    this.owner = owner;
    this.folder = folder;
    this.program = program;
    this.env = { ...environment(folder, program), LATCHKEY_AGENT_DATA: join(folder, "agent") };
  }

  /** Makes a home in an empty browser, as the page asks for it. */
  static async found(cloud: Cloud, browser: Browser, folder: string, program: string, name: string): Promise<Household> {
    mkdirSync(folder, { recursive: true });
    const owner = await Visitor.arrive(browser, cloud.origin);
    const h = new Household(cloud, owner, folder, program);
    const { page } = owner;
    await page.goto(await cloud.setupLink(program));
    await page.getByRole("button", { name: words.signUp.later, exact: true }).click();
    await page.getByLabel(words.setup.home).fill(name);
    await page.getByRole("button", { name: words.setup.go }).click();
    await page.getByText(words.events.noCameras.title).waitFor();
    return h;
  }

  /** Another machine of the same home, with a folder of its own. */
  another(folder: string): Household {
    mkdirSync(folder, { recursive: true });
    return new Household(this.cloud, this.owner, folder, this.program);
  }

  get agent(): Process {
    if (this.#agent === null) throw new Error("the agent has not been started");
    return this.#agent;
  }

  get agentFolder(): string {
    return join(this.folder, "agent");
  }

  /** What a person types on the agent's machine; returns the exit code. */
  async type(command: string, stdin = ""): Promise<Ended> {
    const p = new Process({ name: command.slice(0, 40), command: "/bin/sh", args: ["-c", command], cwd: this.folder, env: this.env, stdin });
    this.said.push(p);
    return p.ended;
  }

  /** Adds an agent: the command is copied from the page and run on the machine. */
  async addAgent(): Promise<void> {
    const { page, context } = this.owner;
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: this.cloud.origin });
    await page.getByRole("link", { name: words.nav.cameras }).click();
    await page.getByRole("button", { name: words.join.add }).click();
    const dialog = page.getByRole("dialog", { name: words.join.title });
    await dialog.getByRole("button", { name: words.join.copy }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toMatch(/^latchkey agent join '[^']+'$/);
    const joined = this.type(command);
    await dialog.getByText(words.join.doneNext).waitFor();
    expect(await joined, this.said.at(-1)!.log).toBe(0);
    await dialog.getByRole("button", { name: words.close, exact: true }).last().click();
  }

  /** Describes a camera to the agent. Its password goes by a file of its own, which is removed. */
  async addCamera(name: string, camera: Camera): Promise<void> {
    const file = join(this.folder, "password");
    writeFileSync(file, `${camera.password}\n`, { mode: 0o600 });
    const withUser = (url: string) => url.replace("rtsp://", `rtsp://${camera.user}@`);
    expect(await this.type(`latchkey agent add-camera '${name}' '${withUser(camera.main)}' --sub '${withUser(camera.sub)}' --password-file password && rm password`), this.said.at(-1)!.log).toBe(0);
  }

  /** Starts the agent. */
  async run({ debug = false, more = [] as readonly string[] } = {}): Promise<void> {
    this.#agent = new Process({ name: "agent", command: this.program, args: ["agent", "run", ...(debug ? ["--debug"] : []), ...more], cwd: this.folder, env: this.env });
    this.said.push(this.#agent);
    await this.#agent.line(/The agent is running/);
  }

  /** Says yes to the cameras that the agent asks for. */
  async acceptCameras(...names: string[]): Promise<void> {
    const { page } = this.owner;
    await page.getByRole("link", { name: words.nav.cameras }).click();
    for (const name of names) {
      const panel = page.locator(".asks .panel", { hasText: words.cameras.ask(name) });
      await panel.getByRole("button", { name: words.cameras.add, exact: true }).click();
      await page.locator(".list .name", { hasText: name }).waitFor();
    }
    await this.goToEvents();
  }

  async goToEvents(): Promise<void> {
    await this.owner.page.getByRole("link", { name: words.nav.events }).click();
  }

  /** Waits until there is an event with a picture from each of these cameras. */
  async pictures(...names: string[]): Promise<void> {
    for (const name of names) await until(this.owner.page, `a picture of ${name}`, (all) => all.find((c) => c.camera === name && c.picture));
  }

  /** Forgets what the browser has kept of the server's answers, and loads the page again. */
  async reloadAfresh(): Promise<void> {
    const { page, context } = this.owner;
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.clearBrowserCache");
    await cdp.detach();
    await page.reload();
  }

  /** Everything that the agent and its commands have written to terminal and log. */
  get log(): string {
    return this.said.map((s) => s.log).join("\n");
  }

  async stop(): Promise<void> {
    if (this.#agent?.exit === null) await this.#agent.stop();
    await this.owner.leave();
  }
}

/** Painted cameras that ask for a user and a password. */
export class Street {
  readonly process: Process;
  readonly cameras: Camera[];

  private constructor(process: Process, cameras: Camera[]) {
    this.process = process;
    this.cameras = cameras;
  }

  static async paint(built: Built, wanted: readonly { scene: number; user: string; password: string; strip?: boolean }[]): Promise<Street> {
    const folder = join(built.folder, "cameras");
    const painted = new Process({ name: "cameras", command: built.camera, cwd: built.folder, env: environment(folder, built.camera), stdin: JSON.stringify(wanted) });
    await painted.line(/^ready$/, { within: 40_000 });
    const cameras = painted.lines.flatMap(({ text }) => text.match(/^camera (\S+) (\S+)$/) ?? []).length / 3;
    expect(cameras).toBe(wanted.length);
    const found = painted.lines.map(({ text }) => text.match(/^camera (\S+) (\S+)$/)).filter((m) => m !== null);
    return new Street(painted, found.map((m, i) => ({ main: m[1]!, sub: m[2]!, user: wanted[i]!.user, password: wanted[i]!.password })));
  }

  /** Takes the cameras away: nothing happens any more in front of anybody. */
  async stop(): Promise<void> {
    if (this.process.exit === null) await this.process.stop();
  }
}

/** The files of a folder and of those below it, by their paths in it. */
export function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}
