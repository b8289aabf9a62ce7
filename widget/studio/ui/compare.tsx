// Two versions of an answer side by side, and in what they differ.

import { go } from '../app';
import type { Knowledge, Whole } from '../core/api';
import { fieldDiffs } from '../core/article';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import { Side } from './marked';

export function Compare({ whole, k, left, right }: { whole: Whole; k: Knowledge; left: string; right: string }) {
  const [a, b] = [whole.versions.find((v) => v.layer === left)?.article, whole.versions.find((v) => v.layer === right)?.article];
  const name = (l: string): string => (l === 'shared' ? 'Fælles udgave' : layerName(l, k.municipalities));
  const fields = a && b ? fieldDiffs(a, b) : [];
  return (
    <section class="card" aria-labelledby="compare-title" data-testid="compare-view">
      <div class="card-head">
        <h2 id="compare-title">{name(left)} og {name(right)}</h2>
        {whole.versions.length > 2 && (
          <label class="inline">Sammenlign med <select class="form-select" value={right} onChange={(e) => go('articles', whole.id, { lag: e.currentTarget.value, sammen: e.currentTarget.value })}>{whole.versions.filter((v) => v.layer !== left).map((v) => <option key={v.layer} value={v.layer}>{name(v.layer)}</option>)}</select></label>
        )}
        <a class="button button-secondary" href={format('articles', whole.id, { lag: right })}>Ret {name(right) === 'Fælles udgave' ? 'den fælles' : `udgaven i ${name(right)}`}</a>
      </div>
      {a && b ? (
        <>
          <div class="sides">
            <div><h3>{name(left)}</h3><div class="side-text" lang="da"><Side mine={a.body} other={b.body} left /></div></div>
            <div><h3>{name(right)}</h3><div class="side-text" lang="da"><Side mine={b.body} other={a.body} left={false} /></div></div>
          </div>
          {fields.length > 0 && (
            <div class="scroll" tabIndex={0} role="region" aria-label="Andre forskelle">
              <table class="table"><caption class="sr-only">Andre forskelle</caption>
                <thead><tr><th scope="col">Felt</th><th scope="col">{name(left)}</th><th scope="col">{name(right)}</th></tr></thead>
                <tbody>{fields.map((f) => <tr key={f.field}><th scope="row">{f.field}</th><td class="pre">{f.left || '–'}</td><td class="pre">{f.right || '–'}</td></tr>)}</tbody>
              </table>
            </div>
          )}
          {fields.length === 0 && a.body === b.body && <p class="empty">De to udgaver er ens.</p>}
        </>
      ) : <p class="empty">En af udgaverne findes ikke længere.</p>}
    </section>
  );
}
