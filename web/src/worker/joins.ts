// Taking agents and cameras in: slots of join links, what agents ask for, and the deeds
// that place them.

import { Failed, type Server } from "../api.ts";
import { base64 } from "../wire.ts";
import { parseAsk, readAsk } from "./ask.ts";
import type { Home } from "./home.ts";
import { Invitation } from "./join.ts";
import type { AgentBody } from "../deed/body.ts";
import type { AgentID, Ask, CameraID, Join, JoinAnswer, SettingsView, TitleView } from "./protocol.ts";
import { ignoreTrouble, refused } from "./result.ts";
import type { Room } from "./hall.ts";

const joinPoll = 2000; // milliseconds, beside the hints

interface OpenJoin {
  invitation: Invitation;
  agent: AgentBody | null;
  stopped: boolean;
  wake: () => void;
}

export class Joins {
  readonly #server: Server;
  readonly #joins = new Map<string, OpenJoin>();

  constructor(server: Server) {
    this.#server = server;
  }

  /** A hint said that somebody has answered. */
  hinted(): void {
    for (const join of this.#joins.values()) join.wake();
  }

  async open({ home }: Room, secret?: string): Promise<Join> {
    await home.chain.refresh();
    const { head } = home.title;
    const invitation = await Invitation.make(home.id, head, Date.now() * 1000, secret);
    if (invitation === null) throw refused("join-secret", "That link is not whole: copy all of it.");
    const { slot, announcement, expires } = invitation;
    await home.session.ask("POST", "/joins", { slot, announcement: base64(announcement), expires });
    this.#joins.set(slot, { invitation, agent: null, stopped: false, wake: () => undefined });
    const trust = await this.#server.trust();
    const link = `${this.#server.origin}/#join=${invitation.secret}&home=${home.id}&head=${head.seq}:${head.hash}${trust && `&trust=${trust}`}`;
    return { link, slot, expires };
  }

  async watch({ home }: Room, slot: string): Promise<JoinAnswer> {
    const join = this.#joins.get(slot);
    while (join !== undefined && !join.stopped && join.invitation.expires > Date.now() * 1000) {
      const agent = join.agent ?? (await this.#answerIn(home, join));
      if (agent !== null) return { state: "answered", slot, agent: agent.agent };
      await new Promise<void>((go) => {
        const timer = setTimeout(go, joinPoll);
        join.wake = () => (clearTimeout(timer), go());
      });
    }
    return { state: join?.stopped ? "stopped" : "expired" };
  }

  stop(slot: string): void {
    const join = this.#joins.get(slot);
    if (join !== undefined) join.stopped = true;
    join?.wake();
  }

  /** The agent that has answered in a slot. */
  answered(slot: string): AgentBody {
    const body = this.#joins.get(slot)?.agent;
    if (body == null) throw refused("join-answer", "No agent has answered yet.");
    return body;
  }

  /** Forgets a slot that has done what it was for. */
  forget(slot: string): void {
    this.#joins.delete(slot);
  }

  async placeAgent({ home }: Room, slot: string): Promise<{ agent: AgentID }> {
    const body = this.answered(slot);
    await home.chain.append(home.signer, (title) => (title.agent(body.agent) === null ? body : null));
    this.#joins.delete(slot);
    // The document is sealed to the agents of its head: without a new one the agent reads no names.
    await home.names.save(home.signer, {}).catch(ignoreTrouble);
    return { agent: body.agent };
  }

  async #answerIn(home: Home, join: OpenJoin): Promise<AgentBody | null> {
    const { slot } = join.invitation;
    const { fields } = await home.session.ask("GET", `/joins/${slot}`);
    if (fields.text("slot") !== slot) throw new Failed({ trouble: "crossed", what: "name" });
    const answer = fields.bytes("answer");
    if (answer.length === 0) return null;
    join.agent = await join.invitation.check(answer);
    if (join.agent === null) throw refused("join-proof", "Somebody without the link answered. Make a new link.");
    return join.agent;
  }
}

/** What placed agents ask for. */
export async function readAsks({ home, asks: known }: Room): Promise<{ asks: Ask[]; refused: number }> {
  if (!home.isOwner) return { asks: [], refused: 0 }; // nobody else is told
  const { fields } = await home.session.ask("GET", "/asks");
  const parsed = fields.bytesList("asks").map(parseAsk);
  await home.chain.refresh();
  const ring = await home.ring();
  known.clear();
  let refused = 0;
  for (const ask of parsed) {
    const name = ask === null ? null : await readAsk(ask, home.title, ring);
    if (name !== null) known.set(ask!.camera, { ask: ask!, name });
    else if (ask === null || home.title.camera(ask.camera) === null) refused++;
  }
  const asks = [...known.values()].map(({ ask, name }) => ({ camera: ask.camera, agent: ask.agent, name, time: ask.time }));
  return { asks, refused };
}

/** Places a camera that was asked for. */
export async function placeAsked(room: Room, camera: CameraID, name?: string): Promise<{ title: TitleView; settings: SettingsView }> {
  const asked = room.asks.get(camera);
  if (asked === undefined) throw refused("not-asked", "No agent asks for that camera any more.");
  return placeCamera(room, camera, asked.ask.agent, name ?? asked.name);
}

/** Places a camera with its agent, by the owner's deed, and names it. */
export async function placeCamera({ home, asks }: Room, camera: CameraID, agent: AgentID, name: string): Promise<{ title: TitleView; settings: SettingsView }> {
  const title = await home.chain.append(home.signer, (title) => (title.camera(camera) === null ? { type: "place camera", camera, agent } : null));
  if (title.camera(camera)?.agent !== agent) throw refused("wrong-agent", "Another agent has that camera.");
  const settings = await home.names.save(home.signer, { cameras: { [camera]: { name } } });
  asks.delete(camera);
  return { title: home.view(), settings };
}
