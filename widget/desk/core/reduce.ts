// The desk as a fold over what happens: frames of the service, answers to commands, and what the agent does here.

import { chats, part, shown, type Desk, type Link, type Notice, type Outgoing, type Tone } from './state';
import { gone, refusal } from './words';
import type { Card, Command, Item, Line, Ms, Ok, Refused, ServerFrame } from './wire';

const TYPING_MS = 6_000;
const NOTICES = 4;
/** As many as one looks at. */
const REVEALED = 4;

export type News = Exclude<ServerFrame, { type: 'ok' | 'refused' | 'ping' }>;

export type Action =
  | { type: 'frame'; frame: News; here_ms: Ms }
  | { type: 'sending'; id: string; command: Command; here_ms: Ms }
  | { type: 'ok'; command: Command; ok: Ok }
  | { type: 'refused'; command: Command; refused: Refused }
  | { type: 'link'; link: Link; retry_at_ms?: Ms }
  | { type: 'show'; item: Item }
  /** Into a free place, without taking the keys from where they are. */
  | { type: 'beside'; item: Item }
  | { type: 'hide'; item: Item }
  | { type: 'width'; width: number }
  | { type: 'visible'; visible: boolean }
  | { type: 'draft'; item: Item; text: string }
  | { type: 'drop_outgoing'; id: string }
  | { type: 'drop_revealed'; item: Item }
  | { type: 'restore'; drafts: Record<Item, string>; outgoing: Outgoing[] }
  | { type: 'notice'; tone: Tone; text: string }
  | { type: 'dismiss'; id: number };

export function reduce(d: Desk, a: Action): Desk {
  switch (a.type) {
    case 'frame': return frame(d, a.frame, a.here_ms);
    case 'sending': return sending(d, a.id, a.command, a.here_ms);
    case 'ok': return ok(d, a.command, a.ok);
    case 'refused': return refused(d, a.command, a.refused);
    case 'link': return { ...d, link: a.link, retry_at_ms: a.retry_at_ms ?? 0 };
    case 'show': return show(d, a.item);
    case 'beside': return a.item in d.cards && d.panes.length < d.width && !d.panes.includes(a.item) ? { ...d, panes: [...d.panes, a.item] } : d;
    case 'hide': return layout({ ...d, panes: d.panes.filter((p) => p !== a.item) });
    case 'width': return layout({ ...d, width: a.width });
    case 'visible': return seen({ ...d, visible: a.visible });
    case 'draft': return { ...d, drafts: put(d.drafts, a.item, a.text || undefined) };
    case 'drop_outgoing': return { ...d, outgoing: d.outgoing.filter((o) => o.id !== a.id) };
    case 'drop_revealed': return { ...d, revealed: put(d.revealed, a.item, undefined) };
    case 'restore': return { ...d, drafts: { ...a.drafts, ...d.drafts }, outgoing: [...a.outgoing, ...d.outgoing] };
    case 'notice': return notice(d, a.tone, a.text);
    case 'dismiss': return { ...d, notices: d.notices.filter((n) => n.id !== a.id) };
  }
}

function put<T>(all: Record<Item, T>, item: Item, value: T | undefined): Record<Item, T> {
  const { [item]: _, ...rest } = all;
  // A key that is there keeps its place: the order of chats is the order in which they were taken.
  if (value === undefined) return rest;
  return item in all ? { ...all, [item]: value } : { ...rest, [item]: value };
}

function notice(d: Desk, tone: Tone, text: string): Desk {
  if (!text) return d;
  const said: Notice = { id: d.notice_id + 1, tone, text };
  return { ...d, notice_id: said.id, notices: [...d.notices.filter((n) => n.text !== text), said].slice(-NOTICES) };
}

