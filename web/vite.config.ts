import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Nothing is inlined as data: and no script stands in the page itself, so that the
// Content-Security-Policy needs no exception. Chunks of the worker are modules,
// because the second HPKE implementation is loaded only where it is needed.
export default defineConfig({
  plugins: [svelte()],
  build: { target: "es2022", outDir: "dist", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  server: {
    host: "127.0.0.1",
    fs: { allow: [".."] }, // words.txt lies beside this folder
    // The page and the API have one origin in production; the session cookie is SameSite=Strict.
    proxy: { "/v1": { target: process.env["LATCHKEY_SERVER"] ?? "http://127.0.0.1:8420", ws: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: "100%", pool: "threads" },
});
