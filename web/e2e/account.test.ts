// A person's account in a real browser, with a real passkey and real mail: from a
// set-up link to a home, and back to it from browsers that know nothing.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { Cloud } from "./house/house.ts";
import { Mailbox } from "./house/mailbox.ts";
import { Passkeys } from "./house/passkeys.ts";
import { appCode, forgetEverything, signUp, soundAnywhere, toSignIn, withPassphrase } from "./house/person.ts";
import { endAll } from "./house/process.ts";
import { lookIn, lookInFolder, text } from "./house/scan.ts";

const built = inject("built");

const email = "anna@example.org";
const moved = "anna.neu@example.net";
const passphrase = "Teekanne quietscht unter Fallobst";
const home = "Villa Kunterbunt 9";

let browser: Browser;
let mail: Mailbox;
let cloud: Cloud;
let anna: Visitor;
let passkeys: Passkeys;
let recovery: string;
let secret: string;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "account-"));
  browser = await startBrowser();
  mail = await Mailbox.open(built, join(folder, "mail"));
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey, "--mail", mail.url, "--mail-from", "latchkey@example.com");
  anna = await Visitor.arrive(browser, cloud.origin);
  passkeys = await Passkeys.give(anna);
});

afterAll(async () => {
  await browser?.close();
  endAll();
});

/** Goes to one of the screens. */
async function goTo(page: Page, screen: "events" | "home" | "you"): Promise<void> {
  await page.getByRole("link", { name: words.nav[screen], exact: true }).click();
  await page.getByRole("heading", { level: 1, name: words.nav[screen] }).waitFor({ state: "attached" });
}

/** One panel of a screen, by its heading. */
const panel = (page: Page, heading: string) => page.locator("section.panel", { has: page.getByRole("heading", { name: heading }) });

/** Asserts that the home is open, and in the list by its name. */
async function expectHome(page: Page): Promise<void> {
  await page.getByRole("button", { name: words.homes.label(home) }).click();
  await page.locator("#homes").getByRole("button", { name: home }).waitFor();
  await page.keyboard.press("Escape");
}

/** Somebody in an empty browser who has the recovery code, and perhaps does something with the field before. */
async function byRecovery(before: (v: Visitor, field: Locator, go: Locator) => Promise<void> = () => Promise.resolve()): Promise<Visitor> {
  const v = await toSignIn(browser, cloud.origin);
  await v.page.getByRole("button", { name: words.signIn.recoveryAsk }).click();
  const field = v.page.getByLabel(words.signIn.recovery, { exact: true });
  const go = v.page.getByRole("button", { name: words.signIn.recoveryGo });
  await before(v, field, go);
  await field.fill(recovery.toLowerCase().replaceAll("-", " "));
  await go.click();
  return v;
}

/**
 * Goes in with the keys of the vault. A browser that has never seen the home asks whether
 * it is this one, because there is no agent to say so.
 */
async function enter({ page }: Visitor): Promise<void> {
  await page.getByRole("heading", { name: words.stopped.unconfirmed.title }).waitFor();
  await page.getByRole("button", { name: words.door.same }).click();
  await expectHome(page);
}

describe("signing up", () => {
  test("a set-up link asks for an address, a way to unlock and the code of a mail, and shows a recovery code", async () => {
    const { page } = anna;
    await page.goto(await cloud.setupLink(built.latchkey));
    const steps: string[] = [];
    recovery = await signUp(anna, { email, mail, at: async (step) => (steps.push(step), await soundAnywhere(anna)) });
    expect(steps).toEqual(["address", "unlock", "mail", "recovery code", "wrong group", "made"]);
    expect(await passkeys.count()).toBe(1);
  });

  test("then the home is founded", async () => {
    const { page } = anna;
    await page.getByLabel(words.setup.home).fill(home);
    await soundAnywhere(anna);
    await page.getByRole("button", { name: words.setup.go }).click();
    await page.getByText(words.events.noCameras.title).waitFor();
    await expectHome(page);
  });

  test("a browser that is open stays open when it is loaded again", async () => {
    const { page } = anna;
    await page.reload();
    await page.getByText(words.events.noCameras.title).waitFor();
    await goTo(page, "you");
    await page.getByText(email).waitFor();
    await page.getByText(words.you.emailVerified, { exact: true }).waitFor();
    await soundAnywhere(anna);
  });

  test("locked, it shows nothing of the home until the passkey is used", async () => {
    const { page } = anna;
    await page.getByRole("button", { name: words.you.lock }).click();
    await page.getByRole("heading", { name: words.signIn.locked }).waitFor();
    await soundAnywhere(anna);
    await page.reload();
    await page.getByRole("heading", { name: words.signIn.locked }).waitFor();
    expect(await page.content()).not.toContain(home);
    await page.getByRole("button", { name: words.signIn.passkey }).click();
    await expectHome(page);
  });
});

