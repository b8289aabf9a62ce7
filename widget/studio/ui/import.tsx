// Answers from elsewhere: a file of the old bot's, or a table. All of it becomes drafts; nothing goes live.

import { useEffect, useState } from 'preact/hooks';
import { service } from '../app';
import { follow, stopJob, wrote } from '../ask';
import type { Format, Imported, Job, Knowledge } from '../core/api';
import { decode } from '../core/decode';
import { format } from '../core/route';
import * as words from '../core/words';
import { Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { me, useKnowledge } from '../working';
import { Back, Field, Progress, Trouble, Waiting } from './bits';

const MAX_BYTES = 32 << 20;
const FORMATS: Record<string, Format> = { csv: 'csv', tsv: 'csv', txt: 'csv', json: 'json', yml: 'rasa', yaml: 'rasa' };
const NAMES: Record<Format, string> = { csv: 'Tabel (CSV)', json: 'JSON', rasa: 'Rasa NLU (YAML)' };

function Result({ r, k }: { r: Imported; k: Knowledge }) {
  const title = (of: string): string => k.articles.find((a) => a.id === of)?.title ?? of;
  return (
    <section class="card" aria-labelledby="imported-title" data-testid="imported">
      <h2 id="imported-title">{r.read} rækker læst</h2>
      {r.drafts.length > 0 ? <ul class="plain-list">{r.drafts.map((d) => <li key={d.id}><a href={format('drafts', d.id)}>{d.title}</a> <span class="quiet-text">{words.articles(d.articles)}</span></li>)}</ul> : <p class="empty">Der kom ingen kladder ud af det.</p>}
      {r.skipped.length > 0 && <details class="change" open><summary><h3>Sprunget over <span class="of">{r.skipped.length}</span></h3></summary><ul class="plain-list">{r.skipped.slice(0, 200).map((s) => <li key={s.row}>Række {s.row}: {s.why}</li>)}</ul></details>}
      {r.duplicates.length > 0 && <details class="change"><summary><h3>Findes allerede <span class="of">{r.duplicates.length}</span></h3></summary><ul class="plain-list">{r.duplicates.slice(0, 200).map((d) => <li key={d.row}>Række {d.row}: {d.title} <span class="quiet-text">ligner {/^row /.test(d.of) ? d.of.replace('row', 'række') : <a href={format('articles', d.of)}>{title(d.of)}</a>} ({Math.round(d.likeness * 100)} %)</span></li>)}</ul></details>}
    </section>
  );
}

export function ImportPage() {
  const { k, asked: known } = useKnowledge(true);
  const everywhere = me.value?.everywhere ?? false;
  const [file, setFile] = useState<File | undefined>(undefined);
  const [kind, setKind] = useState<Format>('csv');
  const [layer, setLayer] = useState('');
  const [area, setArea] = useState('');
  const [owner, setOwner] = useState('');
  const [source, setSource] = useState('');
  const [trouble, setTrouble] = useState('');
  const [job, setJob] = useState<Job<Imported> | undefined>(undefined);
  const [result, setResult] = useState<Imported | undefined>(undefined);
  useEffect(() => {
    document.title = 'Hent svar ind · Redaktionen';
  }, []);
  const mine = k?.municipalities.filter((m) => m.writable) ?? [];
  const where = layer || (everywhere ? 'shared' : mine[0]?.code ?? '');
  const send = async (): Promise<void> => {
    if (job) return;
    if (!file) return setTrouble('Vælg en fil først.');
    if (file.size > MAX_BYTES) return setTrouble('Filen er for stor. Den må højst fylde 32 MB.');
    setTrouble('');
    setResult(undefined);
    const text = decode(await file.arrayBuffer());
    const a = await service().send<{ job: string }>('POST', '/api/studio/import', {
      name: file.name, format: kind, text, layer: where, ...(area ? { area } : {}), ...(owner.trim() ? { owner: owner.trim() } : {}), ...(source.trim() ? { source: source.trim() } : {}),
    });
    if (a.fault) return setTrouble(a.fault.text);
    const { job: end, trouble: lost } = await follow<Imported>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.state === 'stopped') return say('Stoppet');
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Filen kunne ikke hentes ind.');
    setResult(end.result);
    wrote();
    say(`${end.result.read} rækker læst, ${end.result.drafts.length} kladder`);
  };
  return (
    <>
      <Back href={format('drafts')}>Kladder</Back>
      <div class="page-head"><h1>Hent svar ind</h1><p>Fra en anden robot eller et regneark. Alt bliver kladder, som du læser, før noget udgives.</p></div>
      {!k ? <Waiting {...known} what="områderne" /> : (
        <form class="card" noValidate onSubmit={(e) => { e.preventDefault(); void send(); }}>
          <div class="grid">
            <Field label="Fil" help="CSV, JSON eller Rasa NLU (YAML)" class="wide">{(p) => <input {...p} class="form-input" type="file" accept=".csv,.tsv,.txt,.json,.yml,.yaml" data-testid="import-file" onChange={(e) => {
              const f = e.currentTarget.files?.[0];
              setFile(f);
              setTrouble('');
              setKind(FORMATS[f?.name.split('.').at(-1)?.toLowerCase() ?? ''] ?? kind);
            }} />}</Field>
            <Field label="Format">{(p) => <select {...p} class="form-select" value={kind} onChange={(e) => setKind(e.currentTarget.value as Format)}>{(Object.keys(NAMES) as Format[]).map((f) => <option key={f} value={f}>{NAMES[f]}</option>)}</select>}</Field>
            <Field label="Hvem får det?">{(p) => <select {...p} class="form-select" value={where} onChange={(e) => setLayer(e.currentTarget.value)}>{everywhere && <option value="shared">Alle kommuner</option>}{mine.map((m) => <option key={m.code} value={m.code}>Kun {m.name}</option>)}</select>}</Field>
            <Field label="Område" help="Hvor en række ikke selv nævner et">{(p) => <select {...p} class="form-select" value={area} onChange={(e) => setArea(e.currentTarget.value)}><option value="">Intet</option>{k.areas.map((a) => <option key={a.id} value={a.id}>{a.title}</option>)}</select>}</Field>
            <Field label="Ansvarlig" help="Kan udelades">{(p) => <input {...p} class="form-input" value={owner} onInput={(e) => setOwner(e.currentTarget.value)} />}</Field>
            <Field label="Kilde" help="Hvor svarene kommer fra" class="wide">{(p) => <input {...p} class="form-input" value={source} onInput={(e) => setSource(e.currentTarget.value)} />}</Field>
          </div>
          <Trouble text={trouble} />
          {job ? <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} /> : <Press look="primary" type="submit" icon="upload" test="import-send">Hent ind</Press>}
        </form>
      )}
      {result && k && <Result r={result} k={k} />}
    </>
  );
}
