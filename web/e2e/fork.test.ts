// A server that tells two histories: it is set back behind a deed that one device has
// seen, and goes on from there with another. That device shows nothing of the home any
// more, says why, and the server's own log has it.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { keepPictures, startBrowser, type Visitor } from "./house/browser.ts";
import { Cloud, Household } from "./house/house.ts";
import { admit, come, goTo, invite } from "./house/people.ts";
import { soundAnywhere } from "./house/person.ts";
import { endAll } from "./house/process.ts";

const built = inject("built");
const home = "Haus am See";

let browser: Browser;
let cloud: Cloud;
let house: Household;
let other: Visitor;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "fork-"));
  browser = await startBrowser();
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
  house = await Household.found(cloud, browser, join(folder, "house"), built.latchkey, home);
  const link = await invite(house.owner.page, { name: "Nora", role: "owner" });
  other = await come(browser, cloud.origin, link, { email: "nora@example.org", passphrase: "Teekanne quietscht unter Fallobst" });
  await admit(house.owner.page, other.page, "Nora", home);
  await goTo(other.page, "people");
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

test("the device that has seen the other history is shown nothing, and says why", async () => {
  const { page } = house.owner;
  const old = join(cloud.folder, "old");
  await goTo(page, "people");
  await other.page.goto("about:blank"); // it knows the home as it is in the copy
  await cloud.server.stop();
  cpSync(cloud.data, old, { recursive: true });
  await cloud.run(built.latchkey);
  await invite(page, { name: "Rosa", role: "resident" });
  await page.goto("about:blank");
  await cloud.server.stop();
  rmSync(cloud.data, { recursive: true });
  cpSync(old, cloud.data, { recursive: true });
  await cloud.run(built.latchkey);
  await other.page.goto(cloud.origin);
  await invite(other.page, { name: "Gus", role: "resident" });

  await page.goto(cloud.origin);
  await page.getByRole("heading", { name: words.stopped.fork.title }).waitFor();
  await page.getByText(words.stopped.fork.says).waitFor();
  expect(await page.getByRole("navigation").count()).toBe(0);
  await soundAnywhere(house.owner);
  await expect.poll(() => cloud.log, { timeout: 10_000 }).toMatch(/unknown-head/);
});

test("the other device goes on: it was told one history alone", async () => {
  await goTo(other.page, "people");
  await other.page.getByText(words.people.inviteOf.join("Gus")).waitFor();
  other.blameless();
});
