import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chars, commandId, parse } from '../../desk/core/wire';
import { read } from './fakes';

test('what is missing or of the wrong form becomes harmless, what is optional stays away', () => {
  const { card } = read('card', { card: { item: 'a', epoch: 'x', municipality: null, area: { id: 3 }, watchers: 'none', decisions: [{}] } });
  assert.deepEqual([card.item, card.epoch, card.municipality, card.area.title, card.watchers], ['a', 0, { code: '', name: '' }, '', []]);
  assert.equal(card.brief, undefined);
  assert.equal(card.callback, undefined);
  assert.deepEqual(card.decisions[0]?.needs, []);
  assert.deepEqual(read('card', { card: { brief: { question: 'Hvad?', tried: ['a', 3] } } }).card.brief, { question: 'Hvad?', tried: ['a', ''], sources: [], failed: '' });
});

test('an offer goes back exactly as it came, number or string', () => {
  for (const offer of [7, 'o-7']) assert.equal(read('card', { card: { state: { kind: 'offered', offer } } }).card.state.offer, offer);
});

test('figures that were not counted are absent, not zero', () => {
  const { figures } = read('supervisor', { figures: { requested: 3, asa_ms: 0 } });
  assert.equal(figures.service_level, undefined);
  assert.equal(figures.asa_ms, 0);
});

test('what is no frame of ours is not read', () => {
  for (const bad of ['', '[]', '{}', '{"type":"constructor"}', '{"type":"new_one"}', 'null', '{"type":7}']) assert.equal(parse(bad), undefined, bad);
});

test('ids and lengths', () => {
  assert.match(commandId(), /^[0-9a-f]{32}$/);
  assert.notEqual(commandId(), commandId());
  assert.equal(chars('æ👍🏽'), 3);
});
