// Runs the writer of vectors: TypeScript through Vite, as everything else here.
import { createServer } from "vite";

const vite = await createServer({ configFile: false, appType: "custom", logLevel: "error", server: { middlewareMode: true, hmr: false, ws: false } });
try {
  const { main } = await vite.ssrLoadModule(new URL("./write.ts", import.meta.url).pathname);
  await main();
} finally {
  await vite.close();
}
