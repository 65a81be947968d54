// What deeds state: every statement of docs/deed.md with its number, who may sign it,
// and how its body is read and written.

import { type Bytes, ParseError, Reader, Writer } from "../wire.ts";
import { type AgentID, type CameraID, type DeviceID, idBytes, idText, type InviteID, type PersonID } from "../seal/name.ts";
import { type Key, keyBytes, readKey } from "./key.ts";
import { limits } from "./limits.ts";
import {
  type Device,
  type Last,
  type Past,
  type Person,
  type Proof,
  readDevice,
  readEpoch,
  readLasts,
  readPast,
  readPerson,
  readProof,
  readProofIfThere,
  readRights,
  readSigning,
  readStanding,
  readTurn,
  type Rights,
  type Role,
  type Standing,
  type Turn,
  writeDevice,
  writeEpoch,
  writeLasts,
  writePast,
  writePerson,
  writeProof,
  writeProofIfThere,
  writeRights,
  writeSigning,
  writeStanding,
  writeTurn,
} from "./parts.ts";
import { DeedError } from "./reasons.ts";

/** What an invitation is for. */
export type Purpose =
  | { readonly purpose: "join"; readonly standing: Standing }
  | { readonly purpose: "recover"; readonly person: PersonID }
  | { readonly purpose: "hand over" };

interface Bodies {
  found: { readonly salt: Bytes; readonly minVersion: number; readonly person: Person };
  epoch: Turn;
  "place agent": { readonly agent: AgentID; readonly signing: Key; readonly kem: Key };
  "place camera": { readonly camera: CameraID; readonly agent: AgentID };
  invite: { readonly invite: InviteID; readonly signing: Key; readonly expires: number; readonly to: Purpose };
  withdraw: { readonly invite: InviteID };
  admit: { readonly proof: Proof; readonly person: Person; readonly past: Past | null; readonly turn: Turn | null };
  change: { readonly person: PersonID; readonly standing: Standing; readonly past: Past | null; readonly turn: Turn | null };
  dismiss: { readonly person: PersonID; readonly turn: Turn | null };
  device: { readonly device: Device };
  strike: { readonly device: DeviceID };
  rekey: { readonly person: Person; readonly proof: Proof | null; readonly past: Past | null; readonly turn: Turn | null };
  "replace agent": { readonly agent: AgentID; readonly signing: Key; readonly kem: Key; readonly lasts: readonly Last[] };
  "release agent": { readonly agent: AgentID; readonly lasts: readonly Last[] };
  "release camera": { readonly camera: CameraID };
  "hand over": { readonly proof: Proof; readonly person: Person; readonly turn: Turn | null };
  lend: { readonly person: Person; readonly rights: Rights };
  freeze: object;
  thaw: object;
  retain: { readonly days: number; readonly bytes: number };
}

export type Type = keyof Bodies;
/** The body of one statement. */
export type BodyOf<T extends Type> = { readonly type: T } & Bodies[T];
export type Body = { [T in Type]: BodyOf<T> }[Type];
export type AgentBody = BodyOf<"place agent">;

interface Statement<T extends Type> {
  readonly number: number;
  /** The roles of which somebody may sign it; the statement's own rules may ask for more. */
  readonly signers: readonly Role[];
  read(r: Reader): Promise<Bodies[T]> | Bodies[T];
  write(w: Writer, b: Bodies[T]): void;
}

const owners = ["owner"] as const;
const themselves = ["owner", "resident", "guest"] as const;

