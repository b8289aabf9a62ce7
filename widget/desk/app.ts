// Glue: the session, the socket and the fold on one side, what the pages show on the other.

import { computed, effect, signal, untracked } from '@preact/signals';
import { Commands, type Done } from './core/commands';
import { Connection, type LinkState } from './core/connection';
import { news, type Heard } from './core/news';
import { reduce, type Action } from './core/reduce';
import { loadPrefs, Saved, savePrefs, type Prefs } from './core/saved';
import { beforeEnd } from '../shared/core/ending';
import { current, signOut, type Session, type SignIn } from '../shared/core/session';
import { empty, part, type Outgoing } from './core/state';
import { commandId, type Command, type Item, type List, type ServerFrame } from './core/wire';

export const desk = signal(empty());
export const prefs = signal<Prefs>(loadPrefs());
/** `undefined` until the service was asked. */
export const session = signal<Session | 'out' | 'unreachable' | undefined>(undefined);
/** Why nobody is signed in any more, for the sign-in page. */
export const farewell = signal('');
/** The service's clock, told once a second to those who show a time. */
export const clock = signal(Date.now());
/** A countdown that came with a frame starts from now, not from the last full second. */
const tick = (): void => void (clock.value = Date.now() + desk.peek().skew_ms);
export const lists = signal<List[]>([]);

const clients = new Set<(h: Heard) => void>();
export const onNews = (f: (h: Heard) => void): void => void clients.add(f);

let connection: Connection | undefined;
let commands = new Commands(() => false);
let saved: Saved | undefined;
/** Nothing was sent over this line yet. */
let anew = true;

export function dispatch(a: Action): void {
  const was = desk.peek();
  const is = reduce(was, a);
  if (is === was) return;
  desk.value = is;
  if (a.type === 'frame' || a.type === 'ok') {
    news(was, is).forEach((h) => clients.forEach((f) => f(h)));
    open();
  }
}

/** Whoever asks these says himself, where it was asked, what came of it. */
const IN_PLACE: Command['type'][] = ['open', 'search', 'targets', 'transfer', 'close', 'draft', 'sign_out'];

/** Sends a command; the answer has changed the desk before it is handed back. */
export async function run(command: Command, id = commandId()): Promise<Done> {
  dispatch({ type: 'sending', id, command, here_ms: Date.now() });
  const done = await commands.run(command, id);
  if (done.ok) dispatch({ type: 'ok', command, ok: done.ok });
  else if (done.refused && !IN_PLACE.includes(command.type)) dispatch({ type: 'refused', command, refused: done.refused });
  return done;
}

/** Again, under the same id: the service does it once. */
export function again(o: Outgoing): void {
  const epoch = desk.peek().cards[o.item]?.epoch ?? o.epoch;
  void run(o.kind === 'supervisor_message' ? { type: o.kind, item: o.item, text: o.text } : { type: o.kind, item: o.item, epoch, text: o.text }, o.id);
}

const opening = new Set<Item>();
/** Lines of every chat at the desk are asked for once, so that waiting times and last words are known. */
function open(): void {
  const d = desk.peek();
  if (d.link !== 'open') return;
  for (const card of Object.values(d.cards)) {
    const wanted = ['chat', 'call', 'watched'].includes(part(card, d.me.id));
    if (!wanted || opening.has(card.item) || d.opened[card.item]) continue;
    ask(card.item);
  }
}
function ask(item: Item): void {
  opening.add(item);
  // A refusal is not asked again at once: the next card or reconnect does.
  void run({ type: 'open', item }).then((done) => {
    if (done.ok || done.refused?.code === 'lost') opening.delete(item);
    else setTimeout(() => opening.delete(item), 5_000);
  });
}

let typed = 0;
export function typing(item: Item): void {
  if (Date.now() - typed < 3_000) return;
  typed = Date.now();
  connection?.send({ type: 'typing', item });
}

export const retryNow = (): void => connection?.retryNow();

