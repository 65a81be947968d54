// Takes away, one at a time, each field, comparison and check in the places of
// places.ts, and prints which test noticed. node mutants/run.mjs [part of a file's name]
import { createServer } from "vite";

const vite = await createServer({ configFile: false, appType: "custom", logLevel: "error", server: { middlewareMode: true, hmr: false, ws: false } });
let well = false;
try {
  const { main } = await vite.ssrLoadModule(new URL("./main.ts", import.meta.url).pathname);
  well = await main(process.argv[2] ?? "");
} finally {
  await vite.close();
}
process.exit(well ? 0 : 1);
