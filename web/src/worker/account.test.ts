// Accounts through the worker's door, against a server that can be told to misbehave.

import { beforeEach, describe, expect, it } from "vitest";
import { emptyContent } from "../account/content.ts";
import { openVault, parseVault, sealVault } from "../account/vault.ts";
import { base64, random, unbase64 } from "../wire.ts";
import type { AccountDesk } from "./accountdesk.ts";
import type { RecoveryCode } from "./accounts.ts";
import { Browser, passkey, typed } from "./standin/browser.ts";
import { good } from "./standin/house.ts";
import { refusal } from "./standin/reply.ts";
import { StandIn } from "./standin/server.ts";

const email = "ada@example.org";
const passphrase = "correct horse battery";

let server: StandIn;
let here: Browser;

beforeEach(() => {
  server = new StandIn();
  here = new Browser(server);
});

const key = passkey();
const evesKey = passkey();
const signUp = (browser = here, address = email, with_: Parameters<AccountDesk["prepareSignUp"]>[0] = { passkey: key }): Promise<RecoveryCode> => browser.signUp(address, with_);
const signIn = (browser: Browser): ReturnType<AccountDesk["signInPasskey"]> => browser.account.signInPasskey(key);

/** What the newest vault at the server says. */
async function vaulted(browser = here): Promise<{ home: string; name: string }[]> {
  const { account, vaults } = server.accounts.all[0]!;
  const { content } = await openVault(vaults.at(-1)!, account, browser.keep.known!.open!.vaultKey, null);
  return content.homes.map(({ home, name }) => ({ home, name }));
}

describe("signing up", () => {
  it("makes an account, and puts the homes of this browser into its vault", async () => {
    const home = await here.found();
    server.setup = "another";
    expect((await good(here.account.standing())).standing).toEqual({ state: "none" });
    await signUp();
    expect(await vaulted()).toMatchObject([{ home }]);
    expect((await good(here.account.standing())).standing).toEqual({ state: "open", email });
    const { account } = await good(here.account.account());
    expect(account).toMatchObject({ email, totp: false, unlockers: [{ kind: "passkey" }, { kind: "recovery" }], sessions: [{ here: true }] });
  });

  it("tells the server nothing that opens the vault", async () => {
    const code = await signUp(here, email, { passphrase });
    const said = JSON.stringify(server.arrived);
    const { vaultKey } = here.keep.known!.open!;
    for (const secret of [passphrase, base64(vaultKey), code.groups.join("-"), code.groups.join("")]) expect(said).not.toContain(secret);
  });

  it("waits for two groups of the recovery code", async () => {
    await good(here.account.beginSignUp({ setup: server.setup }, email));
    const code = await good(here.account.prepareSignUp({ passkey: key }));
    expect(code.groups).toHaveLength(7);
    expect(code.ask[0]).toBeLessThan(code.ask[1]);
    const [first, second] = typed(code);
    expect(await here.account.finishSignUp("", [second, first])).toMatchObject({ ok: false, reason: "recovery" });
    expect(server.accounts.all).toHaveLength(0);
    expect((await good(here.account.prepareSignUp({ passkey: key }))).groups).toEqual(code.groups);
    await good(here.account.finishSignUp("", [first, second]));
  });

  it("takes another code of a mail with the same recovery code", async () => {
    server.accounts.mail = true;
    expect((await good(here.account.beginSignUp({ setup: server.setup }, email))).mail).toBe(true);
    const code = await good(here.account.prepareSignUp({ passkey: key }));
    expect(await here.account.finishSignUp("00000000", typed(code))).toMatchObject({ ok: false, reason: "refused" });
    await good(here.account.finishSignUp("12345678", typed(code)));
  });

  it("refuses a short passphrase, and one that is long by its white space", async () => {
    await good(here.account.beginSignUp({ setup: server.setup }, email));
    expect(await here.account.prepareSignUp({ passphrase: "eleven char" })).toMatchObject({ ok: false, reason: "passphrase" });
    expect(await here.account.prepareSignUp({ passphrase: "  eleven char  " })).toMatchObject({ ok: false, reason: "passphrase" });
  });

  it("finds out that the account was made whose answer was lost", async () => {
    await good(here.account.beginSignUp({ setup: server.setup }, email));
    const code = await good(here.account.prepareSignUp({ passkey: key }));
    server.bend = (q, a) => (q.path === "/v1/accounts" ? null : a);
    expect(await here.account.finishSignUp("", typed(code))).toMatchObject({ ok: false, trouble: "offline" });
    server.bend = (_, a) => a;
    await good(here.account.finishSignUp("", typed(code)));
    expect(server.accounts.all).toHaveLength(1);
    expect((await good(here.account.standing())).standing).toMatchObject({ state: "open" });
  });

  it("shows a device's signature for a home that this browser has", async () => {
    const home = await here.found();
    await here.account.beginSignUp({ home: home as never }, email);
    const ticket = unbase64(server.arrived.at(-1)!.body["ticket"] as string)!;
    expect(ticket).toHaveLength(32 + 16 + 8 + 64);
  });
});

