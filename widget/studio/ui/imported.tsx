// What an import came to: the drafts, what pages say anew, what was there already and what could not be read.

import type { ComponentChildren } from 'preact';
import type { Alike, Imported, Knowledge } from '../core/api';
import { format } from '../core/route';
import * as words from '../core/words';
import { Flag } from './bits';

/** So many of each are shown. */
const SHOWN = 200;

interface ListProps<T> { title: string; all: readonly T[]; open?: boolean; help?: string; test: string; children: (one: T) => ComponentChildren }
function List<T>({ title, all, open = false, help, test, children }: ListProps<T>) {
  if (!all.length) return null;
  return (
    <details class="change" open={open} data-testid={test}>
      <summary><h3>{title} <span class="of">{all.length}</span></h3></summary>
      {help && <p class="help">{help}</p>}
      <ul class="plain-list">{all.slice(0, SHOWN).map((one, i) => <li key={i}>{children(one)}</li>)}</ul>
      {all.length > SHOWN && <p class="quiet-text">og {all.length - SHOWN} til</p>}
    </details>
  );
}

const lines = (n: number): string => (n === 1 ? '1 linje' : `${n} linjer`);

export function Result({ r, k, web }: { r: Imported; k: Knowledge; web: boolean }) {
  const title = (of: string): string | undefined => k.articles.find((a) => a.id === of)?.title;
  const row = (n: number): string => (web ? `Side ${n}` : `Nr. ${n}`);
  const of = (d: Alike): ComponentChildren => {
    if (/^row /.test(d.of)) return d.of.replace('row', 'nr.');
    // What is in a draft alone has no title that is known here.
    if (d.draft) return <a href={format('drafts', d.draft)}>{title(d.of) ? `${title(d.of)} (i en kladde)` : 'et svar i en kladde'}</a>;
    return <a href={format('articles', d.of)}>{title(d.of) ?? d.of}</a>;
  };
  return (
    <section class="card" aria-labelledby="imported-title" data-testid="imported">
      <h2 id="imported-title" tabIndex={-1}>{web ? `${r.read} ${r.read === 1 ? 'side' : 'sider'} læst` : `${r.read} svar læst`}</h2>
      {r.drafts.length > 0 ? <ul class="plain-list">{r.drafts.map((d) => <li key={d.id}><a href={format('drafts', d.id)}>{d.title}</a> <span class="quiet-text">{words.articles(d.articles)}</span></li>)}</ul>
        : <p class="empty">{r.unchanged > 0 && r.changed.length === 0 ? 'Siderne siger det samme som sidst.' : 'Der kom ingen kladder ud af det.'}</p>}
      {r.unchanged > 0 && <p data-testid="unchanged">{r.unchanged === 1 ? '1 side er uændret.' : `${r.unchanged} sider er uændrede.`}</p>}
      <List title="Ændret på hjemmesiden" all={r.changed} open test="changed" help="Se forskellene i kladden, før du udgiver.">{(c) => <>
        <a href={format('drafts', c.draft)}>{c.title}</a> <span class="quiet-text">{lines(c.added)} til, {lines(c.removed)} fra</span>{' '}
        {c.clash && <Flag kind="warning">I har selv rettet det samme</Flag>}<br /><a class="quiet-text" href={c.address} rel="noreferrer noopener" target="_blank">{c.address}</a>
      </>}</List>
      <List title="Sprunget over" all={r.skipped} open test="skipped">{(s) => <>{s.address ?? row(s.row)}: {s.why}</>}</List>
      <List title="Findes allerede" all={r.duplicates} test="duplicates" help="De er ikke hentet ind.">{(d) => <>{row(d.row)}: {d.title} <span class="quiet-text">ligner {of(d)} ({Math.round(d.likeness * 100)} %)</span></>}</List>
      <List title="Besvares måske i forvejen" all={r.alike} test="alike" help="De er hentet ind, men borgeren får allerede et svar på det spørgsmål. Læs begge, og behold det bedste.">{(d) => <>{row(d.row)}: {d.title} <span class="quiet-text">besvares nu med {of(d)}</span></>}</List>
    </section>
  );
}
