// All articles: found by words, area, layer and state; with a municipality chosen, what it inherits, overrides or hides.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { go, route } from '../app';
import type { ArticleRow, Knowledge } from '../core/api';
import { counts, find, layerName, reach, seenWords, STATES, type Filter, type StateFilter } from '../core/browse';
import { format } from '../core/route';
import { say } from '../../shared/ui/say';
import { Empty, Icon, Press } from '../../shared/ui/parts';
import { setTown, town, useKnowledge } from '../working';
import { date, Flag, TownSelect, Waiting } from './bits';
import { NewArticle } from './new';
import { Head, useSorted, type Column, type Order } from './sorted';

const PAGE = 100;

const stateTitle = (s: StateFilter, name: string): string => ({
  overdue: 'Skal gennemses', hidden: name ? `Skjult i ${name}` : 'Skjult et sted', override: name ? 'Egne udgaver' : 'Med lokale udgaver',
  own: name ? `Skrevet i ${name}` : 'Lokale', draft: 'I en kladde',
})[s];

/** Where an article's text comes from, and to whom it goes, in a few words. */
function Reach({ r, k, code }: { r: ArticleRow; k: Knowledge; code: string }) {
  const name = k.municipalities.find((m) => m.code === code)?.name ?? '';
  if (code) {
    const how = seenWords(r.seen, r.layers, name);
    return <span class={`seen seen-${r.seen ?? 'none'}`}>{r.seen === 'hidden' && <Icon name="hidden" />}{how}</span>;
  }
  const own = r.layers.filter((l) => l !== 'shared');
  const base = r.layers.includes('shared') ? 'Fælles' : layerName(r.layers[0] ?? '', k.municipalities);
  const more = r.layers.includes('shared') ? own : own.slice(1);
  return <>{base}{more.length > 0 && <span class="under">Egen udgave: {more.length <= 3 ? more.map((l) => layerName(l, k.municipalities)).join(', ') : `${more.length} steder`}</span>}{r.hidden_in.length > 0 && <span class="under">Skjult {r.hidden_in.length <= 2 ? `i ${r.hidden_in.map((l) => layerName(l, k.municipalities)).join(', ')}` : `${r.hidden_in.length} steder`}</span>}</>;
}

function columnsOf(k: Knowledge, code: string): Column<ArticleRow>[] {
  const areas = new Map(k.areas.map((a) => [a.id, a.title]));
  const town = k.municipalities.find((m) => m.code === code)?.name ?? '';
  return [
    { id: 'title', of: (r) => r.title }, { id: 'area', of: (r) => areas.get(r.area) ?? r.area }, { id: 'reach', of: (r) => reach(r, k.municipalities) },
    { id: 'layers', of: (r) => (code ? seenWords(r.seen, r.layers, town) : r.layers.length) }, { id: 'examples', of: (r) => r.examples }, { id: 'review', of: (r) => r.review_by },
  ];
}

