// Where one is, as it stands in the address: every view can be bookmarked, sent to a colleague and gone back from.

export const VIEWS = { articles: 'svar', next: 'naeste', drafts: 'kladder', releases: 'udgivelser', facts: 'satser', thresholds: 'graenser' } as const;
export type View = keyof typeof VIEWS;

/** `id` is empty for the view's list. `q` holds filters and choices, without empty ones. */
export interface Route { view: View; id: string; q: Readonly<Record<string, string>> }

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name, ...rest] = path.split('/');
  const view = (Object.keys(VIEWS) as View[]).find((v) => VIEWS[v] === name) ?? 'articles';
  let id = rest.join('/');
  try {
    id = decodeURIComponent(id);
  } catch {
    // Typed by hand: then it names nothing, and the page says so.
  }
  return { view, id, q: Object.fromEntries([...new URLSearchParams(query)].filter(([, v]) => v)) };
}

export function format(view: View, id = '', q: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams(Object.entries(q).filter((e): e is [string, string] => !!e[1])).toString();
  return `#/${VIEWS[view]}${id ? `/${encodeURIComponent(id)}` : ''}${query ? `?${query}` : ''}`;
}
