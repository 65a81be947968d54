// Builds the programs once, before any test, into a folder that is removed after the
// last one.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { TestProject } from "vitest/node";

import { buildStage } from "./stage.ts";

const run = promisify(execFile); // what a command says is in the error, if it fails

/** The module's root. */
export const root = new URL("../../..", import.meta.url).pathname;

/** Where the programs are that were built from the source as it stands. */
export interface Built {
  folder: string;
  latchkey: string;
  camera: string;
  swap: string;
  mail: string;
  /** The page with a stand-in for the worker. */
  stage: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    built: Built;
  }
}

export const goEnv: NodeJS.ProcessEnv = { ...process.env, GOTOOLCHAIN: "local", CGO_ENABLED: "0" };

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));
  await run("scripts/web", { cwd: root });
  mkdirSync(join(folder, "bin"));
  const stage = join(folder, "stage");
  await Promise.all([
    run("go", ["build", "-o", join(folder, "bin"), "./cmd/latchkey", "./web/e2e/testdata/camera", "./web/e2e/testdata/swap", "./web/e2e/testdata/mail"], { cwd: root, env: goEnv }),
    buildStage(stage),
  ]);
  const bin = (name: string) => join(folder, "bin", name);
  project.provide("built", { folder, latchkey: bin("latchkey"), camera: bin("camera"), swap: bin("swap"), mail: bin("mail"), stage });
  return () => rmSync(folder, { recursive: true, force: true });
}
