// Signing in and out. The cookie is the browser's business; the page holds the csrf value in memory only.

/** `off`: not at this service; `needed`: to be set up before anything else. */
export type Standing = 'off' | 'none' | 'on' | 'needed';
export interface Session { user: string; name: string; roles: string[]; csrf: string; second_factor: Standing }
export type SignIn =
  | { kind: 'in'; session: Session }
  | { kind: 'out' }
  /** The password was right; a code of the app is needed too. */
  | { kind: 'code' }
  | { kind: 'refused'; code: string; text: string }
  | { kind: 'throttled'; wait_ms: number; text: string }
  | { kind: 'unreachable' };

const PATH = '/api/session';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
const browser: Fetch = (url, init) => fetch(url, init);

function session(raw: unknown): Session | undefined {
  const s = Object(raw) as Partial<Session>;
  if (typeof s.csrf !== 'string' || typeof s.user !== 'string') return undefined;
  return { user: s.user, name: s.name ?? s.user, roles: Array.isArray(s.roles) ? s.roles : [], csrf: s.csrf, second_factor: s.second_factor ?? 'off' };
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
  if (answer.status === 401 && code === 'code_needed') return { kind: 'code' };
  if (answer.status === 401 || answer.status === 400 || answer.status === 403) return { kind: 'refused', code, text };
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

export async function signIn(user: string, password: string, code: string, post: Fetch = browser): Promise<SignIn> {
  try {
    return await read(await post(PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(code ? { user, password, code } : { user, password }),
    }), Date.now());
  } catch {
    return { kind: 'unreachable' };
  }
}

/** The code of ours that whom a provider has named must show too. */
export async function signInCode(code: string, post: Fetch = browser): Promise<SignIn> {
  try {
    return await read(await post(`${PATH}/oidc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ code }),
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

/** True when the service has forgotten the session too. */
export async function signOut(csrf: string, send: Fetch = browser): Promise<boolean> {
  try {
    const answer = await send(PATH, { method: 'DELETE', headers: { 'x-borgerlinje-csrf': csrf } });
    return answer.ok || answer.status === 401;
  } catch {
    return false;
  }
}

export interface Second { state: Standing; recovery_codes: number; required: boolean }
export interface Offered { key: string; qr: string }
export interface SessionRow { id: string; begun_ms: number; used_ms: number; from: string; second_factor: boolean; this: boolean }
export type Told<T> = { ok: T } | { fault: string };

const UNREACHABLE = 'Tjenesten svarer ikke lige nu. Prøv igen om lidt.';

/** What somebody asks about their own account. */
export class Account {
  constructor(private readonly csrf: string, private readonly send: Fetch = browser) {}

  second = (): Promise<Told<Second>> => this.ask('GET', '/second-factor');
  offer = (): Promise<Told<Offered>> => this.ask('POST', '/second-factor');
  confirm = (code: string): Promise<Told<{ recovery_codes: string[] }>> => this.ask('POST', '/second-factor/confirm', { code });
  recovery = (code: string): Promise<Told<{ recovery_codes: string[] }>> => this.ask('POST', '/second-factor/recovery-codes', { code });
  remove = (code: string): Promise<Told<undefined>> => this.ask('POST', '/second-factor/remove', { code });
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
