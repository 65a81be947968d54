// Builds the programs once, before any test, into a folder that is removed after the
// last one.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

/** The module's root. */
export const root = new URL("../../..", import.meta.url).pathname;

/** Where the programs are that were built from the source as it stands. */
export interface Built {
  folder: string;
  latchkey: string;
  camera: string;
  swap: string;
  mail: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    built: Built;
  }
}

export const goEnv: NodeJS.ProcessEnv = { ...process.env, GOTOOLCHAIN: "local", CGO_ENABLED: "0" };

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));
  execFileSync("scripts/web", { cwd: root, stdio: "pipe" }); // what it says is in the error, if it fails
  mkdirSync(join(folder, "bin"));
  execFileSync("go", ["build", "-o", join(folder, "bin"), "./cmd/latchkey", "./web/e2e/testdata/camera", "./web/e2e/testdata/swap", "./web/e2e/testdata/mail"], { cwd: root, env: goEnv, stdio: "inherit" });
  const bin = (name: string) => join(folder, "bin", name);
  project.provide("built", { folder, latchkey: bin("latchkey"), camera: bin("camera"), swap: bin("swap"), mail: bin("mail") });
  return () => rmSync(folder, { recursive: true, force: true });
}
