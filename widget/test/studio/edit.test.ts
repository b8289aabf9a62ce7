import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Article } from '../../studio/core/api';
import { Client } from '../../studio/core/client';
import { pieces, plain, settled } from '../../studio/core/conflict';
import { readable } from '../../studio/core/diff';
import { begin, dirty, due, edit, stand, type Edit, type EditAction } from '../../studio/core/edit';
import { Saved } from '../../studio/core/saved';
import { article } from './fakes';

const a = (body: string): Article => article({ body });
const after = (e: Edit, ...all: EditAction[]): Edit => all.reduce(edit, e);

test('what is typed while a save is under way is not taken for saved', () => {
  const e = after(begin(a('1'), 4), { type: 'typed', article: a('2') }, { type: 'sending' }, { type: 'typed', article: a('3') }, { type: 'stored', version: 5, others: false });
  assert.deepEqual([e.saved.body, e.now.body, e.version, stand(e)], ['2', '3', 5, 'dirty']);
  assert.ok(due(e));
});

test('a form at rest takes what came, one being written in does not', () => {
  const rest = after(begin(a('1'), 1), { type: 'loaded', article: a('9'), version: 7 });
  assert.deepEqual([rest.now.body, rest.version], ['9', 7]);
  const busy = after(begin(a('1'), 1), { type: 'typed', article: a('2') }, { type: 'loaded', article: a('9'), version: 7 });
  assert.deepEqual([busy.now.body, busy.version], ['2', 1]);
});

test('when others wrote in between, the next save is still against what the form shows', () => {
  const typed = after(begin(a('1'), 1), { type: 'typed', article: a('2') }, { type: 'sending' }, { type: 'typed', article: a('3') }, { type: 'stored', version: 3, others: true });
  assert.equal(typed.version, 1);
  const rest = after(begin(a('1'), 1), { type: 'typed', article: a('2') }, { type: 'sending' }, { type: 'stored', version: 3, others: true });
  assert.deepEqual([rest.version, dirty(rest)], [3, false]);
});

test('a failed save waits to be tried again, a conflict to be settled', () => {
  const failed = after(begin(a('1'), 1), { type: 'typed', article: a('2') }, { type: 'sending' }, { type: 'failed', text: 'Nej' });
  assert.deepEqual([stand(failed), due(failed), due(edit(failed, { type: 'typed', article: a('3') }))], ['failed', false, true]);
  const conflict = after(begin(a('1'), 1), { type: 'typed', article: a('2') }, { type: 'sending' }, { type: 'conflict' }, { type: 'typed', article: a('3') });
  assert.deepEqual([stand(conflict), due(conflict), conflict.now.body], ['conflict', false, '3']);
});

const merged = 'før\n<<<<<<< ours\nmit\n||||||| original\ngammelt\n=======\nderes\n>>>>>>> theirs\nmidt\n<<<<<<< x\n=======\nkun deres\n>>>>>>> y\nslut';
test('a merged text is settled place by place', () => {
  const all = pieces(merged);
  assert.deepEqual(all, [{ same: 'før\n' }, { yours: 'mit\n', theirs: 'deres\n' }, { same: 'midt\n' }, { yours: '', theirs: 'kun deres\n' }, { same: 'slut' }]);
  assert.equal(settled(all, ['yours', 'theirs']), 'før\nmit\nmidt\nkun deres\nslut');
  assert.equal(settled(all, ['both', 'yours']), 'før\nmit\nderes\nmidt\nslut');
  assert.equal(settled(all, ['both']), undefined);
  assert.equal(settled(pieces('a\n======\nb'), []), 'a\n======\nb');
});

