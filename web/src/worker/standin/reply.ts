// What a server in memory answers.

import type { Bytes } from "../../wire.ts";

export type Body = Record<string, unknown>;
export type Reply = { status: number; body: Body | Bytes | ReadableStream<Bytes>; headers?: Record<string, string> };

/** A refusal of the server. */
export class Refuse extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly more: Body = {},
  ) {
    super(reason);
  }
}

/** The answer of a server that refuses, as bend gives it. */
export function refusal(status: number, reason: string, more: Body = {}): Reply {
  return { status, body: { ...more, error: { reason, message: "", retry_after_ms: 0 } } };
}