function frame(d: Desk, f: News, here_ms: Ms): Desk {
  switch (f.type) {
    case 'welcome':
      return {
        ...d, link: 'open', me: f.me, limits: f.limits, skew_ms: f.now_ms ? f.now_ms - here_ms : 0,
        municipalities: f.municipalities, areas: f.areas, codes: f.codes, canned: f.canned,
      };
    case 'snapshot': {
      const cards = Object.fromEntries(f.cards.map((c) => [c.item, c]));
      const kept = <T>(all: Record<Item, T>): Record<Item, T> =>
        Object.fromEntries(Object.entries(all).filter(([item]) => item in cards));
      // Drafts outlive the card: what comes back after a broken line finds its words again.
      return layout({
        ...d, agent: f.me, known: true, cards, lines: kept(d.lines), opened: kept(d.opened), suggestions: kept(d.suggestions),
        typing: kept(d.typing), revealed: kept(d.revealed), unread: kept(d.unread),
      });
    }
    case 'agent': return { ...d, agent: { state: f.state, paused: f.paused, mode: f.mode } };
    case 'card': return card(d, f.card);
    case 'card_gone': return remove(d, f.item, f.why);
    case 'line': return line(d, f.item, f.line);
    case 'typing': return { ...d, typing: { ...d.typing, [f.item]: here_ms + TYPING_MS } };
    case 'revealed':
      return f.item in d.cards ? { ...d, revealed: { ...d.revealed, [f.item]: [...(d.revealed[f.item] ?? []), f.text].slice(-REVEALED) } } : d;
    case 'suggestions':
      return f.item in d.cards ? { ...d, suggestions: { ...d.suggestions, [f.item]: { line: f.line, articles: f.articles.slice(0, 3) } } } : d;
    case 'queue': return { ...d, queue: f };
    case 'callbacks': return { ...d, callbacks: f };
    case 'supervisor': return { ...d, supervisor: f };
    case 'error': return f.code === 'elsewhere' || f.code === 'signed_out' ? { ...d, link: f.code } : notice(d, 'error', f.text);
  }
}

function card(d: Desk, c: Card): Desk {
  const before = d.cards[c.item];
  // News of an older owner may come late, when two nodes tell it.
  if (before && before.epoch > c.epoch) return d;
  // Shown to the owner of then alone.
  const revealed = before && before.epoch === c.epoch ? d.revealed : put(d.revealed, c.item, undefined);
  const next = layout({ ...d, revealed, cards: put(d.cards, c.item, c) });
  return d.awaited === c.item && shown(next).includes(c) ? show({ ...next, awaited: undefined }, c.item) : next;
}

function remove(d: Desk, item: Item, why: string): Desk {
  const was = d.cards[item];
  if (!was) return d;
  const back = why === 'revoked' || why === 'agent_lost';
  const next: Desk = {
    ...d, cards: put(d.cards, item, undefined), lines: put(d.lines, item, undefined), opened: put(d.opened, item, undefined),
    suggestions: put(d.suggestions, item, undefined), typing: put(d.typing, item, undefined),
    revealed: put(d.revealed, item, undefined), unread: put(d.unread, item, undefined),
    drafts: back ? d.drafts : put(d.drafts, item, undefined), outgoing: d.outgoing.filter((o) => o.item !== item),
  };
  const said = gone(why, was, part(was, d.me.id));
  return layout(said ? notice(next, said.tone, said.text) : next);
}

function merged(lines: Line[], l: Line): Line[] {
  const at = lines.findIndex((x) => x.id === l.id);
  if (at >= 0) return lines.with(at, l);
  // Nearly always the newest; a line that was under way longer still finds its place.
  let end = lines.length;
  while (end > 0 && (lines[end - 1] as Line).at_ms > l.at_ms) end -= 1;
  return lines.toSpliced(end, 0, l);
}

/** Texts that were stored and are now among the lines need not be shown twice. */
function arrived(outgoing: Outgoing[], item: Item, lines: Line[]): Outgoing[] {
  return outgoing.filter((o) => {
    if (o.item !== item) return true;
    if (lines.some((l) => l.id === o.id || l.id === o.line)) return false;
    const from = { message: ['agent'], note: ['note'], supervisor_message: ['supervisor', 'coach'] }[o.kind];
    return !(o.state === 'stored' && !o.line && lines.some((l) => from.includes(l.from) && l.text === o.text && l.at_ms >= o.at_ms - 60_000));
  });
}

const wanted = (l: Line): boolean => ['citizen', 'coach', 'supervisor'].includes(l.from);

function line(d: Desk, item: Item, l: Line): Desk {
  if (!(item in d.cards)) return d;
  const before = d.lines[item] ?? [];
  const fresh = !before.some((x) => x.id === l.id);
  const lines = merged(before, l);
  const typing = l.from === 'citizen' ? put(d.typing, item, undefined) : d.typing;
  const unread = fresh && wanted(l) && d.opened[item] ? { ...d.unread, [item]: (d.unread[item] ?? 0) + 1 } : d.unread;
  return seen({ ...d, lines: { ...d.lines, [item]: lines }, typing, unread, outgoing: arrived(d.outgoing, item, lines) });
}

/** What stands before the eyes is read. */
function seen(d: Desk): Desk {
  if (!d.visible || !d.panes.some((p) => d.unread[p])) return d;
  return { ...d, unread: Object.fromEntries(Object.entries(d.unread).filter(([item]) => !d.panes.includes(item))) };
}

