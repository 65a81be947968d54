// Every screen of a list, looked at by day on a phone and by night on a desk. One visitor
// goes from screen to screen, because to begin a browser anew takes longer than to look;
// nothing of the screen before is left in it, and each begins with a page that is loaded.

import type { Page } from "playwright-core";
import { test } from "vitest";

import type { Visitor } from "./browser.ts";

/** What is done on the way to a screen: a click on that, or anything else. */
export type Step = string | ((page: Page) => Promise<unknown>);

/** A screen: its address on the stage, what is there when it can be looked at, and the way. */
export type Screen = [name: string, at: string, ready: string, go?: Step[]];

/** How screens are looked at. */
export interface Looking {
  /** How wide the phone is. */
  phone: number;
  /** Somebody whose motion is reduced, at no page yet. */
  arrive(): Promise<Visitor>;
  /** The address of a screen. */
  address(at: string): string;
  /** Asserts that nothing is wrong with what is shown. */
  judge(v: Visitor): Promise<void>;
}

/** Has one test for each screen. */
export function areSound(screens: readonly Screen[], { phone, arrive, address, judge }: Looking): void {
  let rested: Visitor | null = null;
  test.each(screens)("%s is sound on a phone by day and on a desk by night", async (_, at, ready, go = []) => {
    const v = rested ?? (await arrive());
    rested = null; // whoever has seen a failure does not go on
    await v.page.setViewportSize({ width: phone, height: 800 });
    await v.page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await v.page.goto(address(at));
    for (const step of go) typeof step === "string" ? await v.page.locator(step).first().click() : await step(v.page);
    await v.page.locator(ready).first().waitFor();
    await judge(v);
    await v.page.setViewportSize({ width: 1440, height: 900 });
    await v.page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await judge(v);
    await v.forget();
    rested = v;
  });
}
