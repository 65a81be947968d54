// Runs each test as it is, which says by which mutants it comes, once more, which says
// whether it can be repeated, and then under every such mutant that no test has killed
// yet, all in one process. A mutant under which it fails is killed.

import { readFileSync, writeFileSync } from "node:fs";
import { type RunnerTestCase, type RunnerTestSuite as Suite, TestRunner } from "vitest";

/** What is known so far, kept in a file between one file of tests and the next. */
export interface Known {
  /** By the mutant's number, the test that noticed it. */
  killed: Record<number, string>;
  /** By the mutant's number, a test that did not end in its time, and not in four times that either. */
  endless: Record<number, string>;
  /** By the mutant's number, how many tests came by it and did not notice. */
  passed: Record<number, number>;
  /** Tests that fail when they run again as they are. */
  once: string[];
}

// A test that takes so many times as long under a mutant as without one, and this many
// milliseconds, may have noticed it, or the machine has other things to do: it counts if
// it does so again with more patience, and the list says so.
const times = 10;
const atLeast = 3_000;
const longest = 3_600_000;

// A test may have a clock of its own.
const later = setTimeout;
const clock = performance.now.bind(performance);
const state = process.env["LATCHKEY_MUTANTS"]!;

class Switchboard {
  on = 0;
  reached = new Set<number>();

  is(n: number): boolean {
    this.reached.add(n);
    return n === this.on;
  }

  /** What is written to next, or something that writes nothing once. */
  skip<T extends object>(n: number, writer: T): T {
    return this.is(n) ? (new Proxy({}, { get: () => () => writer }) as T) : writer;
  }

  none<T>(n: number, part: T): T {
    return this.is(n) ? (new Uint8Array(0) as T) : part;
  }
}

const board = new Switchboard();
Object.assign(globalThis, { __mutants: board });

export default class MutantRunner extends TestRunner {
  readonly #known = JSON.parse(readFileSync(state, "utf8")) as Known;

  override async onBeforeTryTask(test: RunnerTestCase): Promise<void> {
    board.reached = new Set();
    await super.onBeforeTryTask(test);
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    await TestRunner.getTestFn(test)();
    if (board.reached.size === 0) return;
    const run = (): Promise<void> => anew(test);
    const began = clock();
    const repeated = await fate(run, 0, longest);
    const patience = atLeast + times * (clock() - began);
    const left = [...board.reached].filter((n) => this.#known.killed[n] === undefined && this.#known.endless[n] === undefined);
    if (left.length === 0) return;
    const name = `${test.file.name} ${test.name}`;
    if (repeated === "failed") {
      this.#known.once.push(name);
      return;
    }
    for (const n of left) {
      let what = await fate(run, n, patience);
      if (what === "did not end") what = await fate(run, n, 4 * patience); // once may be chance
      if (what === "failed") this.#known.killed[n] = name;
      else if (what === "did not end") this.#known.endless[n] = name;
      else this.#known.passed[n] = (this.#known.passed[n] ?? 0) + 1;
    }
  }

  override onAfterRunFiles(): void {
    super.onAfterRunFiles();
    writeFileSync(state, JSON.stringify(this.#known));
  }
}

/** A test once more, with what comes before and after each of its suites' tests. */
async function anew(test: RunnerTestCase): Promise<void> {
  const around: Suite[] = [];
  for (let suite = test.suite ?? test.file; ; suite = suite.suite ?? suite.file) {
    around.unshift(suite);
    if (suite === test.file) break;
  }
  const after: (() => unknown)[] = [];
  try {
    for (const suite of around) {
      const hooks = TestRunner.getSuiteHooks(suite);
      for (const hook of hooks.afterEach) after.unshift(() => hook(test.context, suite));
      for (const hook of hooks.beforeEach) {
        const end = await hook(test.context, suite);
        if (typeof end === "function") after.unshift(() => (end as () => unknown)());
      }
    }
    await TestRunner.getTestFn(test)();
  } finally {
    for (const end of after) await end();
  }
}

async function fate(run: () => unknown, mutant: number, patience: number): Promise<"passed" | "failed" | "did not end"> {
  board.on = mutant;
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<"did not end">((end) => (timer = later(() => end("did not end"), patience)));
  try {
    return await Promise.race([Promise.resolve(run()).then(() => "passed" as const), late]);
  } catch {
    return "failed";
  } finally {
    board.on = 0;
    clearTimeout(timer!);
  }
}
