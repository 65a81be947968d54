import { beforeEach, describe, expect, test } from "vitest";

import type { Keeps } from "../keeper.ts";
import type { Result, Trouble } from "../worker/protocol.ts";
import { Arriving, type Stage } from "./arriving.svelte.ts";

const phrase = ["amber", "kettle", "north", "violin"];

class Scripted {
  readonly calls: string[] = [];
  readonly wrong = new Map<string, Trouble>();
  happens: object[] = [{ state: "phrase", phrase }, { state: "admitted", home: "h" }];
  seen: Stage["is"][] = [];
  arriving!: Arriving;

  readonly keeper = new Proxy({} as Keeps, {
    get:
      (_, call: string) =>
      async (...args: unknown[]): Promise<Result<Record<string, unknown>>> => {
        this.calls.push([call, ...args].join(" "));
        this.seen.push(this.arriving.stage.is);
        const wrong = this.wrong.get(call);
        if (wrong) return { ok: false, ...wrong };
        return { ok: true, invitation: { home: "h", purpose: "join" }, ...(call === "watchAdmission" && this.happens.shift()) };
      },
  });
}

let s: Scripted;
let arriving: Arriving;

beforeEach(() => {
  s = new Scripted();
  arriving = s.arriving = new Arriving(s.keeper, "link", (ask) => ask());
});

describe("an invitation that was opened", () => {
  test("is read, answered, compared, and leads into the home", async () => {
    await arriving.read();
    expect([arriving.stage.is, arriving.invitation?.home, s.calls]).toEqual(["read", "h", ["readInvitation link"]]);
    await arriving.accept();
    expect(arriving.stage).toEqual({ is: "in", home: "h" });
    expect(s.seen).toEqual(["reading", "answering", "calling", "phrase"]);
  });

  test.each(["refused", "expired"] as const)("may end as %s", async (state) => {
    s.happens = [{ state: "phrase", phrase }, { state }];
    await arriving.read();
    await arriving.accept();
    expect(arriving.stage.is).toBe(state);
  });

  test("that is no good any more is told apart from one that cannot be read now", async () => {
    s.wrong.set("readInvitation", { trouble: "refused", status: 404, reason: "not-found", message: "" });
    await arriving.read();
    expect(arriving.stage.is).toBe("gone");
    s.wrong.set("readInvitation", { trouble: "crossed", what: "request" });
    await arriving.read();
    expect(arriving.stage).toMatchObject({ is: "failed", at: "reading" });
    s.wrong.clear();
    await arriving.again();
    expect(arriving.stage.is).toBe("read");
  });

  test("whose answer did not arrive is answered again, and one that waits goes on waiting", async () => {
    await arriving.read();
    s.wrong.set("answerInvitation", { trouble: "offline" });
    await arriving.accept();
    expect(arriving.stage).toMatchObject({ is: "failed", at: "answering" });
    s.wrong.clear();
    s.wrong.set("watchAdmission", { trouble: "broken", message: "" });
    await arriving.again();
    expect(arriving.stage).toMatchObject({ is: "failed", at: "waiting" });
    s.wrong.clear();
    await arriving.again();
    expect([arriving.stage.is, s.calls.filter((c) => c.startsWith("answer")).length]).toEqual(["in", 2]);
  });
});
