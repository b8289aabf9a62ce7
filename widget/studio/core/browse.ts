// The list of articles: what is found, and what is to be seen of each at a glance.

import type { ArticleRow, Knowledge, Layer, Municipality, Seen } from './api';
import { regionName } from './words';

export interface Filter { words: string; area: string; layer: string; state: string; owner: string }
export const STATES = ['overdue', 'hidden', 'override', 'draft', 'own'] as const;
export type StateFilter = (typeof STATES)[number];

const fold = (s: string): string => s.toLowerCase().normalize('NFC');

/** What is searched of a row, made once: the list is long and typing is quick. */
const texts = new WeakMap<ArticleRow, string>();
function textOf(r: ArticleRow, area: string): string {
  const known = texts.get(r);
  if (known !== undefined) return known;
  const text = fold(`${r.title} ${r.id} ${area} ${r.owner}`);
  texts.set(r, text);
  return text;
}

/** Whether some layer replaces an earlier one. */
export const overridden = (r: ArticleRow): boolean => r.layers.length > 1;

function inState(r: ArticleRow, state: string, code: string): boolean {
  switch (state) {
    case 'overdue': return r.overdue;
    case 'hidden': return code ? r.hidden_in.includes(code) : r.hidden_in.length > 0;
    case 'override': return code ? r.layers.includes(code) && r.layers.length > 1 : overridden(r);
    case 'own': return code ? r.layers.includes(code) : r.layers.some((l) => l !== 'shared');
    case 'draft': return r.drafts.length > 0;
    default: return true;
  }
}

/** Every word typed must be in title, id, area or owner; the best fit first, otherwise in the order of the list. */
export function find(k: Knowledge, f: Filter, code: string): ArticleRow[] {
  const areas = new Map(k.areas.map((a) => [a.id, a.title]));
  const words = fold(f.words).split(/\s+/).filter(Boolean);
  const rank = (r: ArticleRow): number => (fold(r.title).startsWith(words[0] ?? '') ? 0 : fold(r.title).includes(words[0] ?? '') ? 1 : 2);
  const found = k.articles.filter((r) => {
    if (f.area && r.area !== f.area) return false;
    if (f.owner && r.owner !== f.owner) return false;
    if (f.layer && !r.layers.includes(f.layer)) return false;
    if (!inState(r, f.state, code)) return false;
    if (words.length === 0) return true;
    const text = textOf(r, areas.get(r.area) ?? '');
    return words.every((w) => text.includes(w));
  });
  return words.length === 0 ? found : found.map((r) => [rank(r), r] as const).sort((a, b) => a[0] - b[0]).map(([, r]) => r);
}

/** How many articles each state holds, for what is otherwise chosen. */
export const counts = (k: Knowledge, f: Filter, code: string): Record<StateFilter, number> =>
  Object.fromEntries(STATES.map((s) => [s, find(k, { ...f, state: s }, code).length])) as Record<StateFilter, number>;

/** How a municipality has come by what its citizens get, in words. */
export const seenWords = (seen: Seen | undefined, layers: readonly Layer[], town: string): string => {
  switch (seen) {
    case 'shared': return 'Fælles';
    case 'region': return 'Fra regionen';
    case 'own': return layers.length > 1 ? 'Egen udgave' : `Kun i ${town}`;
    case 'hidden': return 'Skjult';
    case 'none': return 'Har det ikke';
    default: return '';
  }
};

export function layerName(layer: Layer, towns: readonly Municipality[]): string {
  return layer === 'shared' ? 'Fælles' : towns.find((m) => m.code === layer)?.name ?? regionName(layer);
}

/** How far an article reaches: how many municipalities get one of its versions. */
export function reach(r: ArticleRow, towns: readonly Municipality[]): number {
  return towns.filter((m) => !r.hidden_in.includes(m.code) && (r.layers.includes('shared') || r.layers.includes(m.region) || r.layers.includes(m.code))).length;
}
