// Makes the mutants, lets vitest run the tests under them, and prints the list.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseSequencer, startVitest, type TestSpecification } from "vitest/node";
import { equivalents, places, tests } from "./places.ts";
import { keyOf, type Mutant, mutate } from "./rules.ts";
import type { Known } from "./runner.ts";

const web = join(import.meta.dirname, "..");

/** Runs everything, or the files with that in their name. True if all is well. */
export async function main(only: string): Promise<boolean> {
  const altered = new Map<string, string>();
  const mutants: Mutant[] = [];
  for (const place of places) {
    const [file, ...functions] = place.split(" ") as [string, ...string[]];
    if (!file.includes(only)) continue;
    const path = join(web, "src", file);
    const made = mutate(`web/src/${file}`, readFileSync(path, "utf8"), functions, mutants.length + 1);
    altered.set(path, made.text);
    mutants.push(...made.mutants);
  }
  return judge(mutants, await run(altered), only);
}

async function run(altered: ReadonlyMap<string, string>): Promise<Known> {
  const folder = mkdtempSync(join(tmpdir(), "mutants-"));
  const state = join(folder, "known.json");
  writeFileSync(state, JSON.stringify({ killed: {}, endless: {}, passed: {}, once: [] } satisfies Known));
  process.env["LATCHKEY_MUTANTS"] = state;
  try {
    const vitest = await startVitest(
      "test",
      [...tests],
      { root: web, watch: false, runner: join(web, "mutants/runner.ts"), fileParallelism: false, sequence: { sequencer: InOrder }, reporters: ["dot"], testTimeout: 3_600_000, hookTimeout: 60_000, dangerouslyIgnoreUnhandledErrors: true },
      { plugins: [{ name: "mutants", enforce: "pre", transform: (_, id) => altered.get(id.split("?")[0]!) }] },
    );
    const unwell = vitest.state.getCountOfFailedTests();
    await vitest.close();
    if (unwell > 0) throw new Error(`${unwell} tests fail as they are`);
    return JSON.parse(readFileSync(state, "utf8")) as Known;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The files of tests in the order of the list: what is quick and kills much comes first. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = (f: TestSpecification): number => tests.findIndex((t) => f.moduleId.startsWith(join(web, t)));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

function judge(mutants: readonly Mutant[], known: Known, only: string): boolean {
  for (const test of known.once) console.log(`NOT REPEATABLE: ${test}`);
  const unused = new Set(Object.keys(equivalents));
  const count = { killed: 0, same: 0, wrong: 0 };
  for (const m of mutants) {
    const reason = equivalents[keyOf(m)];
    const endless = reason === undefined ? known.endless[m.id] : undefined;
    const killer = known.killed[m.id] ?? (endless && `${endless}, which did not end`);
    unused.delete(keyOf(m));
    let fate = `killed by ${killer ?? ""}`;
    if (killer !== undefined && reason === undefined) count.killed++;
    else if (killer === undefined && reason !== undefined) {
      fate = `changes nothing: ${reason}`;
      count.same++;
    } else {
      fate = killer === undefined ? `SURVIVED ${known.passed[m.id] ?? 0} tests` : `KILLED BY ${killer}, and is listed as one that changes nothing`;
      count.wrong++;
    }
    console.log(`${m.file}:${m.line} ${m.within}: ${m.text}: ${m.change}: ${fate}`);
  }
  if (only === "") {
    for (const key of unused) console.log(`LISTED as one that changes nothing, and does not exist: ${key}`);
    count.wrong += unused.size;
  }
  console.log(`${mutants.length} mutants: ${count.killed} killed, ${count.same} change nothing, ${count.wrong} wrong`);
  return count.wrong === 0 && known.once.length === 0;
}
