import { defineConfig } from "vitest/config";

import proofs from "../e2e/vitest.config.ts";

// What is measured in a real house, with what the proofs have.
export default defineConfig({ test: { ...proofs.test, include: ["bench/live.ts"], reporters: [["default", { summary: false }]], testTimeout: 600_000 } });
