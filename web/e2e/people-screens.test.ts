// The screens of people, accounts and trust with the stand-in for the worker (src/dev):
// every one of them by day on a phone and by night on a desk, signing up and inviting by
// keyboard alone, and passkeys with a virtual authenticator.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { words } from "../src/words.ts";
import { sound } from "./house/axe.ts";
import { keepPictures, startBrowser, Visitor } from "./house/browser.ts";
import { areSound, type Screen, type Step } from "./house/screens.ts";
import { openStage, type Stage } from "./house/stage.ts";

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  stage = await openStage(inject("built"));
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
});

keepPictures();

const arrive = () => Visitor.arrive(browser, stage.origin, { colorScheme: "light", reducedMotion: "reduce" });

async function visit(at: string): Promise<Visitor> {
  const v = await arrive();
  await v.page.goto(`${stage.page}${at}`);
  return v;
}

/** The browser's own authenticator, whose person always agrees. */
async function authenticator(page: Page, prf: boolean): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, hasPrf: prf } as const;
  await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
}

const nav = (screen: "cameras" | "people" | "home" | "you"): Step => `nav a:has-text("${words.nav[screen]}")`;
const type = (label: string, text: string): Step => (page) => page.getByLabel(label, { exact: true }).fill(text);
const press = (name: string): Step => (page) => page.getByRole("button", { name, exact: true }).first().click();

const { signUp, recovery, inviting, people, invited, you, door, leaving } = words;
const setup = "#setup=abcdefgh";
const invitation = `#invite=abcdefgh&home=${"a".repeat(52)}&head=7:${"4f".repeat(32)}`;
const address = [type(signUp.email, "anna@example.org"), press(signUp.next)];
const passphrase = [...address, type(signUp.passphrase, "correct horse battery staple"), press(signUp.usePassphrase)];
const code = [...passphrase, type(signUp.code, "12345678"), press(signUp.codeGo)];
const invite = [nav("people"), `text=${people.invite}`, type(inviting.name, "Nora"), press(inviting.go)];
const leave = [nav("you"), press(leaving.title), type(leaving.label, "anna@example.org"), press(leaving.sure)];
const person = (n: number): Step[] => [nav("people"), `[data-person] a >> nth=${n}`];