function show(d: Desk, item: Item): Desk {
  const card = d.cards[item];
  if (!card || !shown(d).includes(card)) return { ...d, awaited: item };
  if (d.panes.includes(item)) return seen({ ...d, active: item });
  const at = d.panes.indexOf(d.active ?? '');
  const panes = d.panes.length < d.width ? [...d.panes, item] : d.panes.with(at < 0 ? d.panes.length - 1 : at, item);
  return seen({ ...d, panes, active: item });
}

/** Panes of what is gone go, the first chat finds its place by itself, never more than fit. */
function layout(d: Desk): Desk {
  const there = shown(d).map((c) => c.item);
  let panes = d.panes.filter((p) => there.includes(p));
  if (panes.length > d.width) {
    // The active one stays whatever else must go.
    const others = panes.filter((p) => p !== d.active).slice(-(d.width - 1) || panes.length);
    panes = panes.filter((p) => p === d.active || (d.width > 1 && others.includes(p))).slice(0, d.width);
  }
  const first = chats(d)[0]?.item ?? there[0];
  if (panes.length === 0 && first !== undefined) panes = [first];
  const active = d.active !== undefined && panes.includes(d.active) ? d.active : panes.at(-1);
  return seen({ ...d, panes, active });
}

function sending(d: Desk, id: string, c: Command, here_ms: Ms): Desk {
  if (c.type !== 'message' && c.type !== 'note' && c.type !== 'supervisor_message') return d;
  if (d.outgoing.some((o) => o.id === id)) {
    return { ...d, outgoing: d.outgoing.map((o) => (o.id === id ? { ...o, state: 'sending' } : o)) };
  }
  const o: Outgoing = {
    id, item: c.item, kind: c.type, text: c.text, epoch: 'epoch' in c ? c.epoch : 0, at_ms: here_ms + d.skew_ms, state: 'sending',
  };
  return { ...d, outgoing: [...d.outgoing, o] };
}

function ok(d: Desk, c: Command, answer: Ok): Desk {
  switch (c.type) {
    case 'message': case 'note': case 'supervisor_message': {
      const stored = d.outgoing.map((o): Outgoing => (o.id === answer.id ? { ...o, state: 'stored', ...(answer.line ? { line: answer.line } : {}) } : o));
      const next = { ...d, outgoing: arrived(stored, c.item, d.lines[c.item] ?? []) };
      return answer.masked.length
        ? notice(next, 'info', 'Personlige numre i din tekst blev skjult. De gemmes aldrig.') : next;
    }
    case 'open': {
      if (!(c.item in d.cards)) return d;
      const before = d.lines[c.item];
      const lines = (before ?? []).reduce(merged, answer.lines);
      // After a broken line: what came meanwhile is unread. The first time, nothing is.
      const fresh = before && d.opened[c.item] ? answer.lines.filter((l) => wanted(l) && !before.some((b) => b.id === l.id)).length : 0;
      return seen({
        ...d, lines: { ...d.lines, [c.item]: lines }, opened: { ...d.opened, [c.item]: true }, outgoing: arrived(d.outgoing, c.item, lines),
        unread: fresh ? { ...d.unread, [c.item]: (d.unread[c.item] ?? 0) + fresh } : d.unread,
      });
    }
    case 'transfer': return notice(d, 'success', 'Samtalen er viderestillet.');
    case 'release': return notice(d, 'success', 'Samtalen er lagt tilbage i køen.');
    case 'draft': return notice(d, 'success', 'Svaret er sendt til redaktørerne som kladde.');
    default: return d;
  }
}

function refused(d: Desk, c: Command, r: Refused): Desk {
  const text = refusal(r.code, r.text);
  const outgoing = d.outgoing.map((o): Outgoing => (o.id === r.id ? { ...o, state: 'refused', why: text } : o));
  const item = 'item' in c ? c.item : undefined;
  const next = { ...d, outgoing };
  // Only an offer ends with the refusal; of a chat that is no longer ours the service sends `card_gone` itself.
  if (item && (c.type === 'accept' || c.type === 'decline') && ['taken', 'offer_over', 'ended', 'unknown', 'not_yours', 'stale'].includes(r.code)) {
    return notice(remove(next, item, 'withdrawn_quietly'), 'info', text);
  }
  const unsent = outgoing.find((o) => o.id === r.id);
  if (!unsent) return notice(next, tone(r.code), text);
  // Where there is no chat to show it in any more, the words are shown here, so that they can still be kept.
  return unsent.item in d.cards ? next
    : notice({ ...next, outgoing: outgoing.filter((o) => o !== unsent) }, 'warning', `Ikke sendt: »${unsent.text}«. ${text}`);
}

const tone = (code: string): Tone => (['failed', 'unavailable', 'bad_frame', 'overloaded'].includes(code) ? 'error' : 'warning');