describe("signing in", () => {
  it("gives another browser the homes, by passphrase, passkey and recovery code", async () => {
    const home = await here.found();
    const code = await signUp(here, email, { passphrase });
    await good(here.account.beginAddPasskey());
    await good(here.account.addPasskey("My phone", key));
    const ways = [
      (b: Browser) => b.account.signInPassphrase(email, passphrase, ""),
      signIn,
      (b: Browser) => b.account.signInRecovery(code.groups.join(" ").toLowerCase()),
    ];
    for (const way of ways) {
      const there = new Browser(server);
      expect((await good(way(there))).homes).toMatchObject([{ home, here: false }]);
      expect((await good(there.account.standing())).standing).toEqual({ state: "open", email });
      there.reload();
      expect((await good(there.desk.homes())).homes).toMatchObject([{ home, here: false }]);
    }
    const { account } = await good(here.account.account());
    expect(account.unlockers).toMatchObject([{}, {}, { kind: "passkey", name: "My phone" }]);
  });

  it("keeps what a passkey's PRF gave from the server, wherever the page left it", async () => {
    await signUp();
    const prf = random(32);
    const made = passkey(prf);
    await good(here.account.addPasskey("", made));
    await good(new Browser(server).account.signInPasskey(made));
    const said = JSON.stringify(server.arrived);
    expect(said).not.toContain(base64(prf));
    expect(said).toContain("credProps"); // what else was in it is there
  });

  it("says the same of a wrong passphrase and an unknown address", async () => {
    await signUp(here, email, { passphrase });
    const there = new Browser(server);
    expect(await there.account.signInPassphrase(email, "wrong horse battery", "")).toMatchObject({ ok: false, reason: "refused" });
    expect(await there.account.signInPassphrase("eve@example.org", passphrase, "")).toMatchObject({ ok: false });
    expect((await good(there.account.standing())).standing).toEqual({ state: "none" });
  });

  it("computes nothing for a server that makes guessing cheap", async () => {
    await signUp(here, email, { passphrase });
    const params = unbase64(server.accounts.all[0]!.unlockers[0]!.params)!;
    params[18] = 0; // 64 KiB becomes 0
    params[17] = 0;
    server.accounts.params = base64(params);
    server.arrived.length = 0;
    expect(await new Browser(server).account.signInPassphrase(email, passphrase, "")).toMatchObject({ ok: false, reason: "weak" });
    expect(server.arrived.map((a) => a.path)).toEqual(["/v1/accounts/passphrase"]);
  });

  it("says what is wrong with a recovery code before it asks the server", async () => {
    const code = await signUp();
    server.arrived.length = 0;
    const there = new Browser(server);
    expect(await there.account.signInRecovery(code.groups.slice(1).join("-"))).toMatchObject({ ok: false, reason: "length" });
    expect(await there.account.signInRecovery("9" + code.groups.join("-").slice(1))).toMatchObject({ ok: false, reason: "letters" });
    const other = code.groups[0]![0] === "A" ? "B" : "A";
    expect(await there.account.signInRecovery(other + code.groups.join("-").slice(1))).toMatchObject({ ok: false, reason: "check" });
    expect(server.arrived).toEqual([]);
  });

  it("needs a code where the person has an authenticator", async () => {
    await signUp(here, email, { passphrase });
    expect(await good(here.account.beginTotp())).toMatchObject({ secret: expect.any(String), uri: expect.stringMatching(/^otpauth:/) });
    expect(await here.account.finishTotp("000000")).toMatchObject({ ok: false });
    expect((await good(here.account.finishTotp("123456"))).account.totp).toBe(true);
    expect(await new Browser(server).account.signInPassphrase(email, passphrase, "")).toMatchObject({ ok: false, reason: "refused" });
    await good(new Browser(server).account.signInPassphrase(email, passphrase, "123456"));
    expect((await good(here.account.removeTotp())).account.totp).toBe(false);
  });
});