const screens: Screen[] = [
  ["the welcome", "?is=new", `text=${words.welcome.title}`, [press(words.welcome.link)]],
  ["an account without a home", "?is=new", `text=${words.welcome.noHomes.title}`, [press(words.welcome.signIn), type(words.signIn.email, "a@example.org"), type(words.signIn.passphrase, "right"), press(words.signIn.go)]],
  ["signing up: the address", `?is=new${setup}`, `text=${words.lost.title}`],
  ["signing up: a passkey", `?is=new${setup}`, `text=${signUp.passkeyBest}`, address],
  ["signing up: a passphrase", `?is=new,no-passkeys${setup}`, "[data-strength=weak]", [...address, type(signUp.passphrase, "correct horse")]],
  ["signing up: the mail", `?is=new,no-passkeys${setup}`, `text=${signUp.codeTitle}`, passphrase],
  ["signing up: the recovery code", `?is=new,no-passkeys${setup}`, `text=${recovery.write}`, code],
  ["signing up: typing it again", `?is=new,no-passkeys${setup}`, `text=${recovery.check}`, [...code, press(recovery.have)]],
  ["a browser that alone has the keys", "?is=unsecured", `text=${words.secure.says}`],
  ["securing a home", "?is=unsecured", `text=${signUp.secureSays}`, [`text=${words.secure.go}`]],
  ["locked keys", "?is=locked", `text=${words.signIn.locked}`],
  ["a passphrase that opens nothing", "?is=locked,codes", `text=${words.signIn.code}`, [type(words.signIn.passphrase, "wrong"), press(words.signIn.go)]],
  ["a recovery code that is mistyped", "?is=locked", `text=${words.signIn.recoveryLength(4)}`, [press(words.signIn.recoveryAsk), type(words.signIn.recovery, "K7QM"), press(words.signIn.recoveryGo)]],
  ["several homes", "?is=several", `text=${words.choose.title}`],
  ["the switcher", "?is=several", `text=${words.homes.all}`, ["text=Birch Lane 4", (p) => p.getByLabel(words.homes.label("Birch Lane 4")).click()]],
  ["all homes", "?is=several", `text=${words.homes.colour}`, ["text=Birch Lane 4", (p) => p.getByLabel(words.homes.label("Birch Lane 4")).click(), `text=${words.homes.all}`]],
  ["people", "?is=invited", `text=${people.handTitle}`, [nav("people")]],
  ["people, for a guest", "?is=guest", `text=${people.leaveGo}`, [nav("people")]],
  ["a guest's rights", "", `text=${people.removeTitle}`, person(2)],
  ["removing somebody", "", `text=${people.removeNot}`, [...person(1), press(people.removeGo("Ben"))]],
  ["the last owner", "", `text=${people.lastOwner}`, [...person(0), (p) => p.getByLabel(people.role.resident).check()]],
  ["handing over", "", `text=${people.handNot}`, [nav("people"), press(people.handGo)]],
  ["inviting a guest", "", `text=${words.rights.endHint("Europe/Berlin")}`, [nav("people"), `text=${people.invite}`, (p) => p.getByLabel(people.role.guest, { exact: true }).check(), (p) => p.getByLabel(words.rights.chosen).check(), (p) => p.getByLabel(words.rights.howLong).selectOption("other")]],
  ["an invitation's link", "?is=unanswered", `text=${inviting.stay}`, invite],
  ["comparing the words", "", `text=${inviting.differ}`, invite],
  ["an invitation that goes on elsewhere", "?is=invited", `text=${inviting.elsewhere}`, [nav("people"), (p) => p.waitForSelector("[data-invite]"), (p) => p.evaluate(() => (history.pushState(null, "", `/people/invitations/${document.querySelector("[data-invite]")!.getAttribute("data-invite")}`), dispatchEvent(new PopStateEvent("popstate"))))]],
  ["an invitation, opened", `?is=new,to-guest${invitation}`, `text=${invited.title.join("Anna", "Birch Lane 4")}`],
  ["an invitation, opened by somebody who is known", `?is=recover${invitation}`, `text=${invited.mayRecover}`],
  ["an invitation, answered", `?is=unanswered${invitation}`, `text=${invited.phraseTitle}`, [press(invited.go)]],
  ["an invitation that is no good any more", `?is=new,used${invitation}`, `text=${invited.gone}`],
  ["oneself", "", `text=${you.accountSessions}`, [nav("you")]],
  ["an authenticator app", "", `text=${you.totpScan}`, [nav("you"), press(you.totpAdd)]],
  ["losing a device", "", `text=${you.lostNext}`, [nav("you"), press(you.lostGo)]],
  ["deleting the account", "?is=several,sole", `text=${leaving.as.unknown}`, ["text=Birch Lane 4", nav("you"), press(leaving.title), type(leaving.label, "anna@example.org")]],
  ["deleting the account: proving once more", "?is=stale", `text=${words.signIn.proveSays}`, leave],
  ["a deleted account", "", `text=${leaving.doneSays}`, leave],
  ["proving once more", "?is=stale", `text=${words.signIn.proveSays}`, [nav("you"), press(you.newRecovery)]],
  ["trust", "?is=refusals,gave-back", `text=${words.trust.limits}`, [nav("home"), `text=${words.trust.open}`, `text=${words.trust.technical}`]],
  ["the home, for a resident", "?is=resident", `text=${words.frozen.panel}`, [nav("home")]],
  ["freezing", "", `text=${words.frozen.backAlways}`, [nav("home"), press(words.frozen.go)]],
  ["a frozen home", "?is=frozen", `text=${words.frozen.eventsSays}`],
  ["a frozen home, for a guest", "?is=frozen,guest", `text=${words.frozen.onlyOwners}`],
  ["a home that is not confirmed", "?is=unconfirmed", `text=${door.differ}`],
  ["a home that is another one", "?is=unconfirmed", `text=${door.differTitle}`, [press(door.differ)]],
  ["what is held", "?is=held", `text=${words.held.eventsSays}`],
  ["a home that is held, for a guest", "?is=held,home-held,guest", `text=${words.held.title("home")}`],
  ["a home that is closed", "?is=closed", `text=${door.confirmSays}`, [press(door.confirm)]],
  ["a home that is closed to a guest", "?is=closed,guest", `text=${words.stopped.closed.title}`],
  ["an agent that was copied", "?is=cloned", `text=${words.release.clonedState}`, [nav("cameras")]],
  ["an agent that leaves", "", `text=${words.release.agentSays(3)}`, [nav("cameras"), `text=${words.release.manage}`, press(words.release.agent)]],
  ["a camera that leaves", "", `text=${words.release.cameraSays}`, [nav("cameras"), "[data-camera] a >> nth=0", press(words.release.camera)]],
  ["cameras, for a guest", "?is=guest", "[data-camera]", [nav("cameras")]],
];

