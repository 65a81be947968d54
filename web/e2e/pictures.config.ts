import { defineConfig } from "vitest/config";

import proofs from "./vitest.config.ts";

// `npm run pictures` takes the pictures of docs/pictures anew.
export default defineConfig({ test: { ...proofs.test, include: ["e2e/pictures.ts"], testTimeout: 300_000 } });
