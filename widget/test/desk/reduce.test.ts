import assert from 'node:assert/strict';
import { test } from 'node:test';
import { news } from '../../desk/core/news';
import { chats, offers, unread, waitingSince, type Desk } from '../../desk/core/state';
import { after, card, desk, line, ok, read, refused } from './fakes';

const say = (item: string, l: object) => read('line', { item, line: l });
const open = (item: string, ...lines: object[]) => ({ type: 'ok', command: { type: 'open', item }, ok: ok('o', { lines }) } as const);
const said = (d: Desk, item: string): string[] => (d.lines[item] ?? []).map((l) => l.id);

test('a snapshot replaces what was shown, and forgets the lines of what is gone', () => {
  const before = after(desk(card('a'), card('b')), open('a', line('1', 'citizen')), open('b', line('2', 'citizen')));
  const then = after(before, { ...read('snapshot'), cards: [card('b'), card('c')] });
  assert.deepEqual(Object.keys(then.cards), ['b', 'c']);
  assert.deepEqual(Object.keys(then.lines), ['b']);
  assert.ok(then.panes.every((p) => p in then.cards), then.panes.join());
});

test('a card replaces the one before and keeps its place; an older epoch is not believed', () => {
  const d = after(desk(card('a'), card('b'), card('c')), { ...read('card'), card: card('b', 'owned', { epoch: 3, citizen_present: false }) });
  assert.deepEqual(chats(d).map((c) => c.item), ['a', 'b', 'c']);
  assert.equal(d.cards.b?.citizen_present, false);
  const late = after(d, { ...read('card'), card: card('b', 'owned', { epoch: 2, citizen_present: true }) });
  assert.equal(late.cards.b?.citizen_present, false);
});

test('a line with an id that is there replaces it; a late one finds its place', () => {
  const d = after(desk(card('a')), open('a', line('1', 'citizen', 10), line('3', 'agent', 30)),
    say('a', line('2', 'bot', 20)), say('a', line('3', 'agent', 30, 'rettet')));
  assert.deepEqual(said(d, 'a'), ['1', '2', '3']);
  assert.equal(d.lines.a?.[2]?.text, 'rettet');
});

test('lines that came before `open` was answered are kept', () => {
  const d = after(desk(card('a')), say('a', line('2', 'citizen', 20)), open('a', line('1', 'citizen', 10)));
  assert.deepEqual(said(d, 'a'), ['1', '2']);
});

test('a line that comes with an offer does not stand in for the whole chat', () => {
  const d = after(desk(card('o', 'offered')), say('o', line('q', 'system')), { ...read('card'), card: card('o') });
  assert.equal(d.opened.o, undefined);
  assert.equal(unread(after(d, say('o', line('2', 'citizen')))), 0);
  assert.equal(after(d, open('o', line('1', 'citizen'))).opened.o, true);
});

test('an offer that is taken by another goes, with a kind word', () => {
  const d = after(desk(card('a', 'offered'), card('b', 'offered')));
  assert.equal(offers(d).length, 2);
  const command = { type: 'accept', item: 'a', offer: 7 } as const;
  const then = after(d, { type: 'refused', command, refused: refused('1', 'taken') });
  assert.deepEqual(offers(then).map((c) => c.item), ['b']);
  assert.match(then.notices.at(-1)?.text ?? '', /kollega/);
  const over = after(then, { ...read('card_gone'), item: 'b', why: 'ignored' });
  assert.equal(offers(over).length, 0);
  assert.match(over.notices.at(-1)?.text ?? '', /udløb/);
});

test('offers end by their time, the first to end first', () => {
  const late = card('late', 'offered', { state: { kind: 'offered', until_ms: 90_000, agent: { id: 'a1' } } });
  assert.deepEqual(offers(desk(late, card('soon', 'offered'))).map((c) => c.item), ['soon', 'late']);
});

