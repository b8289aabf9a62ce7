import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beforeEnd } from '../../shared/core/ending';

test('a session that ends is told of a quarter of an hour before, once, and not where the service does not say', () => {
  const [said, waits]: [string[], number[]] = [[], []];
  const after = (then: () => void, ms: number): unknown => {
    waits.push(ms);
    then();
    return undefined;
  };
  const noon = Date.parse('2026-11-23T11:00:00Z');
  beforeEnd(3_600_000, 'Intet går tabt.', (text) => void said.push(text), noon, after);
  assert.deepEqual(waits, [45 * 60_000]);
  assert.deepEqual(said, ['Du bliver logget ud kl. 13.00. Log ud og ind igen inden da, når det passer dig. Intet går tabt.']);
  beforeEnd(60_000, '', (text) => void said.push(text), noon, after);
  assert.equal(waits[1], 0);
  beforeEnd(0, '', () => assert.fail('nothing is known'), noon, after);
  assert.equal(waits.length, 2);
});
