// Every word that people read on the page. A translation is another object of this
// shape; nothing elsewhere in the page puts words together.
//
// The voice: what happened, since when, what still works, what to do next. Never a
// chain of errors, never a word of the trade where an everyday one will do.

import { homes, leaving, lost, passkey, recovery, secure, signIn, signUp, strength, welcome, you } from "./words/account.ts";
import { adding, agents, camera, cameras, drawing, schedule, standing, strip } from "./words/cameras.ts";
import { count } from "./words/count.ts";
import { live } from "./words/live.ts";
import { invited, inviting, people, rights } from "./words/people.ts";
import { seen } from "./words/seen.ts";
import { timeline } from "./words/timeline.ts";
import { door, ending, erase, frozen, held, release, retention, trust } from "./words/trust.ts";

/** The language of the words below. */
export const language = "en";

/** How dates and times are written: as this reader is used to, but never in another language than the words. */
export function locale(): string {
  const used = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  return used.find((l) => l === language || l.startsWith(`${language}-`)) ?? "en-GB";
}

export const words = {
  app: "Latchkey",
  home: "Home",
  defaultHome: "My home",
  unnamedCamera: (id: string) => `Camera ${id.slice(0, 4)}`,
  unknownCamera: "Unknown camera",
  agent: (id: string) => `Agent ${id.slice(0, 4)}`,
  agentAmong: (name: string, id: string) => `${name} (${id.slice(0, 4)})`,
  skip: "Skip to the content",
  close: "Close",
  cancel: "Cancel",
  tryNow: "Try now",
  reload: "Load the page again",
  navigation: "Main",

  day: (weekday: string, date: string) => `${weekday}, ${date}`,
  moment: (weekday: string, date: string, clock: string) => `${weekday} ${date}, ${clock}`,

  when: {
    yesterday: (clock: string) => `yesterday, ${clock}`,
    tomorrow: (clock: string) => `tomorrow, ${clock}`,
    day: (day: string, clock: string) => `${day}, ${clock}`,
  },

  nav: { live: "Live", events: "Events", timeline: "Timeline", cameras: "Cameras", people: "People", home: "Home", you: "You", trust: "Trust", homes: "Your homes", waiting: "(waiting for your answer)" },

  length: {
    seconds: (s: number) => `${s} s`,
    minutes: (m: number, s: number) => (s ? `${m} min ${s} s` : `${m} min`),
    hours: (h: number, m: number) => (m ? `${h} h ${m} min` : `${h} h`),
  },

  starting: {
    title: "Opening your home",
    says: "The keys are unlocked and the home's deeds are checked in this browser.",
  },

  copy: {
    title: "A copy, at this machine",
    says: "You see what was exported, and nothing newer. Nothing of the home can be changed here.",
    door: "Open the export",
    doorSays: "Everything in it is sealed. Unlock it with the passphrase or the recovery code with which it was made; neither leaves this machine.",
  },

  none: {
    title: "No home in this browser",
    says: "The keys to a home are kept in the browser that they were made in, and this browser has none.",
    next: [
      "If you have just started a server, open the set-up link that it printed.",
      "If you made your home in another browser, use that one.",
    ],
  },

  choose: {
    title: "Which home?",
    says: "This browser holds the keys of several homes.",
    home: (id: string) => `Home ${id.slice(0, 8)}`,
  },

  offline: {
    title: "The server does not answer",
    since: (clock: string) => `Cannot reach the server since ${clock}.`,
    showing: "Showing what is here.",
    nothing: "Nothing can be shown until it answers.",
    again: (seconds: number) => (seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again now."),
  },

  spared: {
    title: "The server has a lot to do",
    says: (what: readonly string[]) => {
      const waits = [
        what.includes("clips") ? "Clips and older recordings come later" : what.includes("backfill") ? "Older recordings come later" : "",
        what.includes("filmstrips") ? "the timeline has fewer pictures" : "",
        what.includes("live-quality") ? "live is the small picture" : "",
      ].filter((w) => w !== "");
      const said = waits.join(", ");
      return `${said.slice(0, 1).toUpperCase()}${said.slice(1)}. Nothing is lost: it waits at home. New events come as always.`;
    },
  },

  gaveBack: {
    title: "The server had lost something",
    says: (n: number) => `It had lost ${count(n, "change", "changes")} of this home. This browser remembered, has checked ${n === 1 ? "it" : "them"} and given ${n === 1 ? "it" : "them"} back. Ask whoever runs the server whether it was restored from a backup.`,
    dismiss: "Understood",
  },

  crossed: {
    title: "An answer was not ours",
    says: "The server sent an answer to a question that this page did not ask. It was thrown away unseen.",
    dismiss: "Understood",
  },

  stopped: {
    fork: {
      title: "The history of this home was changed",
      says: "The server shows a chain of deeds that is not the one this browser has seen before. It was rolled back or replaced. A deed is never taken back, so this is not an ordinary mistake, and nothing that the server says about this home is shown.",
      next: "Do not sign anything. Ask whoever runs the server whether it was restored from a backup, and compare with another device of this home.",
    },
    badChain: {
      title: "The deeds of this home do not verify",
      says: "What the server sent as the home's deeds was not signed by the people who may decide. It was refused, and nothing is shown.",
      next: "Load the page again. If that does not help, tell whoever runs the server.",
    },
    signedOut: {
      title: "You are signed out",
      says: "The server does not take this browser's key any more. It was signed out elsewhere, you were removed from the home, or the home was removed from the server.",
      next: "What is in your key file can still be opened offline, with “latchkey open”.",
    },
    deleted: {
      title: "This home was deleted",
      says: "An owner has deleted it, says its server: all recordings there, its settings and its sessions. Its agents remove what they recorded as soon as they hear of it. It does not come back, also not from a backup.",
      next: "What somebody has saved before stays with them. If you did not expect this, ask the home's owners.",
    },
    noHome: {
      title: "The keys are gone from this browser",
      says: "This browser no longer holds the keys of this home. Its data may have been cleared.",
      next: "Open the home in another browser that has them.",
    },
    locked: {
      title: "Your keys are locked",
      says: "The keys of this home are taken out of this browser. Only you can put them back.",
      next: "Unlock them with your passkey, your passphrase or your recovery code.",
    },
    unconfirmed: {
      title: "Is this your home as it is today?",
      says: "This browser has never seen this home before, and no agent in the home answers. A server could show an older state, with people in it who were removed since.",
      next: "Compare the words below with another device of yours, or with “latchkey agent status” on the agent's machine.",
    },
    closed: {
      title: "This home is closed for a moment",
      says: "The server was restored from a backup. Until somebody who knows has confirmed that nothing newer is missing, nobody is shown anything.",
      next: "It opens by itself when the agent in the home connects.",
    },
    storage: {
      title: "This browser keeps nothing",
      says: "The keys have to be kept in this browser, and it does not let the page keep anything. A private window does that.",
      next: "Open the page in an ordinary window, or allow this site to store data.",
    },
    refused: {
      title: "The server refuses",
      says: (message: string) => (message ? `The server says: ${message}` : "The server gives no reason."),
      next: "Load the page again. If that does not help, tell whoever runs the server.",
    },
    broken: {
      title: "Something went wrong in this page",
      says: "What came could not be understood, and it is not shown.",
      next: "Load the page again. If it happens again, the server and this page may be of different versions.",
    },
  },

  /** A trouble in one sentence, beside the thing that did not work. */
  trouble: {
    offline: "The server cannot be reached. Try again when it answers.",
    busy: "The server is busy. Try again in a moment.",
    porch: "This works only while your home's server can be reached. Here you see what the agent at home has.",
    away: "The agent is not connected. Look whether its machine is on and has a network.",
    agent: (message: string) => message || "The agent could not do it, and gives no reason.",
    crossed: "The answer was not to our question. It was thrown away.",
    fork: "The history of this home was changed.",
    "bad-chain": "The deeds of this home do not verify.",
    "signed-out": "You are signed out.",
    "no-home": "This browser does not hold the keys for that.",
    deleted: "An owner has deleted this home.",
    locked: "Your keys are locked. Unlock them first.",
    unconfirmed: "This browser has not yet been told that this is your home as it is today.",
    closed: "The home is closed until its agent has confirmed that the restored server lacks nothing.",
    held: (says: string) => `Whoever runs the server has stopped this for now. Nothing is lost.${says ? ` ${held.says(says)}` : ""}`,
    storage: "This browser does not let the page keep anything.",
    refused: (message: string) => (message ? `The server refused: ${message}` : "The server refused."),
    broken: "Something went wrong in this page. Load it again.",
  },

  events: {
    title: "Events",
    today: "Today",
    yesterday: "Yesterday",
    noDay: "Without a time",
    noTime: "Time unknown",
    all: "All cameras",
    filter: "Show the events of",
    day: "Show one day",
    anyDay: "Show all days",
    seen,
    strip: (n: number) => `When in the day: ${count(n, "event", "events")}, from midnight to midnight`,
    fresh: (n: number) => `${n} new`,
    freshLabel: (n: number) => `Show ${count(n, "new event", "new events")}`,
    review: {
      label: "What was looked at",
      fresh: "not looked at yet",
      unreviewed: (n: number, more: boolean) => `${n}${more && n > 0 ? "+" : ""} not looked at`,
      all: "Mark all as looked at",
      done: "You have looked at everything.",
      mark: "Mark as looked at",
      select: (camera: string, clock: string) => `Select ${camera} ${clock}`.trim(),
      selected: (n: number) => `${n} selected`,
      none: "Select none",
    },
    recording: "recording…",
    onItsWay: "clip on its way",
    lost: "no clip",
    clipRefused: "clip not verified",
    parts: (n: number, long: string) => (long ? `${long} · ${n} clips` : `${n} clips`),
    lengthAnd: (length: string, state: string) => (length ? `${length} · ${state}` : state),
    loading: "Loading events",
    more: "Loading older events",
    end: "That is everything.",
    porchNone: "Nothing has happened since your home's server was last reached",
    porchEnd: "That is what the agent at home has. Older events are at your home's server, which cannot be reached now.",
    verifiedShort: "verified",
    verified: "Verified here: signed by your agent, for this camera of this home, and opened in this browser.",
    pictureOf: (camera: string, moment: string) => `Picture of ${camera}, ${moment}`,
    waiting: "picture on its way",
    unreachable: "The picture cannot be fetched now.",
    failedPicture: "The picture could not be opened.",
    quality: {
      corrected: "The agent's clock was wrong then. The time was put right once the agent knew by how much.",
      estimated: "The agent's clock was not synchronised then; the time is its best estimate.",
      unknown: "The agent could not tell whether its clock was right.",
    },
    empty: {
      title: "Nothing has happened yet",
      says: "Your cameras are being watched. The next thing that moves appears here by itself.",
      silent: "No camera is recording now, so nothing new can appear here.",
    },
    noCameras: {
      title: "No camera yet",
      says: "A small program in your house, the agent, connects to your cameras and seals what they see before it leaves the house.",
      next: "Add an agent",
    },
    asking: (n: number) => `The agent asks to add ${count(n, "camera", "cameras")}.`,
    askingNext: "Look at it",
    noneThen: (camera: string, day: string) => `Nothing${camera ? ` from ${camera}` : ""} on ${day}.`,
    noneOf: (camera: string) => `Nothing from ${camera} yet.`,
    failed: "The events could not be loaded.",
    moreFailed: "Older events could not be loaded.",
    again: "Try again",
  },

  refusal: {
    picture: "This picture could not be verified, so it is not shown.",
    clip: "This clip could not be verified, so it is not shown.",
    word: {
      misroute: "It belongs somewhere else.",
      corrupt: "It is damaged: what came does not open.",
      "unknown-key": "It was sealed for a key that this browser does not hold.",
    },
    reported: "This was reported.",
    confirmed: "This was reported, and the server confirms it.",
    notSent: "It could not be reported: the server did not answer.",
  },

  player: {
    previous: "Newer event",
    next: "Older event",
    newer: "Newer",
    older: "Older",
    opening: "Opening the clip…",
    onItsWay: "The clip is on its way. It plays here as soon as it has arrived.",
    recording: "This is still being recorded. It plays here as soon as it has arrived.",
    lost: "There is no clip to this event.",
    offline: "The clip cannot be fetched: the server does not answer. It is fetched when it does.",
    failed: "The clip could not be opened.",
    h265: "This clip is H.265 video. It is verified and open, but this browser cannot play H.265. Save it and open it with another program, or set the camera to H.264.",
    saveClip: "Save the clip",
    file: "Save video",
    fileSays: "One MP4 of what is shown, with its time in it",
    fileFailed: "The clip could not be fetched whole. Try again.",
    full: {
      full: "Full quality",
      says: "The camera's best picture is kept at home only. It is fetched from there.",
      away: "Full quality is at home only, and home is not connected.",
      asking: "Asking home…",
      coming: (done: string, of: string, none: boolean) => `From home: ${none ? "0 s" : done} of ${of}`,
      cancel: "Cancel",
      still: "The cloud's clip is still here.",
      lacks: (missing: string) => `${missing} of it are not at home any more.`,
    },
    soundOn: "Sound on",
    soundOff: "Sound off",
    clipFile: (camera: string, day: string, clock: string) => `${camera} ${day} ${clock}.mp4`,
    unplayable: "The clip is verified and open, but this browser cannot play it. Save it and open it with another program.",
    missing: "This event is not in your list. It may have been deleted, or the link is of another home.",
    searching: "Looking for this event…",
    save: "Save sealed file",
    saveSays: "A file that only your key opens: latchkey open FILE --key …",
    saving: "Saving…",
    parts: "Goes on over several clips",
    part: (n: number, of: number) => `Clip ${n} of ${of}`,
    video: (camera: string, moment: string) => `Clip of ${camera}, ${moment}`,
    back: "Back to the events",
  },

  welcome,
  signUp,
  lost,
  recovery,
  signIn,
  passkey,
  strength,
  secure,
  you,
  homes,
  leaving,

  people,
  rights,
  inviting,
  invited,

  trust,
  door,
  frozen,
  held,
  retention,
  ending,
  erase,
  release,

  live,
  timeline,
  cameras,
  standing,
  strip,
  agents,
  adding,
  camera,
  drawing,
  schedule,

  join: {
    add: "Add an agent",
    title: "Add an agent",
    says: "Run this on the computer in your house that shall talk to the cameras. It must have latchkey installed.",
    command: (link: string) => `latchkey agent join '${link}'`,
    commandLabel: "The command",
    secret: "The link is a secret until it is used: give it only to the machine that shall join. It works once.",
    copy: "Copy",
    copied: "Copied",
    left: (clock: string) => `Waiting for the agent. The link works for another ${clock}.`,
    preparing: "Making a link…",
    joining: "The agent has answered. Placing it in your home…",
    done: (agent: string) => `${agent} belongs to your home now.`,
    doneNext: "Next, add a camera to it. You can do that here, or on its machine.",
    doneCamera: "Add a camera",
    expired: "The link has expired, and nobody used it.",
    another: "Make another link",
    failed: "No link could be made.",
    placeFailed: "The agent could not be placed.",
    opened: {
      title: "This link is for an agent",
      says: "It was not used by opening it here. On the computer that shall join, run this:",
      back: "To your home",
    },
  },

  settings: {
    title: "Home",
    names: "Name and time",
    home: "Name of the home",
    zone: "Time zone",
    zoneHint: "Days and times are shown in this zone wherever you are.",
    nameRule: "A name is 1 to 64 characters long.",
    save: "Save",
    saving: "Saving…",
    saved: "Saved.",
    sealed: "Names and zone are sealed: the server keeps them and cannot read them.",
    key: "Key file",
    keySays: "With the key file you can open saved recordings anywhere, without this browser and without the server.",
    keyWarning: "Whoever has this file can open everything that this home has recorded up to now and everything that it records until its keys are changed. Keep it like the key of your house: not in a mail, not in a cloud folder.",
    keySave: "Save the key file",
    keySaving: "Saving…",
    keySaved: "Saved. Move it to a safe place now.",
    proof: "What this page knows",
    proofHome: "Home",
    proofHead: "Newest deed",
    proofEpoch: "Key generation",
    proofRefused: "Refused since this page was opened",
    proofRefusedNone: "nothing: everything that came was verified",
    proofRefusedSome: (n: number) => `${count(n, "object", "objects")} not shown because not verified`,
    leave: "Sign out",
    leaveSays: "Ends the session at the server. The keys stay in this browser, and opening the page signs in again.",
    leaving: "Signing out…",
    left: "You are signed out",
    leftNext: "The keys are still in this browser: loading the page signs in again.",
  },

  setup: {
    title: "Make this home yours",
    lead: "You are about to become the owner of a new home on this server.",
    what: [
      "Your keys are made in this browser. They never leave it, and the server never sees them.",
      "What your cameras see is sealed in your house, before it is sent. Only your keys open it.",
      "You join an agent and your cameras afterwards; that takes two commands.",
    ],
    home: "Name of the home",
    zone: "Time zone",
    go: "Make this home mine",
    autoSays: "This machine was prepared for you: its agent and cameras are joined at once.",
    working: "Making your home",
    steps: {
      keys: "Keys made in this browser",
      home: "Home founded",
      agent: "Agent joined",
      cameras: "Cameras taken in",
    },
    doing: { keys: "Making your keys…", home: "Founding the home…", agent: "Waiting for the agent…", cameras: "Waiting for its cameras…" },
    state: { todo: "to do", doing: "in progress", done: "done", failed: "failed" },
    agentSlow: "The agent has not answered yet. It keeps trying as long as it runs.",
    camerasSlow: "The agent has asked for no camera yet. You can go on; it asks again later.",
    onward: "Go to the events",
    failed: "It did not work",
    again: "Try again",
    used: {
      title: "This link has been used, or has expired",
      says: "A set-up link works once and for 30 minutes. If it was you, your home is in the browser in which you opened it. If it was not, somebody else has founded a home with it.",
      next: "Start the server again: it prints a new link.",
    },
    already: {
      title: "This browser already holds a home",
      says: "The link would make another one. You would then have both in this browser.",
      join: "The link came with an agent that is waiting to join. You can take it into the home that you have.",
      open: "Open my home",
      take: "Take the agent into my home",
      make: "Make another home all the same",
    },
    old: {
      title: "This browser is too old",
      says: "The page makes and uses keys in the browser, and this one lacks what that needs:",
      next: "Bring it up to date, or use a current Chrome, Edge, Firefox or Safari.",
      lacks: {
        subtle: "cryptography for web pages (WebCrypto)",
        ed25519: "Ed25519 signatures",
        worker: "workers made of modules",
        storage: "a database in the browser (IndexedDB)",
        dialog: "dialogs",
        observer: "noticing what is in view (IntersectionObserver)",
        zones: "the list of time zones",
      },
    },
    insecure: {
      title: "This address is not secure",
      says: "Browsers give pages their cryptography only over HTTPS, or on the machine itself as localhost. Without it no keys can be made, and nothing is sent.",
      next: "Open the page by its https:// address, or as http://localhost on the machine of the server. If it has no https:// address yet, whoever runs the server can give it one with --domain or --own-certificate.",
    },
    fragment: "The link has been taken out of the address bar, because it is a secret. If you load this page again you need the link again.",
  },

  keys: {
    title: "Keys",
    open: "Show the keys",
    list: [
      { keys: ["j", "↓"], says: "next event, or the row below" },
      { keys: ["k", "↑"], says: "the event before, or the row above" },
      { keys: ["Enter"], says: "open the event" },
      { keys: ["Esc"], says: "back" },
      { keys: ["←", "→"], says: "newer and older event, in the player too" },
      { keys: ["Space"], says: "play and pause" },
      { keys: ["f"], says: "full screen" },
      { keys: ["m"], says: "sound off and on" },
      { keys: ["s"], says: "save the live picture" },
      { keys: ["+", "−", "0"], says: "closer, wider, the whole live picture; the arrows move it" },
      { keys: ["←", "→", "↑", "↓"], says: "on the timeline: ten seconds, one second" },
      { keys: ["j", "k"], says: "on the timeline: the next camera, the one before" },
      { keys: ["[", "]"], says: "on the timeline: the event before, the next one" },
      { keys: ["PgUp", "PgDn"], says: "on the timeline: the day before, the day after" },
      { keys: ["g"], says: "on the timeline: go to a time" },
      { keys: ["?"], says: "this list" },
    ],
  },
} as const;
