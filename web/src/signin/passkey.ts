// Passkeys, as the browser has them: it asks its person and its authenticator, and gives
// the page, and only a page, what they answer. The 32 bytes of the PRF unlock the vault;
// they go to the worker and to nobody else, so they are taken out of what is sent to the
// server (docs/account.md, "Passkey").

import type { PasskeyAnswer, PasskeyAsk } from "../worker/protocol.ts";

/** What became of it; the reasons have words in words.passkey. */
export type Outcome = { ok: true; answer: PasskeyAnswer } | { ok: false; why: "cancelled" | "no-prf" | "known" | "failed" };

/** The parts of WebAuthn's options that are bytes, as JSON has them: base64url. */
interface Options {
  challenge: string;
  rp?: { id?: string };
  rpId?: string;
  user?: { id: string };
  excludeCredentials?: { id: string }[];
  allowCredentials?: { id: string }[];
}

/** Whether this browser can lock keys with a passkey, as far as it says so. */
export async function canPasskey(): Promise<boolean> {
  if (typeof PublicKeyCredential !== "function") return false;
  try {
    const can = await PublicKeyCredential.getClientCapabilities?.();
    return can?.["extension:prf"] !== false; // one that does not know the question is tried
  } catch {
    return false;
  }
}

/** Makes a passkey. Where making gives no PRF the new passkey is asked for it at once. */
export function makePasskey(ask: PasskeyAsk): Promise<Outcome> {
  return attempt(ask, async (options, prf) => {
    const made = await credential(navigator.credentials.create({ publicKey: { ...creation(options), extensions: { prf } } }));
    const { prf: result } = made.getClientExtensionResults();
    const first = result?.results?.first ?? (result?.enabled === false ? undefined : await askAgain(made, options, prf));
    return { made, first };
  });
}

/** Signs in with a passkey: the browser shows which there are. */
export function usePasskey(ask: PasskeyAsk): Promise<Outcome> {
  return attempt(ask, async (options, prf) => {
    const made = await credential(navigator.credentials.get({ publicKey: { ...request(options), extensions: { prf } } }));
    return { made, first: made.getClientExtensionResults().prf?.results?.first };
  });
}

type Got = { made: PublicKeyCredential; first: BufferSource | undefined };

async function attempt(ask: PasskeyAsk, get: (options: Options, prf: { eval: { first: ArrayBuffer } }) => Promise<Got>): Promise<Outcome> {
  try {
    const label = new TextEncoder().encode("latchkey passkey prf v1");
    const { made, first } = await get(ask.options as Options, { eval: { first: await crypto.subtle.digest("SHA-256", label) } });
    const prf = first && bytes(first);
    if (prf?.byteLength !== 32) return { ok: false, why: "no-prf" };
    return { ok: true, answer: { ceremony: ask.ceremony, credential: toJSON(made), prf: prf.slice().buffer } };
  } catch (e) {
    const name = e instanceof Error ? e.name : "";
    return { ok: false, why: name === "NotAllowedError" || name === "AbortError" ? "cancelled" : name === "InvalidStateError" ? "known" : "failed" };
  }
}

// Nobody checks this answer: it is asked for its PRF alone.
async function askAgain(made: PublicKeyCredential, { rp }: Options, prf: { eval: { first: ArrayBuffer } }): Promise<BufferSource | undefined> {
  const publicKey: PublicKeyCredentialRequestOptions = { challenge: crypto.getRandomValues(new Uint8Array(32)), allowCredentials: [{ type: "public-key", id: made.rawId }], userVerification: "required", extensions: { prf } };
  if (rp?.id !== undefined) publicKey.rpId = rp.id;
  return (await credential(navigator.credentials.get({ publicKey }))).getClientExtensionResults().prf?.results?.first;
}

async function credential(asked: Promise<Credential | null>): Promise<PublicKeyCredential> {
  const made = await asked;
  if (!(made instanceof PublicKeyCredential)) throw new Error("the browser gave no credential");
  return made;
}

function creation(o: Options): PublicKeyCredentialCreationOptions {
  return {
    ...(o as unknown as PublicKeyCredentialCreationOptions),
    challenge: fromBase64(o.challenge),
    user: { ...(o.user as unknown as PublicKeyCredentialUserEntity), id: fromBase64(o.user?.id ?? "") },
    excludeCredentials: named(o.excludeCredentials),
  };
}

function request(o: Options): PublicKeyCredentialRequestOptions {
  return { ...(o as unknown as PublicKeyCredentialRequestOptions), challenge: fromBase64(o.challenge), allowCredentials: named(o.allowCredentials) };
}

function named(list: { id: string }[] = []): PublicKeyCredentialDescriptor[] {
  return list.map((c) => ({ ...(c as unknown as PublicKeyCredentialDescriptor), id: fromBase64(c.id) }));
}

/** The credential as PublicKeyCredential.toJSON has it, but without what its extensions gave. */
function toJSON(made: PublicKeyCredential): object {
  const { response } = made;
  const common = { id: made.id, rawId: toBase64(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment ?? undefined, clientExtensionResults: {} };
  const clientDataJSON = toBase64(response.clientDataJSON);
  if (response instanceof AuthenticatorAttestationResponse)
    return { ...common, response: { clientDataJSON, attestationObject: toBase64(response.attestationObject), transports: response.getTransports() } };
  const asserted = response as AuthenticatorAssertionResponse;
  const userHandle = asserted.userHandle ? toBase64(asserted.userHandle) : undefined;
  return { ...common, response: { clientDataJSON, authenticatorData: toBase64(asserted.authenticatorData), signature: toBase64(asserted.signature), userHandle } };
}

function bytes(source: BufferSource): Uint8Array {
  return source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

function toBase64(source: BufferSource): string {
  return btoa(String.fromCharCode(...bytes(source))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}
