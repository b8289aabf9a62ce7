// Signing in and out. The cookie is the browser's business; the page holds the csrf value in memory only.

import type { Challenge, Said } from './webauthn';

/** `off`: not at this service; `needed`: to be set up before anything else. */
export type Standing = 'off' | 'none' | 'on' | 'needed';
export interface Session { user: string; name: string; roles: string[]; csrf: string; second_factor: Standing; /** 0: the service does not say. */ ends_in_ms: number }
export type SignIn =
  | { kind: 'in'; session: Session }
  | { kind: 'out' }
  /** The password was right; a second factor is needed too. */
  | { kind: 'code'; asked: Asked }
  | { kind: 'refused'; code: string; text: string }
  | { kind: 'throttled'; wait_ms: number; text: string }
  | { kind: 'unreachable' };

/** What an account may show besides the password; `key` is what to ask a key for, where there are keys for this address. */
export interface Asked { app: boolean; keys: boolean; key: Challenge | undefined }
/** What is shown. */
export interface Shown { code?: string; key?: Said }

const PATH = '/api/session';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
const browser: Fetch = (url, init) => fetch(url, init);

function session(raw: unknown): Session | undefined {
  const s = Object(raw) as Partial<Session>;
  if (typeof s.csrf !== 'string' || typeof s.user !== 'string') return undefined;
  return { user: s.user, name: s.name ?? s.user, roles: Array.isArray(s.roles) ? s.roles : [], csrf: s.csrf, second_factor: s.second_factor ?? 'off', ends_in_ms: typeof s.ends_in_ms === 'number' ? s.ends_in_ms : 0 };
}

function asked(raw: unknown): Asked {
  const a = Object(raw) as Partial<Asked>;
  const key = typeof Object(a.key).challenge === 'string' ? a.key : undefined;
  return { app: a.app === true, keys: a.keys === true, key };
}

/** Seconds or a date, as HTTP has it; a minute when it is neither. */
export function retryAfterMs(header: string | null, now_ms: number): number {
  const seconds = Number(header ?? '');
  if (header && Number.isFinite(seconds)) return Math.max(1, seconds) * 1000;
  const at = Date.parse(header ?? '');
  return Number.isNaN(at) ? 60_000 : Math.max(1000, at - now_ms);
}

async function read(answer: Response, now_ms: number): Promise<SignIn> {
  const body: unknown = await answer.json().catch(() => undefined);
  const { text = '', code = '' } = Object(body) as { text?: string; code?: string };
  if (answer.ok) {
    const s = session(body);
    return s ? { kind: 'in', session: s } : { kind: 'unreachable' };
  }
  if (answer.status === 429) return { kind: 'throttled', wait_ms: retryAfterMs(answer.headers.get('retry-after'), now_ms), text };
  if (answer.status === 401 && code === 'code_needed') return { kind: 'code', asked: asked(body) };
  if ([400, 401, 403, 409].includes(answer.status)) return { kind: 'refused', code, text };
  return { kind: 'unreachable' };
}

/** Who this browser is signed in as, if anybody. */
export async function current(get: Fetch = browser): Promise<SignIn> {
  try {
    const answer = await read(await get(PATH, { headers: { accept: 'application/json' } }), Date.now());
    return answer.kind === 'refused' ? { kind: 'out' } : answer;
  } catch {
    return { kind: 'unreachable' };
  }
}

export async function signIn(user: string, password: string, shown: Shown, post: Fetch = browser): Promise<SignIn> {
  try {
    return await read(await post(PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ user, password, ...shown }),
    }), Date.now());
  } catch {
    return { kind: 'unreachable' };
  }
}

