// What a person does with their account, as the page asks for it.

import { createHmac } from "node:crypto";

import type { Browser } from "playwright-core";
import { expect } from "vitest";

import { words } from "../../src/words.ts";
import { sound } from "./axe.ts";
import { Visitor } from "./browser.ts";
import type { Mailbox } from "./mailbox.ts";
import { expectNoSideways } from "./look.ts";

const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 800 };

/** Asserts that what the page shows is sound, on a phone and on a desk. */
export async function soundAnywhere(v: Visitor): Promise<void> {
  for (const size of [phone, desk]) {
    await v.page.setViewportSize(size);
    await expectNoSideways(v.page);
    await sound(v);
  }
}

/** How somebody makes their account. */
export interface SigningUp {
  email: string;
  /** A passphrase; without one a passkey is made. */
  passphrase?: string;
  /** Where the code comes in, if the server sends mail. */
  mail?: Mailbox;
  /** What is done at each step: looking at it. */
  at?: (step: string) => Promise<void>;
}

/** Makes an account, from the field for the address on, and goes on from there; returns the recovery code as it was written down. */
export async function signUp(v: Visitor, how: SigningUp): Promise<string> {
  const code = await secure(v, how);
  await v.page.getByRole("heading", { name: words.signUp.done }).waitFor();
  await how.at?.("made");
  await v.page.getByRole("button", { name: words.signUp.next, exact: true }).click();
  return code;
}

/** Makes an account as signUp does, for the home that is open: the page goes on by itself. */
export async function secure({ page }: Visitor, { email, passphrase, mail, at = () => Promise.resolve() }: SigningUp): Promise<string> {
  const w = words.signUp;
  await page.getByLabel(w.email).fill(email);
  await at("address");
  await page.getByRole("button", { name: w.next, exact: true }).click();
  await page.getByRole("heading", { name: w.unlock }).waitFor();
  await at("unlock");
  if (passphrase === undefined) await page.getByRole("button", { name: w.passkey, exact: true }).click();
  else await choosePassphrase(page, passphrase, at);
  if (mail) {
    await page.getByLabel(w.code).fill(await mail.code(email));
    await at("mail");
    await page.getByRole("button", { name: w.codeGo, exact: true }).click();
  }
  return writeDown(page, at);
}

async function choosePassphrase(page: Visitor["page"], passphrase: string, at: (step: string) => Promise<void>): Promise<void> {
  const w = words.signUp;
  const field = page.getByLabel(w.passphrase, { exact: true });
  const instead = page.getByRole("button", { name: w.instead });
  await field.or(instead).waitFor();
  if (await instead.isVisible()) await instead.click();
  await field.fill(passphrase);
  await at("passphrase");
  await page.getByRole("button", { name: w.usePassphrase }).click();
}

/** Writes a recovery code down and types the two groups that are asked for; a wrong one first, which is refused. */
export async function writeDown(page: Visitor["page"], at: (step: string) => Promise<void> = () => Promise.resolve()): Promise<string> {
  const w = words.recovery;
  const groups = page.getByLabel(w.codeLabel).getByRole("listitem");
  await groups.first().waitFor();
  await at("recovery code");
  const code = (await groups.allTextContents()).map((text) => text.replace(/^\d/, "").trim());
  expect(code.join("-")).toMatch(/^([A-Z2-7]{4}-){6}[A-Z2-7]{4}$/);
  await page.getByRole("button", { name: w.have }).click();
  await page.getByRole("heading", { name: w.check }).waitFor();
  const fields = page.getByLabel(/^Group \d$/);
  const asked = (await page.locator("label", { hasText: /^Group \d$/ }).allTextContents()).map((text) => Number(text.match(/\d/)![0]));
  expect(asked.length).toBe(2);
  await fields.nth(0).fill("AAAA");
  await fields.nth(1).fill(code[asked[1]! - 1]!);
  await page.getByRole("button", { name: w.finish }).click();
  await page.getByText(w.wrong(asked[0]!)).waitFor();
  await at("wrong group");
  await fields.nth(0).fill(code[asked[0]! - 1]!.toLowerCase());
  await page.getByRole("button", { name: w.finish }).click();
  return code.join("-");
}

/** Somebody in front of a browser that knows nothing, at the form to sign in. */
export async function toSignIn(browser: Browser, origin: string): Promise<Visitor> {
  const v = await Visitor.arrive(browser, origin);
  await v.page.goto(origin);
  await v.page.getByRole("button", { name: words.welcome.signIn, exact: true }).click();
  return v;
}

/** Signs in with a passphrase, and the code of an authenticator app if there is one. */
export async function withPassphrase({ page }: Visitor, email: string, passphrase: string, code = ""): Promise<void> {
  const w = words.signIn;
  await page.getByLabel(w.email, { exact: true }).fill(email);
  await page.getByLabel(w.passphrase, { exact: true }).fill(passphrase);
  const field = page.getByLabel(w.code, { exact: true });
  if (code && !(await field.isVisible())) await page.getByRole("button", { name: w.codeAsk }).click();
  if (await field.isVisible()) await field.fill(code);
  await page.getByRole("button", { name: w.go, exact: true }).click();
}

/** The code that an authenticator app shows, so many steps of 30 s from now (RFC 6238). */
export async function appCode(secret: string, later = 0): Promise<string> {
  // Not in the last moment of a step.
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 5000) await new Promise((resolve) => setTimeout(resolve, left));
  const bits = [...secret.replace(/[\s=]/g, "").toUpperCase()].map((l) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(l).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Takes everything away that a browser keeps of a site: what is left is its device, and the passkeys on that. */
export async function forgetEverything({ page, context, origin }: Visitor): Promise<void> {
  await page.goto("about:blank");
  const devtools = await context.newCDPSession(page); // stays: where one ends, Chromium takes the passkeys of the page away
  await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
  await devtools.send("Network.clearBrowserCache");
  await context.clearCookies();
}
