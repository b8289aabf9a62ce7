// Glue: who is signed in, where one is, what the service is asked.

import { effect, signal } from '@preact/signals';
import { beforeEnd } from '../shared/core/ending';
import { current, signOut, type Session, type SignIn } from '../shared/core/session';
import { Client } from './core/client';
import { format, parse, type Route, type View } from './core/route';

/** `undefined` until the service was asked. */
export const session = signal<Session | 'out' | 'unreachable' | undefined>(undefined);
export const farewell = signal('');
export const route = signal<Route>(parse(location.hash));

let client: Client | undefined;
/** The service, for whoever is signed in. */
export function service(): Client {
  if (!client) throw new Error('nobody is signed in');
  return client;
}

export interface Notice { id: number; tone: 'info' | 'success' | 'warning' | 'error'; text: string }
export const notices = signal<Notice[]>([]);
let noticed = 0;
const STAY_MS = 8_000;
export function notice(tone: Notice['tone'], text: string): void {
  const id = ++noticed;
  notices.value = [...notices.peek().filter((n) => n.text !== text).slice(-3), { id, tone, text }];
  // What went wrong stays until it is put away; what merely happened goes by itself.
  if (tone === 'info' || tone === 'success') setTimeout(() => dismiss(id), STAY_MS);
}
export const dismiss = (id: number): void => void (notices.value = notices.peek().filter((n) => n.id !== id));

/** Goes there; `quiet` leaves no step to go back to, for filters. */
export function go(view: View, id = '', q: Record<string, string | undefined> = {}, quiet = false): void {
  const hash = format(view, id, q);
  if (hash === location.hash) return;
  if (quiet) {
    history.replaceState(null, '', hash);
    route.value = parse(hash);
  } else location.hash = hash;
}

function leave(why: string): void {
  client = undefined;
  farewell.value = why;
  session.value = 'out';
}

export function entered(answer: SignIn): void {
  if (answer.kind !== 'in') return void (session.value = answer.kind === 'out' ? 'out' : 'unreachable');
  client = new Client(answer.session.csrf, () => leave('Du er logget ud. Log ind igen for at fortsætte; det, du har skrevet, er gemt.'));
  farewell.value = '';
  session.value = answer.session;
  beforeEnd(answer.session.ends_in_ms, 'Det, du har skrevet, er gemt.', (text) => notice('warning', text));
}

const leaving = new Set<() => void>();
/** What is to be forgotten when somebody signs out. */
export const onSignOut = (f: () => void): void => void leaving.add(f);

export async function signOutNow(): Promise<void> {
  const s = session.peek();
  if (typeof s !== 'object') return;
  const to = await signOut(s.csrf);
  if (to === undefined) return notice('error', 'Du er ikke logget ud: tjenesten svarede ikke. Prøv igen.');
  leaving.forEach((f) => f());
  leave('Du er logget ud.');
  // The provider asks, says that it is done, and is left by closing it.
  if (to) location.assign(to);
}

export function start(): void {
  window.addEventListener('hashchange', () => (route.value = parse(location.hash)));
  void current().then(entered);
}

effect(() => {
  // Another tab signed out: the next question would tell, but the page should not look alive until then.
  if (session.value === 'out') notices.value = [];
});