const statements: { readonly [T in Type]: Statement<T> } = {
  found: {
    number: 1,
    signers: owners,
    async read(r) {
      const salt = r.raw(32);
      const minVersion = r.u8();
      if (minVersion === 0) throw new DeedError("malformed", "lowest version 0");
      return { salt, minVersion, person: await readPerson(r) };
    },
    write: (w, b) => writePerson(w.raw(b.salt).u8(b.minVersion), b.person),
  },
  epoch: { number: 2, signers: owners, read: readEpoch, write: writeEpoch },
  "place agent": { number: 3, signers: owners, read: readAgent, write: writeAgent },
  "place camera": {
    number: 4,
    signers: owners,
    read: (r) => ({ camera: idText("camera", r.raw(16)), agent: idText("agent", r.raw(16)) }),
    write: (w, b) => w.raw(idBytes("camera", b.camera)).raw(idBytes("agent", b.agent)),
  },
  invite: {
    number: 22,
    signers: owners,
    read: async (r) => ({ invite: idText("invite", r.raw(16)), signing: await readSigning(r), expires: r.u64(), to: readPurpose(r) }),
    write(w, b) {
      writeSigning(w.raw(idBytes("invite", b.invite)), b.signing).u64(b.expires);
      writePurpose(w, b.to);
    },
  },
  withdraw: {
    number: 6,
    signers: owners,
    read: (r) => ({ invite: idText("invite", r.raw(16)) }),
    write: (w, b) => w.raw(idBytes("invite", b.invite)),
  },
  admit: {
    number: 7,
    signers: owners,
    read: async (r) => ({ proof: readProof(r), person: await readPerson(r), past: readPast(r), turn: await readTurn(r) }),
    write(w, b) {
      writeProof(w, b.proof);
      writePerson(w, b.person);
      writePast(w, b.past);
      writeTurn(w, b.turn);
    },
  },
  change: {
    number: 8,
    signers: owners,
    read: async (r) => ({ person: idText("person", r.raw(16)), standing: readStanding(r), past: readPast(r), turn: await readTurn(r) }),
    write(w, b) {
      writeStanding(w.raw(idBytes("person", b.person)), b.standing);
      writePast(w, b.past);
      writeTurn(w, b.turn);
    },
  },
  dismiss: {
    number: 10,
    signers: ["owner", "guest"],
    read: async (r) => ({ person: idText("person", r.raw(16)), turn: await readTurn(r) }),
    write: (w, b) => writeTurn(w.raw(idBytes("person", b.person)), b.turn),
  },
  device: {
    number: 11,
    signers: themselves,
    read: async (r) => ({ device: await readDevice(r) }),
    write: (w, b) => writeDevice(w, b.device),
  },
  strike: {
    number: 12,
    signers: themselves,
    read: (r) => ({ device: idText("device", r.raw(16)) }),
    write: (w, b) => w.raw(idBytes("device", b.device)),
  },
  rekey: {
    number: 13,
    signers: themselves,
    read: async (r) => ({ person: await readPerson(r), proof: readProofIfThere(r), past: readPast(r), turn: await readTurn(r) }),
    write(w, b) {
      writePerson(w, b.person);
      writeProofIfThere(w, b.proof);
      writePast(w, b.past);
      writeTurn(w, b.turn);
    },
  },
  "replace agent": {
    number: 14,
    signers: owners,
    read: async (r) => ({ ...(await readAgent(r)), lasts: readLasts(r) }),
    write(w, b) {
      writeAgent(w, b);
      writeLasts(w, b.lasts);
    },
  },
  "release agent": {
    number: 15,
    signers: owners,
    read: (r) => ({ agent: idText("agent", r.raw(16)), lasts: readLasts(r) }),
    write: (w, b) => writeLasts(w.raw(idBytes("agent", b.agent)), b.lasts),
  },
  "release camera": {
    number: 16,
    signers: owners,
    read: (r) => ({ camera: idText("camera", r.raw(16)) }),
    write: (w, b) => w.raw(idBytes("camera", b.camera)),
  },
  "hand over": {
    number: 17,
    signers: owners,
    read: async (r) => ({ proof: readProof(r), person: await readPerson(r), turn: await readTurn(r) }),
    write(w, b) {
      writeProof(w, b.proof);
      writePerson(w, b.person);
      writeTurn(w, b.turn);
    },
  },
  lend: {
    number: 18,
    signers: owners,
    async read(r) {
      const lent = { person: await readPerson(r), rights: readRights(r) };
      if (lent.rights.until === 0) throw new DeedError("malformed", "a link without an end");
      return lent;
    },
    write(w, b) {
      writePerson(w, b.person);
      writeRights(w, b.rights);
    },
  },
  freeze: { number: 19, signers: ["owner", "resident"], read: () => ({}), write: () => undefined },
  thaw: { number: 20, signers: owners, read: () => ({}), write: () => undefined },
  retain: {
    number: 21,
    signers: owners,
    read(r) {
      const days = r.u32();
      if (days > limits.days) throw new DeedError("malformed", `${days} days`);
      return { days, bytes: r.u64() };
    },
    write: (w, b) => w.u32(b.days).u64(b.bytes),
  },
};

const byNumber = new Map(Object.entries(statements).map(([type, { number }]) => [number, type as Type]));

/** The number of a statement in its deed. */
export function typeNumber(type: Type): number {
  return statements[type].number;
}

/** Whether somebody of that role may sign the statement, as far as that can be said without its rules. */
export function mayBeSignedBy(type: Type, role: Role): boolean {
  return statements[type].signers.includes(role);
}

/** Reads the body of the statement with that number. */
export async function parseBody(number: number, b: Bytes): Promise<Body> {
  const type = byNumber.get(number);
  if (type === undefined) throw new DeedError("unknown-type", `type ${number}`);
  return layout(async () => {
    const r = new Reader(b);
    const body = { type, ...(await statements[type].read(r)) } as Body;
    r.done();
    return body;
  });
}

/** The bytes of a statement's body. */
export function bodyBytes(b: Body): Bytes {
  const w = new Writer();
  (statements[b.type] as { write(w: Writer, b: Body): void }).write(w, b);
  return w.bytes();
}

/** Gives bytes that do not parse the reason of the page: a deed comes whole or not at all. */
export async function layout<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (e) {
    if (e instanceof ParseError) throw new DeedError("malformed", e.message);
    throw e;
  }
}

async function readAgent(r: Reader): Promise<Bodies["place agent"]> {
  return { agent: idText("agent", r.raw(16)), signing: await readSigning(r), kem: await readKey(r, "X-Wing") };
}

function writeAgent(w: Writer, b: Bodies["place agent"]): void {
  writeSigning(w.raw(idBytes("agent", b.agent)), b.signing).raw(keyBytes(b.kem));
}

/** Reads an agent's ID and keys as it answers them in a join's slot (docs/wire.md). */
export async function parseAgent(b: Bytes): Promise<AgentBody> {
  return (await parseBody(statements["place agent"].number, b)) as AgentBody;
}

function readPurpose(r: Reader): Purpose {
  const n = r.u8();
  switch (n) {
    case 1:
      return { purpose: "join", standing: readStanding(r) };
    case 2:
      return { purpose: "recover", person: idText("person", r.raw(16)) };
    case 3:
      return { purpose: "hand over" };
  }
  throw new DeedError("malformed", `purpose ${n}`);
}

function writePurpose(w: Writer, p: Purpose): void {
  switch (p.purpose) {
    case "join":
      writeStanding(w.u8(1), p.standing);
      break;
    case "recover":
      w.u8(2).raw(idBytes("person", p.person));
      break;
    case "hand over":
      w.u8(3);
      break;
  }
}
