// What the desk knows, as one value, and the questions that the pages ask of it. Nothing here waits or draws.

import { place } from './words';
import type {
  Article, Callbacks, Canned, Card, Code, Area, Item, Limits, Line, Me, Ms, MyState, Queue, Served, Supervisor,
} from './wire';

export type Tone = 'info' | 'success' | 'warning' | 'error';
export interface Notice { id: number; tone: Tone; text: string }

/** A text of this agent on its way: shown as sent only after the service said `ok`. */
export interface Outgoing {
  id: string; item: Item; kind: 'message' | 'note' | 'supervisor_message'; text: string; epoch: number; at_ms: Ms;
  state: 'sending' | 'stored' | 'refused'; why?: string;
  /** The id of the line that it became, once stored. */
  line?: string;
}

export type Link = 'connecting' | 'open' | 'waiting' | 'elsewhere' | 'signed_out';

export interface Desk {
  link: Link;
  /** When the next try to connect comes, by this machine's clock. */
  retry_at_ms: Ms;
  me: Me;
  agent: MyState;
  limits: Limits;
  /** The service's clock less ours. */
  skew_ms: Ms;
  municipalities: Served[];
  areas: Area[];
  codes: Code[];
  canned: Canned[];
  /** True once the first snapshot came: before it, nothing says that there are no chats. */
  known: boolean;
  cards: Record<Item, Card>;
  lines: Record<Item, Line[]>;
  /** Whose lines are whole: `open` was answered. Before that, single lines may have come. */
  opened: Record<Item, true>;
  suggestions: Record<Item, { line: string; articles: Article[] }>;
  /** Until when the citizen counts as writing. */
  typing: Record<Item, Ms>;
  /** What the citizen lets this agent see: here, until it is put away or the chat goes. */
  revealed: Record<Item, string[]>;
  unread: Record<Item, number>;
  drafts: Record<Item, string>;
  outgoing: Outgoing[];
  /** Items shown side by side, the leftmost first, and the one that keys and the right column are about. */
  panes: Item[];
  active: Item | undefined;
  /** To be shown when its card comes: the answer to a command may be quicker than the card. */
  awaited: Item | undefined;
  /** How many may stand side by side. */
  width: number;
  visible: boolean;
  queue: Queue | undefined;
  callbacks: Callbacks | undefined;
  supervisor: Supervisor | undefined;
  notices: Notice[];
  notice_id: number;
}

export const empty = (): Desk => ({
  link: 'connecting', retry_at_ms: 0,
  me: { id: '', name: '', roles: [], capacity: 0 }, agent: { state: 'absent', paused: '', mode: 'push' },
  limits: { text_chars: 4000, offer_ms: 30_000, lease_ms: 300_000 }, skew_ms: 0,
  municipalities: [], areas: [], codes: [], canned: [], known: false,
  cards: {}, lines: {}, opened: {}, suggestions: {}, typing: {}, revealed: {}, unread: {}, drafts: {}, outgoing: [],
  panes: [], active: undefined, awaited: undefined, width: 1, visible: true,
  queue: undefined, callbacks: undefined, supervisor: undefined, notices: [], notice_id: 0,
});

/** What a card is to this agent. */
export type Part = 'offer' | 'chat' | 'call' | 'watched' | 'none';

export function part(card: Card, me: string): Part {
  const mine = card.state.agent.id === '' || card.state.agent.id === me;
  const watched = !mine || card.watchers.some((w) => w.level !== '');
  switch (card.state.kind) {
    case 'offered': return mine ? 'offer' : 'watched';
    case 'owned': case 'wrap_up': return mine ? (card.callback ? 'call' : 'chat') : 'watched';
    case 'ringing': return mine ? 'call' : 'watched';
    case 'waiting': case 'held': return watched ? 'watched' : 'none';
    default: return 'none';
  }
}

const all = (d: Desk, wanted: Part): Card[] => Object.values(d.cards).filter((c) => part(c, d.me.id) === wanted);

/** The one that ends first comes first. */
export const offers = (d: Desk): Card[] => all(d, 'offer').sort((a, b) => a.state.until_ms - b.state.until_ms);
/** In the order in which they were taken: a list that jumps is a list where the wrong chat is pressed. */
export const chats = (d: Desk): Card[] => all(d, 'chat');
export const calls = (d: Desk): Card[] => all(d, 'call');
export const watched = (d: Desk): Card[] => all(d, 'watched');
/** Everything that can stand in the middle. */
export const shown = (d: Desk): Card[] => [...chats(d), ...calls(d), ...watched(d)];

export const now = (d: Desk, here_ms: Ms): Ms => here_ms + d.skew_ms;

/** Since when the citizen waits for an answer; undefined when the last word was ours. */
export function waitingSince(d: Desk, item: Item): Ms | undefined {
  let since: Ms | undefined;
  for (const l of d.lines[item] ?? []) {
    if (l.from === 'citizen') since ??= l.at_ms;
    else if (l.from === 'agent' || l.from === 'supervisor') since = undefined;
  }
  return d.outgoing.some((o) => o.item === item && o.kind === 'message' && o.state !== 'refused') ? undefined : since;
}

export const lastWords = (d: Desk, item: Item): Line | undefined =>
  d.lines[item]?.filter((l) => ['citizen', 'agent', 'supervisor', 'bot'].includes(l.from)).at(-1);

export const lastOfCitizen = (d: Desk, item: Item): Line | undefined => d.lines[item]?.filter((l) => l.from === 'citizen').at(-1);

export const unread = (d: Desk): number => Object.values(d.unread).reduce((a, b) => a + b, 0);

/** The level at which this supervisor watches. */
export const level = (d: Desk, card: Card): string => card.watchers.find((w) => w.name === d.me.name)?.level ?? 'monitor';

/** A short name that tells an agent's chats apart: citizens have none. */
export const label = (card: Card): string =>
  [place(card.municipality), card.area.title || card.callback?.topic].filter(Boolean).join(' · ');