async function judge(v: Visitor): Promise<void> {
  await sound(v);
  const over = await v.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(over, "wider than the window").toBeLessThanOrEqual(0);
  v.blameless();
}

areSound(screens, { phone: 320, arrive, address: (at) => `${stage.page}${at}`, judge });

/** Goes on with Tab until the focus is on what is called that. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLElement> };
      return e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent;
    });
    if (at?.trim() === name) return;
  }
  throw new Error(`nothing called ${JSON.stringify(name)} can be reached with Tab`);
}

/** Waits until the focus is on what has these words. */
async function arrives(page: Page, says: string): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim() ?? ""), { timeout: 15_000 }).toContain(says);
}

describe("by keyboard alone", () => {
  test("somebody signs up, and makes a home", async () => {
    const v = await visit(`?is=new,no-passkeys${setup}`);
    const { page } = v;
    const say = (text: string) => page.keyboard.type(text);
    await page.getByText(signUp.title).waitFor();
    await tabTo(page, signUp.email);
    await say("anna@example.org");
    await page.keyboard.press("Enter");
    await arrives(page, signUp.unlock);
    await tabTo(page, signUp.passphrase);
    await say("correct horse battery staple");
    await page.keyboard.press("Enter");
    await arrives(page, signUp.codeTitle);
    await tabTo(page, signUp.code);
    await say("00000000");
    await page.keyboard.press("Enter");
    await arrives(page, recovery.title);
    const groups = await page.locator("ol.code li").evaluateAll((all) => all.map((li) => li.lastChild!.textContent!));
    expect(groups.join("")).toMatch(/^[A-Z2-7]{28}$/);
    await tabTo(page, recovery.have);
    await page.keyboard.press("Enter");
    await arrives(page, recovery.check);
    await tabTo(page, recovery.typed(3));
    await say("NOPE");
    await tabTo(page, recovery.typed(6));
    await say(groups[5]!.toLowerCase());
    await page.keyboard.press("Enter");
    await page.getByText(recovery.wrong(3)).waitFor();
    await page.keyboard.press("Control+a");
    await say(groups[2]!);
    await page.keyboard.press("Enter");
    // The code of the mail was not right: it is asked for again, and the recovery code is not another one.
    await page.getByText(signUp.codeWrong).waitFor();
    await tabTo(page, signUp.code);
    await page.keyboard.press("Control+a");
    await say("12345678");
    await page.keyboard.press("Enter");
    await arrives(page, signUp.done);
    await tabTo(page, signUp.next);
    await page.keyboard.press("Enter");
    await page.getByLabel(words.setup.home).waitFor();
    await tabTo(page, words.setup.go);
    await page.keyboard.press("Enter");
    await page.getByText(words.events.noCameras.title).waitFor();
    expect(await page.getByText(words.secure.says).count()).toBe(0);
    v.blameless();
    await v.leave();
  });

  test("an owner invites somebody, compares, and lets them in", async () => {
    const v = await visit("");
    const { page } = v;
    await page.waitForSelector("[data-state=opened]");
    await tabTo(page, words.nav.people);
    await page.keyboard.press("Enter");
    await tabTo(page, people.invite);
    await page.keyboard.press("Enter");
    await arrives(page, inviting.title);
    await tabTo(page, inviting.name);
    await page.keyboard.type("Nora");
    await page.keyboard.press("Tab"); // the role that is chosen
    await page.keyboard.press("ArrowDown");
    expect(await page.getByLabel(people.role.guest, { exact: true }).isChecked()).toBe(true);
    await tabTo(page, words.rights.kindLabel.clip);
    await page.keyboard.press(" ");
    await tabTo(page, inviting.go);
    await page.keyboard.press("Enter");
    await arrives(page, inviting.linkTitle.join("Nora"));
    await page.getByText(inviting.admitSays.join.guest("Nora", "Every camera; pictures and details")).waitFor();
    await arrives(page, inviting.compareTitle);
    await tabTo(page, inviting.same.join("Nora"));
    await page.keyboard.press("Enter");
    await arrives(page, inviting.done.join("Nora"));
    await tabTo(page, inviting.doneNext);
    await page.keyboard.press("Enter");
    const row = page.locator("[data-person]", { hasText: "Nora" });
    expect(await row.textContent()).toContain("Every camera; pictures and details");
    v.blameless();
    await v.leave();
  });

  test("what is not done by one click is left with Escape, and the focus goes back", async () => {
    const v = await visit("");
    const { page } = v;
    await page.locator(nav("you") as string).click();
    await page.getByText(you.accountSessions).waitFor();
    await tabTo(page, you.lostGo);
    await page.keyboard.press("Enter");
    await arrives(page, you.lostNext);
    await page.keyboard.press("Escape");
    await arrives(page, you.lostGo);
    await v.leave();
  });

  test("what was taken away leaves the focus at what it stood in", async () => {
    const v = await visit("");
    const { page } = v;
    await page.locator(nav("you") as string).click();
    await page.getByRole("button", { name: you.endOf("Anna's phone (Safari on iPhone)") }).click();
    await page.getByRole("button", { name: you.endSure("Anna's phone (Safari on iPhone)") }).click();
    await arrives(page, you.sessions);
    await page.getByRole("button", { name: you.renameOf("Anna's phone") }).click();
    await page.keyboard.type(" (old)");
    await page.keyboard.press("Enter");
    await page.getByText("Anna's phone (old)").first().waitFor();
    await arrives(page, you.devices);
    await v.leave();
  });

  test("the switcher opens, closes with Escape, and leads to another home in its name and colour", async () => {
    const v = await visit("?is=several");
    const { page } = v;
    await page.getByRole("button", { name: "Birch Lane 4" }).click();
    const hue = () => page.evaluate(() => document.documentElement.style.getPropertyValue("--hue"));
    await page.waitForSelector("[data-state=opened]");
    const before = await hue();
    await tabTo(page, words.homes.label("Birch Lane 4"));
    await page.keyboard.press("Enter");
    await page.getByText(words.homes.all).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.getByText(words.homes.all).isVisible()).toBe(false);
    await page.keyboard.press("Enter");
    await page.getByText("Grandma's flat").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByLabel(words.homes.label("Grandma's flat")).waitFor();
    expect(await page.title()).toContain("Grandma's flat");
    expect(await hue()).not.toBe(before);
    v.blameless();
    await v.leave();
  });
});

