// The streams of the home that is open which the page watches, by the page's names.

import type { CameraID } from "../seal/name.ts";
import type { Home } from "./home.ts";
import type { Piece, StreamName } from "./protocol.ts";
import type { Reporter } from "./report.ts";
import { Watch } from "./watch.ts";

export class Watches {
  readonly #home: Home;
  readonly #reporter: Reporter;
  readonly #refresh: () => Promise<void>;
  readonly #give: (watch: string, piece: Piece) => void;
  readonly #all = new Map<string, Watch>();

  constructor(home: Home, reporter: Reporter, refresh: () => Promise<void>, give: (watch: string, piece: Piece) => void) {
    this.#home = home;
    this.#reporter = reporter;
    this.#refresh = refresh;
    this.#give = give;
  }

  /** Begins to watch. */
  begin(name: string, camera: CameraID, stream: StreamName): void {
    this.end(name);
    this.#all.set(name, new Watch({ home: this.#home, reporter: this.#reporter, refresh: this.#refresh, camera, stream, give: (piece) => this.#give(name, piece) }));
  }

  end(name: string): void {
    this.#all.get(name)?.close();
    this.#all.delete(name);
  }

  /** The machine says that it is online again. */
  hurry(): void {
    for (const watch of this.#all.values()) watch.hurry();
  }

  close(): void {
    for (const name of [...this.#all.keys()]) this.end(name);
  }
}