describe("a browser that knows nothing", () => {
  test("opens the vault with a passphrase, which was added, and the code of an app", async () => {
    const { page } = anna;
    await goTo(page, "you");
    await page.getByRole("button", { name: words.you.setPassphrase }).click();
    await page.getByLabel(words.you.newPassphrase, { exact: true }).fill(passphrase);
    await soundAnywhere(anna);
    await page.getByRole("button", { name: words.you.save, exact: true }).click();
    await page.getByText(words.you.changed).waitFor();
    await page.getByRole("button", { name: words.you.totpAdd }).click();
    secret = (await page.locator(".secret").textContent())!;
    await soundAnywhere(anna);
    await page.getByLabel(words.you.totpCode).fill(await appCode(secret, -1));
    await page.getByRole("button", { name: words.you.totpGo }).click();
    await page.getByText(words.you.totpOn).waitFor();

    const other = await toSignIn(browser, cloud.origin);
    await withPassphrase(other, email, passphrase);
    await other.page.getByText(words.signIn.wrong).waitFor(); // the passphrase alone does not do
    await soundAnywhere(other);
    await withPassphrase(other, email, passphrase, await appCode(secret));
    await enter(other);
    other.blameless();
    await other.leave();
  });

  test("opens it with the recovery code, as somebody types it from paper", async () => {
    const other = await byRecovery(async (v, field, go) => {
      const { page } = v;
      await field.fill("ABCD-EFGH");
      await go.click();
      await page.getByText(words.signIn.recoveryLength(8)).waitFor();
      await soundAnywhere(v);
      await field.fill(recovery.replace(/.$/, (l) => (l === "A" ? "B" : "A")));
      await go.click();
      await page.getByText(words.signIn.recoveryCheck).waitFor();
    });
    await enter(other);
    other.blameless();
    await other.leave();
  });
});

describe("what unlocks the keys", () => {
  test("is taken away down to two, and the page says why not further", async () => {
    const { page } = anna;
    const unlockers = panel(page, words.you.unlockers);
    await unlockers.getByRole("listitem").nth(2).waitFor();
    const name = words.you.removeOf(words.you.kind.passphrase);
    await page.getByRole("button", { name }).click();
    await soundAnywhere(anna);
    await page.getByRole("button", { name }).click();
    await unlockers.getByText(words.you.last).waitFor();
    expect(await unlockers.getByRole("listitem").count()).toBe(2);
    expect(await unlockers.getByRole("button", { name: words.you.remove }).count()).toBe(0);
  });

  test("opens nothing any more once it is taken away", async () => {
    const other = await toSignIn(browser, cloud.origin);
    await withPassphrase(other, email, passphrase, await appCode(secret, 1));
    await other.page.getByText(words.signIn.wrong).waitFor();
    await other.leave();
  });
});

