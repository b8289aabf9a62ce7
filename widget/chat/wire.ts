// The wire contract of docs/protocol.md, version 1. Frames are read defensively: a field of the wrong
// form becomes a harmless value, so a newer server can never break the page of an older widget.

export const LANGS = ['da', 'en', 'de', 'uk', 'ar', 'pl', 'tr'] as const;
export type Lang = (typeof LANGS)[number];
export const isLang = (v: unknown): v is Lang => LANGS.includes(v as Lang);

/** A turn's name is the server's: it goes back exactly as it came, number or string. */
export type Turn = string | number;

export interface Contact { open: boolean; hours: string; phone: string }
export interface Limits { message_chars: number; comment_chars: number }
export interface Link { title: string; url: string }
/** Where an answer comes from; `sections` are the headings of the parts of it that carry the answer. */
export interface Source extends Link { sections: string[] }
/** The municipality's own text behind an answer that is not it, word for word; without text there is none. */
export interface Approved { text: string; content_lang: string; dir: string }
export interface Choice { article_id: string; title: string }

export interface Welcome {
  type: 'welcome'; dialogue: string; token: string; seq: number; stream: string; resumed: boolean; replay: boolean; lang: string;
  municipality: { name: string }; disclosure: string; greeting: string; contact: Contact; limits: Limits;
}
export interface Citizen { type: 'citizen'; seq: number; client_id: string; text: string; masked: string[] }
export interface AnswerStart {
  type: 'answer_start'; seq: number; turn: Turn; outcome: string; lang: string; content_lang: string;
  dir: string; title: string; notice: string;
  /** "shortened" or "generated"; empty for the approved text as it stands. */
  written: string;
  /** What is said of that above the text, in the interface's language. */
  mark: string;
}
export interface AnswerPart { type: 'answer_part'; seq: number; turn: Turn; text: string }
export interface AnswerEnd {
  type: 'answer_end'; seq: number; turn: Turn; sources: Source[]; links: Link[]; choices: Choice[];
  offer_human: boolean; can_rate: boolean; approved: Approved;
}
export interface Slot { from_ms: number; text: string }
export interface HandoverOffer {
  type: 'handover_offer'; seq: number; text: string; open: boolean; hours: string; phone: string; queue: boolean; slots: Slot[];
}
export interface Queued { type: 'queued'; seq: number; client_id: string; text: string }
/** How the place stands now; no event. Minutes are 0 when nobody can say. */
export interface Wait { type: 'wait'; position: number; low_min: number; high_min: number; held: boolean; text: string }
export interface AgentJoined { type: 'agent_joined'; seq: number; name: string; text: string }
/** What was hidden in a message can be shown to the person who has the chat; with epoch 0 it was. `text` is the service's. */
export interface Reveal { type: 'reveal'; client_id: string; epoch: number; text: string }
export interface Agent { type: 'agent'; seq: number; id: string; name: string; text: string; late: boolean }
export interface AgentLeft { type: 'agent_left'; seq: number; name: string; text: string }
export interface CallbackOffer { type: 'callback_offer'; seq: number; text: string; slots: Slot[] }
export interface CallbackSaved { type: 'callback_saved'; seq: number; client_id: string; reference: string; text: string; from_ms: number }
export interface CallbackCancelled { type: 'callback_cancelled'; seq: number; client_id: string; reference: string; text: string }
export interface HandoverEnded { type: 'handover_ended'; seq: number; client_id: string; outcome: string; text: string; can_rate: boolean }
export interface Rated { type: 'rated'; seq: number; client_id: string; turn: Turn; score: number }
export interface Notice { type: 'notice'; seq: number; text: string }
export interface ErrorFrame { type: 'error'; code: string; text: string; client_id: string; retry_after_ms: number }

/** Events belong to the dialogue and carry `seq`; everything else is about the connection. */
export type Event = Citizen | AnswerStart | AnswerPart | AnswerEnd | HandoverOffer | Queued | AgentJoined | Agent | AgentLeft
  | CallbackOffer | CallbackSaved | CallbackCancelled | HandoverEnded | Rated | Notice;
export type ServerFrame = Event | Welcome | ErrorFrame | Wait | Reveal | { type: 'typing' } | { type: 'agent_typing' } | { type: 'ping'; n: number } | { type: 'pong'; n: number };

/** Which chat a page opens, and by whose leave: `signed` is the operator's, and goes back exactly as it came. */
export interface Page { municipality: string; signed: string | undefined }

