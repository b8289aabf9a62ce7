import type { Article, ArticleRow, Knowledge } from '../../studio/core/api';

export const article = (more: Partial<Article> = {}): Article => ({
  id: 'pas-forny', area: 'pas', title: 'Forny dit pas', audience: 'citizen', source: 'https://www.borger.dk', owner: 'borgerservice', review_by: '2027-03-31',
  keywords: [], crisis: false, links: [], examples: { da: ['forny pas'] }, body: 'Du fornyer dit pas hos os.\n', ...more,
});

const row = (id: string, more: Partial<ArticleRow> = {}): ArticleRow => ({
  id, title: id, area: 'pas', owner: 'borgerservice', audience: 'citizen', crisis: false, layers: ['shared'], hidden_in: [], examples: 20,
  review_by: '2027-01-01', overdue: false, drafts: [], ...more,
});

export const knowledge = (): Knowledge => ({
  release: 'abc', owners: ['borgerservice'],
  municipalities: [
    { code: '0751', name: 'Aarhus', region: '1082', own: 1, hidden: 1, writable: true },
    { code: '0101', name: 'København', region: '1084', own: 0, hidden: 0, writable: false },
  ],
  areas: [{ id: 'pas', title: 'Pas og ID-kort', articles: 3, approval: false }, { id: 'dyr', title: 'Dyr', articles: 2, approval: false }],
  articles: [
    row('pas-forny', { title: 'Forny dit pas', layers: ['shared', '0751'] }),
    row('pas-barn', { title: 'Pas til børn', hidden_in: ['0751'] }),
    row('koerekort', { title: 'Kørekort: det nye pas på vejen', owner: 'trafik', overdue: true }),
    row('hund', { title: 'Løse hunde', area: 'dyr', layers: ['0751'], drafts: ['d1'] }),
    row('kat', { title: 'Katte', area: 'dyr', layers: ['1082'] }),
  ],
});
