// Answers from elsewhere: a file of the old bot's, a table, a document, a website. All of it becomes drafts; nothing
// goes live.

import { useEffect, useRef, useState } from 'preact/hooks';
import { service } from '../app';
import { follow, stopJob, wrote } from '../ask';
import type { Format, Imported, Job } from '../core/api';
import { base64, decode } from '../core/decode';
import { format } from '../core/route';
import { Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { useKnowledge } from '../working';
import { Back, Field, Progress, Trouble, Waiting } from './bits';
import { Result } from './imported';
import { LayerSelect, usual, writable } from './layers';

const MEGABYTE = 1 << 20;
const FORMATS: Record<string, Format> = { csv: 'csv', tsv: 'csv', txt: 'csv', json: 'json', jsonl: 'json', yml: 'rasa', yaml: 'rasa', docx: 'docx', pdf: 'pdf' };
const NAMES: Record<Format, string> = { csv: 'Tabel (CSV)', json: 'JSON', rasa: 'Rasa NLU (YAML)', docx: 'Word', pdf: 'PDF' };
/** They travel as they are; the others as text. */
const isPaper = (f: Format): boolean => f === 'docx' || f === 'pdf';

type From = 'file' | 'web';
const FROM: [From, string][] = [['file', 'En fil'], ['web', 'En hjemmeside']];

export function ImportPage() {
  const { k, asked: known } = useKnowledge(true);
  const [from, setFrom] = useState<From>('file');
  const [file, setFile] = useState<File | undefined>(undefined);
  const [kind, setKind] = useState<Format>('csv');
  const [pages, setPages] = useState('');
  const [sitemap, setSitemap] = useState('');
  const [under, setUnder] = useState('');
  const [layer, setLayer] = useState('');
  const [area, setArea] = useState('');
  const [owner, setOwner] = useState('');
  const [source, setSource] = useState('');
  const [trouble, setTrouble] = useState('');
  const [job, setJob] = useState<Job<Imported> | undefined>(undefined);
  const [result, setResult] = useState<{ r: Imported; web: boolean } | undefined>(undefined);
  useEffect(() => {
    document.title = 'Hent svar ind · Redaktionen';
  }, []);
  const form = useRef<HTMLFormElement>(null);
  const begun = useRef(false);
  const running = !!job;
  // The button that was pressed goes, and what it came to is below: whoever stood there is not left at the page's top.
  useEffect(() => {
    begun.current ||= running;
    if (!begun.current || document.activeElement !== document.body) return;
    const next = !running && result ? '#imported-title' : '[data-testid=stop], [data-testid=import-send]';
    form.current?.parentElement?.querySelector<HTMLElement>(next)?.focus();
  }, [running, result]);
  const where = layer || (k ? usual(k, '') : '');
  const web = from === 'web';
  /** What is sent, or why nothing is. */
  const asked = async (): Promise<object | string> => {
    if (web) {
      const addresses = pages.split('\n').map((a) => a.trim()).filter(Boolean);
      if (!addresses.length && !sitemap.trim()) return 'Skriv mindst én adresse eller et sitemap.';
      if (!area) return 'Vælg det område, siderne hører til.';
      return { format: 'web', addresses, ...(sitemap.trim() ? { sitemap: sitemap.trim() } : {}), ...(under.trim() ? { under: under.trim() } : {}) };
    }
    if (!file) return 'Vælg en fil først.';
    const most = isPaper(kind) ? 20 : 30;
    if (file.size > most * MEGABYTE) return `Filen er for stor. Den må højst fylde ${most} MB.`;
    if (isPaper(kind) && !area) return 'Vælg det område, dokumentet hører til.';
    const bytes = await file.arrayBuffer();
    return { name: file.name, format: kind, ...(isPaper(kind) ? { data: base64(new Uint8Array(bytes)) } : { text: decode(bytes) }) };
  };
  const send = async (): Promise<void> => {
    if (job) return;
    const what = await asked();
    if (typeof what === 'string') return setTrouble(what);
    setTrouble('');
    setResult(undefined);
    const a = await service().send<{ job: string }>('POST', '/api/studio/import', {
      ...what, layer: where, ...(area ? { area } : {}), ...(owner.trim() ? { owner: owner.trim() } : {}), ...(source.trim() && !web ? { source: source.trim() } : {}),
    });
    if (a.fault) return setTrouble(a.fault.text);
    const { job: end, trouble: lost } = await follow<Imported>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.state === 'stopped') return say('Stoppet');
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Det kunne ikke hentes ind.');
    setResult({ r: end.result, web });
    wrote();
    say(`${end.result.read} læst, ${end.result.drafts.length} kladder`);
  };
  return (
    <>
      <Back href={format('drafts')}>Kladder</Back>
      <div class="page-head"><h1>Hent svar ind</h1><p>Fra en anden robot, et regneark, et dokument eller kommunens hjemmeside. Alt bliver kladder, som du læser, før noget udgives.</p></div>
      {!k ? <Waiting {...known} what="områderne" /> : (
        <form class="card" noValidate ref={form} onSubmit={(e) => { e.preventDefault(); void send(); }}>
          <div class="chips" role="group" aria-label="Hvor kommer svarene fra?">
            {FROM.map(([f, title]) => <button key={f} type="button" class="chip" aria-pressed={from === f} disabled={!!job} data-testid={`from-${f}`} onClick={() => { setFrom(f); setTrouble(''); }}>{title}</button>)}
          </div>
          <div class="grid">
            {web ? <>
              <Field label="Adresser" help="En på hver linje. Kun hjemmesider, som driften har sat på listen, kan hentes." class="wide">{(p) => <textarea {...p} class="form-input" rows={3} spellcheck={false} value={pages} placeholder="https://www.kommune.dk/borger/pas" data-testid="import-pages" onInput={(e) => setPages(e.currentTarget.value)} />}</Field>
              <Field label="Sitemap" help="Hjemmesidens egen liste over sider, hvis I vil have mange på én gang">{(p) => <input {...p} class="form-input" type="url" inputMode="url" spellcheck={false} value={sitemap} placeholder="https://www.kommune.dk/sitemap.xml" data-testid="import-sitemap" onInput={(e) => setSitemap(e.currentTarget.value)} />}</Field>
              {sitemap && <Field label="Kun sider, der begynder med" help="Kan udelades">{(p) => <input {...p} class="form-input" type="url" inputMode="url" spellcheck={false} value={under} data-testid="import-under" onInput={(e) => setUnder(e.currentTarget.value)} />}</Field>}
            </> : <>
              <Field label="Fil" help="CSV, JSON, Rasa NLU (YAML), Word (.docx) eller PDF" class="wide">{(p) => <input {...p} class="form-input" type="file" accept=".csv,.tsv,.txt,.json,.jsonl,.yml,.yaml,.docx,.pdf" data-testid="import-file" onChange={(e) => {
                const f = e.currentTarget.files?.[0];
                setFile(f);
                setTrouble('');
                setKind(FORMATS[f?.name.split('.').at(-1)?.toLowerCase() ?? ''] ?? kind);
              }} />}</Field>
              <Field label="Format">{(p) => <select {...p} class="form-select" value={kind} onChange={(e) => setKind(e.currentTarget.value as Format)}>{(Object.keys(NAMES) as Format[]).map((f) => <option key={f} value={f}>{NAMES[f]}</option>)}</select>}</Field>
            </>}
            <LayerSelect label="Hvem får det?" layers={writable(k)} value={where} onChange={setLayer} test="import-layer" />
            <Field label="Område" help={web || isPaper(kind) ? 'Hvor svarene hører til' : 'Hvor en række ikke selv nævner et'}>{(p) => <select {...p} class="form-select" value={area} data-testid="import-area" onChange={(e) => setArea(e.currentTarget.value)}><option value="">{web || isPaper(kind) ? 'Vælg et område' : 'Intet'}</option>{k.areas.map((a) => <option key={a.id} value={a.id}>{a.title}</option>)}</select>}</Field>
            <Field label="Ansvarlig" help="Kan udelades">{(p) => <input {...p} class="form-input" value={owner} onInput={(e) => setOwner(e.currentTarget.value)} />}</Field>
            {!web && <Field label="Kilde" help="Hvor svarene kommer fra" class="wide">{(p) => <input {...p} class="form-input" value={source} onInput={(e) => setSource(e.currentTarget.value)} />}</Field>}
          </div>
          <Trouble text={trouble} />
          {job ? <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} /> : <Press look="primary" type="submit" icon="upload" test="import-send">Hent ind</Press>}
        </form>
      )}
      {result && k && <Result {...result} k={k} />}
    </>
  );
}
