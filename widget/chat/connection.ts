// One WebSocket that comes back by itself. It knows nothing of the dialogue: after each `open` the owner says hello.

import { backoffMs } from './backoff';
import { parse, type ClientFrame, type ServerFrame } from './wire';

/** `waiting`: a retry is scheduled. `offline`: the device says it has no network. `stopped`: given up for good. */
export type LinkState = 'idle' | 'connecting' | 'open' | 'waiting' | 'offline' | 'stopped';

const OPEN_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 25_000;
const PONG_TIMEOUT_MS = 10_000;
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
  online(): boolean;
}

export const browserEnv: Env = {
  socket: (url) => new WebSocket(url) as unknown as Socket,
  after: (ms, f) => window.setTimeout(f, ms),
  cancel: (t) => window.clearTimeout(t as number),
  random: Math.random,
  // Only an explicit "no" counts: some browsers never say yes.
  online: () => navigator.onLine !== false,
};

export interface Owner {
  opened(): void;
  frame(f: ServerFrame): void;
  state(s: LinkState): void;
}

export class Connection {
  private ws: Socket | undefined;
  private attempt = 0;
  private pings = 0;
  private retry: unknown;
  private watchdog: unknown;
  private stable: unknown;
  private now: LinkState = 'idle';

  constructor(private url: string, private owner: Owner, private env: Env = browserEnv) {}

  get state(): LinkState {
    return this.now;
  }

  start(): void {
    if (this.now === 'idle' || this.now === 'stopped') this.connect();
  }

  /** At once, not after the scheduled wait: the network is back, or the citizen asked. */
  retryNow(): void {
    if (this.now === 'waiting' || this.now === 'offline') this.connect();
  }

  /** A phone that slept may hold a socket that died unseen; asking costs one small frame. */
  probe(): void {
    if (this.now === 'open') this.ping();
    else this.retryNow();
  }

  /** Drops the connection and makes a new one, at once or no sooner than `waitMs`. */
  again(waitMs?: number): void {
    if (waitMs === undefined) this.connect();
    else this.lost(waitMs);
  }

  stop(): void {
    this.drop();
    this.set('stopped');
  }

  /** False when it certainly was not sent. True promises nothing: only an acknowledgement does. */
  send(frame: ClientFrame): boolean {
    if (this.ws?.readyState !== 1) return false;
    this.ws.send(JSON.stringify(frame));
    return true;
  }

  private connect(): void {
    this.drop();
    this.set('connecting');
    let ws: Socket;
    try {
      ws = this.env.socket(this.url);
    } catch {
      // The page's own security policy forbids the address: no retry can help.
      this.set('stopped');
      return;
    }
    this.ws = ws;
    this.watch(OPEN_TIMEOUT_MS);
    ws.onopen = () => {
      this.set('open');
      this.stable = this.env.after(STABLE_MS, () => (this.attempt = 0));
      this.idle();
      this.owner.opened();
    };
    ws.onmessage = (e) => {
      this.idle();
      const f = parse(e.data);
      if (f?.type === 'ping') this.send({ type: 'pong', n: f.n });
      else if (f && f.type !== 'pong') this.owner.frame(f);
    };
    ws.onclose = () => this.lost();
  }

  /** Anything heard means the line is alive; ping when it has been quiet. */
  private idle(): void {
    this.env.cancel(this.watchdog);
    this.watchdog = this.env.after(PING_EVERY_MS, () => this.ping());
  }

  private ping(): void {
    this.send({ type: 'ping', n: ++this.pings });
    this.watch(PONG_TIMEOUT_MS);
  }

  private watch(ms: number): void {
    this.env.cancel(this.watchdog);
    this.watchdog = this.env.after(ms, () => this.lost());
  }

  private lost(atLeastMs = 0): void {
    this.drop();
    const wait = atLeastMs + backoffMs(this.attempt++, this.env.random);
    this.retry = this.env.after(wait, () => this.connect());
    this.set(this.env.online() ? 'waiting' : 'offline');
  }

  private drop(): void {
    for (const t of [this.retry, this.watchdog, this.stable]) this.env.cancel(t);
    const ws = this.ws;
    this.ws = undefined;
    if (!ws) return;
    ws.onopen = ws.onclose = ws.onmessage = null;
    try {
      ws.close();
    } catch {
      // Already gone.
    }
  }

  private set(s: LinkState): void {
    if (this.now === s) return;
    this.now = s;
    this.owner.state(s);
  }
}
