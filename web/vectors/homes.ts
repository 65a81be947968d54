// The homes of sealed/testdata/homes.json as readers and writers of vectors need
// them. Every secret of theirs is in that file; they are nobody's.

import { epochOf, type EpochSecret, ringOf } from "../src/deed/epoch.ts";
import { type Key, publicKey, type Signer, signerOf } from "../src/deed/key.ts";
import { Title } from "../src/deed/title.ts";
import { type PrivateKey, privateKey } from "../src/hpke.ts";
import type { AgentID, CameraID, HomeID, KeyID, PersonID } from "../src/seal/name.ts";
import { type Bytes, unbase64 } from "../src/wire.ts";

/** homes.json as it stands there (sealed/testdata/README.md). */
export type HomesFile = Record<
  string,
  {
    home: string;
    deeds: string[];
    owner: PersonSecrets;
    /** Who was there besides. */
    people?: ({ name: string } & PersonSecrets)[];
    epochs: { epoch: number; seed: string }[];
    agents: { agent: string; signing: string; kem: string }[];
    cameras: { camera: string; agent: string }[];
  }
>;

interface PersonSecrets {
  person: string;
  device: string;
  signing: string;
  device_signing: string;
  kem: string;
}

export interface TestHome {
  home: HomeID;
  deeds: Bytes[];
  title: Title;
  person: PersonID;
  owner: Signer;
  device: Signer;
  kem: PrivateKey;
  epochs: EpochSecret[];
  ring: Map<KeyID, PrivateKey>;
  people: Record<string, TestPerson>;
  /** The keys of all of them. */
  own: Map<KeyID, PrivateKey>;
  agents: { id: AgentID; signer: Signer; kem: PrivateKey }[];
  cameras: { id: CameraID; agent: AgentID }[];
}

export interface TestPerson {
  signer: Signer;
  device: Signer;
  kem: Key;
}

export type Homes = Record<string, TestHome>;

const bytes = (text: string): Bytes => unbase64(text)!;

/** Folds the chains and makes keys of the seeds. */
export async function readHomes(file: HomesFile): Promise<Homes> {
  const homes: Homes = {};
  for (const [name, h] of Object.entries(file)) {
    const deeds = h.deeds.map(bytes);
    const own = new Map<KeyID, PrivateKey>();
    const people: TestHome["people"] = {};
    for (const p of h.people ?? []) {
      const kem = await privateKey(bytes(p.kem));
      people[p.name] = { signer: await signerOf(bytes(p.signing)), device: await signerOf(bytes(p.device_signing)), kem: await publicKey("X-Wing", kem.publicKey) };
      own.set(people[p.name]!.kem.id, kem);
    }
    const epochs = await Promise.all(h.epochs.map((e) => epochOf(e.epoch, bytes(e.seed))));
    homes[name] = {
      home: h.home as string as HomeID,
      deeds,
      title: await Title.fold(h.home as string as HomeID, deeds),
      person: h.owner.person as string as PersonID,
      owner: await signerOf(bytes(h.owner.signing)),
      device: await signerOf(bytes(h.owner.device_signing)),
      kem: await privateKey(bytes(h.owner.kem)),
      epochs,
      ring: ringOf(epochs),
      people,
      own,
      agents: await Promise.all(
        h.agents.map(async (a) => ({ id: a.agent as string as AgentID, signer: await signerOf(bytes(a.signing)), kem: await privateKey(bytes(a.kem)) })),
      ),
      cameras: h.cameras.map((c) => ({ id: c.camera as string as CameraID, agent: c.agent as string as AgentID })),
    };
  }
  return homes;
}
