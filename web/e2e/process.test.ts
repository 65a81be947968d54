// What a test has started ends with it, however it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { transformWithEsbuild } from "vite";
import { expect, inject, test } from "vitest";

import { living } from "./house/process.ts";

test.each(["SIGTERM", "SIGKILL"] as const)("tests that are ended by %s leave no process", async (signal) => {
  const folder = mkdtempSync(join(inject("built").folder, "process-"));
  const path = new URL("house/process.ts", import.meta.url).pathname;
  writeFileSync(join(folder, "process.mjs"), (await transformWithEsbuild(readFileSync(path, "utf8"), path)).code);
  writeFileSync(
    join(folder, "tests.mjs"),
    `import { Process } from "./process.mjs";
     const sleeper = new Process({ name: "a camera", command: "/bin/sh", args: ["-c", "sleep 60 & echo started; wait"], cwd: "/", env: process.env });
     await sleeper.line(/started/);
     console.log(sleeper.pid);
     setInterval(() => undefined, 1000);`,
  );
  const tests = spawn(process.execPath, [join(folder, "tests.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const group = Number(String((await once(tests.stdout, "data"))[0]));
  const left = () => living().filter((p) => p.group === group).length;
  expect(left()).toBe(2);
  tests.kill(signal);
  await expect.poll(left, { timeout: 15_000 }).toBe(0);
});