describe("passkeys", () => {
  test("make an account, unlock it, and are added to it", async () => {
    const v = await visit(`?is=new,no-mail${setup}`);
    const { page } = v;
    await authenticator(page, true);
    for (const step of address) await (step as (page: Page) => Promise<unknown>)(page);
    await page.getByRole("button", { name: signUp.passkey }).click();
    await page.getByRole("heading", { name: recovery.title }).waitFor();
    await page.getByRole("button", { name: recovery.have }).click();
    await page.getByLabel(recovery.typed(3)).fill("zp2n");
    await page.getByLabel(recovery.typed(6)).fill("e5jt");
    await page.getByRole("button", { name: recovery.finish }).click();
    await page.getByRole("heading", { name: signUp.done }).waitFor();
    await page.getByRole("button", { name: signUp.next }).click();
    await page.getByRole("button", { name: words.setup.go }).click();
    await page.locator(nav("you") as string).click();
    await page.getByRole("button", { name: you.lock }).click();
    await page.getByText(words.signIn.locked).waitFor();
    await page.getByRole("button", { name: words.signIn.passkey }).click();
    await page.locator(nav("you") as string).click();
    await page.getByRole("button", { name: you.addPasskey }).click();
    await page.getByLabel(you.addPasskeyName).fill("Key on my key ring");
    await page.getByRole("button", { name: you.add, exact: true }).click();
    await page.getByText("Key on my key ring").waitFor();
    v.blameless();
    await v.leave();
  });

  test("that lock nothing are turned down in words, and a passphrase is the way on", async () => {
    const v = await visit(`?is=new${setup}`);
    const { page } = v;
    await authenticator(page, false);
    for (const step of address) await (step as (page: Page) => Promise<unknown>)(page);
    await page.getByRole("button", { name: signUp.passkey }).click();
    await page.getByText(words.passkey["no-prf"]).waitFor();
    await sound(v);
    await page.getByRole("button", { name: signUp.instead }).click();
    await page.getByLabel(signUp.passphrase, { exact: true }).waitFor();
    v.blameless();
    await v.leave();
  });
});

