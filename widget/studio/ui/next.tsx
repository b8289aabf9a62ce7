// What to write next: what citizens asked and were not answered, in groups, the largest first; and other lists of work.

import { useEffect, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { go, notice, route, service } from '../app';
import { follow, stopJob } from '../ask';
import type { Group, Job, Knowledge, Layer, Next, Reply } from '../core/api';
import { blank, freeId, slug, TITLE_MAX } from '../core/article';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Markdown, Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { change, me, ready, setTown, town, useKnowledge } from '../working';
import { LayerSelect, usual, writable } from './layers';
import { date, Field, Progress, today, TownSelect, Trouble, Waiting, When } from './bits';
import { LinksList } from './links';
import { Confusions, TwinsList } from './sentences';

const DAYS = [7, 30, 90, 365];
const LISTS = { groups: 'Uden svar', replies: 'Medarbejderes svar', confusions: 'Forveksles', twins: 'Næsten ens', links: 'Links', overdue: 'Skal gennemses', unreached: 'Svar, ingen får' } as const;
type List = keyof typeof LISTS;

const count = (next: Next, list: List): number => (list === 'links' ? next.links.faults.length : next[list].length);

/** The last answer, while the page is open: grouping takes seconds, and one goes to and fro. */
const answer = signal<{ key: string; next: Next } | undefined>(undefined);

/** What was asked last. An older question that is answered after it must not take its place. */
let asking = new AbortController();

/** Where an article belongs has to be said before it can be a draft. */
function AreaSelect({ k, value, onChange }: { k: Knowledge; value: string; onChange: (id: string) => void }) {
  return <Field label="Område">{(p) => <select {...p} class="form-select" value={value} data-testid="group-area" onChange={(e) => onChange(e.currentTarget.value)}><option value="">Vælg</option>{k.areas.map((a) => <option key={a.id} value={a.id}>{a.title}</option>)}</select>}</Field>;
}

function GroupCard({ g, k, code }: { g: Group; k: Knowledge; code: string }) {
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const known = g.draft.article.area || (k.articles.find((a) => a.id === g.nearest?.id)?.area ?? '');
  const [area, setArea] = useState(known);
  const [layer, setLayer] = useState<Layer>(usual(k, code));
  const shown = all ? g.examples : g.examples.slice(0, 4);
  const reasons = [[g.why.unanswered, 'uden svar'], [g.why.unsure, 'usikre'], [g.why.rated, 'bedømt dårligt'], [g.why.person, 'endte hos et menneske']].filter(([n]) => Number(n) > 0).map(([n, w]) => `${n} ${w}`).join(', ');
  const make = async (): Promise<void> => {
    if (busy) return;
    if (!area) return notice('error', 'Vælg et område først.');
    setBusy(true);
    // Its name may be taken since the list was made.
    const id = freeId(g.draft.article.id, k.articles);
    const a = await change([{ kind: 'article', layer, article: { ...g.draft.article, id, area } }], g.draft.title);
    setBusy(false);
    if (a.fault) return notice('error', a.fault.text);
    go('articles', id, { lag: layer });
  };
  return (
    <li class="card group" data-testid="group">
      <div class="card-head"><h2>{g.draft.title}</h2><span class="size"><b>{g.size}</b> spørgsmål</span></div>
      <p class="quiet-text">{reasons}{g.municipalities.length > 0 && ` · ${g.municipalities.length <= 3 ? g.municipalities.map((m) => layerName(m, k.municipalities)).join(', ') : words.towns(g.municipalities.length)}`}{g.nearest && <> · nærmest <a href={format('articles', g.nearest.id)}>{g.nearest.title}</a></>}</p>
      <ul class="asked-list">{shown.map((s, i) => <li key={i} class="asked" dir="auto">{s}</li>)}</ul>
      {g.examples.length > 4 && <button type="button" class="more" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Vis færre' : `Vis ${g.examples.length - 4} mere`}</button>}
      <div class="row-buttons">
        {!known && <AreaSelect k={k} value={area} onChange={setArea} />}
        <LayerSelect label="Hvem får svaret?" layers={writable(k)} value={layer} onChange={setLayer} test="group-layer" />
        <Press look="primary" icon="edit" test="make-draft" aria-disabled={busy} onClick={() => void make()}>Skriv et svar</Press>
        {g.nearest && <a class="button button-tertiary" href={format('articles', g.nearest.id)}>Ret det nærmeste</a>}
      </div>
    </li>
  );
}

function ReplyCard({ r, k, code, made }: { r: Reply; k: Knowledge; code: string; made: () => void }) {
  const [layer, setLayer] = useState<Layer>(usual(k, code || r.municipality));
  const [area, setArea] = useState('');
  const make = async (): Promise<void> => {
    if (!area) return notice('error', 'Vælg et område først.');
    const title = r.question.slice(0, TITLE_MAX).trim();
    const id = freeId(slug(title) || 'svar', k.articles);
    const article = { ...blank(id, title, area, k.owners[0] ?? '', today()), body: r.text, examples: { da: [r.question] } };
    const a = await change([{ kind: 'article', layer, article }], `Fra en medarbejders svar: ${title}`);
    if (a.fault) return notice('error', a.fault.text);
    made();
    go('articles', id, { lag: layer });
  };
  return (
    <li class="card" data-testid="reply">
      <h2 class="asked" dir="auto">{r.question}</h2>
      <div class="reply"><Markdown text={r.text} /></div>
      <p class="quiet-text">{r.by}, {layerName(r.municipality, k.municipalities)}, <When at={r.at_ms} /></p>
      <div class="row-buttons"><AreaSelect k={k} value={area} onChange={setArea} /><LayerSelect label="Hvem får svaret?" layers={writable(k)} value={layer} onChange={setLayer} test="reply-layer" /><Press look="primary" icon="edit" test="make-of-reply" onClick={() => void make()}>Gør det til et svar</Press></div>
    </li>
  );
}

function Rows({ list, next, k }: { list: 'overdue' | 'unreached'; next: Next; k: Knowledge }) {
  if (list === 'unreached' && next.looked_at === 0) return <Empty>Ingen har spurgt om noget i perioden, så det kan ikke siges.</Empty>;
  const areas = new Map(k.areas.map((a) => [a.id, a.title]));
  const rows = list === 'overdue' ? next.overdue.map((o) => ({ id: o.id, q: { lag: o.layer }, title: o.title, second: o.owner, third: date(o.review_by) })) : next.unreached.map((u) => ({ id: u.id, q: {}, title: u.title, second: areas.get(u.area) ?? u.area, third: '' }));
  if (rows.length === 0) return <Empty>{list === 'overdue' ? 'Ingen svar er over datoen.' : 'Alle svar er blevet givet mindst én gang.'}</Empty>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={LISTS[list]}>
      <table class="table rows"><caption class="sr-only">{LISTS[list]}</caption>
        <thead><tr><th scope="col">Svar</th><th scope="col">{list === 'overdue' ? 'Ansvarlig' : 'Område'}</th>{list === 'overdue' && <th scope="col">Gennemses senest</th>}</tr></thead>
        <tbody>{rows.map((r) => <tr key={`${r.id} ${r.second}`}><th scope="row"><a href={format('articles', r.id, r.q)}>{r.title}</a></th><td data-label={list === 'overdue' ? 'Ansvarlig' : 'Område'}>{r.second}</td>{list === 'overdue' && <td data-label="Gennemses senest"><span class="late">{r.third}</span></td>}</tr>)}</tbody>
      </table>
    </div>
  );
}

export function NextPage() {
  const { q } = route.value;
  const list: List = q.vis && Object.hasOwn(LISTS, q.vis) ? (q.vis as List) : 'groups';
  const days = DAYS.includes(Number(q.dage)) ? Number(q.dage) : 30;
  const code = town.value;
  const { k, asked: known } = useKnowledge();
  const [job, setJob] = useState<Job<Next> | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const key = `${code} ${days}`;
  useEffect(() => {
    document.title = 'Skriv næste · Redaktionen';
  }, []);
  const ask = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal: mine } = asking;
    setTrouble('');
    const a = await service().send<{ job: string }>('POST', '/api/studio/next', { ...(code ? { municipality: code } : {}), days });
    if (a.fault) return mine.aborted ? undefined : setTrouble(a.fault.text);
    const { job: end, trouble: lost } = await follow<Next>(a.ok.job, setJob, mine);
    if (mine.aborted) return undefined;
    setJob(undefined);
    if (end?.state === 'stopped') return undefined;
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Listen kunne ikke laves.');
    answer.value = { key, next: end.result };
    return say(`${end.result.groups.length} grupper af spørgsmål`);
  };
  useEffect(() => {
    if (ready.value && me.value && answer.peek()?.key !== key) void ask();
  }, [key, ready.value, me.value]);
  const next = answer.value?.key === key ? answer.value.next : undefined;
  /** What was seen of the lists has changed since, here or at the service. */
  const amend = (part: (seen: Next) => Partial<Next>): void => {
    const seen = answer.peek();
    if (seen?.key === key) answer.value = { key, next: { ...seen.next, ...part(seen.next) } };
  };
  return (
    <>
      <div class="page-head"><h1>Skriv næste</h1>{next && <p>{new Intl.NumberFormat('da-DK').format(next.looked_at)} spørgsmål gennemgået siden {date(new Date(next.since_ms).toISOString().slice(0, 10))}</p>}{next && !job && <Press look="tertiary" icon="refresh" onClick={() => void ask()}>Opdatér</Press>}</div>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <TownSelect towns={k?.municipalities ?? []} value={code} none="Alle kommuner" label="Kommune" test="next-town" onChange={setTown} />
        <div class="field"><label class="form-label" for="days">Periode</label><select id="days" class="form-select" value={days} onChange={(e) => go('next', '', { ...q, dage: e.currentTarget.value }, true)}>{DAYS.map((d) => <option key={d} value={d}>{d === 365 ? 'Et år' : `${d} dage`}</option>)}</select></div>
      </form>
      {next && <div class="chips" role="group" aria-label="Lister">{(Object.keys(LISTS) as List[]).map((l) => <button key={l} type="button" class="chip" aria-pressed={l === list} data-testid={`list-${l}`} onClick={() => go('next', '', { ...q, vis: l === 'groups' ? '' : l }, true)}>{LISTS[l]} <span class="of">{count(next, l)}</span></button>)}</div>}
      <Trouble text={trouble} />
      {trouble && <Press look="secondary" onClick={() => void ask()}>Prøv igen</Press>}
      {job && <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} />}
      {!k && <Waiting {...known} what="listerne" />}
      {next && k && (list === 'groups' ? (
        next.groups.length === 0 ? <Empty>Ingen spørgsmål stod uden svar i perioden.</Empty> : <ul class="cards" data-testid="groups">{next.groups.map((g) => <GroupCard key={`${code} ${g.id}`} g={g} k={k} code={code} />)}</ul>
      ) : list === 'replies' ? (
        next.replies.length === 0 ? <Empty>Ingen medarbejdere har sendt et svar til redaktionen.</Empty> : <ul class="cards">{next.replies.map((r) => <ReplyCard key={r.id} r={r} k={k} code={code} made={() => amend(({ replies }) => ({ replies: replies.filter((other) => other.id !== r.id) }))} />)}</ul>
      ) : list === 'confusions' ? <Confusions all={next.confusions} k={k} />
        : list === 'twins' ? <TwinsList all={next.twins} k={k} />
          : list === 'links' ? <LinksList links={next.links} k={k} told={(links) => amend(() => ({ links }))} />
            : <Rows list={list} next={next} k={k} />)}
      {next && list === 'groups' && next.groups.some((g) => g.size > 0) && <p class="quiet-text">Personnumre er fjernet fra spørgsmålene.</p>}
    </>
  );
}
