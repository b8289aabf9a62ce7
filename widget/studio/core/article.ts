// An article as a form: what an empty one is, whether two say the same, how it differs, what its id may be.

import type { Article, Fault, Preview } from './api';

export const LANGS = ['da', 'en', 'de', 'uk', 'ar', 'pl', 'tr'] as const;
export type Lang = (typeof LANGS)[number];
/** Danish sentences that the check asks for, and letters a title may have. */
export const EXAMPLES = 20;
export const TITLE_MAX = 70;
export const LINKS_MAX = 4;

/** An id as the knowledge has it, from a title: a-z, 0-9 and -, 60 at most. */
export function slug(title: string): string {
  const plain = title.toLowerCase().replace(/æ/g, 'ae').replace(/ø/g, 'oe').replace(/å/g, 'aa').normalize('NFD').replace(/\p{M}/gu, '');
  const words = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return words.length <= 60 ? words : words.slice(0, 60).replace(/-[^-]*$/, '');
}

/** The id, or the first of `id-2`, `id-3`… that no article has: with one that is taken, another article would be written over. */
export function freeId(id: string, articles: readonly { id: string }[]): string {
  const taken = new Set(articles.map((a) => a.id));
  for (let n = 1; ; n += 1) {
    const end = n === 1 ? '' : `-${n}`;
    const found = `${id.slice(0, 60 - end.length).replace(/-+$/, '')}${end}`;
    if (!taken.has(found)) return found;
  }
}

/** A year on, as `2027-06-30`. */
export function inAYear(today: string): string {
  const [y = 0, m = 1, d = 1] = today.split('-').map(Number);
  // 29 February has no anniversary.
  return `${y + 1}-${String(m).padStart(2, '0')}-${String(m === 2 && d === 29 ? 28 : d).padStart(2, '0')}`;
}

export const blank = (id: string, title: string, area: string, owner: string, today: string): Article => ({
  id, area, title, audience: 'citizen', source: '', owner, review_by: inAYear(today), keywords: [], crisis: false, links: [], examples: { da: [] }, body: '',
});

/** What counts of it, in one order, so that two that say the same are the same text. */
function canon(a: Article): string {
  const examples = LANGS.filter((l) => (a.examples[l] ?? []).length > 0).map((l) => [l, a.examples[l]]);
  return JSON.stringify([a.id, a.area, a.title, a.audience, a.source, a.owner, a.review_by, a.valid_from || '', a.valid_to || '', a.kle || '',
    a.keywords, a.crisis, a.links.map((l) => [l.title, l.url]), examples, a.body.trimEnd()]);
}
export const same = (a: Article, b: Article): boolean => canon(a) === canon(b);

/** What is sent: no empty sentence, no empty link, dates left out where there are none. */
export function toSend(a: Article): Article {
  const { valid_from, valid_to, kle, ...rest } = a;
  const examples = Object.fromEntries(LANGS.map((l) => [l, (a.examples[l] ?? []).map((s) => s.trim()).filter(Boolean)] as const).filter(([, s]) => s.length > 0));
  return {
    ...rest, title: a.title.trim(), examples, links: a.links.filter((l) => l.title.trim() || l.url.trim()),
    keywords: a.keywords.map((k) => k.trim()).filter(Boolean),
    ...(valid_from ? { valid_from } : {}), ...(valid_to ? { valid_to } : {}), ...(kle ? { kle } : {}),
  };
}

const FIELDS: [keyof Article, string][] = [
  ['title', 'Titel'], ['area', 'Område'], ['source', 'Kilde'], ['owner', 'Ansvarlig'], ['review_by', 'Gennemses senest'], ['valid_from', 'Gælder fra'],
  ['valid_to', 'Gælder til'], ['audience', 'Målgruppe'], ['kle', 'KLE-nummer'], ['crisis', 'Krise'], ['keywords', 'Søgeord'],
];
const shown = (v: unknown): string => (Array.isArray(v) ? v.join(', ') : typeof v === 'boolean' ? (v ? 'ja' : 'nej') : String(v ?? ''));

export interface FieldDiff { field: string; left: string; right: string }
/** Fields in which two versions differ, with their names, and how their sentences differ. */
export function fieldDiffs(a: Article, b: Article): FieldDiff[] {
  const out = FIELDS.map(([k, field]) => ({ field, left: shown(a[k]), right: shown(b[k]) }));
  const links = (x: Article): string => x.links.map((l) => `${l.title}: ${l.url}`).join('\n');
  out.push({ field: 'Links', left: links(a), right: links(b) });
  for (const l of LANGS) {
    const [x, y] = [a.examples[l] ?? [], b.examples[l] ?? []];
    const only = (p: string[], q: string[]): string => p.filter((s) => !q.includes(s)).join('\n');
    out.push({ field: l === 'da' ? 'Eksempler' : `Eksempler (${l})`, left: only(x, y), right: only(y, x) });
  }
  return out.filter((d) => d.left !== d.right);
}

/** Where a fault of the check belongs on the page: a line of the body from 1, or a field of the form. */
export type Place = { line: number } | { field: string };
export function place(f: Fault, bodyLine: number): Place {
  if ((f.field === 'body' || f.field.startsWith('{{')) && f.line >= bodyLine) return { line: f.line - bodyLine + 1 };
  // A slot before the body stands in the address of a link.
  return { field: f.field.startsWith('{{') ? 'links' : f.field.split('.')[0] || 'file' };
}

/** Faults of one field of the form, in the order of the check. */
export const faultsOf = (p: Preview | undefined, ...fields: string[]): Fault[] =>
  (p?.faults ?? []).filter((f) => {
    const at = place(f, p?.body_line ?? 1);
    return 'field' in at && fields.includes(at.field);
  });
