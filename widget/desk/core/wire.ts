// The wire contract of docs/desk-protocol.md, version 1. Frames are read defensively: a field of the wrong form
// becomes a harmless value, so a newer service never breaks the page that an agent has had open since the morning.

export type Item = string;
export type Ms = number;

export interface Municipality { code: string; name: string }
/** One of the account's, with what `{{NAME}}` in a canned reply stands for there. */
export interface Served extends Municipality { slots: Record<string, string> }
export interface Area { id: string; title: string }
export interface Person { id: string; name: string }

export type Role = 'agent' | 'supervisor' | 'editor' | 'admin';
export type Presence = 'available' | 'paused' | 'wrap_up' | 'absent';
export type PauseWhy = 'break' | 'meeting' | 'training' | 'other';
export type Mode = 'push' | 'pick';
export type Level = 'monitor' | 'coach' | 'barge_in';
export type DialResult = 'reached' | 'no_answer' | 'busy' | 'wrong_number';

export interface Me { id: string; name: string; roles: string[]; capacity: number }
export interface MyState { state: string; paused: string; mode: string }
export interface Limits { text_chars: number; offer_ms: number; lease_ms: number }
export interface Code { code: string; title: string }
export interface Canned { id: string; title: string; text: string }

export type StateKind =
  | 'waiting' | 'held' | 'offered' | 'owned' | 'promised' | 'due' | 'resting' | 'ringing' | 'wrap_up' | 'closed' | '';
export interface CardState {
  kind: StateKind; offer: number | string; until_ms: Ms; since_ms: Ms; call: boolean; agent: Person;
}
export interface Source { article_id: string; title: string }
export interface Brief { question: string; tried: string[]; sources: Source[]; failed: string }
export interface Callback { reference: string; phone: string; topic: string; from_ms: Ms; to_ms: Ms; attempts: number }
export interface Decision {
  at_ms: Ms; agent: Person; reason: string; candidates: number; free: number; idle_ms: Ms; skills: number;
  needs: string[]; overdue: boolean; owed: boolean;
}
export interface Watcher { name: string; level: string }

export interface Row {
  item: Item; municipality: Municipality; area: Area; language: string; audience: string; class: string;
  place_ms: Ms; state: CardState; overdue: boolean;
}
export interface Card extends Omit<Row, 'overdue'> {
  epoch: number; brief?: Brief; citizen_present: boolean; callback?: Callback; watchers: Watcher[]; decisions: Decision[];
}
export interface Line { id: string; at_ms: Ms; from: string; name: string; text: string; late: boolean }
export interface Article { article_id: string; title: string; text: string; url: string }

export interface TownFigures {
  code: string; name: string; open: boolean; draining: boolean; staffed: boolean; waiting: number; held: number;
  offered: number; owned: number; callbacks: number; due: number; ringing: number; oldest_ms?: Ms;
}
export interface AgentRow {
  id: string; name: string; state: string; paused: string; mode: string; capacity: number; offers: number;
  chats: number; calls: number; wrap_ups: number; idle_ms: Ms;
}
export interface Figures {
  window_ms: Ms; requested: number; answered: number; abandoned: number; converted: number; service_level_ms: Ms;
  service_level?: number; asa_ms?: Ms; aht_ms?: Ms; abandonment?: number; occupancy?: number;
}
export interface Target { id: string; name: string; state: string; free: number }
export interface Targets { agents: Target[]; teams: Person[]; municipalities: Municipality[]; areas: Area[] }

export interface Welcome {
  type: 'welcome'; v: number; me: Me; now_ms: Ms; limits: Limits; municipalities: Served[]; areas: Area[];
  codes: Code[]; canned: Canned[];
}
export interface Snapshot { type: 'snapshot'; me: MyState; cards: Card[] }
export type AgentFrame = { type: 'agent' } & MyState;
export interface CardFrame { type: 'card'; card: Card }
export interface CardGone { type: 'card_gone'; item: Item; why: string }
export interface LineFrame { type: 'line'; item: Item; line: Line }
export interface Typing { type: 'typing'; item: Item }
/** What the citizen lets this agent see of a message; the service keeps it nowhere, and neither does the desk. */
export interface Revealed { type: 'revealed'; item: Item; text: string }
export interface Suggestions { type: 'suggestions'; item: Item; line: string; articles: Article[] }
export interface Queue { type: 'queue'; rows: Row[]; total: number }
export interface Callbacks { type: 'callbacks'; rows: Card[] }
export interface Supervisor {
  type: 'supervisor'; municipalities: TownFigures[]; agents: AgentRow[]; items: Row[]; figures: Figures; unserved: string[];
}
export interface Ping { type: 'ping'; n: number }
/** `ok` with whatever was asked for; absent lists are empty. `line` is the id of the line that was written. */
export interface Ok extends Targets { type: 'ok'; id: string; line: string; lines: Line[]; articles: Article[]; masked: string[] }
export interface Refused { type: 'refused'; id: string; code: string; text: string }
export interface ErrorFrame { type: 'error'; code: string; text: string }

export type ServerFrame =
  | Welcome | Snapshot | AgentFrame | CardFrame | CardGone | LineFrame | Typing | Revealed | Suggestions | Queue | Callbacks
  | Supervisor | Ping | Ok | Refused | ErrorFrame;

export type To = { agent: string } | { team: string } | { municipality: string } | { specialist: string } | { bot: true };

