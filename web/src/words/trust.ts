// Words about what can be trusted and what was seen to go wrong: the trust page, a home
// that does not open yet, freezing, and what leaves the home.

import { count } from "./count.ts";

export const trust = {
  title: "Trust",
  open: "What the server sees, and what was refused",
  lead: "What you rely on when you look at this home, and what you need not.",
  cannot: "The server cannot see",
  cannots: [
    "pictures, clips and what was seen in them",
    "the names of your home, its cameras and its people, and where cameras are off or masked",
    "your keys, your passphrase and your recovery code",
  ],
  cannotDo: "It cannot add a person, a device or a camera either: only what an owner has signed counts, and every browser and agent checks that by itself.",
  can: "The server can see",
  cans: [
    "your e-mail address, and from where and when you are signed in",
    "how many people, devices, cameras and agents the home has, under numbers instead of names",
    "when something was recorded, how large it is, and who fetched it when",
  ],
  canDo: "It can also withhold things, or not answer at all.",
  words: "The fingerprint of this home",
  wordsSays: "Ten words that belong to this home and no other, for ever. Compare them with “latchkey agent status” on the machine in your house, or with another device of yours.",
  compare: "On the agent's machine",
  command: "latchkey agent status",
  state: "What this browser knows of the home",
  head: "As it is now",
  headSays: (deeds: number) => `${count(deeds, "signed statement", "signed statements")}; the newest in words:`,
  confirmed: {
    memory: "This browser has followed the home from statement to statement since it first saw it.",
    link: "The link that led this browser here said how the home stood.",
    agent: "An agent of the home confirmed it freshly.",
    compared: "You compared the words with another device.",
  },
  confirmedLabel: "How this browser was told",
  epoch: "Generation of its keys",
  refused: "What was refused",
  refusedNone: "Nothing since this page was opened: everything that came was what was asked for, and signed.",
  refusedSome: (n: number) => `${count(n, "thing", "things")} that came ${n === 1 ? "was" : "were"} not what was asked for, or not rightly signed, and ${n === 1 ? "was" : "were"} not shown. This was reported to the server.`,
  refusedLine: (what: string, why: string, when: string) => `${when}: ${what}. ${why}`,
  what: { thumbnail: "a picture", clip: "a clip", description: "the details of an event", settings: "the settings", deed: "a statement about the home", condition: "the report of an agent", reply: "the answer of an agent", live: "a piece of live view", answer: "an answer" },
  why: {
    elsewhere: "It belonged somewhere else.",
    unsigned: "It was not signed by anybody who may.",
    fork: "It told another history of the home.",
    replayed: "It was older than what was here already.",
    other: (reason: string) => `It did not verify (${reason}).`,
  },
  back: "What was given back",
  backNone: "Nothing. The server had everything that this browser knows of.",
  backSome: (n: number) => `The server had lost ${count(n, "statement", "statements")}, perhaps by a restored backup. This browser gave ${n === 1 ? "it" : "them"} back.`,
  limits: "What no page can promise",
  limitsSays: [
    "The server sends you this page. A server that wanted to could send you another one that looks the same and gives your keys away. If you do not want to rely on whoever runs it, run it yourself.",
    "Who may see something may film the screen.",
    "Sizes and times are not hidden: when something moves in front of your house can be seen from the traffic.",
  ],
  failed: "What this browser knows could not be read.",
  technical: "In numbers",
  home: "Home",
} as const;

export const door = {
  same: "They are the same",
  differ: "They differ",
  checking: "One moment…",
  ask: "Ask the agent again",
  differTitle: "Then do not go on",
  differSays: "The server shows this browser another state of your home than your other device knows. It may be an older one, with people in it who were removed.",
  differNext: "Do not sign in here. Tell whoever runs the server, and look at your home on the other device.",
  back: "Back",
  confirm: "Open the home now",
  confirmTitle: "You may open it now",
  confirmSays: "By that you vouch for this: the people, devices and cameras that this browser knows are all there are, and nobody was removed after it looked last. If another owner may have removed somebody since, let them confirm instead, or wait for the agent.",
  confirmSure: "I vouch for it: open the home",
  confirming: "Opening…",
  tooSoon: (wait: string) => `The server waits for the agent first. Try again in ${wait}.`,
  waiting: "It is tried again every few seconds.",
  signInAgain: "Sign in",
} as const;