describe("a person", () => {
  test("who has an invitation signs up, says four words, and is in", async () => {
    const v = await visit(`?is=new,no-passkeys,no-mail${invitation}`);
    const { page } = v;
    expect(page.url()).not.toContain("#");
    await page.getByRole("button", { name: invited.signUp }).click();
    for (const step of passphrase) await (step as (page: Page) => Promise<unknown>)(page);
    await page.getByRole("button", { name: recovery.have }).click();
    await page.getByLabel(recovery.typed(3)).fill("ZP2N");
    await page.getByLabel(recovery.typed(6)).fill("E5JT");
    await page.getByRole("button", { name: recovery.finish }).click();
    await page.getByRole("button", { name: signUp.next }).click();
    await page.getByRole("heading", { name: invited.phraseTitle }).waitFor();
    expect(await page.locator("ol li").allTextContents()).toEqual(["amber", "kettle", "north", "violin"]);
    await page.getByRole("button", { name: words.homes.goTo("Birch Lane 4") }).click();
    await page.getByLabel(words.homes.label("Birch Lane 4")).waitFor();
    v.blameless();
    await v.leave();
  });

  test("who has no name here yet is asked for it before they invite somebody", async () => {
    const v = await visit("?is=nameless,unanswered");
    const { page } = v;
    await page.locator(nav("people") as string).click();
    await page.locator("[data-person]", { hasText: people.youUnnamed }).first().waitFor();
    await page.getByRole("link", { name: people.invite }).click();
    await page.getByLabel(inviting.name, { exact: true }).fill("Nora");
    await page.getByRole("button", { name: inviting.go }).click();
    await page.getByText(words.settings.nameRule).waitFor();
    await page.getByLabel(inviting.yours).fill("Anna");
    await sound(v);
    await page.getByRole("button", { name: inviting.go }).click();
    await page.getByRole("heading", { name: inviting.linkTitle.join("Nora") }).waitFor();
    await page.getByRole("link", { name: people.back }).click();
    await page.getByText(people.you("Anna")).waitFor();
    v.blameless();
    await v.leave();
  });

  test("is removed, and what that does and does not do was said before", async () => {
    const v = await visit("");
    const { page } = v;
    for (const step of person(1)) await page.locator(step as string).first().click();
    await page.getByText(people.removeSays("Ben")).waitFor();
    await page.getByRole("button", { name: people.removeGo("Ben"), exact: true }).click();
    await page.getByText(people.removeNot).waitFor();
    await page.getByRole("button", { name: people.removeSure("Ben") }).click();
    await expect.poll(() => page.locator("[data-person]").count(), { timeout: 15_000 }).toBe(2);
    await v.leave();
  });

  test("hands the home over only after typing its name, and is out", async () => {
    const v = await visit("");
    const { page } = v;
    await page.locator(nav("people") as string).click();
    await page.getByRole("button", { name: people.handGo }).click();
    const go = page.getByRole("button", { name: people.handSure });
    await page.getByLabel(people.handLabel).fill("Birch Lane");
    expect(await go.isDisabled()).toBe(true);
    await page.getByLabel(people.handLabel).fill("Birch Lane 4");
    await go.click();
    await page.getByRole("heading", { name: inviting.linkTitle["hand over"]() }).waitFor();
    await page.getByRole("button", { name: inviting.same["hand over"]() }).click();
    await page.getByRole("heading", { name: people.handed }).waitFor();
    expect(await page.locator("nav").count()).toBe(0);
    v.blameless();
    await v.leave();
  });

  test("whose words differ is not let in", async () => {
    const v = await visit("");
    const { page } = v;
    for (const step of invite) typeof step === "string" ? await page.locator(step).first().click() : await step(page);
    await page.getByRole("button", { name: inviting.differ }).click();
    await page.getByText(inviting.differedSays).waitFor();
    await page.getByRole("link", { name: people.back }).click();
    expect(await page.locator("[data-person]").count()).toBe(3);
    expect(await page.locator("[data-invite]").count()).toBe(0);
    await v.leave();
  });

  test("who is a guest finds nothing to decide", async () => {
    const v = await visit("?is=guest");
    const { page } = v;
    await page.locator("[data-state=opened]").first().waitFor();
    await page.locator(nav("cameras") as string).click();
    await page.waitForSelector("[data-camera]");
    expect(await page.locator("[data-camera]").count()).toBe(1);
    expect(await page.locator("[data-agent]").count()).toBe(0);
    expect(await page.locator("main button, main a").count()).toBe(0);
    await page.locator(nav("people") as string).click();
    await page.waitForSelector("[data-person]");
    expect(await page.getByText(people.invite).count()).toBe(0);
    expect(await page.getByText(people.handTitle).count()).toBe(0);
    await page.locator(nav("home") as string).click();
    await page.getByText(words.settings.proof).waitFor();
    for (const not of [words.settings.keySave, words.frozen.go, words.retention.title, words.settings.names]) expect(await page.getByText(not, { exact: true }).count()).toBe(0);
    await v.leave();
  });
});

