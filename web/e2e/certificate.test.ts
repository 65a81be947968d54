// A server without a domain makes its certificate itself, and a browser that comes
// without https is told why that does not do. Nothing is put on: the names are real
// ones of a network that this browser is told of, and its secure context is its own.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { environment, freePort } from "./house/house.ts";
import { endAll, Process } from "./house/process.ts";

const built = inject("built");

let browser: Browser;

keepPictures();

beforeAll(async () => {
  browser = await startBrowser("--host-resolver-rules=MAP nas.local 127.0.0.1");
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

function serve(...args: string[]): { server: Process } {
  const folder = mkdtempSync(join(built.folder, "certificate-"));
  const server = new Process({ name: "server", command: built.latchkey, args: ["server", "--data", join(folder, "data"), ...args], cwd: folder, env: environment(folder, built.latchkey) });
  return { server };
}

describe("a certificate of its own", () => {
  let port: number;
  let server: Process;
  let setup: string;
  let fingerprint: string;

  beforeAll(async () => {
    port = await freePort();
    ({ server } = serve("--listen", `127.0.0.1:${port}`, "--own-certificate", "--name", "nas.local"));
    fingerprint = (await server.line(/^ {2}([0-9a-f]{64})$/))[1]!;
    setup = (await server.line(/^ {2}(https:\S+#setup=\S+)$/))[1]!;
  });

  test("who comes without https is told why and what to do", async () => {
    const visitor = await Visitor.arrive(browser, `http://nas.local:${port}`, { ignoreHTTPSErrors: true });
    const { page } = visitor;
    await page.goto(`http://nas.local:${port}/`);
    await page.getByRole("heading", { name: "Open Latchkey with https" }).waitFor();
    expect(await page.getByText(fingerprint).isVisible()).toBe(true);
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await sound(visitor);
    const href = await page.getByRole("link", { name: "the root certificate" }).getAttribute("href");
    const root = await fetch(`http://127.0.0.1:${port}${href}`);
    expect(await root.text()).toContain("BEGIN CERTIFICATE");
  });

  test("who goes on in spite of the warning founds a home, and its agent is told whom to trust", async () => {
    const visitor = await Visitor.arrive(browser, `https://nas.local:${port}`, { ignoreHTTPSErrors: true });
    const { page, context } = visitor;
    await page.goto(setup);
    await page.getByRole("button", { name: words.signUp.later, exact: true }).click();
    await page.getByLabel(words.setup.home).fill("Haus am Deich");
    await page.getByRole("button", { name: words.setup.go }).click();
    await page.getByText(words.events.noCameras.title).waitFor();
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: `https://nas.local:${port}` });
    await page.getByRole("link", { name: words.nav.cameras }).click();
    await page.getByRole("button", { name: words.join.add }).click();
    const dialog = page.getByRole("dialog", { name: words.join.title });
    await dialog.getByRole("button", { name: words.join.copy }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain(`&trust=${fingerprint}'`);
    await sound(visitor);
  });

  test("the server ends when it is told to", async () => {
    expect(await server.stop()).toBe(0);
  });
});

test("a page that came over plain HTTP from another machine makes no keys and says what to do", async () => {
  const port = await freePort();
  const { server } = serve("--listen", `127.0.0.1:${port}`, "--origin", `http://nas.local:${port}`);
  const setup = (await server.line(/^ {2}(http:\S+#setup=\S+)$/))[1]!;
  const visitor = await Visitor.arrive(browser, `http://nas.local:${port}`);
  const { page } = visitor;
  await page.goto(setup);
  await page.getByText(words.setup.insecure.title).waitFor();
  await page.getByText(words.setup.insecure.next).waitFor();
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  expect(await page.getByRole("button", { name: words.setup.go }).count()).toBe(0);
  await sound(visitor);
  expect(await server.stop()).toBe(0);
});
