// The page with a stand-in for the worker (src/dev). It is built, because a page that
// comes in hundreds of modules would load for most of a test.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { build, preview } from "vite";

import { type Built, root } from "./build.ts";

/** Where the page is, and how it is taken away. */
export interface Stage {
  origin: string;
  page: string;
  close(): Promise<void>;
}

/** Builds the page as for development, so that Svelte says in the console what it finds wrong, and serves it. */
export async function openStage(built: Built): Promise<Stage> {
  const outDir = mkdtempSync(join(built.folder, "stage-"));
  const config = { root: join(root, "web"), mode: "development", logLevel: "error" } as const;
  await build({ ...config, build: { outDir, minify: false, rollupOptions: { input: join(root, "web/src/dev/index.html") } } });
  const server = await preview({ ...config, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } });
  // Passkeys need a name: browsers refuse them on addresses that are numbers.
  const origin = `http://localhost:${new URL(server.resolvedUrls!.local[0]!).port}`;
  return { origin, page: `${origin}/src/dev/index.html`, close: () => server.close() };
}