test("a home that lay in one browser alone is secured, and says so no more", async () => {
  const v = await visit("?is=unsecured,no-passkeys,no-mail");
  const { page } = v;
  await page.getByRole("link", { name: words.secure.go }).click();
  for (const step of passphrase) await (step as (page: Page) => Promise<unknown>)(page);
  await page.getByRole("button", { name: recovery.have }).click();
  await page.getByLabel(recovery.typed(3)).fill("ZP2N");
  await page.getByLabel(recovery.typed(6)).fill("E5JT");
  await page.getByRole("button", { name: recovery.finish }).click();
  await arrives(page, signUp.done);
  await page.getByText(signUp.doneSecured).waitFor();
  await page.getByRole("button", { name: signUp.next }).click();
  await page.getByText(you.unlockers).waitFor();
  await page.getByRole("link", { name: words.nav.events }).click();
  await page.locator("[data-state=opened]").first().waitFor();
  expect(await page.getByText(words.secure.says).count()).toBe(0);
  v.blameless();
  await v.leave();
});

test("a home is frozen and thawed, and its pictures are gone meanwhile", async () => {
  const v = await visit("");
  const { page } = v;
  await page.locator("[data-state=opened]").first().waitFor();
  await page.locator(nav("home") as string).click();
  await page.getByRole("button", { name: words.frozen.go }).click();
  await page.getByRole("button", { name: words.frozen.sure }).click();
  await page.getByRole("complementary", { name: words.frozen.title }).waitFor();
  await page.getByRole("link", { name: words.nav.events }).click();
  await page.getByRole("heading", { name: words.frozen.events }).waitFor();
  expect(await page.locator("main img").count()).toBe(0);
  await page.getByRole("button", { name: words.frozen.thaw }).click();
  await page.locator("[data-state=opened]").first().waitFor();
  v.blameless();
  await v.leave();
});

test("a home opens once its words were compared, and once an owner has vouched for a restored server", async () => {
  for (const [at, go] of [["?is=unconfirmed", [door.same]], ["?is=closed", [door.confirm, door.confirmSure]]] as const) {
    const v = await visit(at);
    for (const name of go) await v.page.getByRole("button", { name }).click();
    await v.page.locator("[data-state=opened]").first().waitFor();
    v.blameless();
    await v.leave();
  }
});

test("keys that were replaced end what is said of a copy", async () => {
  const v = await visit("?is=cloned,new-agent");
  const { page } = v;
  await page.locator(nav("cameras") as string).click();
  await page.getByRole("button", { name: words.release.replace }).click();
  await page.getByText(words.release.replaced("attic-pi")).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: words.close }).last().click();
  await page.getByText(words.agents.connected).waitFor();
  expect(await page.getByText(words.release.clonedState).count()).toBe(0);
  v.blameless();
  await v.leave();
});

test("the recovery code is printed alone, on paper", async () => {
  const v = await visit(`?is=new,no-passkeys,no-mail${setup}`);
  const { page } = v;
  for (const step of passphrase) await (step as (page: Page) => Promise<unknown>)(page);
  await page.getByRole("heading", { name: recovery.title }).waitFor();
  await page.emulateMedia({ media: "print" });
  const shown = await page.evaluate(() => document.body.innerText);
  expect(shown).toContain("K7QM-3XWA-ZP2N-UY4D-6RHC-E5JT-BOVG");
  expect(shown).toContain(recovery.sheetTitle);
  for (const not of [signUp.title, recovery.have, words.app + "\n"]) expect(shown).not.toContain(not);
  await v.leave();
});
