import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Curve, Thresholds } from '../../studio/core/api';
import { places, share, standing, today, top } from '../../studio/core/thresholds';

const thresholds = Array.from({ length: 30 }, (_, i) => 1 - i / 30);
const all: Curve = { n: 300, answered: thresholds.map((_, i) => 10 * i), wrong: thresholds.map((_, i) => Math.max(0, i - 20)) };
const t: Thresholds = {
  release: 'r', answer: thresholds[17] ?? 0, clarify: 0.2, budget: { wrong: 3, unanswerable: 6 }, thresholds, all, areas: [], outside: { n: 10, answered: thresholds.map(() => 0) },
};

test('a share has the interval of Wilson', () => {
  // Wilson, 9 of 10: 0.596 to 0.982.
  const s = share(9, 10);
  assert.deepEqual([s.percent, s.low, s.high].map((x) => Math.round(10 * x) / 10), [90, 59.6, 98.2]);
  assert.deepEqual(share(0, 0), { percent: 0, low: 0, high: 100 });
  assert.equal(share(0, 50).low, 0);
  assert.ok(share(0, 50).high > 5 && share(0, 500).high < 1);
});

test('the threshold that holds is found, and stands in every table', () => {
  assert.equal(today(t), 17);
  const at = places(t, 5);
  assert.ok(at.includes(17) && at[0] === 0 && at.at(-1) === 29);
  assert.deepEqual(at, [...new Set(at)].toSorted((a, b) => a - b));
  assert.equal(standing(t, all, 25).hits.wrong, 5);
  assert.equal(standing(t, all, 17).answered.percent, 170 / 3);
});

test('the picture ends where it matters', () => {
  const s = (at: number) => standing(t, all, at);
  assert.equal(top(3, [s(17)]), 9);
  assert.ok(top(0.5, [s(29)]) >= 3);
  assert.ok(top(3, [standing(t, { n: 4, answered: [], wrong: thresholds.map(() => 4) }, 1)]) <= 100);
});
