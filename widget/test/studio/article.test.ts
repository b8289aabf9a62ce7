import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blank, fieldDiffs, faultsOf, freeId, inAYear, place, same, slug, toSend } from '../../studio/core/article';
import type { Fault, Preview } from '../../studio/core/api';
import { added, elsewhere, key, lines, marks, shownAtSentence, tidy } from '../../studio/core/examples';
import { readable } from '../../studio/core/diff';
import { slotAt, SLOT, suggest } from '../../studio/core/slots';
import { decode } from '../../studio/core/decode';
import { rateProblem, wrong } from '../../studio/core/facts';
import { article } from './fakes';

test('an id comes from a title', () => {
  assert.equal(slug('Få et nyt pas: æ, ø og å!'), 'faa-et-nyt-pas-ae-oe-og-aa');
  assert.equal(slug('  Crème brûlée '), 'creme-brulee');
  assert.ok(slug('ord '.repeat(40)).length <= 60);
  assert.doesNotMatch(slug('ord '.repeat(40)), /-$/);
  assert.equal(slug('???'), '');
});

test('an id that is taken gets the next number that is free', () => {
  const has = (...ids: string[]) => ids.map((id) => ({ id }));
  assert.equal(freeId('kano', has('pas')), 'kano');
  assert.equal(freeId('kano', has('kano', 'kano-2')), 'kano-3');
  const long = freeId('a'.repeat(60), has('a'.repeat(60)));
  assert.equal(long, `${'a'.repeat(58)}-2`);
});

test('a new article is to be read again in a year, leap days too', () => {
  assert.equal(blank('x', 'X', 'pas', 'b', '2026-11-22').review_by, '2027-11-22');
  assert.equal(inAYear('2028-02-29'), '2029-02-28');
});

test('what says the same is the same', () => {
  assert.ok(same(article(), article({ body: 'Du fornyer dit pas hos os.', valid_to: null, examples: { en: [], da: ['forny pas'] } })));
  assert.ok(!same(article(), article({ examples: { da: ['forny pas', ''] } })));
  assert.ok(!same(article(), article({ links: [{ title: 'a', url: 'b' }] })));
});

test('nothing empty is sent', () => {
  const sent = toSend(article({ title: ' Forny ', valid_from: '', kle: null, keywords: ['a', ' '], links: [{ title: '', url: ' ' }, { title: 'x', url: '' }], examples: { da: [' en ', ''], en: [' '] } }));
  assert.deepEqual([sent.title, sent.keywords, sent.links, sent.examples], ['Forny', ['a'], [{ title: 'x', url: '' }], { da: ['en'] }]);
  assert.ok(!('valid_from' in sent) && !('kle' in sent));
});

test('how two versions differ, field by field', () => {
  assert.deepEqual(fieldDiffs(article(), article({ title: 'Nyt pas', crisis: true, examples: { da: ['forny pas', 'nyt pas'] } })), [
    { field: 'Titel', left: 'Forny dit pas', right: 'Nyt pas' }, { field: 'Krise', left: 'nej', right: 'ja' }, { field: 'Eksempler', left: '', right: 'nyt pas' },
  ]);
  assert.deepEqual(fieldDiffs(article(), article()), []);
});

const at = (field: string, line: number, text = 'x'): Fault => ({ severity: 'error', file: 'f', line, field, text });
test('a fault finds its line or its field', () => {
  assert.deepEqual(place(at('body', 12), 10), { line: 3 });
  assert.deepEqual(place(at('{{sats.x}}', 10), 10), { line: 1 });
  assert.deepEqual(place(at('{{kommune.link.x}}', 4), 10), { field: 'links' });
  assert.deepEqual(place(at('examples.da', 7), 10), { field: 'examples' });
  const p = { body_line: 10, faults: [at('title', 3), at('links.url', 5), at('body', 11)] } as unknown as Preview;
  assert.equal(faultsOf(p, 'title', 'links').length, 2);
  assert.deepEqual(faultsOf(undefined, 'title'), []);
});

test('what the check finds among the examples is marked at its sentence', () => {
  const faults = ['Eksemplet «Nyt pas?» står også i shared/pas/pas-barn.md.', 'Eksemplet «a b» står to gange.', 'Der er 3 eksempler på spørgsmål. Skriv mindst 20.', 'Et eksempel skal være på 2 til 400 tegn.'].map((text) => ({ text }));
  assert.deepEqual([...elsewhere(faults)], [['nyt pas', 'pas-barn']]);
  assert.deepEqual(faults.map(shownAtSentence), [true, true, true, false]);
});

test('pasted lines become sentences', () => {
  assert.deepEqual(lines('- Hvad koster\tet pas?\r\n\n2. nyt pas \n"  "mit" pas",\n“pas”\n10 kr. for et pas?'), ['Hvad koster et pas?', 'nyt pas', '"mit" pas', 'pas', '10 kr. for et pas?']);
});