function link(s: LinkState, retry_ms = 0): void {
  if (s === 'open' || s === 'idle' || s === 'stopped') return;
  commands.broke();
  anew = true;
  dispatch({ type: 'link', link: s, retry_at_ms: Date.now() + retry_ms });
}

function frame(f: ServerFrame): void {
  if (f.type === 'ok' || f.type === 'refused') return commands.answer(f);
  if (f.type === 'ping') return;
  dispatch({ type: 'frame', frame: f, here_ms: Date.now() });
  tick();
  if (f.type === 'error' && f.code === 'elsewhere') connection?.stop();
  if (f.type === 'error' && f.code === 'signed_out') leave('Du er logget ud. Log ind igen for at fortsætte; din kladde er gemt.');
  if (f.type === 'snapshot') {
    opening.clear();
    // A snapshot comes in the middle of a good line too: what is under way then needs no second try.
    if (anew) commands.resend();
    anew = false;
    watch();
    // What was said while the line was broken is in the lines only.
    Object.keys(desk.peek().opened).forEach(ask);
  }
}

const watch = (): void => void connection?.send({ type: 'watch', what: lists.peek() });
effect(() => {
  void lists.value;
  watch();
});

function begin(s: Session): void {
  session.value = s;
  farewell.value = '';
  desk.value = { ...empty(), width: untracked(() => desk.value.width), visible: document.visibilityState === 'visible' };
  saved = new Saved(s.user);
  const kept = saved.load();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const mine = new Connection(`${scheme}://${location.host}/ws/desk`, s.csrf, {
    frame, state: link,
    refused: () => void current().then((now) => {
      if (now.kind === 'out' && connection === mine) leave('Du er logget ud. Log ind igen for at fortsætte; din kladde er gemt.');
    }),
  });
  connection = mine;
  commands = new Commands((f) => mine.send(f));
  anew = true;
  dispatch({ type: 'restore', drafts: kept.drafts, outgoing: kept.outgoing });
  for (const o of kept.outgoing) if (o.state !== 'refused') again(o);
  mine.start();
  beforeEnd(s.ends_in_ms, 'Bliver du logget ud imens, ligger din kladde her stadig.', (text) => dispatch({ type: 'notice', tone: 'warning', text }));
}

function leave(why: string): void {
  connection?.stop();
  connection = undefined;
  farewell.value = why;
  session.value = 'out';
}

export function elsewhereBack(): void {
  dispatch({ type: 'link', link: 'connecting' });
  connection?.start();
}

export function entered(answer: SignIn): void {
  // The desk opens when the second factor is there.
  if (answer.kind === 'in' && answer.session.second_factor === 'needed') session.value = answer.session;
  else if (answer.kind === 'in') begin(answer.session);
  else session.value = answer.kind === 'out' ? 'out' : 'unreachable';
}

/** Everything goes back to the queue, each at its place, before the session ends. */
export async function signOutNow(): Promise<void> {
  const s = session.peek();
  if (typeof s !== 'object') return;
  if (connection) await Promise.race([run({ type: 'sign_out' }), new Promise((ok) => setTimeout(ok, 3_000))]);
  const to = await signOut(s.csrf);
  if (to === undefined) return dispatch({ type: 'notice', tone: 'error', text: 'Du er ikke logget ud: tjenesten svarede ikke. Prøv igen.' });
  saved?.forget();
  leave('Du er logget ud.');
  // The provider asks, says that it is done, and is left by closing it.
  if (to) location.assign(to);
}

export function setPrefs(change: Partial<Prefs>): void {
  prefs.value = { ...prefs.peek(), ...change };
  savePrefs(prefs.peek());
}

const drafts = computed(() => desk.value.drafts);
const outgoing = computed(() => desk.value.outgoing);
effect(() => {
  const kept = { drafts: drafts.value, outgoing: outgoing.value };
  if (typeof session.peek() === 'object') saved?.save(kept);
});

export function start(): void {
  setInterval(tick, 1_000);
  document.addEventListener('visibilitychange', () => {
    dispatch({ type: 'visible', visible: document.visibilityState === 'visible' });
    retryNow();
  });
  window.addEventListener('online', retryNow);
  void current().then(entered);
}
