// The page with a stand-in for the worker (src/dev). It is built, because a page that
// comes in hundreds of modules would load for most of a test.

import { build, preview } from "vite";

import type { Built } from "./build.ts";

/** Where the page is, and how it is taken away. */
export interface Stage {
  origin: string;
  page: string;
  close(): Promise<void>;
}

const web = new URL("../..", import.meta.url).pathname;
const config = { root: web, mode: "development", logLevel: "error" } as const;

/** Builds the page into a folder as for development, so that Svelte says in the console what it finds wrong. */
export async function buildStage(outDir: string): Promise<void> {
  await build({ ...config, build: { outDir, minify: false, rollupOptions: { input: `${web}src/dev/index.html` } } });
}

/** Serves the page. */
export async function openStage({ stage: outDir }: Built): Promise<Stage> {
  const server = await preview({ ...config, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } });
  // Passkeys need a name: browsers refuse them on addresses that are numbers.
  const origin = `http://localhost:${new URL(server.resolvedUrls!.local[0]!).port}`;
  return { origin, page: `${origin}/src/dev/index.html`, close: () => server.close() };
}
