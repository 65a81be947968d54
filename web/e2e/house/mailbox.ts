// A mail server, and everybody's mail.

import { expect } from "vitest";

import type { Built } from "./build.ts";
import { environment } from "./house.ts";
import { Process } from "./process.ts";

/** A mail as it arrived. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export class Mailbox {
  readonly #server: Process;
  /** Where a server is to hand over its mail. */
  readonly url: string;
  #read = 0;

  private constructor(server: Process, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(built: Built, folder: string): Promise<Mailbox> {
    const server = new Process({ name: "mail", command: built.mail, cwd: built.folder, env: environment(folder, built.mail) });
    const [, address] = await server.line(/^listening (\S+)$/);
    return new Mailbox(server, `smtp://${address}`);
  }

  /** The next mail that nobody has read; it has to be to that address. */
  async next(to: string): Promise<Mail> {
    const found = await this.#server.line(/^\{.*\}$/, { from: this.#read });
    this.#read = this.#server.lines.indexOf(found.line) + 1;
    const mail = JSON.parse(found[0]) as Mail;
    expect(mail.to).toBe(to);
    return mail;
  }

  /** The code of the next mail. */
  async code(to: string): Promise<string> {
    const { text } = await this.next(to);
    const code = text.match(/^\s+(\d{8})\s*$/m)?.[1];
    expect(code, text).toBeDefined();
    return code!;
  }
}