/** The second factor of ours that whom a provider has named must show too. */
export async function signInNamed(shown: Shown, post: Fetch = browser): Promise<SignIn> {
  try {
    return await read(await post(`${PATH}/oidc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(shown),
    }), Date.now());
  } catch {
    return { kind: 'unreachable' };
  }
}

/** An identity provider that one may sign in by. */
export interface Provider { id: string; name: string }

/** Which there are; none where the service does not say. */
export async function providers(get: Fetch = browser): Promise<Provider[]> {
  try {
    const answer = await get(`${PATH}/providers`, { headers: { accept: 'application/json' } });
    if (!answer.ok) return [];
    const { providers: all } = Object(await answer.json()) as { providers?: unknown };
    if (!Array.isArray(all)) return [];
    return all.map((p) => Object(p) as Partial<Provider>).flatMap(({ id, name }) => (typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : []));
  } catch {
    return [];
  }
}

export const providerAddress = (p: Provider, to: 'desk' | 'studio'): string => `${PATH}/oidc/${encodeURIComponent(p.id)}?to=${to}`;

/** What became of a sign-in by a provider, in words. `code` is no fault: a code is asked for. */
const CAME_BACK: Record<string, string> = {
  away: 'Jeres egen login-tjeneste svarer ikke lige nu. Prøv igen om lidt, eller brug brugernavn og adgangskode.',
  over: 'Der gik for lang tid, eller du begyndte i et andet vindue. Prøv igen.',
  denied: 'Du blev ikke logget ind hos jeres egen login-tjeneste. Prøv igen, eller spørg IT.',
  failed: 'Jeres egen login-tjeneste sendte et svar, som ikke kan bruges. Prøv igen, og sig det til IT, hvis det bliver ved.',
  unknown: 'Du har ingen konto her endnu. Bed din leder eller IT om at oprette dig.',
  busy: 'Der er mange, som logger ind lige nu. Prøv igen om lidt.',
  unavailable: 'Det kan ikke lade sig gøre lige nu. Prøv igen om lidt.',
};

export type CameBack = { kind: 'code' } | { kind: 'fault'; text: string };

/** What an address says of a sign-in by a provider, if anything. */
export function cameBack(search: string): CameBack | undefined {
  const said = new URLSearchParams(search).get('sign_in');
  if (said === null) return undefined;
  if (said === 'code') return { kind: 'code' };
  const text = Object.hasOwn(CAME_BACK, said) ? CAME_BACK[said] : undefined;
  return { kind: 'fault', text: text ?? 'Du blev ikke logget ind. Prøv igen.' };
}

/** Undefined unless the service has forgotten the session too; else where to go on to, to sign out at the provider, or ''. */
export async function signOut(csrf: string, send: Fetch = browser): Promise<string | undefined> {
  try {
    const answer = await send(PATH, { method: 'DELETE', headers: { 'x-borgerlinje-csrf': csrf } });
    if (answer.status === 401) return '';
    if (!answer.ok) return undefined;
    const { to } = Object(answer.status === 200 && await answer.json()) as { to?: unknown };
    return typeof to === 'string' ? to : '';
  } catch {
    return undefined;
  }
}

export interface Key { id: string; name: string; added_ms: number; used_ms: number | null }
export interface Second { state: Standing; recovery_codes: number; required: boolean; app: boolean; keys: Key[]; /** Whether keys can be used at this address. */ keys_here: boolean }
export interface Offered { key: string; qr: string }
export interface SessionRow { id: string; begun_ms: number; used_ms: number; from: string; second_factor: boolean; this: boolean }
export type Told<T> = { ok: T } | { fault: string };

const UNREACHABLE = 'Tjenesten svarer ikke lige nu. Prøv igen om lidt.';

/** What somebody asks about their own account. */
export class Account {
  constructor(private readonly csrf: string, private readonly send: Fetch = browser) {}

  second = (): Promise<Told<Second>> => this.ask('GET', '/second-factor');
  offer = (shown: Shown): Promise<Told<Offered>> => this.ask('POST', '/second-factor', shown);
  confirm = (code: string): Promise<Told<{ recovery_codes: string[] }>> => this.ask('POST', '/second-factor/confirm', { code });
  recovery = (shown: Shown): Promise<Told<{ recovery_codes: string[] }>> => this.ask('POST', '/second-factor/recovery-codes', shown);
  remove = (shown: Shown): Promise<Told<undefined>> => this.ask('POST', '/second-factor/remove', shown);
  challenge = (): Promise<Told<Challenge>> => this.ask('POST', '/second-factor/challenge');
  beginKey = (shown: Shown): Promise<Told<Challenge>> => this.ask('POST', '/second-factor/keys', shown);
  addKey = (name: string, said: Said): Promise<Told<{ recovery_codes: string[] }>> => this.ask('POST', '/second-factor/keys/confirm', { name, ...said });
  nameKey = (id: string, name: string): Promise<Told<undefined>> => this.ask('POST', `/second-factor/keys/${encodeURIComponent(id)}/name`, { name });
  removeKey = (id: string, shown: Shown): Promise<Told<undefined>> => this.ask('POST', `/second-factor/keys/${encodeURIComponent(id)}/remove`, shown);
  sessions = (): Promise<Told<{ sessions: SessionRow[] }>> => this.ask('GET', '/all');
  end = (id: string): Promise<Told<undefined>> => this.ask('DELETE', `/all/${encodeURIComponent(id)}`);

  private async ask<T>(method: string, path: string, body?: object): Promise<Told<T>> {
    try {
      const answer = await this.send(PATH + path, {
        method,
        headers: { accept: 'application/json', ...(method === 'GET' ? {} : { 'x-borgerlinje-csrf': this.csrf }) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const read: unknown = await answer.json().catch(() => undefined);
      if (answer.ok) return { ok: read as T };
      return { fault: (Object(read) as { text?: string }).text || UNREACHABLE };
    } catch {
      return { fault: UNREACHABLE };
    }
  }
}
