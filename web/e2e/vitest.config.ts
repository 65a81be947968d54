import { defineConfig } from "vitest/config";

// The proofs in a real browser with real processes. A house mostly waits for something to
// happen in it, so more files run at a time than there are cores; two cores are not enough for more than three.
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["e2e/house/build.ts"],
    environment: "node",
    pool: "forks",
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ["verbose"],
  },
});
