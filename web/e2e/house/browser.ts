// The system's Chromium, and people in front of it: each has a profile of their own,
// and is watched for what a page of Latchkey must never do.

import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";

import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterEach, expect } from "vitest";

import { root } from "./build.ts";

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// The same names as scripts/setup looks for.
const names = [
  process.env["CHROMIUM"],
  "chromium",
  "chromium-browser",
  "google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

function executable(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of names) {
    if (!name) continue;
    for (const path of name.includes("/") ? [name] : folders.map((f) => join(f, name))) if (existsSync(path)) return path;
  }
  throw new Error("no Chromium or Chrome is installed: run scripts/setup test");
}

/** Starts a browser with an empty profile, and perhaps more flags. */
export function startBrowser(...more: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), headless: true, args: [...flags, ...more] });
}

// What a browser says by itself when a server refuses or does not answer, and that it
// was built without Bluetooth. Everything else in the console is a fault of the page.
const ordinary = [/^Failed to load resource: /, /^WebSocket connection to .* failed/, /Permissions-Policy header: Unrecognized feature: 'bluetooth'/];

const present = new Set<Visitor>();

/** Somebody in front of a browser, with one page open. */
export class Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Everything that the page did and should not have done. */
  readonly faults: string[] = [];
  /** Every address that was asked for. */
  readonly asked: string[] = [];
  readonly origin: string;

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.context = context;
    this.page = page;
    this.origin = origin;
  }

  /** A new person with an empty profile, who may go to that origin and nowhere else. */
  static async arrive(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const v = new Visitor(context, page, origin);
    await v.#watch();
    present.add(v);
    return v;
  }

  async #watch(): Promise<void> {
    await this.context.exposeFunction("latchkeyViolation", (said: string) => this.faults.push(`content security policy: ${said}`));
    await this.context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (e) => {
        (window as unknown as { latchkeyViolation: (said: string) => void }).latchkeyViolation(`${e.violatedDirective} refused ${e.blockedURI} (${e.sourceFile}:${e.lineNumber})`);
      });
      // Whatever was a picture on a card, if only for a moment.
      const shown = new Set<string>();
      (window as unknown as { latchkeyShown: Set<string> }).latchkeyShown = shown;
      const note = (e: Event) => {
        const card = e.target instanceof HTMLImageElement ? e.target.closest<HTMLElement>("[data-event]") : null;
        if (card) shown.add(card.dataset["event"]!);
      };
      document.addEventListener("load", note, { capture: true });
    });
    this.context.on("request", (r) => {
      this.asked.push(r.url());
      const url = new URL(r.url());
      if (!["blob:", "data:"].includes(url.protocol) && url.origin !== this.origin) this.faults.push(`asked another origin: ${r.url()}`);
    });
    this.context.on("console", (said) => {
      const text = said.text();
      if (/Content Security Policy/i.test(text)) this.faults.push(`content security policy: ${text}`);
      else if (["error", "warning"].includes(said.type()) && !ordinary.some((o) => o.test(text))) this.faults.push(`console ${said.type()}: ${text}`);
    });
    this.context.on("weberror", (e) => this.faults.push(`uncaught: ${e.error().stack ?? e.error()}`));
  }

  /** The events whose cards have had a picture since the page was loaded, if only for a moment. */
  shown(): Promise<string[]> {
    return this.page.evaluate(() => [...(window as unknown as { latchkeyShown: Set<string> }).latchkeyShown]);
  }

  /** Fails the test if the page did what it must not. */
  blameless(): void {
    expect(this.faults).toEqual([]);
  }

  /** A picture of what the person sees, for whoever looks into a failure. */
  async picture(name: string): Promise<void> {
    const folder = process.env["LATCHKEY_PICTURES"] ?? join(root, "web/e2e/failed");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name}.png`);
    await this.page.screenshot({ path }).catch(() => undefined); // the page may be gone
    console.error(`what the page showed: ${path}\n  at ${this.page.url()}`);
  }

  /** Goes to no page, and forgets what the one before has kept in the browser: the stage's keeps nothing elsewhere. */
  async forget(): Promise<void> {
    await this.page.evaluate(() => (localStorage.clear(), sessionStorage.clear()));
    await this.page.mouse.move(0, 0); // nothing of the next page lies under the pointer
    await this.page.goto("about:blank");
  }

  async leave(): Promise<void> {
    present.delete(this);
    await this.context.close();
  }
}

/** Keeps a picture of what everybody saw whenever a test of this file fails. */
export function keepPictures(): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    let n = 0;
    for (const v of present) if (v.page.url() !== "about:blank") await v.picture(`${task.name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${++n}`);
  });
}