const line = (...texts: string[]) => readable({ op: '+', parts: texts.map((text, i) => ({ text, changed: i === 1 })) })?.parts.map((p) => p.text);
test('differences are read without the signs of the file', () => {
  for (const syntax of ['+++', ']', '[examples]', '[[links]]', 'da = [', '+++\n']) assert.equal(line(syntax), undefined, syntax);
  assert.deepEqual(line('title = "Forny ', 'dit', ' pas"\n'), ['Titel: Forny ', 'dit', ' pas']);
  assert.deepEqual(line('  "nyt pas",'), ['nyt pas']);
  assert.deepEqual(line('review_by = 2027-01-01'), ['Gennemses senest: 2027-01-01']);
  assert.deepEqual(line('Han sagde "ja"'), ['Han sagde "ja"']);
  assert.deepEqual(line('value = "893"'), ['Værdi: 893']);
});

test('an underlined heading is no marker', () => {
  assert.deepEqual(pieces('Titel\n=======\ntekst\n'), [{ same: 'Titel\n=======\ntekst\n' }]);
});

test('a piece of a file is shown without the signs of the file', () => {
  assert.equal(plain('  "nyt pas",\n  "forny",\n]\n+++\nTekst'), 'nyt pas\nforny\n]\n\nTekst');
});

test('unsaved text is kept by user; what is no article is not taken up again', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const eva = new Saved('eva', () => storage);
  eva.keep('shared', 'pas-forny', { draft: 'd1', version: 3, article: a('halvt') });
  eva.choose({ working: 'd1', town: '0751' });
  const again = new Saved('eva', () => storage);
  assert.deepEqual([again.working, again.town, again.unsaved('shared', 'pas-forny')?.article.body], ['d1', '0751', 'halvt']);
  assert.equal(again.unsaved('0751', 'pas-forny'), undefined);
  assert.equal(new Saved('bo', () => storage).unsaved('shared', 'pas-forny'), undefined);
  again.keep('shared', 'pas-forny', undefined);
  assert.equal(new Saved('eva', () => storage).unsaved('shared', 'pas-forny'), undefined);
  kept.set('borgerlinje.studio.eva', '{"unsaved":{"shared/x":{"article":{"id":"x","links":7}}}}');
  assert.equal(new Saved('eva', () => storage).unsaved('shared', 'x'), undefined);
});

test('the service is asked with the page\'s own sign, and its answers are told in words', async () => {
  const asked: [string, RequestInit | undefined][] = [];
  let out = 0;
  const answers = [new Response('{"a":1}'), new Response(null, { status: 204 }), new Response('{"code":"worse","text":"Nej","sets":["x"]}', { status: 409 }), new Response('<html>', { status: 502 }), new Response('{}', { status: 401 }), new Response('<html>')];
  const client = new Client('c', () => (out += 1), (url, init) => {
    asked.push([url, init]);
    const next = answers.shift();
    return next ? Promise.resolve(next) : Promise.reject(new TypeError('no line'));
  });
  assert.deepEqual(await client.get('/x'), { ok: { a: 1 } });
  assert.equal(new Headers(asked[0]?.[1]?.headers).has('x-borgerlinje-csrf'), false);
  assert.deepEqual(await client.send('POST', '/x', { b: 2 }), { ok: undefined });
  assert.deepEqual([new Headers(asked[1]?.[1]?.headers).get('x-borgerlinje-csrf'), asked[1]?.[1]?.body], ['c', '{"b":2}']);
  const worse = (await client.send('POST', '/x')).fault;
  assert.deepEqual([worse?.code, worse?.text, (worse?.body as { sets: string[] }).sets], ['worse', 'Nej', ['x']]);
  assert.match((await client.get('/x')).fault?.text ?? '', /gik galt/);
  assert.equal((await client.get('/x')).fault?.status, 401);
  assert.equal(out, 1);
  assert.equal((await client.get('/x')).fault?.code, 'odd');
  assert.equal((await client.get('/x')).fault?.code, 'unreachable');
  const stop = new AbortController();
  stop.abort();
  assert.equal((await client.get('/x', stop.signal)).fault?.code, 'stopped');
});