test('unread counts what the citizen wrote where nobody looked', () => {
  const d = after(desk(card('a'), card('b')), open('a'), open('b'));
  assert.equal(d.active, 'a');
  const more = after(d, say('a', line('1', 'citizen')), say('b', line('2', 'citizen')), say('b', line('2', 'citizen')), say('b', line('3', 'bot')));
  assert.deepEqual(more.unread, { b: 1 });
  assert.deepEqual(after(more, { type: 'show', item: 'b' }).unread, {});
  const away = after(d, { type: 'visible', visible: false }, say('a', line('4', 'citizen')));
  assert.equal(unread(away), 1);
  assert.equal(unread(after(away, { type: 'visible', visible: true })), 0);
});

test('history is not unread, but what came while the line was broken is', () => {
  const d = after(desk(card('a'), card('b')), open('b', line('1', 'citizen')));
  assert.equal(unread(d), 0);
  assert.deepEqual(after(d, open('b', line('1', 'citizen'), line('2', 'citizen', 2))).unread, { b: 1 });
});

test('a message counts as sent only after ok, and is shown once', () => {
  const send = { type: 'sending', id: 'm1', command: { type: 'message', item: 'a', epoch: 1, text: 'Hej' }, here_ms: 1 } as const;
  const d = after(desk(card('a')), open('a', line('1', 'citizen', 5)), send);
  assert.equal(d.outgoing[0]?.state, 'sending');
  const stored = after(d, { type: 'ok', command: send.command, ok: ok('m1') });
  assert.equal(stored.outgoing[0]?.state, 'stored');
  assert.equal(after(stored, say('a', line('m1', 'agent', 6, 'Hej'))).outgoing.length, 0);
  assert.equal(after(stored, say('a', line('other', 'agent', 6, 'Hej'))).outgoing.length, 0, 'by its words, where the line has another id');
  const named = after(d, { type: 'ok', command: send.command, ok: ok('m1', { line: 's-1' }) });
  assert.equal(after(named, say('a', line('older', 'agent', 6, 'Hej'))).outgoing.length, 1);
  assert.equal(after(named, say('a', line('s-1', 'agent', 6, 'Hej'))).outgoing.length, 0);
  assert.equal(after(stored, say('a', line('9', 'note', 6, 'Hej'))).outgoing.length, 1);
});

test('a refused message stays to be sent again, and says why', () => {
  const command = { type: 'message', item: 'a', epoch: 1, text: 'Hej' } as const;
  const d = after(desk(card('a')), { type: 'sending', id: 'm1', command, here_ms: 1 }, { type: 'refused', command, refused: refused('m1', 'stale') });
  assert.equal(d.outgoing[0]?.state, 'refused');
  assert.match(d.outgoing[0]?.why ?? '', /gået videre/);
  assert.equal(d.notices.length, 0);
  assert.equal(after(d, { type: 'drop_outgoing', id: 'm1' }).outgoing.length, 0);
});

test('drafts: kept by chat, put away when the chat is closed, kept when it was only taken back', () => {
  const d = after(desk(card('a'), card('b')), { type: 'draft', item: 'a', text: 'Hej' }, { type: 'draft', item: 'b', text: 'Ho' });
  assert.deepEqual(d.drafts, { a: 'Hej', b: 'Ho' });
  assert.deepEqual(after(d, { type: 'draft', item: 'b', text: '' }).drafts, { a: 'Hej' });
  const then = after(d, { ...read('card_gone'), item: 'a', why: 'revoked' }, { ...read('card_gone'), item: 'b', why: 'closed' });
  assert.deepEqual(then.drafts, { a: 'Hej' });
  const back = after(then, { ...read('snapshot'), cards: [card('a')] });
  assert.equal(back.drafts.a, 'Hej');
});

test('side by side: as many as fit, the active one stays, the others step aside', () => {
  const d = after(desk(card('a'), card('b'), card('c')), { type: 'width', width: 2 }, { type: 'show', item: 'b' });
  assert.deepEqual([d.panes, d.active], [['a', 'b'], 'b']);
  const third = after(d, { type: 'show', item: 'c' });
  assert.deepEqual([third.panes, third.active], [['a', 'c'], 'c']);
  const narrow = after(third, { type: 'width', width: 1 });
  assert.deepEqual([narrow.panes, narrow.active], [['c'], 'c']);
  const gone = after(narrow, { ...read('card_gone'), item: 'c', why: 'closed' });
  assert.equal(gone.active, 'a');
});

