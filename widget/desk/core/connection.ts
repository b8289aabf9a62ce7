// One socket to the service that comes back by itself, with jitter. It answers pings from the page's own code: that
// is what tells the centre that somebody could see a chat that it offers.

import { backoffMs } from '../../chat/backoff';
import { parse, type ClientFrame, type ServerFrame } from './wire';

/** `stopped`: another window took over, or signed out. Nothing is tried any more by itself. */
export type LinkState = 'idle' | 'connecting' | 'open' | 'waiting' | 'stopped';

const OPEN_TIMEOUT_MS = 10_000;
/** The service pings every 10 s. Three missed ones, and the line is dead whatever the browser thinks. */
const SILENCE_MS = 30_000;
/** A connection that lived this long was a good one: the next retry starts from the shortest wait again. */
const STABLE_MS = 10_000;

type Socket = Pick<WebSocket, 'send' | 'close' | 'readyState'> & {
  onopen: (() => void) | null;
  onclose: ((e: { code: number }) => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
};

/** What the tests replace. */
export interface Env {
  socket(url: string): Socket;
  after(ms: number, f: () => void): unknown;
  cancel(timer: unknown): void;
  random(): number;
  visible(): boolean;
}

export const browserEnv: Env = {
  socket: (url) => new WebSocket(url) as unknown as Socket,
  after: (ms, f) => window.setTimeout(f, ms),
  cancel: (t) => window.clearTimeout(t as number),
  random: Math.random,
  visible: () => document.visibilityState === 'visible',
};

export interface Owner {
  frame(f: ServerFrame): void;
  /** `retry_ms`: how long until the next try, while waiting. */
  state(s: LinkState, retry_ms?: number): void;
  /** A socket that never opened may mean that the session is over: only the service can tell. */
  refused(): void;
}

export class Connection {
  private ws: Socket | undefined;
  private attempt = 0;
  private timers: unknown[] = [];
  private silence: unknown;
  private now: LinkState = 'idle';

  constructor(private url: string, private csrf: string, private owner: Owner, private env: Env = browserEnv) {}

  get state(): LinkState {
    return this.now;
  }

  start(): void {
    if (this.now === 'idle' || this.now === 'stopped') this.connect();
  }

  /** At once: the network is back, the page is seen again, or the agent asked. */
  retryNow(): void {
    if (this.now === 'waiting') this.connect();
  }

  stop(): void {
    this.drop();
    this.set('stopped');
  }

  /** False when it certainly was not sent. True promises nothing: only an answer does. */
  send(frame: ClientFrame): boolean {
    if (this.now !== 'open' || this.ws?.readyState !== 1) return false;
    this.ws.send(JSON.stringify(frame));
    return true;
  }

  private connect(): void {
    this.drop();
    this.set('connecting');
    const ws = this.env.socket(this.url);
    this.ws = ws;
    this.silence = this.env.after(OPEN_TIMEOUT_MS, () => this.lost());
    let opened = false;
    ws.onopen = () => {
      opened = true;
      this.listen();
      // Not yet `open` for others: the service takes no command before it has said welcome.
      ws.send(JSON.stringify({ type: 'hello', v: 1, csrf: this.csrf, visible: this.env.visible() } satisfies ClientFrame));
    };
    ws.onmessage = (e) => {
      this.listen();
      const frame = parse(e.data);
      if (!frame) return;
      if (frame.type === 'ping') {
        ws.send(JSON.stringify({ type: 'pong', n: frame.n, visible: this.env.visible() } satisfies ClientFrame));
        return;
      }
      if (frame.type === 'welcome') {
        this.set('open');
        this.timers.push(this.env.after(STABLE_MS, () => (this.attempt = 0)));
      }
      this.owner.frame(frame);
    };
    ws.onclose = () => {
      if (!opened) this.owner.refused();
      if (this.now !== 'stopped') this.lost();
    };
  }

  private listen(): void {
    this.env.cancel(this.silence);
    this.silence = this.env.after(SILENCE_MS, () => this.lost());
  }

  private lost(): void {
    this.drop();
    const wait = backoffMs(this.attempt++, this.env.random);
    this.set('waiting', wait);
    this.timers.push(this.env.after(wait, () => this.connect()));
  }

  private drop(): void {
    this.timers.forEach((t) => this.env.cancel(t));
    this.timers = [];
    this.env.cancel(this.silence);
    const ws = this.ws;
    this.ws = undefined;
    if (!ws) return;
    ws.onopen = ws.onclose = ws.onmessage = null;
    ws.close();
  }

  private set(s: LinkState, retry_ms?: number): void {
    this.now = s;
    this.owner.state(s, retry_ms);
  }
}