describe("a server that gives out something else", () => {
  const signingIn = (): Promise<unknown> => signIn(new Browser(server));

  it("is not believed with another account's vault", async () => {
    await signUp();
    server.setup = "once more";
    const eve = new Browser(server);
    await signUp(eve, "eve@example.org", { passkey: evesKey });
    const [ada, other] = server.accounts.all;
    server.bend = (q, a) => (q.path === "/v1/accounts/sessions" ? { ...a, body: { ...a.body, vault: base64(other!.vaults.at(-1)!) } } : a);
    expect(await signingIn()).toMatchObject({ ok: false, trouble: "crossed", what: "account" });
    // All of it is the other's: neither passphrase nor key opens that.
    server.bend = (q, a) => (q.path === "/v1/accounts/sessions" ? { ...a, body: { ...a.body, account: other!.account, vault: base64(other!.vaults.at(-1)!) } } : a);
    expect(await signingIn()).toMatchObject({ ok: false, reason: "wrap" });
    server.bend = (q, a) => (q.path === `/v1/accounts/${ada!.account}` ? { ...a, body: { ...a.body, account: other!.account } } : a);
    expect(await signingIn()).toMatchObject({ ok: false, trouble: "crossed", what: "account" });
    // The control: the same server, unbent, lets her in.
    server.bend = (_, a) => a;
    expect(await signingIn()).toMatchObject({ ok: true });
    expect(ada!.vaults).toHaveLength(1);
  });

  it("is not believed with a vault that was altered", async () => {
    await signUp();
    const bent = server.accounts.all[0]!.vaults[0]!.slice();
    bent[bent.length - 1]! ^= 1;
    server.accounts.all[0]!.vaults[0] = bent;
    expect(await signingIn()).toMatchObject({ ok: false, trouble: "refused", reason: "vault: vault" });
  });

  it("is not believed with another unlocker than was used", async () => {
    await signUp();
    const [first, recovery] = server.accounts.all[0]!.unlockers;
    server.bend = (q, a) => (q.path === "/v1/accounts/sessions" ? { ...a, body: { ...a.body, unlocker: { ...recovery } } } : a);
    expect(await signingIn()).toMatchObject({ ok: false, trouble: "crossed" });
    server.bend = (q, a) => (q.path === "/v1/accounts/sessions" ? { ...a, body: { ...a.body, unlocker: { ...recovery, kind: "passkey", params: first!.params } } } : a);
    expect(await signingIn()).toMatchObject({ ok: false, reason: "wrap" });
  });

  it("is caught with an older vault, in this visit and at the next sign-in", async () => {
    await signUp();
    await good(here.account.addPasskey("Phone", passkey()));
    const { vaults } = server.accounts.all[0]!;
    expect(vaults).toHaveLength(2);
    vaults.pop();
    expect(await here.account.account()).toMatchObject({ ok: false, trouble: "fork", seen: expect.stringMatching(/^vault 2:/) });
    here.reload();
    expect(await here.desk.homes()).toMatchObject({ ok: false, trouble: "fork" });
    expect(await signIn(here)).toMatchObject({ ok: false, trouble: "fork" });
    // A browser that has seen none cannot tell.
    await good(signIn(new Browser(server)));
  });
});