test('a citizen waits since the first word after our last', () => {
  const d = after(desk(card('a')), open('a', line('1', 'citizen', 10), line('2', 'agent', 20), line('3', 'citizen', 30), line('4', 'citizen', 40)));
  assert.equal(waitingSince(d, 'a'), 30);
  const answered = after(d, { type: 'sending', id: 'm', command: { type: 'message', item: 'a', epoch: 1, text: 'x' }, here_ms: 1 });
  assert.equal(waitingSince(answered, 'a'), undefined);
});

test('writing ends with the message, and a page in another window ends the line', () => {
  const d = after(desk(card('a')), { ...read('typing'), item: 'a' });
  assert.equal(d.typing.a, 7_000);
  assert.equal(after(d, say('a', line('1', 'citizen'))).typing.a, undefined);
  assert.equal(after(d, read('error', { code: 'elsewhere' })).link, 'elsewhere');
});

test('news: each offer once, own chats only, and never history', () => {
  const d = desk(card('a'), card('w', 'owned', { state: { kind: 'owned', agent: { id: 'a2', name: 'Bo' } } }));
  const offered = after(d, { ...read('card'), card: card('o', 'offered') });
  assert.deepEqual(news(d, offered).map((n) => n.kind), ['offer']);
  assert.deepEqual(news(offered, offered), []);
  const history = after(offered, open('a', line('1', 'citizen')), open('w', line('1', 'citizen')));
  assert.deepEqual(news(offered, history), []);
  const more = after(history, say('a', line('2', 'citizen')), say('w', line('2', 'citizen')), say('a', line('3', 'coach')));
  assert.deepEqual(news(history, more).map((n) => n.kind), ['message', 'coach']);
});

test('what was accepted is shown when its card comes, whichever comes first', () => {
  const d = after(desk(card('a'), card('o', 'offered')));
  const answered = after(d, { type: 'show', item: 'o' });
  assert.equal(answered.active, 'a');
  assert.equal(after(answered, { ...read('card'), card: card('o') }).active, 'o');
  assert.equal(after(d, { ...read('card'), card: card('o') }, { type: 'show', item: 'o' }).active, 'o');
});

test('an accepted chat takes a free place beside without taking the keys', () => {
  const d = after(desk(card('a'), card('b')), { type: 'beside', item: 'b' });
  assert.deepEqual([d.panes, d.active], [['a'], 'a']);
  const wide = after(d, { type: 'width', width: 2 }, { type: 'beside', item: 'b' });
  assert.deepEqual([wide.panes, wide.active], [['a', 'b'], 'a']);
});

test('a refused message of a chat that is gone is handed back as words', () => {
  const command = { type: 'message', item: 'gone', epoch: 1, text: 'Hej med dig' } as const;
  const d = after(desk(), { type: 'sending', id: 'm', command, here_ms: 1 }, { type: 'refused', command, refused: refused('m', 'not_yours') });
  assert.equal(d.outgoing.length, 0);
  assert.match(d.notices.at(-1)?.text ?? '', /Hej med dig/);
});

test('what a citizen shows is there until it is put away, and goes with the chat', () => {
  const show = (item: string) => read('revealed', { item, text: '150785-4321' });
  const before = desk(card('a'), card('b'));
  const d = after(before, show('a'), show('b'), show('gone'));
  assert.deepEqual(Object.keys(d.revealed), ['a', 'b']);
  assert.deepEqual(news(before, d).map((h) => h.kind), ['revealed', 'revealed']);
  assert.deepEqual(Object.keys(after(d, { type: 'drop_revealed', item: 'a' }).revealed), ['b']);
  assert.deepEqual(Object.keys(after(d, { ...read('card_gone'), item: 'b', why: 'transferred' }).revealed), ['a']);
  // Handed on while one still watches: no longer the owner whom it was shown to.
  assert.deepEqual(Object.keys(after(d, { ...read('card'), card: card('a', 'owned', { epoch: 2 }) }).revealed), ['b']);
});
