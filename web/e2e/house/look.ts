// What is to be seen on the page, as somebody in front of it would say: which cards,
// and whether there is a picture on them and which.

import type { Page } from "playwright-core";
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

/** Asserts that nothing is wider than the window. */
export async function expectNoSideways(page: Page): Promise<void> {
  const [wide, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(wide).toBeLessThanOrEqual(window_!);
}
