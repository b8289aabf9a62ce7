import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asReply, complete, filter, GAP, slots, wanted } from '../../desk/core/canned';
import { retryAfterMs } from '../../shared/core/session';
import { loadPrefs, Saved } from '../../desk/core/saved';
import { average, clock, day, left, percent, short, slot, spoken } from '../../shared/core/time';
import { place, refusal } from '../../desk/core/words';
import { card } from './fakes';

const at = (iso: string): number => Date.parse(iso);

test('times in Danish time, whatever the machine says', () => {
  assert.equal(clock(at('2026-07-01T07:05:00Z')), '09.05');
  assert.equal(clock(at('2026-11-22T23:30:00Z')), '00.30');
  const now = at('2026-11-22T12:00:00Z');
  assert.equal(day(now, now), 'i dag');
  assert.equal(day(at('2026-11-23T07:00:00Z'), now), 'i morgen');
  assert.equal(day(at('2026-11-21T07:00:00Z'), now), 'i går');
  assert.equal(day(at('2026-11-26T07:00:00Z'), now), 'torsdag 26. november');
  assert.equal(slot(at('2026-11-23T08:00:00Z'), at('2026-11-23T08:30:00Z'), now), 'i morgen kl. 09.00–09.30');
});

test('tomorrow is tomorrow on the nights when the clock is moved', () => {
  // 25 October 2026 has 25 hours, 29 March 2026 has 23.
  assert.equal(day(at('2026-10-26T08:00:00Z'), at('2026-10-24T23:30:00Z')), 'i morgen');
  assert.equal(day(at('2026-10-25T22:30:00Z'), at('2026-10-24T22:30:00Z')), 'i dag');
  assert.equal(day(at('2026-03-29T21:30:00Z'), at('2026-03-28T22:30:00Z')), 'i morgen');
  assert.equal(day(at('2026-03-28T22:30:00Z'), at('2026-03-29T21:30:00Z')), 'i går');
});

test('spans, short to see and whole to hear', () => {
  const m = 60_000;
  assert.deepEqual([-5, 45_000, 4 * m, 65 * m, 25 * 60 * m, 49 * 60 * m].map(short), ['0 sek.', '45 sek.', '4 min.', '1 t. 05 min.', '1 døgn', '2 døgn']);
  assert.deepEqual([1_000, m, 2 * m, 60 * m, 65 * m].map(spoken), ['1 sekund', '1 minut', '2 minutter', '1 time', '1 time og 5 minutter']);
  assert.deepEqual([left(9_001, 0), left(9_000, 0), left(750_000, 0), left(0, 1)], ['0:10', '0:09', '12:30', '0:00']);
  assert.deepEqual([percent(undefined), percent(0), percent(0.835), average(undefined), average(125_000)], ['–', '0 %', '84 %', '–', '2:05']);
});

test('a canned reply is completed from the card, and its gaps are shown', () => {
  const served = [{ code: '0167', name: 'Hvidovre', slots: { 'kommune.telefon': '1' } }, { code: '0751', name: 'Aarhus', slots: { 'kommune.telefon': '89 40 20 00' } }];
  const values = slots(card('a', 'owned', { brief: { question: 'Hvad koster et pas?' } }), 'Anna', served);
  assert.equal(complete('Ring på {{kommune.telefon}}', values), 'Ring på 89 40 20 00');
  assert.equal(complete('Jeg hedder {agent} og svarer for {municipality}. Du spurgte: {citizen_question}', values),
    'Jeg hedder Anna og svarer for Aarhus. Du spurgte: Hvad koster et pas?');
  const gap = complete('Ring til {{kommune.adresse}} eller {reference}', values);
  assert.equal(gap, 'Ring til [udfyld: kommune adresse] eller [udfyld: reference]');
  assert.equal(GAP.exec(gap)?.index, 9);
  assert.equal(GAP.test('Se [siden](https://a.example)'), false);
  assert.equal(GAP.test('Det gør [myndighed].'), true);
  assert.equal(complete('{constructor}', values), '[udfyld: constructor]');
  assert.equal(complete('Ingen { klammer } uden ord: {}', values), 'Ingen [udfyld: klammer] uden ord: {}');
});

test('an article becomes a message without headings', () => {
  assert.equal(asReply('Du skal møde op.\n\n## Sådan gør du ##\n- a #1'), 'Du skal møde op.\n\n**Sådan gør du**\n- a #1');
});

test('replies are found by every word, titles first', () => {
  const all = [
    { id: 'a', title: 'Hilsen', text: 'Hej fra borgerservice' }, { id: 'b', title: 'Borgerservice', text: 'Du skal møde op' }, { id: 'c', title: 'Farvel', text: 'Hav en god dag' },
  ];
  assert.deepEqual(filter(all, '').map((c) => c.id), ['a', 'b', 'c']);
  assert.deepEqual(filter(all, 'BORGER').map((c) => c.id), ['b', 'a']);
  assert.deepEqual(filter(all, 'god dag').map((c) => c.id), ['c']);
  assert.deepEqual(filter(all, 'god hej'), []);
});

test('"/" looks for a reply only where it begins a short text', () => {
  assert.deepEqual([wanted('/'), wanted('/hil'), wanted('a/b'), wanted('//x'), wanted('/a\nb')], ['', 'hil', undefined, undefined, undefined]);
});

test('how long to wait before the next sign-in', () => {
  assert.deepEqual([retryAfterMs('75', 0), retryAfterMs('0', 0), retryAfterMs(null, 0), retryAfterMs('x', 0)], [75_000, 1_000, 60_000, 60_000]);
  assert.equal(retryAfterMs('Sun, 22 Nov 2026 10:00:30 GMT', at('2026-11-22T10:00:00Z')), 30_000);
});

test('unsent words are kept by user, and broken storage is no reason to stop', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const anna = new Saved('anna', () => storage);
  anna.save({ drafts: { a: 'Hej' }, outgoing: [] });
  assert.deepEqual(new Saved('anna', () => storage).load().drafts, { a: 'Hej' });
  assert.deepEqual(new Saved('bo', () => storage).load().drafts, {});
  anna.forget();
  assert.deepEqual(anna.load(), { drafts: {}, outgoing: [] });
  const broken = new Saved('anna', () => { throw new Error('no storage'); });
  broken.save({ drafts: {}, outgoing: [] });
  assert.deepEqual(broken.load(), { drafts: {}, outgoing: [] });
  kept.set('borgerlinje.desk.prefs', '{"volume":"loud","panes":3}');
  const prefs = loadPrefs(() => storage);
  assert.deepEqual([prefs.volume, prefs.panes, prefs.notify], [0.5, 3, false]);
});

test('a municipality is named as in a list', () => {
  assert.deepEqual([place({ name: 'Aarhus Kommune' }), place({ name: 'Bornholms Regionskommune' })], ['Aarhus', 'Bornholms Regionskommune']);
});

test('every refusal has words; a new one has the service\'s', () => {
  for (const code of ['taken', 'offer_over', 'not_yours', 'stale', 'not_allowed', 'no_room', 'absent', 'paused', 'ended', 'closed', 'too_long', 'not_due', 'lease_over', 'unknown', 'overloaded', 'unavailable', 'failed']) {
    assert.doesNotMatch(refusal(code, 'X'), /^X$/, code);
  }
  assert.equal(refusal('brand_new', 'Fra tjenesten'), 'Fra tjenesten');
  assert.ok(refusal('brand_new', '').length > 5);
});