describe("the vault", () => {
  it("has the homes of two browsers that change it at the same time", async () => {
    await signUp();
    const there = new Browser(server);
    await good(signIn(there));
    await good(here.desk.homes());
    await good(there.desk.homes()); // both have read the same vault
    const a = await here.found();
    const b = await there.found();
    expect((await vaulted()).map((h) => h.home).sort()).toEqual([a, b].sort());
  });

  it("gets a home that was founded while nobody could be reached, at the next sign-in", async () => {
    await signUp();
    server.away = (path) => /^\/v1\/accounts\/[a-z2-7]{26}/.test(path);
    const home = await here.found();
    server.away = () => false;
    expect(await vaulted()).toEqual([]);
    await good(signIn(here));
    expect(await vaulted()).toMatchObject([{ home }]);
  });

  it("is not missed in a browser that has the home's keys, while only the agent's own address answers", async () => {
    const home = await here.found();
    await signUp();
    here.reload();
    server.bend = (q, a) => (q.path.startsWith("/v1/account") ? refusal(503, "porch") : a);
    expect((await good(here.desk.homes())).homes).toMatchObject([{ home, here: true }]);
    expect(await here.account.account()).toMatchObject({ ok: false, trouble: "porch" });
    const there = new Browser(server);
    expect(await signIn(there)).toMatchObject({ ok: false, trouble: "porch" });
    server.bend = (_, a) => a;
    await good(signIn(there));
  });

  it("of a restored server is given what this browser knows, and is newer than both for everybody", async () => {
    const home = await here.found();
    await signUp();
    const there = new Browser(server);
    await good(signIn(there));
    const { vaults } = server.accounts.all[0]!;
    await good(here.account.addPasskey("Phone", passkey()));
    await here.desk.open();
    await expect.poll(() => vaults.length).toBe(3);
    await good(there.desk.homes());
    await good(there.account.account()); // has seen what it said then
    // A backup from before the home was in it; and what was put there since is lost.
    const { account } = server.accounts.all[0]!;
    vaults.splice(0, 3, await sealVault(account, here.keep.known!.open!.vaultKey, null, emptyContent));
    expect(await here.account.account()).toMatchObject({ ok: false, trouble: "fork" });
    server.generation = 7;
    here.reload();
    expect((await good(here.desk.homes())).homes).toMatchObject([{ home }]);
    await good(here.account.account());
    expect(await vaulted()).toMatchObject([{ home }]);
    expect((await parseVault(vaults.at(-1)!)).number).toBe(5);
    await good(there.account.account());
    expect((await good(there.desk.homes())).homes).toMatchObject([{ home, here: false }]);
    await good(signIn(here));
    expect(here.keep.known!.generation).toBe(7);
  });

  it("is locked when its session has ended; the homes of this browser stay", async () => {
    const home = await here.found();
    await signUp();
    server.accounts.sessions = [];
    expect(await here.account.account()).toMatchObject({ ok: false, trouble: "locked" });
    expect((await good(here.account.standing())).standing).toEqual({ state: "locked", email });
    expect((await good(here.desk.homes())).homes).toMatchObject([{ home, here: true }]);
    await good(here.desk.open());
  });

  it("asks to prove again what is long ago", async () => {
    await signUp();
    server.accounts.stale = true;
    expect(await here.account.setPassphrase("another passphrase")).toMatchObject({ ok: false, reason: "prove-again" });
    expect(await here.account.beginTotp()).toMatchObject({ ok: false, reason: "prove-again" });
  });
});

describe("unlockers", () => {
  it("are replaced, and the old ones open nothing any more", async () => {
    const old = await signUp(here, email, { passphrase });
    await good(here.account.setPassphrase("another passphrase"));
    const code = await good(here.account.newRecovery());
    await good(new Browser(server).account.signInRecovery(old.groups.join("-"))); // until the new one was typed
    await good(here.account.finishRecovery(typed(code)));
    expect(await new Browser(server).account.signInRecovery(old.groups.join("-"))).toMatchObject({ ok: false, reason: "refused" });
    expect(await new Browser(server).account.signInPassphrase(email, passphrase, "")).toMatchObject({ ok: false, reason: "refused" });
    await good(new Browser(server).account.signInRecovery(code.groups.join("-")));
    await good(new Browser(server).account.signInPassphrase(email, "another passphrase", ""));
  });

  it("are at least two", async () => {
    await signUp(here, email, { passphrase });
    const { account } = await good(here.account.addPasskey("Phone", passkey(random(32))));
    const [first, second, third] = account.unlockers;
    expect((await good(here.account.removeUnlocker(third!.id))).account.unlockers).toHaveLength(2);
    expect(await here.account.removeUnlocker(first!.id)).toMatchObject({ ok: false, reason: "last-unlockers" });
    expect(await here.account.removeUnlocker(second!.id)).toMatchObject({ ok: false, reason: "last-unlockers" });
  });
});