test('doubles are found whatever their case and signs', () => {
  assert.equal(key('Hvad koster et PAS?!'), key('hvad  koster et pas'));
  assert.notEqual(key('for'), key('før'));
  assert.deepEqual(marks(['Nyt pas', 'nyt pas?', '!', 'andet'], new Map([['andet', 'Kørekort']])), [undefined, { kind: 'double', of: 0 }, { kind: 'short' }, { kind: 'elsewhere', title: 'Kørekort' }]);
  assert.deepEqual(added(['a b'], ['A b.', 'c d', 'C D']), { fresh: ['c d'], doubles: 2 });
  assert.deepEqual(tidy(['a b', '', 'A B', 'c']), ['a b', 'c']);
});

const slots = [['kommune.telefon', 'Telefon', '89 40 20 00'], ['sats.pas_voksen', 'Pas til voksne', '893 kr.'], ['sats.pas_barn', 'Pas til børn', '150 kr.'], ['kommune.link.pas', 'pas', 'https://x']]
  .map(([slot, label, value]) => ({ slot: slot ?? '', label: label ?? '', value: value ?? '', kind: 'rate' as const }));
test('a slot is completed while it is typed', () => {
  assert.deepEqual(slotAt('Ring {{tel'), { from: 7, typed: 'tel' });
  assert.deepEqual(slotAt('{{'), { from: 2, typed: '' });
  assert.equal(slotAt('{{kommune.telefon}} og'), undefined);
  assert.equal(slotAt('a { b'), undefined);
  assert.deepEqual(suggest(slots, 'tel').map((s) => s.slot), ['kommune.telefon']);
  assert.deepEqual(suggest(slots, 'pas børn').map((s) => s.slot), ['sats.pas_barn']);
  assert.deepEqual(suggest(slots, 'sats.pas').map((s) => s.slot), ['sats.pas_voksen', 'sats.pas_barn']);
  assert.equal(suggest(slots, '').length, 4);
  assert.equal(SLOT.exec('x {{ sats.a }}')?.[1], 'sats.a');
});

test('a file is read as UTF-8 or as a spreadsheet wrote it', () => {
  assert.equal(decode(new TextEncoder().encode('\uFEFFæøå;ја')), 'æøå;ја');
  assert.equal(decode(Uint8Array.of(0xe6, 0xf8, 0xe5, 0x3b)), 'æøå;');
});

test('rates and facts are looked at before they are sent', () => {
  const rate = { id: 'a_b', name: 'A', value: '1.234,50', unit: 'kr.', year: 2027, source: 'https://x', sample: false };
  assert.equal(rateProblem(rate, true, false), '');
  for (const bad of [{ name: ' ' }, { id: 'A-b' }, { value: 'ca. 5' }, { year: 1999 }, { year: NaN }, { source: '' }]) assert.notEqual(rateProblem({ ...rate, ...bad }, true, false), '', JSON.stringify(bad));
  assert.match(rateProblem(rate, true, true), /a_b/);
  const hours = Object.fromEntries(['mandag', 'tirsdag', 'onsdag', 'torsdag', 'fredag', 'loerdag', 'soendag'].map((d) => [d, '08:00-16:00']));
  const facts = { sample: false, contact: {}, hours, closed: [], accent: '#0f5c4c', links: { pas: 'https://x', tom: '' }, hidden: [] };
  assert.deepEqual(wrong(facts), {});
  assert.deepEqual(Object.keys(wrong({ ...facts, hours: { ...hours, fredag: '8-16', soendag: 'lukket' }, links: { pas: 'http://x' }, accent: 'rød' })), ['fredag', 'link pas', 'accent']);
});

test('a line of a file is read without its signs, wherever it changed', () => {
  const says = (...parts: [string, boolean?][]) => readable({ op: '+', parts: parts.map(([text, changed = false]) => ({ text, changed })) })?.parts.map((p) => (p.changed ? `*${p.text}*` : p.text)).join('');
  assert.equal(says(['value = '], ['"1.234', true], ['"\n']), 'Værdi: *1.234*');
  assert.equal(says(['telefon = "12 34\"', true], ['\n']), 'Telefon: *12 34*');
  assert.equal(says(['    "nyt '], ['pas', true], ['",\n']), 'nyt *pas*');
  assert.equal(says(['year = '], ['2027', true], ['\n']), 'År: *2027*');
  assert.equal(says(['Ring til os, og sig "hej".\n']), 'Ring til os, og sig "hej".');
  assert.equal(says(['slags = "x"\n']), 'slags: x');
  assert.equal(says(['[contact]\n']), undefined);
});
