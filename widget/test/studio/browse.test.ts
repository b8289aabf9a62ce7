import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counts, find, layerName, reach, seenWords, type Filter } from '../../studio/core/browse';
import { format, parse } from '../../studio/core/route';
import { knowledge } from './fakes';

const all: Filter = { words: '', area: '', layer: '', state: '', owner: '' };
const k = knowledge();
const ids = (f: Partial<Filter>, code = ''): string[] => find(k, { ...all, ...f }, code).map((r) => r.id);

test('found by every word, in title, area or owner; a title that begins so first', () => {
  assert.deepEqual(ids({ words: 'PAS' }), ['pas-barn', 'pas-forny', 'koerekort']);
  assert.deepEqual(ids({ words: 'pas trafik' }), ['koerekort']);
  assert.deepEqual(ids({ words: 'dyr' }), ['hund', 'kat']);
  assert.deepEqual(ids({ words: 'løse hunde' }), ['hund']);
  assert.deepEqual(ids({ words: 'giraf' }), []);
  assert.equal(ids({}).length, 5);
});

test('filters narrow together, and a municipality gives states its own meaning', () => {
  assert.deepEqual(ids({ area: 'dyr', layer: '1082' }), ['kat']);
  assert.deepEqual(ids({ state: 'overdue' }), ['koerekort']);
  assert.deepEqual(ids({ state: 'hidden' }, '0101'), []);
  assert.deepEqual(ids({ state: 'hidden' }, '0751'), ['pas-barn']);
  assert.deepEqual(ids({ state: 'override' }, '0751'), ['pas-forny']);
  assert.deepEqual(ids({ state: 'own' }, '0751'), ['pas-forny', 'hund']);
  assert.deepEqual(counts(k, all, ''), { overdue: 1, hidden: 1, override: 1, own: 3, draft: 1 });
});

test('how far an article reaches', () => {
  assert.deepEqual(k.articles.map((r) => reach(r, k.municipalities)), [2, 1, 2, 1, 1]);
});

test('where a text comes from, in words', () => {
  assert.equal(seenWords('own', ['shared', '0751'], 'Aarhus'), 'Egen udgave');
  assert.equal(seenWords('own', ['0751'], 'Aarhus'), 'Kun i Aarhus');
  assert.equal(seenWords('hidden', ['shared'], 'Aarhus'), 'Skjult');
  assert.deepEqual(['shared', '0751', '1082', '9999'].map((l) => layerName(l, k.municipalities)), ['Fælles', 'Aarhus', 'Region Midtjylland', '9999']);
});

test('an address is read as it was written', () => {
  const at = format('articles', 'pas-forny', { lag: '0751', sammen: '', q: 'a&b æ' });
  assert.deepEqual(parse(at), { view: 'articles', id: 'pas-forny', q: { lag: '0751', q: 'a&b æ' } });
  assert.deepEqual(parse(''), { view: 'articles', id: '', q: {} });
  assert.deepEqual(parse('#/kladder/d%201'), { view: 'drafts', id: 'd 1', q: {} });
  assert.deepEqual(parse('#/ukendt/x'), { view: 'articles', id: 'x', q: {} });
  assert.equal(parse('#/svar/%E0%A4%A').id, '%E0%A4%A');
});
