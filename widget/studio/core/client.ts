// Questions to the service, and what it answers: a value, or a fault in words.

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
const browser: Fetch = (url, init) => fetch(url, init);

/** What went wrong. `code` is the service's, or `unreachable`, `stopped`, `odd`; `body` is all that it said. */
export interface Fault { status: number; code: string; text: string; body: unknown }
export type Answer<T> = { ok: T; fault?: never } | { ok?: never; fault: Fault };

const TEXTS: Record<string, string> = {
  unreachable: 'Tjenesten svarer ikke lige nu. Det, du har skrevet, er gemt i browseren.',
  odd: 'Tjenesten svarede noget, siden ikke forstår. Genindlæs siden.',
  stopped: 'Afbrudt.',
};
const own = (code: keyof typeof TEXTS): { fault: Fault } => ({ fault: { status: 0, code, text: TEXTS[code] ?? code, body: undefined } });

export class Client {
  constructor(private csrf: string, private signedOut: () => void, private ask: Fetch = browser) {}

  get<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
    return this.send<T>('GET', path, undefined, signal);
  }

  async send<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, signal?: AbortSignal): Promise<Answer<T>> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (method !== 'GET') headers['x-borgerlinje-csrf'] = this.csrf;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let answer: Response;
    try {
      answer = await this.ask(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}) });
    } catch {
      return own(signal?.aborted ? 'stopped' : 'unreachable');
    }
    const text = await answer.text().catch(() => '');
    let said: unknown;
    try {
      said = text ? JSON.parse(text) : undefined;
    } catch {
      said = undefined;
    }
    if (answer.ok) return text && said === undefined ? own('odd') : { ok: said as T };
    if (answer.status === 401) this.signedOut();
    return { fault: fault(answer.status, said) };
  }
}

const STATUS: Record<number, string> = {
  401: 'Du er logget ud. Log ind igen for at fortsætte.',
  403: 'Det har du ikke adgang til.',
  404: 'Det findes ikke længere.',
  409: 'En anden har ændret det samme i mellemtiden.',
  413: 'Det er for stort.',
  429: 'Det går for hurtigt. Vent et øjeblik, og prøv igen.',
  503: 'Tjenesten har for travlt lige nu. Prøv igen om lidt.',
};

function fault(status: number, said: unknown): Fault {
  const { code, text, message } = Object(said) as { code?: unknown; text?: unknown; message?: unknown };
  const words = [text, message].find((t): t is string => typeof t === 'string' && t !== '');
  return {
    status, body: said,
    code: typeof code === 'string' ? code : String(status),
    text: words ?? STATUS[status] ?? 'Noget gik galt hos os. Prøv igen om lidt.',
  };
}