describe("an address", () => {
  it("is changed with a code of a mail", async () => {
    server.accounts.mail = true;
    await good(here.account.beginSignUp({ setup: server.setup }, email));
    await good(here.account.finishSignUp("12345678", typed(await good(here.account.prepareSignUp({ passkey: key })))));
    await good(here.account.changeEmail("ada@example.com"));
    expect(await here.account.confirmEmail("00000000")).toMatchObject({ ok: false });
    expect((await good(here.account.confirmEmail("12345678"))).account.email).toBe("ada@example.com");
    expect((await good(here.account.standing())).standing).toMatchObject({ email: "ada@example.com" });
  });
});

describe("locking", () => {
  it("takes every key away and keeps what was seen; the same device comes back", async () => {
    const home = await here.found();
    await signUp();
    const before = here.keep.kept.values().next().value!;
    await good(here.account.lock());
    const row = here.keep.kept.values().next().value!;
    expect(row).toMatchObject({ secrets: null, deeds: before.deeds, settings: before.settings });
    expect(here.keep.known).toMatchObject({ open: null, email });
    expect(server.accounts.sessions).toEqual([]);
    expect((await good(here.account.standing())).standing).toEqual({ state: "locked", email });
    expect((await good(here.desk.homes())).homes).toEqual([]);
    expect(await here.desk.events()).toMatchObject({ ok: false, trouble: "no-home" });
    here.reload();
    expect(await here.desk.open()).toMatchObject({ ok: false, trouble: "no-home" });
    expect((await good(signIn(here))).homes).toMatchObject([{ home, here: true }]);
    expect(here.keep.kept.values().next().value!.secrets).toEqual(before.secrets);
    await good(here.desk.open());
  });

  it("is put off while the vault does not have every home", async () => {
    await signUp();
    server.away = (path) => /^\/v1\/accounts\/[a-z2-7]{26}/.test(path);
    await here.found();
    expect(await here.account.lock()).toMatchObject({ ok: false, trouble: "offline" });
    expect(here.keep.kept.values().next().value!.secrets).not.toBeNull();
  });

  it("is refused without an account, which would lose the keys", async () => {
    await here.found();
    expect(await here.account.lock()).toMatchObject({ ok: false, trouble: "locked" });
    expect((await good(here.desk.homes())).homes).toHaveLength(1);
  });

  it("leaves another account neither keys nor homes", async () => {
    await here.found();
    await signUp();
    const eve = new Browser(server);
    server.setup = "again";
    await signUp(eve, "eve@example.org", { passkey: evesKey });
    expect((await good(here.account.signInPasskey(evesKey))).homes).toEqual([]);
    expect(here.keep.kept.values().next().value!.secrets).toBeNull();
    expect((await good(here.desk.homes())).homes).toEqual([]);
    // And its own person gets all of it back.
    expect((await good(signIn(here))).homes).toMatchObject([{ here: true }]);
  });
});

