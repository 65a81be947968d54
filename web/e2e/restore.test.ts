// A server that runs is backed up, goes on, is lost and restored: what was decided in
// the home since comes back from the browser, and nothing is shown before somebody who
// knows has spoken.

import { renameSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser } from "./house/browser.ts";
import { Cloud, Household } from "./house/house.ts";
import { endAll, Process } from "./house/process.ts";

const built = inject("built");

let browser: Browser;
let cloud: Cloud;
let house: Household;

keepPictures();

beforeAll(async () => {
  browser = await startBrowser();
  cloud = await Cloud.start(join(built.folder, "restore"), built.latchkey);
  house = await Household.found(cloud, browser, join(built.folder, "restored-house"), built.latchkey, "Haus am Deich");
});

afterAll(async () => {
  await house?.stop();
  await cloud?.stop();
  await browser?.close();
  endAll();
});

/** What the operator types beside the server. */
async function operate(...args: string[]): Promise<void> {
  const p = new Process({ name: args[0]!, command: built.latchkey, args, cwd: cloud.folder, env: cloud.env });
  expect(await p.ended, p.log).toBe(0);
}

describe("a server that is lost and restored", () => {
  test("shows nothing of the home at first, and says why", async () => {
    const { page } = house.owner;
    const backup = join(cloud.folder, "backup");
    await operate("backup", "--data", cloud.data, "--to", backup);
    await house.addAgent(); // a deed that the backup does not know
    await cloud.server.stop();
    renameSync(cloud.data, join(cloud.folder, "lost"));
    await operate("restore", "--from", backup, "--data", cloud.data);
    await cloud.run(built.latchkey);
    await page.getByRole("heading", { name: words.stopped.closed.title }).waitFor({ timeout: 60_000 });
    expect(await page.getByRole("link", { name: words.nav.cameras }).count()).toBe(0);
    await sound(house.owner);
  });

  test("takes no owner's word while an agent may know better", async () => {
    const { page } = house.owner;
    await page.getByRole("button", { name: words.door.confirm }).click();
    await page.getByText(words.door.confirmSays).waitFor();
    await page.getByRole("button", { name: words.door.confirmSure }).click();
    await page.getByText(words.door.tooSoon("").slice(0, 30)).waitFor();
    await sound(house.owner);
  });

  test("opens by itself when the agent is back, and has the deeds again that it had lost", async () => {
    const { page } = house.owner;
    await house.run();
    await page.getByText(words.gaveBack.says(1)).waitFor({ timeout: 60_000 });
    expect(cloud.log).toMatch(/home opened after a restore/);
    await sound(house.owner);
    await page.getByRole("button", { name: words.gaveBack.dismiss }).click();
    await page.getByText(words.gaveBack.title).waitFor({ state: "hidden" });
    await page.getByRole("link", { name: words.nav.cameras }).click();
    await page.getByText(words.cameras.title, { exact: true }).first().waitFor();
    house.owner.blameless();
  });
});