export const frozen = {
  title: "This home is frozen",
  says: "Nobody is shown anything, on no device. Recording goes on.",
  events: "Frozen: nothing is shown",
  eventsSays: "The home is frozen, so no picture is handed out to anybody. Everything is still being recorded, and it is all here when an owner thaws the home.",
  thaw: "Thaw",
  thawing: "Thawing…",
  onlyOwners: "An owner can thaw it.",
  panel: "Freeze the home",
  panelSays: "Draws the curtain at once: nobody sees anything of this home, no member, no guest, on no device. Agents go on recording. Nothing is lost, and an owner can thaw it at any time.",
  go: "Freeze now",
  sure: "Yes, freeze it now",
  going: "Freezing…",
  done: "The home is frozen. Recording goes on.",
  thawSays: "Everybody sees again what they may see.",
  backAlways: "You can thaw it again whenever you like, here or over any screen.",
} as const;

const stopped = { everything: "this server", server: "this server", home: "this home", route: "pictures and clips" } as const;

export const held = {
  title: (scope: keyof typeof stopped) => `Whoever runs the server has stopped ${stopped[scope]}`,
  since: (moment: string) => `It has been so since ${moment}. Nothing is lost: recording goes on.`,
  says: (text: string) => (text ? `They say: “${text}”` : ""),
  events: "Stopped: nothing is shown",
  eventsSays: "Whoever runs the server has stopped it, so no picture is handed out to anybody. Your agents go on recording, and everything is here again, by itself, when it is released.",
  who: "Nobody of your home has done this, and nobody of it can undo it. Under People you still see who is in the home, and an owner can remove somebody.",
} as const;

export const retention = {
  title: "How long recordings are kept",
  says: "The server deletes what it has had for longer, and the oldest when there is more. What your agents record at home is not concerned.",
  days: "Days",
  daysHint: "Empty: without a bound.",
  size: "Gigabytes",
  sizeHint: "Empty: without a bound.",
  rule: "Give whole numbers, or leave the field empty.",
  shorter: "What is beyond the new bound is deleted within the hour, for good.",
  stored: (objects: number, size: string, most: string) => `At the server: ${count(objects, "recording", "recordings")}, ${size}${most === "" ? "" : ` of the ${most} that your home may have there`}.`,
  full: "Your home may store no more at this server. What your cameras record waits at home until something is deleted or whoever runs the server allows more.",
  now: (days: number, size: string) => `Kept: ${days === 0 ? "without a bound in time" : count(days, "day", "days")}, ${size === "" ? "without a bound in size" : `at most ${size}`}.`,
} as const;

export const erase = {
  event: "Delete",
  eventSure: "Delete this event",
  eventSays: "Its picture, its clip and its description are deleted for everybody, for good: at the server, in backups that are put back, and where an agent has not sent them yet. What somebody has saved stays with them.",
  deleting: "Deleting…",
  camera: "Delete what this camera recorded",
  cameraSure: (name: string) => `Delete everything of ${name}`,
  cameraSays: "All events of this camera up to now are deleted for everybody, for good, also from backups that are put back. What it records from now on is kept.",
  cameraDone: "It is deleted.",
} as const;

export const release = {
  camera: "Take this camera out of the home",
  cameraSays: "For a camera that is sold or given away. Nothing that it sends from now on belongs to your home. What was recorded stays yours.",
  cameraSure: (name: string) => `Take ${name} out`,
  agent: "Take this agent out of the home",
  agentSays: (cameras: number) => `The agent${cameras > 0 ? ` and its ${count(cameras, "camera", "cameras")}` : ""} leave the home. Nothing that they send from now on belongs to it. What was recorded stays yours.`,
  agentSure: (name: string) => `Take ${name} out`,
  releasing: "Taking it out…",
  replace: "Give it new keys",
  replaceOf: (name: string) => `Give it new keys: ${name}`,
  cloned: (when: string) => `It was turned away (${when}): its machine was restored from a backup, or copied, and the server cannot tell which of the two is the right one. Give new keys to the one that shall be the agent.`,
  copied: (when: string) => `A copy of it was turned away (${when}). If you have not restored or copied its machine, somebody else has: give it new keys.`,
  clonedState: "turned away",
  replaceTitle: "New keys for the agent",
  replaceSays: "Run this on the machine that shall be the agent from now on. The keys that it had before, and every copy of them, are worth nothing afterwards; its cameras stay.",
  replacing: "The agent has answered. Giving it its new place…",
  replaced: (name: string) => `${name} has new keys.`,
  replaceCommand: (link: string) => `latchkey agent join --replace '${link}'`,
  manage: "New keys, or take out",
  manageOf: (name: string) => `New keys, or take out: ${name}`,
} as const;
