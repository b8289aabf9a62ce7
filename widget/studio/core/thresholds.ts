// What a threshold lets through, with how sure that is.

import type { Curve, Share, Thresholds } from './api';

const Z = 1.96;
/** A share in per cent with its 95 % interval (Wilson 1927); of nothing, everything is possible. */
export function share(hits: number, n: number): Share {
  if (n === 0) return { percent: 0, low: 0, high: 100 };
  const p = hits / n;
  const under = 1 + Z ** 2 / n;
  const centre = p + Z ** 2 / (2 * n);
  const half = Z * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { percent: 100 * p, low: 100 * Math.max(0, (centre - half) / under), high: 100 * Math.min(1, (centre + half) / under) };
}

/** Below this number of sentences one more or less moves the share by a whole point. */
export const FEW = 100;

export interface Standing { threshold: number; answered: Share; wrong: Share; hits: { answered: number; wrong: number } }
/** How a curve stands at one of the thresholds. */
export function standing(t: Thresholds, c: Curve, at: number): Standing {
  const hits = { answered: c.answered[at] ?? 0, wrong: c.wrong[at] ?? 0 };
  return { threshold: t.thresholds[at] ?? 1, answered: share(hits.answered, c.n), wrong: share(hits.wrong, c.n), hits };
}

/** The place of the threshold that holds. */
export const today = (t: Thresholds): number => Math.max(0, t.thresholds.indexOf(t.answer));

/** A few places over the whole range, the one that holds among them, for a table. */
export function places(t: Thresholds, most = 10): number[] {
  const last = t.thresholds.length - 1;
  const every = Array.from({ length: most }, (_, i) => Math.round((i * last) / Math.max(1, most - 1)));
  return [...new Set([...every, today(t)])].toSorted((a, b) => a - b);
}

/** The top of the picture, in per cent: what matters lies low, so a curve that shoots up is cut. */
export function top(budget: number, shown: readonly Standing[]): number {
  const most = Math.max(3 * budget, ...shown.map((s) => Math.min(s.wrong.percent * 1.5, s.wrong.high)), 2);
  return Math.min(100, most <= 10 ? Math.ceil(most) : Math.ceil(most / 5) * 5);
}