/** What is undefined is not sent. */
export type ClientFrame =
  | Page & { type: 'hello'; v: 1; lang: Lang; resume: { dialogue: string; token: string; seq: number; stream: string | undefined } | undefined }
  | { type: 'message'; client_id: string; text: string }
  | { type: 'choose'; client_id: string; article_id: string }
  | { type: 'human'; client_id: string }
  | { type: 'queue' | 'leave'; client_id: string }
  | { type: 'callback'; client_id: string; phone: string; topic: string | undefined; slot: number | undefined }
  | { type: 'cancel_callback'; client_id: string; reference: string }
  | { type: 'reveal'; client_id: string; epoch: number; text: string }
  | { type: 'rate'; client_id: string; turn: Turn | undefined; score: number; comment: string | undefined }
  | { type: 'lang'; lang: Lang }
  | { type: 'ping' | 'pong'; n: number }
  | { type: 'typing' | 'bye' };

const CONTACT = { open: false, hours: '', phone: '' };
const LINK = { title: '', url: '' };
const SLOTS = [{ from_ms: 0, text: '' }];
const ANSWER = { seq: 0, turn: '' as Turn };

/** Every frame of the service with the values that stand in for what is missing or of the wrong form. */
const SHAPES: { [T in ServerFrame['type']]: Omit<Extract<ServerFrame, { type: T }>, 'type'> } = {
  welcome: {
    seq: 0, dialogue: '', token: '', stream: '', resumed: false, replay: false, lang: '', municipality: { name: '' }, disclosure: '', greeting: '',
    contact: CONTACT, limits: { message_chars: 2000, comment_chars: 1000 },
  },
  citizen: { seq: 0, client_id: '', text: '', masked: [''] },
  answer_start: { ...ANSWER, outcome: '', lang: '', content_lang: '', dir: '', title: '', notice: '', written: '', mark: '' },
  answer_part: { ...ANSWER, text: '' },
  answer_end: {
    ...ANSWER, sources: [{ ...LINK, sections: [''] }], links: [LINK], choices: [{ article_id: '', title: '' }], offer_human: false,
    can_rate: false, approved: { text: '', content_lang: '', dir: '' },
  },
  handover_offer: { seq: 0, text: '', ...CONTACT, queue: false, slots: SLOTS },
  queued: { seq: 0, client_id: '', text: '' },
  wait: { position: 0, low_min: 0, high_min: 0, held: false, text: '' },
  agent_joined: { seq: 0, name: '', text: '' },
  agent: { seq: 0, id: '', name: '', text: '', late: false },
  agent_left: { seq: 0, name: '', text: '' },
  agent_typing: {},
  reveal: { client_id: '', epoch: 0, text: '' },
  callback_offer: { seq: 0, text: '', slots: SLOTS },
  callback_saved: { seq: 0, client_id: '', reference: '', text: '', from_ms: 0 },
  callback_cancelled: { seq: 0, client_id: '', reference: '', text: '' },
  handover_ended: { seq: 0, client_id: '', outcome: '', text: '', can_rate: false },
  rated: { ...ANSWER, client_id: '', score: 0 },
  notice: { seq: 0, text: '' },
  typing: {},
  ping: { n: 0 },
  pong: { n: 0 },
  error: { code: '', text: '', client_id: '', retry_after_ms: 0 },
};

/** `v` brought into the form of `shape`: a list's first item is the form of each of its items. */
function fit(shape: unknown, v: unknown): unknown {
  if (Array.isArray(shape)) return Array.isArray(v) ? v.map((x) => fit(shape[0], x)) : [];
  if (typeof shape !== 'object') return typeof v === typeof shape ? v : shape;
  const from = Object(v) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(shape as object).map(([k, s]) => [k, fit(s, from[k])]));
}

/** Undefined for anything that is not a frame this version knows. */
export function parse(data: unknown): ServerFrame | undefined {
  try {
    const raw = JSON.parse(data as string) as { type: ServerFrame['type']; turn?: unknown };
    if (!Object.hasOwnProperty.call(SHAPES, raw.type)) return undefined;
    const turn = typeof raw.turn === 'number' && { turn: raw.turn };
    return { type: raw.type, ...(fit(SHAPES[raw.type], raw) as object), ...turn } as ServerFrame;
  } catch {
    return undefined;
  }
}

/** 32 hexadecimal digits. `crypto.randomUUID` is missing on plain http, where a municipality may try the widget out. */
export function clientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** 8 digits, or + and 8 to 15, as the server wants it; undefined when it cannot be a telephone number. */
export function phoneNumber(typed: string): string | undefined {
  // Digits of an Arabic keyboard are digits too, and a citizen may paste separators or invisible direction marks.
  const plain = typed.normalize('NFKC')
    .replace(/[٠-٩]/g, (d) => String(d.charCodeAt(0) - 0x660))
    .replace(/[۰-۹]/g, (d) => String(d.charCodeAt(0) - 0x6f0))
    .replace(/[\s().\-/\u2010-\u2015\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/^00/, '+');
  return /^(\d{8}|\+\d{8,15})$/.test(plain) ? plain : undefined;
}

/** Length as the server counts it: characters, not UTF-16 units. */
export const chars = (text: string): number => Array.from(text).length;