function Rows({ rows, order, k, code }: { rows: ArticleRow[]; order: Order; k: Knowledge; code: string }) {
  const areas = new Map(k.areas.map((a) => [a.id, a.title]));
  const head = (id: string, title: string, num = false) => <Head id={id} order={order} num={num}>{title}</Head>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Svar">
      <table class="table rows" data-testid="articles">
        <caption class="sr-only">Svar</caption>
        <thead><tr>{head('title', 'Svar')}{head('area', 'Område')}{head('layers', code ? `I ${k.municipalities.find((m) => m.code === code)?.name ?? code}` : 'Udgaver')}{!code && head('reach', 'Kommuner', true)}{head('examples', 'Eksempler', true)}{head('review', 'Gennemses senest')}</tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.id} class={r.seen === 'hidden' ? 'off' : ''}>
              <th scope="row"><a href={format('articles', r.id)}>{r.title}</a>
                {(r.crisis || r.drafts.length > 0 || r.audience === 'employee') && <span class="tags">{r.drafts.length > 0 && <Flag kind="info">I kladde</Flag>}{r.crisis && <Flag kind="warning">Krise</Flag>}{r.audience === 'employee' && <Flag kind="">Medarbejdere</Flag>}</span>}
              </th>
              <td data-label="Område">{areas.get(r.area) ?? r.area}</td>
              <td data-label={code ? 'Her' : 'Udgaver'}><Reach r={r} k={k} code={code} /></td>
              {!code && <td class="num" data-label="Kommuner">{reach(r, k.municipalities)}</td>}
              <td class="num" data-label="Eksempler">{r.examples}</td>
              <td data-label="Gennemses senest">{r.overdue ? <span class="late"><Icon name="warning" />{date(r.review_by)}<span class="sr-only"> (overskredet)</span></span> : date(r.review_by)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ArticlesPage() {
  const code = town.value;
  const { asked } = useKnowledge();
  // Not what another page got for another municipality: states are this one's.
  const k = asked.data;
  const { q } = route.value;
  const filter: Filter = { words: q.q ?? '', area: q.omraade ?? '', layer: q.lag ?? '', state: q.vis ?? '', owner: q.ansvarlig ?? '' };
  const [most, setMost] = useState(PAGE);
  const [making, setMaking] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Svar · Redaktionen';
  }, []);
  const { words, area, layer, state, owner } = filter;
  const found = useMemo(() => (k ? find(k, { words, area, layer, state, owner }, code) : []), [k, words, area, layer, state, owner, code]);
  const columns = useMemo(() => (k ? columnsOf(k, code) : []), [k, code]);
  const { sorted, order } = useSorted(found, columns);
  const set = (change: Record<string, string>): void => {
    setMost(PAGE);
    go('articles', '', { ...q, ...change }, true);
  };
  // Said once the typing rests, not at every key.
  useEffect(() => {
    if (!k || !filter.words) return undefined;
    const later = setTimeout(() => say(`${found.length} svar fundet`), 700);
    return () => clearTimeout(later);
  }, [filter.words, found.length]);
  const name = k?.municipalities.find((m) => m.code === code)?.name ?? '';
  const n = k ? counts(k, { ...filter, state: '' }, code) : undefined;
  const layers = k ? [...new Set(k.articles.flatMap((r) => r.layers))] : [];
  return (
    <>
      <div class="page-head">
        <h1>Svar</h1>
        {k && <p>{k.articles.length} svar i {k.areas.length} områder</p>}
        <Press look="primary" icon="plus" test="new-article" onClick={() => setMaking(true)}>Nyt svar</Press>
      </div>
      <form class="filters" role="search" aria-label="Svar" onSubmit={(e) => e.preventDefault()}>
        <div class="field wide"><label class="form-label" for="find">Søg</label>
          <input id="find" class="form-input" type="search" ref={field} value={filter.words} placeholder="Titel, område eller ansvarlig" autoComplete="off" data-testid="find" onInput={(e) => set({ q: e.currentTarget.value })} /></div>
        <TownSelect towns={k?.municipalities ?? []} value={code} none="Alle kommuner" label="Set fra" test="town" onChange={setTown} />
        <div class="field"><label class="form-label" for="area">Område</label>
          <select id="area" class="form-select" value={filter.area} data-testid="area" onChange={(e) => set({ omraade: e.currentTarget.value })}><option value="">Alle områder</option>{k?.areas.map((a) => <option key={a.id} value={a.id}>{a.title} ({a.articles})</option>)}</select></div>
        <div class="field"><label class="form-label" for="layer">Findes som</label>
          <select id="layer" class="form-select" value={filter.layer} data-testid="layer" onChange={(e) => set({ lag: e.currentTarget.value })}><option value="">Alle udgaver</option>{k && layers.map((l) => <option key={l} value={l}>{layerName(l, k.municipalities)}</option>)}</select></div>
      </form>
      {k && n && (
        <div class="chips" role="group" aria-label="Vis kun">
          <button type="button" class="chip" aria-pressed={!filter.state} onClick={() => set({ vis: '' })}>Alle</button>
          {STATES.filter((s) => n[s] > 0 || filter.state === s).map((s) => (
            <button key={s} type="button" class="chip" aria-pressed={filter.state === s} data-testid={`state-${s}`} onClick={() => set({ vis: filter.state === s ? '' : s })}>{stateTitle(s, name)} <span class="of">{n[s]}</span></button>
          ))}
        </div>
      )}
      {!k ? <Waiting {...asked} what="svarene" /> : (
        <>
          <p class="found" data-testid="found">{found.length === k.articles.length ? `${found.length} svar` : `${found.length} af ${k.articles.length} svar`}{filter.words || filter.area || filter.layer || filter.state ? <> · <button type="button" class="more" onClick={() => { go('articles', '', {}, true); field.current?.focus(); }}>Vis alle</button></> : null}</p>
          {found.length === 0 ? <Empty>Intet svar passer. Prøv færre ord, eller skriv et nyt svar.</Empty> : <Rows rows={sorted.slice(0, most)} order={order} k={k} code={code} />}
          {found.length > most && <p class="more-row"><Press look="secondary" test="more" onClick={() => setMost(most + 2 * PAGE)}>Vis {Math.min(2 * PAGE, found.length - most)} mere</Press></p>}
        </>
      )}
      {making && k && <NewArticle k={k} area={filter.area} onClose={() => setMaking(false)} />}
    </>
  );
}
