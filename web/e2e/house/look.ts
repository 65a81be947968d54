// What is to be seen on the page, as somebody in front of it would say: which cards,
// and whether there is a picture on them and which.

import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

import { words } from "../../src/words.ts";

/** A card of the events. */
export interface Card {
  event: string;
  state: string;
  camera: string;
  /** All words on it. */
  says: string;
  /** The word of a refusal, "" if there is none. */
  refused: string;
  /** Whether the event has come to the end, clip and all: then its corner says how long it took, and nothing else. */
  whole: boolean;
  /** The decoded picture, null if none is on the card. */
  picture: Picture | null;
}

/** A decoded picture, and how it looks at a size of 32 by 18. */
export interface Picture {
  width: number;
  height: number;
  pixels: number[];
}

/** Reads every card of the page. */
export function cards(page: Page): Promise<Card[]> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [32, 18];
    const pen = canvas.getContext("2d", { willReadFrequently: true })!;
    function seen(img: HTMLImageElement | null): Picture | null {
      if (!img?.complete || img.naturalWidth === 0) return null;
      pen.drawImage(img, 0, 0, 32, 18);
      const pixels = [...pen.getImageData(0, 0, 32, 18).data].filter((_, i) => i % 4 !== 3);
      return { width: img.naturalWidth, height: img.naturalHeight, pixels };
    }
    return [...document.querySelectorAll<HTMLElement>("[data-event]")].map((card) => ({
      event: card.dataset["event"]!,
      state: card.dataset["state"]!,
      camera: card.querySelector(".camera")?.textContent ?? "",
      says: card.textContent ?? "",
      refused: card.querySelector<HTMLElement>("[data-word]")?.dataset["word"] ?? "",
      whole: /^\d+ s$/.test(card.querySelector(".badge")?.textContent ?? ""),
      picture: seen(card.querySelector("img")),
    }));
  });
}

/** Waits until the cards are as wanted, and returns what was wanted of them. */
export async function until<T>(page: Page, what: string, want: (all: Card[]) => T | false | null | undefined, within = 60_000): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    const all = await cards(page);
    const found = want(all);
    if (found !== false && found !== null && found !== undefined) return found;
    if (Date.now() > deadline) {
      const said = all.map((c) => `${c.event} ${c.camera} ${c.state} ${c.refused} ${c.picture ? "with a picture" : "without a picture"}`);
      throw new Error(`${what}: not within ${within / 1000} s. The page shows ${said.length} cards:\n${said.join("\n")}`);
    }
    await page.waitForTimeout(150);
  }
}

/** Whether a picture shows something: a uniform one would be no picture of a camera. */
export function shows(p: Picture | null): p is Picture {
  return p !== null && p.width >= 320 && Math.max(...p.pixels) - Math.min(...p.pixels) > 60;
}

/** How far two pictures are from each other, 0 to 255. Two scenes are more than 25 apart, two moments of one less than 12. */
export function distance(a: Picture, b: Picture): number {
  return a.pixels.reduce((sum, p, i) => sum + Math.abs(p - b.pixels[i]!), 0) / a.pixels.length;
}

/** Asserts that a card is the grey one: the words, and nothing that was decoded. */
export function expectGrey(card: Card): void {
  expect(card.picture === null, `no picture is on the card of ${card.camera}`).toBe(true);
  expect(card.state).toBe("refused");
  expect(card.says).toContain(words.refusal.picture);
}

type Box = NonNullable<Awaited<ReturnType<Locator["boundingBox"]>>>;

/** Asserts that two things are seen whole between the header and the bar below, before anybody scrolls, and says where. */
export async function expectFirstScreen(page: Page, ...wanted: [string, string]): Promise<[Box, Box]> {
  expect(await page.evaluate(() => scrollY)).toBe(0);
  const box = async (what: string) => (await page.locator(what).first().boundingBox())!;
  const [header, bar, ...all] = await Promise.all([box("header"), box("nav"), box(wanted[0]), box(wanted[1])]);
  for (const [i, { y, height }] of all.entries()) {
    expect(y, `${wanted[i]}: its upper edge`).toBeGreaterThanOrEqual(header.y + header.height);
    expect(y + height, `${wanted[i]}: its lower edge`).toBeLessThanOrEqual(bar.y);
  }
  return all;
}

interface Point {
  x: number;
  y: number;
}

/** Takes hold of the page at one place and lets go at another. */
export async function drag(page: Page, from: Point, to: Point, held?: () => Promise<unknown>): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await held?.();
  await page.mouse.up();
}

/** Has a page count what it has opened and holds by an address. */
export async function countAlive(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const alive = ((window as unknown as { alive: Set<string> }).alive = new Set<string>());
    const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = (blob: Blob) => (alive.add(make(blob)), [...alive].at(-1)!);
    URL.revokeObjectURL = (url) => (alive.delete(url), revoke(url));
  });
}

/** How much a page holds that was asked to count. */
export const alive = (page: Page) => page.evaluate(() => (window as unknown as { alive: Set<string> }).alive.size);

/** Asserts that nothing is wider than the window. */
export async function expectNoSideways(page: Page): Promise<void> {
  const [wide, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(wide).toBeLessThanOrEqual(window_!);
}