describe("the address", () => {
  test("is changed with a code that goes to the new one, and the old one gets a notice", async () => {
    const { page } = anna;
    const address = panel(page, words.you.email);
    await address.getByRole("button", { name: words.you.emailChange }).click();
    await address.getByLabel(words.you.emailNew).fill(moved);
    await address.getByRole("button", { name: words.you.emailGo }).click();
    const notice = await mail.next(email);
    expect(notice.subject).toMatch(/another address/);
    expect(notice.text).not.toMatch(/\d{8}|https?:|#/); // no code and no link, for whoever reads the old address
    const code = await mail.code(moved);
    await soundAnywhere(anna);
    const field = address.getByLabel(words.signUp.code);
    await field.fill(code.replace(/.$/, (d) => String((Number(d) + 1) % 10)));
    await address.getByRole("button", { name: words.you.save, exact: true }).click();
    await address.getByRole("alert").waitFor();
    expect(await address.textContent()).not.toContain(words.you.emailDone);
    await field.fill(code);
    await address.getByRole("button", { name: words.you.save, exact: true }).click();
    await address.getByText(words.you.emailDone).waitFor();
    expect(await address.locator(".address").textContent()).toBe(moved);
  });
});

describe("where somebody is signed in", () => {
  test("is listed by name, and ended from elsewhere: the other browser's keys are locked", async () => {
    const { page } = anna;
    const other = await byRecovery();
    await enter(other);
    await goTo(page, "events");
    await goTo(page, "you");
    const sessions = panel(page, words.you.accountSessions);
    await sessions.getByText(words.you.hereSession).waitFor();
    const end = sessions.getByRole("button", { name: words.you.endOf("Chromium on Linux") });
    await end.first().waitFor();
    await soundAnywhere(anna);
    for (let left = await end.count(); left > 0; left--) {
      await end.first().click();
      await sessions.getByText(words.you.endSays("Chromium on Linux")).waitFor();
      await sessions.getByRole("button", { name: words.you.endSure("Chromium on Linux"), exact: true }).click();
      await expect.poll(() => sessions.getByRole("listitem").count()).toBe(left);
    }
    await goTo(other.page, "you");
    await other.page.getByRole("heading", { name: words.signIn.locked }).waitFor();
    await soundAnywhere(other);
    await other.leave();
  });

  test("is no way into another account when the cookies are swapped", async () => {
    const { page } = anna;
    const bea = await Visitor.arrive(browser, cloud.origin);
    await Passkeys.give(bea);
    await bea.page.goto(await cloud.setupLink(built.latchkey));
    await signUp(bea, { email: "bea@example.org", passphrase: "Regenschirm kauft siebzehn Gurken", mail });
    const cookie = async (v: Visitor) => (await v.context.cookies()).find((c) => c.name === "latchkey_account")!;
    const [mine, hers] = [await cookie(anna), await cookie(bea)];
    await anna.context.addCookies([{ ...mine, value: hers.value }]);
    await goTo(page, "events");
    await goTo(page, "you");
    await page.getByRole("heading", { name: words.signIn.locked }).waitFor();
    expect(await page.content()).not.toContain("bea@example.org");
    await soundAnywhere(anna);
    await expect.poll(() => cloud.log).toMatch(/crossed-account/);
    await anna.context.addCookies([mine]);
    await page.getByRole("button", { name: words.signIn.passkey }).click();
    await page.getByText(moved).waitFor();
    await bea.leave();
  });
});

describe("guessing", () => {
  test("gets the same words whether the address is known or not, right passphrases too once there were five wrong ones", async () => {
    const { page } = anna;
    await page.getByRole("button", { name: words.you.setPassphrase }).click();
    await page.getByLabel(words.you.newPassphrase, { exact: true }).fill(passphrase);
    await page.getByRole("button", { name: words.you.save, exact: true }).click();
    await page.getByText(words.you.changed).waitFor();
    const said: Record<string, string[]> = {};
    for (const who of [moved, "niemand@example.org"]) {
      const other = await toSignIn(browser, cloud.origin);
      said[who] = [];
      for (let i = 0; i < 6; i++) {
        await withPassphrase(other, who, i < 5 ? `${passphrase}${i}` : passphrase, i < 5 ? "" : await appCode(secret, 1));
        await other.page.getByRole("button", { name: words.signIn.go, exact: true }).waitFor();
        said[who].push((await other.page.getByRole("alert").textContent())!);
      }
      await soundAnywhere(other);
      await other.leave();
    }
    expect(said[moved]).toEqual(Array(6).fill(words.signIn.wrong));
    expect(said["niemand@example.org"]).toEqual(said[moved]);
    // What was guessed at is the passphrase: the passkey opens.
    await page.getByRole("button", { name: words.you.lock }).click();
    await page.getByRole("button", { name: words.signIn.passkey }).click();
    await expectHome(page);
  });

  test("a device without a passkey of this server is told in words", async () => {
    const other = await Visitor.arrive(browser, cloud.origin);
    await Passkeys.give(other);
    await other.page.goto(cloud.origin);
    await other.page.getByRole("button", { name: words.welcome.signIn, exact: true }).click();
    await other.page.getByRole("button", { name: words.signIn.passkey }).click();
    await other.page.getByText(words.passkey.cancelled).waitFor();
    await other.leave();
  });
});

test("a browser that has lost everything opens the vault with the passkey of its device", async () => {
  const { page } = anna;
  await forgetEverything(anna);
  await page.goto(cloud.origin);
  await page.getByRole("button", { name: words.welcome.signIn, exact: true }).click();
  await soundAnywhere(anna);
  await page.getByRole("button", { name: words.signIn.passkey }).click();
  await enter(anna);
});

describe("deleting the account", () => {
  let other: Visitor;

  test("says what goes and what stays, of each home too, and wants the address", async () => {
    other = await byRecovery();
    await enter(other);
    const { page } = anna;
    await goTo(page, "you");
    const part = panel(page, words.leaving.title);
    await part.getByRole("button", { name: words.leaving.title }).click();
    await part.getByText(words.leaving.as["only owner"]).waitFor();
    await part.getByText(home, { exact: true }).waitFor();
    await part.getByLabel(words.leaving.label).fill(email); // the address from before
    expect(await part.getByRole("button", { name: words.leaving.sure }).isDisabled()).toBe(true);
    await part.getByLabel(words.leaving.label).fill(moved);
    await soundAnywhere(anna);
    await part.getByRole("button", { name: words.leaving.sure }).click();
    await page.getByRole("heading", { name: words.leaving.done }).waitFor();
    await soundAnywhere(anna);
    expect(await page.content()).not.toContain(home);
    const notice = await mail.next(moved);
    expect(notice.subject).toMatch(/was deleted/);
    expect(notice.text).not.toMatch(/\d{8}|https?:|#/);
    expect((await anna.context.cookies()).filter((c) => c.name === "latchkey_account")).toEqual([]);
  });

  test("leaves a browser that knows nothing, and a passkey that opens nothing", async () => {
    const { page } = anna;
    await page.getByRole("button", { name: words.leaving.start }).click();
    await page.getByRole("heading", { name: words.welcome.title }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: words.welcome.signIn, exact: true }).click();
    await page.getByRole("button", { name: words.signIn.passkey }).click();
    await page.getByRole("alert").waitFor();
    const opened = await toSignIn(browser, cloud.origin);
    await withPassphrase(opened, moved, passphrase, await appCode(secret, 1));
    await opened.page.getByText(words.signIn.wrong).waitFor();
    await opened.leave();
  });

  test("leaves another browser the home that is open there, and says so", async () => {
    const { page } = other;
    await goTo(page, "you");
    await page.getByText("This account was deleted").waitFor();
    await soundAnywhere(other);
    await page.reload();
    await page.getByRole("heading", { name: words.signUp.secureTitle }).waitFor(); // its keys lie in this browser alone
    await expectHome(page);
    other.blameless();
    await other.leave();
  });

  test("leaves the address to whoever signs up with it, who finds nothing of the former", async () => {
    const { page } = anna;
    await page.goto(await cloud.setupLink(built.latchkey));
    await signUp(anna, { email: moved, passphrase: "Regenrinne tropft auf Zimtsterne", mail });
    await page.getByLabel(words.setup.home).fill("Neubau 3");
    await page.getByRole("button", { name: words.setup.go }).click();
    await page.getByText(words.events.noCameras.title).waitFor();
    await page.getByRole("button", { name: words.homes.label("Neubau 3") }).click();
    await page.locator("#homes").getByRole("button", { name: "Neubau 3" }).waitFor();
    expect(await page.locator("#homes").getByRole("listitem").count()).toBe(1);
    await page.keyboard.press("Escape");
    await goTo(page, "you");
    await page.getByText(moved).waitFor();
    await expect.poll(() => panel(page, words.you.accountSessions).getByRole("listitem").count()).toBe(1);
    await expect.poll(() => panel(page, words.you.unlockers).getByRole("listitem").count()).toBe(2);
    expect(await page.content()).not.toContain(home);
  });
});

test("neither the passphrase nor the recovery code went anywhere, and no name of a home", () => {
  const needles = [passphrase, recovery, recovery.replaceAll("-", ""), home].flatMap((said) => text("secret", said));
  expect(lookInFolder(cloud.folder, needles)).toEqual([]);
  expect(lookIn(Buffer.from(cloud.log), "log", needles)).toEqual([]);
  expect(needles.flatMap((n) => cloud.wire.with(n.bytes))).toEqual([]);
  // The same search finds what does pass in clear.
  expect(text("address", moved).flatMap((n) => cloud.wire.with(n.bytes)).length).toBeGreaterThan(0);
});

test("all along, the page broke none of its own rules and asked nobody else", () => anna.blameless());
