// What is known of an answer beside its words: where it belongs, who answers for it, how long it holds, its links.

import { useId } from 'preact/hooks';
import type { Area, Article, Preview } from '../core/api';
import { faultsOf, LINKS_MAX } from '../core/article';
import { Press } from '../../shared/ui/parts';
import { date, Field, today } from './bits';
import { useSlots } from './body';

interface Props { article: Article; preview: Preview | undefined; type: (c: Partial<Article>) => void }
export function Details({ article: a, preview, areas, owners, type }: Props & { areas: readonly Area[]; owners: readonly string[] }) {
  const list = useId();
  const overdue = a.review_by !== '' && a.review_by < today();
  return (
    <section class="card" aria-labelledby="details-title">
      <h2 id="details-title">Oplysninger</h2>
      <div class="grid">
        <Field label="Område" faults={faultsOf(preview, 'area')}>
          {(p) => <select {...p} class="form-select" value={a.area} data-testid="field-area" onChange={(e) => type({ area: e.currentTarget.value })}>{!areas.some((x) => x.id === a.area) && <option value={a.area}>{a.area || 'Vælg'}</option>}{areas.map((x) => <option key={x.id} value={x.id}>{x.title}</option>)}</select>}
        </Field>
        <Field label="Ansvarlig" help="Holdet, der svarer for teksten" faults={faultsOf(preview, 'owner')}>
          {(p) => <><input {...p} class="form-input" list={list} value={a.owner} data-testid="field-owner" onInput={(e) => type({ owner: e.currentTarget.value })} /><datalist id={list}>{owners.map((o) => <option key={o} value={o} />)}</datalist></>}
        </Field>
        <Field label="Kilde" help="Siden (https://…) eller loven, oplysningerne kommer fra" faults={faultsOf(preview, 'source')} class="wide">
          {(p) => <input {...p} class="form-input" value={a.source} data-testid="field-source" onInput={(e) => type({ source: e.currentTarget.value })} />}
        </Field>
        <Field label="Gennemses senest" help={overdue ? `Overskredet: ${date(a.review_by)}` : undefined} faults={faultsOf(preview, 'review_by')}>
          {(p) => <input {...p} class="form-input" type="date" value={a.review_by} data-testid="field-review" onInput={(e) => type({ review_by: e.currentTarget.value })} />}
        </Field>
        <Field label="Målgruppe" faults={faultsOf(preview, 'audience')}>
          {(p) => <select {...p} class="form-select" value={a.audience} onChange={(e) => type({ audience: e.currentTarget.value as Article['audience'] })}><option value="citizen">Borgere</option><option value="employee">Medarbejdere</option></select>}
        </Field>
        <Field label="Gælder fra" help="Tomt: nu" faults={faultsOf(preview, 'valid_from')}>
          {(p) => <input {...p} class="form-input" type="date" value={a.valid_from ?? ''} onInput={(e) => type({ valid_from: e.currentTarget.value })} />}
        </Field>
        <Field label="Gælder til" help="Tomt: indtil videre" faults={faultsOf(preview, 'valid_to')}>
          {(p) => <input {...p} class="form-input" type="date" value={a.valid_to ?? ''} onInput={(e) => type({ valid_to: e.currentTarget.value })} />}
        </Field>
        <Field label="Søgeord" help="Ord, borgere bruger, som ikke står i teksten. Skil dem med komma" faults={faultsOf(preview, 'keywords')} class="wide">
          {(p) => <Keywords {...p} value={a.keywords} onChange={(keywords) => type({ keywords })} />}
        </Field>
        <Field label="KLE-nummer" help="Kan udelades" faults={faultsOf(preview, 'kle')}>
          {(p) => <input {...p} class="form-input" value={a.kle ?? ''} inputMode="decimal" placeholder="23.05.10" onInput={(e) => type({ kle: e.currentTarget.value })} />}
        </Field>
        <label class="check"><input type="checkbox" checked={a.crisis} onChange={(e) => type({ crisis: e.currentTarget.checked })} /><span>Den, der spørger, kan være i fare. Vis krisetelefoner først.</span></label>
      </div>
    </section>
  );
}

/** As typed while it is typed; a list for the article. */
function Keywords({ value, onChange, ...rest }: { value: string[]; onChange: (v: string[]) => void; id: string }) {
  return <input {...rest} class="form-input" defaultValue={value.join(', ')} onInput={(e) => onChange(e.currentTarget.value.split(',').map((k) => k.trim()).filter(Boolean))} />;
}

export function Links({ article: a, preview, type, code }: Props & { code: string }) {
  const slots = useSlots(code)?.filter((s) => s.kind === 'link') ?? [];
  const list = useId();
  const set = (i: number, c: Partial<Article['links'][number]>): void => type({ links: a.links.map((l, j) => (j === i ? { ...l, ...c } : l)) });
  const add = (): void => {
    type({ links: [...a.links, { title: '', url: '' }] });
    requestAnimationFrame(() => document.getElementById(`link-title-${a.links.length}`)?.focus());
  };
  const faults = faultsOf(preview, 'links');
  return (
    <section class="card" aria-labelledby="links-title">
      <h2 id="links-title">Links under svaret</h2>
      <p class="help">Højst {LINKS_MAX}. En adresse kan være et felt, for eksempel {'{{kommune.link.tidsbestilling}}'}, som så passer i hver kommune.</p>
      <ul class="links">
        {a.links.map((l, i) => (
          <li key={i} class="link-row">
            <div class="field"><label class="form-label" for={`link-title-${i}`}>Tekst på link {i + 1}</label><input id={`link-title-${i}`} class="form-input" value={l.title} onInput={(e) => set(i, { title: e.currentTarget.value })} /></div>
            <div class="field"><label class="form-label" for={`link-url-${i}`}>Adresse</label><input id={`link-url-${i}`} class="form-input" value={l.url} inputMode="url" spellcheck={false} list={list} data-testid="link-url" onInput={(e) => set(i, { url: e.currentTarget.value })} /></div>
            <Press look="quiet" icon="remove" aria-label={`Fjern linket ${l.title || i + 1}`} onClick={() => type({ links: a.links.filter((_, j) => j !== i) })} />
          </li>
        ))}
      </ul>
      <datalist id={list} data-testid="link-slots">{slots.map((s) => <option key={s.slot} value={`{{${s.slot}}}`}>{s.label}: {s.value}</option>)}</datalist>
      {faults.length > 0 && <ul class="form-error-message">{faults.map((f, i) => <li key={i}>{f.text}</li>)}</ul>}
      {a.links.length < LINKS_MAX && <Press look="secondary" icon="plus" test="add-link" onClick={add}>Tilføj link</Press>}
    </section>
  );
}
