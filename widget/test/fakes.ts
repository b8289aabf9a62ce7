// A clock, a socket and a view that the tests hold in their hands.
import { Conversation, type View } from '../chat/conversation';
import type { Env } from '../chat/connection';
import { Store } from '../chat/store';

type Frame = Record<string, unknown>;

export class FakeSocket {
  readyState = 0;
  sent: Frame[] = [];
  onopen: (() => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  die(): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006 });
  }
  say(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  types(): unknown[] {
    return this.sent.map((f) => f.type);
  }
}

export class FakeEnv implements Env {
  sockets: FakeSocket[] = [];
  now = 0;
  isOnline = true;
  private timers: { id: number; at: number; f: () => void }[] = [];
  private ids = 0;

  socket = (): FakeSocket => {
    const s = new FakeSocket();
    this.sockets.push(s);
    return s;
  };
  after = (ms: number, f: () => void): unknown => {
    this.timers.push({ id: ++this.ids, at: this.now + ms, f });
    return this.ids;
  };
  cancel = (id: unknown): void => {
    this.timers = this.timers.filter((t) => t.id !== id);
  };
  // The longest wait full jitter may choose, so that times in the tests are exact.
  random = (): number => 1;
  online = (): boolean => this.isOnline;

  get last(): FakeSocket {
    return this.sockets[this.sockets.length - 1] as FakeSocket;
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.now = next.at;
      this.cancel(next.id);
      next.f();
    }
    this.now = end;
  }
}

export function setup(lang = 'da', signed?: string) {
  const env = new FakeEnv();
  const calls: [string, ...unknown[]][] = [];
  const view = new Proxy({}, { get: (_, name: string) => (...args: unknown[]) => void calls.push([name, ...args]) }) as View;
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const store = new Store('k', () => storage);
  const talk = new Conversation('ws://x', { municipality: '0751', signed }, () => lang as 'da', store, view, env, () => env.now);
  const count = (name: string): number => calls.filter((c) => c[0] === name).length;
  const welcome = (more: Frame = {}): void => env.last.say({ type: 'welcome', dialogue: 'd1', token: 't1', seq: 0, resumed: false, ...more });
  const begin = (): void => {
    talk.start();
    env.last.open();
    welcome();
  };
  return { env, calls, store, talk, count, welcome, begin };
}