describe("deleting", () => {
  const gone = { ok: false, reason: "account-ended", status: 0 };

  it("leaves nothing at the server, and here nothing of the account and its homes but what proves it", async () => {
    const home = await here.found();
    await signUp();
    const { account } = here.keep.known!;
    expect((await good(here.account.homesLeft())).homes).toMatchObject([{ home, as: "only owner" }]);
    expect(server.signedIn).toBe(true);
    await good(here.account.deleteAccount());
    expect(server.accounts).toMatchObject({ all: [], sessions: [] });
    expect(server.arrived.at(-1)).toMatchObject({ method: "DELETE", path: `/v1/homes/${home}/session` });
    expect(here.keep).toMatchObject({ known: null, kept: new Map() });
    expect([...here.keep.ends.values()]).toMatchObject([{ account, generation: 0 }]);
    for (const reload of [() => undefined, () => here.reload()]) {
      reload();
      expect((await good(here.account.standing())).standing).toEqual({ state: "none" });
      expect((await good(here.desk.homes())).homes).toEqual([]);
      expect(await here.desk.open()).toMatchObject({ ok: false, trouble: "no-home" });
      expect(await here.account.account()).toMatchObject({ ok: false, trouble: "locked" });
    }
    expect(await signIn(here)).toMatchObject({ ok: false, reason: "refused" });
    await signUp();
    expect(await vaulted()).toEqual([]);
    expect(here.keep.known!.account).not.toBe(account);
  });

  it("wants to see once more that it is them, and keeps everything until then", async () => {
    await here.found();
    await signUp();
    server.accounts.stale = true;
    expect(await here.account.deleteAccount()).toMatchObject({ ok: false, reason: "prove-again" });
    expect(server.accounts.all).toHaveLength(1);
    expect(here.keep.known!.open).not.toBeNull();
    expect((await good(here.desk.homes())).homes).toHaveLength(1);
    await good(here.desk.events());
  });

  it("is done if the answer was lost and it is asked for once more", async () => {
    await here.found();
    await signUp();
    server.bend = (q, a) => (q.method === "DELETE" ? null : a);
    expect(await here.account.deleteAccount()).toMatchObject({ ok: false, trouble: "offline" });
    expect(here.keep.known).not.toBeNull();
    server.bend = (_, a) => a;
    await good(here.account.deleteAccount());
    expect(here.keep).toMatchObject({ known: null, kept: new Map(), ends: new Map() });
  });

  it("is not done for whoever's session has ended otherwise", async () => {
    await here.found();
    await signUp();
    server.accounts.sessions = [];
    expect(await here.account.deleteAccount()).toMatchObject({ ok: false, trouble: "locked" });
    expect(server.accounts.all).toHaveLength(1);
    expect((await good(here.desk.homes())).homes).toHaveLength(1);
  });

  it("leaves another browser the homes that are open there, without an account", async () => {
    const home = await here.found();
    await signUp();
    const there = new Browser(server);
    await good(signIn(there));
    await there.desk.open();
    await good(there.members.confirmHead("compared"));
    await good(here.account.deleteAccount());
    expect(await there.account.account()).toMatchObject(gone);
    expect((await good(there.account.standing())).standing).toEqual({ state: "none" });
    there.reload();
    expect((await good(there.desk.homes())).homes).toMatchObject([{ home, here: true }]);
    await good(there.desk.open());
    await signUp(there);
    expect(await vaulted(there)).toMatchObject([{ home }]);
  });

  it("is told to a browser in which no home was open", async () => {
    await here.found();
    await signUp();
    const there = new Browser(server);
    await good(signIn(there));
    await good(here.account.deleteAccount());
    there.reload();
    expect(await there.desk.homes()).toMatchObject(gone);
    expect((await good(there.desk.homes())).homes).toEqual([]);
  });

  it("is done again, once, at a server that was restored", async () => {
    await signUp();
    await good(here.account.deleteAccount());
    const asked = () => server.arrived.filter((a) => a.path === "/v1/accounts/ended");
    await good(here.account.standing());
    expect(asked()).toEqual([]);
    server.generation = 7;
    server.away = (path) => path.endsWith("/ended");
    await good(here.account.standing()); // and nobody is kept from their homes by it
    server.away = () => false;
    for (let i = 0; i < 2; i++) await good(here.account.standing());
    expect(asked()).toHaveLength(1);
    expect(asked()[0]!.body["end"]).toBe(base64([...here.keep.ends.values()][0]!.proof));
    // One that never had it is asked once, too.
    server.generation = 8;
    server.bend = (q, a) => (q.path === "/v1/accounts/ended" ? { status: 403, body: { v: 1, request: "", error: { reason: "refused", message: "", retry_after_ms: 0 } } } : a);
    for (let i = 0; i < 2; i++) await good(here.account.standing());
    expect(asked()).toHaveLength(2);
  });

  it("says of each home whether anybody else decides there, and where nobody here knows", async () => {
    const first = await here.found();
    await signUp();
    const { homes } = await good(here.account.homesLeft());
    expect(homes).toMatchObject([{ home: first, as: "only owner" }]);
    const there = new Browser(server);
    await good(signIn(there));
    expect((await good(there.account.homesLeft())).homes).toMatchObject([{ home: first, as: "unknown" }]);
  });
});
