// What people do to let each other into a home.

import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";

import { words } from "../../src/words.ts";
import { Visitor } from "./browser.ts";
import type { SigningUp } from "./person.ts";
import { signUp } from "./person.ts";

/** Whom an owner invites. */
export interface Guest {
  name: string;
  role: "owner" | "resident" | "guest";
  /** What a guest sees, and of which camera. */
  camera?: string;
  kinds?: (keyof typeof words.rights.kindLabel)[];
}

/** Goes to one of the screens. */
export async function goTo(page: Page, screen: "live" | "events" | "timeline" | "cameras" | "people" | "home" | "you"): Promise<void> {
  await page.getByRole("link", { name: words.nav[screen], exact: true }).click();
  await page.getByRole("heading", { level: 1, name: words.nav[screen] }).waitFor({ state: "attached" });
}

/** Fills in what a guest may see. */
export async function chooseRights(page: Page, { camera, kinds = [] }: Guest): Promise<void> {
  if (camera) {
    await page.getByLabel(words.rights.chosen).check();
    for (const box of await page.locator(".inner input").all()) await box.setChecked((await box.evaluate((b) => (b as HTMLInputElement).labels![0]!.textContent)) === camera);
  }
  for (const [kind, label] of Object.entries(words.rights.kindLabel)) await page.getByLabel(label, { exact: true }).setChecked(kinds.includes(kind as keyof typeof words.rights.kindLabel));
}

/** Makes an invitation; returns its link. */
export async function invite(page: Page, who: Guest): Promise<string> {
  await goTo(page, "people");
  await page.getByRole("link", { name: words.people.invite }).click();
  await page.getByLabel(words.inviting.name, { exact: true }).fill(who.name);
  // An owner without a name of their own in the home is asked for one.
  const own = page.getByLabel(words.inviting.yours, { exact: true });
  if (await own.isVisible()) await own.fill("Otto");
  await page.getByLabel(words.people.role[who.role], { exact: true }).check();
  if (who.role === "guest") await chooseRights(page, who);
  await page.getByRole("button", { name: words.inviting.go }).click();
  return linkOf(page);
}

/** The link that the page shows. */
export async function linkOf(page: Page): Promise<string> {
  const link = (await page.locator("code").first().textContent())!.trim();
  expect(link).toMatch(/^http:\/\/localhost:\d+\/#invite=[a-z2-7]{26}&home=[a-z2-7]{52}&head=\d+:[0-9a-f]{64}$/);
  return link;
}

/** Somebody new opens a link in an empty browser, makes an account and accepts. */
export async function come(browser: Browser, origin: string, link: string, as: SigningUp, look: (v: Visitor) => Promise<void> = () => Promise.resolve()): Promise<Visitor> {
  const v = await Visitor.arrive(browser, origin);
  await v.page.goto(link);
  await v.page.getByRole("button", { name: words.invited.signUp }).waitFor();
  expect(v.page.url()).not.toContain("#");
  await look(v);
  await v.page.getByRole("button", { name: words.invited.signUp }).click();
  await signUp(v, as);
  return v;
}

/** The words that both sides see. */
export async function phraseOf(page: Page, heading: string): Promise<string[]> {
  await page.getByRole("heading", { name: heading }).waitFor({ timeout: 30_000 });
  return page.locator("ol:not(.small) > li").allTextContents();
}

/** Both sides see the same four words. */
export async function expectSameWords(owner: Page, other: Page): Promise<void> {
  const [ours, theirs] = [await phraseOf(owner, words.inviting.compareTitle), await phraseOf(other, words.invited.phraseTitle)];
  expect(ours.length).toBe(4);
  expect(theirs).toEqual(ours);
}

/** Lets somebody in once the words are the same; the other goes in. */
export async function admit(owner: Page, other: Page, name: string, home: string): Promise<void> {
  await expectSameWords(owner, other);
  await owner.getByRole("button", { name: words.inviting.same.join(name) }).click();
  await owner.getByRole("heading", { name: words.inviting.done.join(name) }).waitFor();
  await goIn(other, home);
}

export async function goIn(other: Page, home: string): Promise<void> {
  await other.getByRole("heading", { name: words.invited.in(home) }).waitFor({ timeout: 30_000 });
  await other.getByRole("button", { name: words.homes.goTo(home) }).click();
  await other.getByRole("link", { name: words.nav.events, exact: true }).waitFor();
}

/** Goes to the page of somebody of the home. */
export async function openPerson(page: Page, name: string): Promise<void> {
  await goTo(page, "people");
  await page.getByRole("link", { name: words.people.editOf(name) }).click();
  await page.getByRole("heading", { name: words.people.rights }).waitFor();
}

/** Presses Tab until that has the focus. */
export async function tabTo(page: Page, to: Locator): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if (await to.evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`60 times Tab, and the focus is not on ${to}`);
}

/** Saves the key file of whoever is there. */
export async function saveKey({ page }: Visitor, path: string): Promise<void> {
  await goTo(page, "home");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words.settings.keySave }).click()]);
  await download.saveAs(path);
}

/** Saves the sealed clip of an event. */
export async function saveClip({ page }: Visitor, event: string, path: string): Promise<void> {
  await goTo(page, "events");
  await page.locator(`[data-event="${event}"]`).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words.player.save }).click()]);
  await download.saveAs(path);
  await page.keyboard.press("Escape");
}
