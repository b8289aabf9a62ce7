// Signing in and out. The cookie is the browser's business; the page holds the csrf value in memory only.

export interface Session { user: string; name: string; roles: string[]; csrf: string }
export type SignIn =
  | { kind: 'in'; session: Session }
  | { kind: 'out' }
  | { kind: 'refused'; text: string }
  | { kind: 'throttled'; wait_ms: number; text: string }
  | { kind: 'unreachable' };

const PATH = '/api/session';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
const browser: Fetch = (url, init) => fetch(url, init);

function session(raw: unknown): Session | undefined {
  const s = Object(raw) as Partial<Session>;
  if (typeof s.csrf !== 'string' || typeof s.user !== 'string') return undefined;
  return { user: s.user, name: s.name ?? s.user, roles: Array.isArray(s.roles) ? s.roles : [], csrf: s.csrf };
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
  const text = String((Object(body) as { text?: unknown }).text ?? '');
  if (answer.ok) {
    const s = session(body);
    return s ? { kind: 'in', session: s } : { kind: 'unreachable' };
  }
  if (answer.status === 429) return { kind: 'throttled', wait_ms: retryAfterMs(answer.headers.get('retry-after'), now_ms), text };
  if (answer.status === 401 || answer.status === 400 || answer.status === 403) return { kind: 'refused', text };
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

export async function signIn(user: string, password: string, post: Fetch = browser): Promise<SignIn> {
  try {
    return await read(await post(PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ user, password }),
    }), Date.now());
  } catch {
    return { kind: 'unreachable' };
  }
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
