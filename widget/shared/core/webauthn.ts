// Between the service, the browser and a security key: the JSON of WebAuthn on one side, bytes on the other.

/** What the service asks a key for; `challenge` names it to the service. */
export interface Challenge { challenge: string; options: Record<string, unknown> }
/** What a key has said to it. */
export interface Said { challenge: string; credential: object }
export type Heard = { said: Said } | { fault: string };

/** Whether this browser knows of keys at all: it does on pages that it takes for safe. */
export const supported = (): boolean => typeof PublicKeyCredential === 'function' && typeof navigator.credentials?.get === 'function';

export const UNSUPPORTED = 'Din browser kan ikke bruge nøgler.';
const CANCELLED = 'Nøglen blev ikke brugt. Måske blev det afbrudt, der gik for lang tid, eller det var en nøgle, som din konto ikke kender. Prøv igen.';
const NOT_MADE = 'Nøglen blev ikke tilføjet. Måske blev det afbrudt, eller der gik for lang tid. Prøv igen.';

/** What a browser says went wrong, by the exception's name, in words. */
export function fault(name: string, making: boolean): string {
  switch (name) {
    case 'NotAllowedError':
    case 'AbortError': return making ? NOT_MADE : CANCELLED;
    case 'InvalidStateError': return 'Nøglen er allerede tilføjet til din konto.';
    case 'NotSupportedError': return 'Nøglen er af en slags, som ikke kan bruges her. Prøv en anden.';
    case 'SecurityError': return 'Nøgler kan ikke bruges på denne adresse. Åbn siden på jeres sædvanlige adresse.';
    default: return 'Nøglen svarede ikke. Prøv igen.';
  }
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

export function text(from: ArrayBuffer): string {
  const plain = btoa(Array.from(new Uint8Array(from), (b) => String.fromCharCode(b)).join(''));
  return plain.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

type Described = { id: string };
const described = (all: unknown): PublicKeyCredentialDescriptor[] =>
  (Array.isArray(all) ? (all as Described[]) : []).map((c) => ({ ...c, type: 'public-key', id: bytes(c.id) }));

const named = (e: unknown): string => String((Object(e) as { name?: unknown }).name);

/** Has one of the account's keys show itself. */
export async function show(asked: Challenge): Promise<Heard> {
  if (!supported()) return { fault: UNSUPPORTED };
  const o = asked.options;
  try {
    const found = await navigator.credentials.get({
      publicKey: { ...o, challenge: bytes(String(o.challenge)), allowCredentials: described(o.allowCredentials) },
    }) as PublicKeyCredential | null;
    if (!found) return { fault: CANCELLED };
    const r = found.response as AuthenticatorAssertionResponse;
    const response = {
      clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature),
      ...(r.userHandle ? { userHandle: text(r.userHandle) } : {}),
    };
    return { said: { challenge: asked.challenge, credential: credential(found, response) } };
  } catch (e) {
    return { fault: fault(named(e), false) };
  }
}

/** Has a key be made for the account. */
export async function make(asked: Challenge): Promise<Heard> {
  if (!supported()) return { fault: UNSUPPORTED };
  const o = asked.options as unknown as PublicKeyCredentialCreationOptionsJSON;
  try {
    const publicKey: PublicKeyCredentialCreationOptions = {
      ...(o as unknown as PublicKeyCredentialCreationOptions), challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) },
      excludeCredentials: described(o.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey }) as PublicKeyCredential | null;
    if (!made) return { fault: NOT_MADE };
    const r = made.response as AuthenticatorAttestationResponse;
    const response = { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports?.() ?? [] };
    return { said: { challenge: asked.challenge, credential: credential(made, response) } };
  } catch (e) {
    return { fault: fault(named(e), true) };
  }
}

const credential = (c: PublicKeyCredential, response: object): object =>
  ({ id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: {} });
