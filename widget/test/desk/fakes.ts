// Frames as the service would send them, with only what a test is about spelled out.
import { reduce, type Action } from '../../desk/core/reduce';
import { empty, type Desk } from '../../desk/core/state';
import { parse, type Card, type Line, type Ok, type Refused, type ServerFrame } from '../../desk/core/wire';

export const read = <T extends ServerFrame['type']>(type: T, fields: object = {}): Extract<ServerFrame, { type: T }> =>
  parse(JSON.stringify({ type, ...fields })) as Extract<ServerFrame, { type: T }>;

export const card = (item: string, kind = 'owned', more: object = {}): Card => read('card', {
  card: {
    item, municipality: { code: '0751', name: 'Aarhus' }, area: { id: 'pas', title: 'Pas' }, language: 'da', epoch: 1,
    state: { kind, agent: { id: 'a1', name: 'Anna' }, offer: 7, until_ms: 30_000 }, citizen_present: true, ...more,
  },
}).card;
export const line = (id: string, from: string, at_ms = 1, text = id): Line => read('line', { item: 'x', line: { id, at_ms, from, name: '', text } }).line;

export const ok = (id: string, more: object = {}): Ok => read('ok', { id, ...more });
export const refused = (id: string, code: string): Refused => read('refused', { id, code, text: 'Tekst fra tjenesten' });

export function frame(f: ServerFrame): Action {
  if (f.type === 'ok' || f.type === 'refused' || f.type === 'ping') throw new Error(`${f.type} is no news`);
  return { type: 'frame', frame: f, here_ms: 1_000 };
}

export const after = (d: Desk, ...actions: (Action | ServerFrame)[]): Desk =>
  actions.reduce<Desk>((now, a) => reduce(now, isAction(a) ? a : frame(a)), d);
const isAction = (a: Action | ServerFrame): a is Action =>
  ['frame', 'sending', 'link', 'show', 'beside', 'hide', 'width', 'visible', 'draft', 'drop_outgoing', 'drop_revealed', 'restore', 'notice', 'dismiss'].includes(a.type)
  || 'command' in a;

/** Signed in as Anna, holding these. */
export const desk = (...cards: Card[]): Desk => after(
  empty(),
  read('welcome', { v: 1, me: { id: 'a1', name: 'Anna', roles: ['agent'], capacity: 3 }, now_ms: 1_000 }),
  { ...read('snapshot', { me: { state: 'available', mode: 'push' } }), cards },
);