/** What a command says; its `id` is given when it is sent. */
export type Command =
  | { type: 'pause'; why: PauseWhy }
  | { type: 'resume' | 'sign_out' }
  | { type: 'mode'; mode: Mode }
  | { type: 'accept' | 'decline'; item: Item; offer: number | string }
  | { type: 'pick' | 'open' | 'targets' | 'wrap_up_done' | 'dial' | 'stop_supervising' | 'release'; item: Item }
  | { type: 'message' | 'note'; item: Item; epoch: number; text: string }
  | { type: 'transfer'; item: Item; epoch: number; to: To; note?: string }
  | { type: 'close'; item: Item; epoch: number; code: string }
  | { type: 'renew_dial'; item: Item; epoch: number }
  | { type: 'end_dial'; item: Item; epoch: number; result: DialResult }
  | { type: 'search'; item?: Item; municipality: string; text: string }
  | { type: 'draft'; item: Item; line: string; text: string }
  | { type: 'supervise'; item: Item; level: Level }
  | { type: 'supervisor_message'; item: Item; text: string };

export type List = 'queue' | 'callbacks' | 'supervisor';
export type ClientFrame =
  | { type: 'hello'; v: 1; csrf: string; visible: boolean }
  | { type: 'pong'; n: number; visible: boolean }
  | { type: 'watch'; what: List[] }
  | { type: 'typing'; item: Item }
  | (Command & { id: string });

// A form is a value that stands in for what is missing; `optional` leaves it out, `many` fits each item of a list.
const OPTIONAL = Symbol('optional');
const optional = (shape: unknown): unknown => ({ [OPTIONAL]: shape });
const MIXED = Symbol('number or string');
const WORDS = Symbol('texts by name');

const town = { code: '', name: '' };
const area = { id: '', title: '' };
const person = { id: '', name: '' };
const state = { kind: '', offer: MIXED, until_ms: 0, since_ms: 0, call: false, agent: person };
const row = { item: '', municipality: town, area, language: 'da', audience: '', class: 'normal', place_ms: 0, state, overdue: false };
const decision = {
  at_ms: 0, agent: person, reason: '', candidates: 0, free: 0, idle_ms: 0, skills: 0, needs: [''], overdue: false, owed: false,
};
const card = {
  ...row, epoch: 0, citizen_present: false, watchers: [{ name: '', level: '' }], decisions: [decision],
  brief: optional({ question: '', tried: [''], sources: [{ article_id: '', title: '' }], failed: '' }),
  callback: optional({ reference: '', phone: '', topic: '', from_ms: 0, to_ms: 0, attempts: 0 }),
};
const line = { id: '', at_ms: 0, from: 'system', name: '', text: '', late: false };
const article = { article_id: '', title: '', text: '', url: '' };
const mine = { state: 'absent', paused: '', mode: 'push' };

const SHAPES: { [T in ServerFrame['type']]: object } = {
  welcome: {
    v: 1, me: { ...person, roles: [''], capacity: 1 }, now_ms: 0,
    limits: { text_chars: 4000, offer_ms: 30_000, lease_ms: 300_000 },
    municipalities: [{ ...town, slots: WORDS }], areas: [area], codes: [{ code: '', title: '' }], canned: [{ id: '', title: '', text: '' }],
  },
  snapshot: { me: mine, cards: [card] },
  agent: mine,
  card: { card },
  card_gone: { item: '', why: '' },
  line: { item: '', line },
  typing: { item: '' },
  revealed: { item: '', text: '' },
  suggestions: { item: '', line: '', articles: [article] },
  queue: { rows: [row], total: 0 },
  callbacks: { rows: [card] },
  supervisor: {
    municipalities: [{
      ...town, open: false, draining: false, staffed: false, waiting: 0, held: 0, offered: 0, owned: 0, callbacks: 0,
      due: 0, ringing: 0, oldest_ms: optional(0),
    }],
    agents: [{ ...person, ...mine, capacity: 0, offers: 0, chats: 0, calls: 0, wrap_ups: 0, idle_ms: 0 }],
    items: [row],
    figures: {
      window_ms: 0, requested: 0, answered: 0, abandoned: 0, converted: 0, service_level_ms: 20_000,
      service_level: optional(0), asa_ms: optional(0), aht_ms: optional(0), abandonment: optional(0), occupancy: optional(0),
    },
    unserved: [''],
  },
  ping: { n: 0 },
  ok: {
    id: '', line: '', lines: [line], articles: [article], masked: [''],
    agents: [{ ...person, state: '', free: 0 }], teams: [person], municipalities: [town], areas: [area],
  },
  refused: { id: '', code: 'failed', text: '' },
  error: { code: '', text: '' },
};

function fit(shape: unknown, v: unknown): unknown {
  if (shape === MIXED) return typeof v === 'number' || typeof v === 'string' ? v : 0;
  if (shape === WORDS) return Object.fromEntries(Object.entries(Object(v) as object).filter(([, text]) => typeof text === 'string'));
  if (Array.isArray(shape)) return Array.isArray(v) ? v.map((x) => fit(shape[0], x)) : [];
  if (typeof shape !== 'object' || shape === null) return typeof v === typeof shape ? v : shape;
  const from = Object(v) as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [key, form] of Object.entries(shape)) {
    const wanted = (form as Record<symbol, unknown>)?.[OPTIONAL];
    if (wanted === undefined) out[key] = fit(form, from[key]);
    else if (from[key] !== undefined && from[key] !== null) out[key] = fit(wanted, from[key]);
  }
  return out;
}

/** Undefined for anything that is not a frame this version knows. */
export function parse(data: unknown): ServerFrame | undefined {
  try {
    const raw = JSON.parse(data as string) as { type: ServerFrame['type'] };
    if (!Object.hasOwn(SHAPES, raw.type)) return undefined;
    return { type: raw.type, ...(fit(SHAPES[raw.type], raw) as object) } as ServerFrame;
  } catch {
    return undefined;
  }
}

/** 32 hexadecimal digits: a command's id. */
export function commandId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Length as the service counts it: characters, not UTF-16 units. */
export const chars = (text: string): number => Array.from(text).length;
