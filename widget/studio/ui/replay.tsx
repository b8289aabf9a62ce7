// What a draft would do: every question that gets another answer, and the figures by area, before anything is live.

import { useState } from 'preact/hooks';
import { service } from '../app';
import { follow, stopJob, useAsk } from '../ask';
import type { Draft, Figures, Got, Job, Replay, Share, Turn, Turned } from '../core/api';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import * as words from '../core/words';
import { Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { knowledge } from '../working';
import { Flag, Progress, Trouble } from './bits';

const KINDS: Turn[] = ['lost', 'contested', 'flipped', 'answered'];
const FROM = { set: 'Prøvesæt', example: 'Eksempel', question: 'Borger' };
const MOST = 25;
const number = new Intl.NumberFormat('da-DK', { maximumFractionDigits: 1 });
const many = new Intl.NumberFormat('da-DK');

const got = (g: Got): string => (g.title && g.outcome !== 'failed' ? `${g.title}${g.outcome === 'clarify' ? ' og andre' : ''}` : words.outcome(g.outcome));

function Change({ c }: { c: Turned }) {
  const towns = knowledge.value?.municipalities ?? [];
  return (
    <li>
      <p class="asked" lang={c.lang} dir="auto">{c.text}</p>
      <p class="turned">{c.before.article ? <a href={format('articles', c.before.article)}>{got(c.before)}</a> : got(c.before)} <span aria-hidden="true">→</span><span class="sr-only"> bliver til </span> {c.after.article && c.after.outcome !== 'failed' ? <a href={format('articles', c.after.article)}>{got(c.after)}</a> : got(c.after)}
        {c.better === true && <Flag kind="info">Bedre</Flag>}{c.better === false && <Flag kind="error">Dårligere</Flag>}</p>
      <p class="quiet-text">{FROM[c.from]}{c.set && ` (${c.set})`} · {layerName(c.municipality, towns)}{c.lang !== 'da' && ` · ${words.language(c.lang)}`}</p>
    </li>
  );
}

function Kind({ kind, all }: { kind: Turn; all: Turned[] }) {
  const [most, setMost] = useState(MOST);
  if (all.length === 0) return null;
  return (
    <details class="change" open={kind === 'lost' || kind === 'contested'} data-testid={`turned-${kind}`}>
      <summary><h3>{words.turn(kind)} <span class="of">{all.length}</span></h3><span class="quiet-text">{words.turnMeans(kind)}</span></summary>
      <ul class="turned-list">{all.slice(0, most).map((c, i) => <Change key={i} c={c} />)}</ul>
      {all.length > most && <Press look="secondary" onClick={() => setMost(most * 2)}>Vis flere</Press>}
    </details>
  );
}

/** A share and its interval as a line one sees, its numbers as text. */
function Bar({ before, after }: { before: Share; after: Share }) {
  return (
    <svg class="interval" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect x={before.low} width={Math.max(0.6, before.high - before.low)} y={1} height={3.5} class="before" /><rect x={after.low} width={Math.max(0.6, after.high - after.low)} y={7.5} height={3.5} class="after" />
    </svg>
  );
}
const share = (s: Share): string => `${number.format(s.percent)} %`;
const range = (s: Share): string => `${number.format(s.low)} til ${number.format(s.high)}`;
const better = (b: Figures, a: Figures): number => a.right.percent - b.right.percent;
const signed = (n: number): string => (Math.abs(n) < 0.05 ? '0' : `${n > 0 ? '+' : '−'}${number.format(Math.abs(n))}`);

interface Row { name: string; n: number; before: Figures; after: Figures; flag?: 'guarded' | 'worse' }
function Table({ caption, rows, first }: { caption: string; rows: Row[]; first: string }) {
  if (rows.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="table dense"><caption class="sr-only">{caption}</caption>
        <thead><tr><th scope="col">{first}</th><th scope="col" class="num">Antal</th><th scope="col" class="num">Rigtige før</th><th scope="col" class="num">Med kladden</th><th scope="col" class="num">Forskel</th><th scope="col">Interval, 0 til 100 %</th></tr></thead>
        <tbody>{rows.map((r) => (
          <tr key={r.name} class={r.flag === 'worse' ? 'hurts' : ''}>
            <th scope="row">{r.name}{r.flag && <Flag kind={r.flag === 'worse' ? 'error' : ''}>{r.flag === 'worse' ? 'Dårligere' : 'Bevogtet'}</Flag>}</th>
            <td class="num">{many.format(r.n)}</td><td class="num">{share(r.before.right)}<span class="under">{range(r.before.right)}</span></td><td class="num">{share(r.after.right)}<span class="under">{range(r.after.right)}</span></td>
            <td class="num">{signed(better(r.before, r.after))}</td><td><Bar before={r.before.right} after={r.after.right} /></td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}

function Result({ r }: { r: Replay }) {
  const of = (k: Turn): Turned[] => r.changes.filter((c) => c.kind === k);
  const areas = r.areas.toSorted((a, b) => better(a.before, a.after) - better(b.before, b.after));
  return (
    <div data-testid="replay-result">
      <p>{many.format(r.asked.sets + r.asked.examples + r.asked.questions)} spørgsmål stillet: {many.format(r.asked.sets)} fra prøvesæt, {many.format(r.asked.examples)} eksempler, {many.format(r.asked.questions)} fra borgere. {many.format(r.unchanged)} får samme svar.</p>
      <dl class="figures">{KINDS.map((k) => <div key={k} class={(k === 'lost' || k === 'contested') && of(k).length ? 'figure bad' : 'figure'}><dt>{words.turn(k)}</dt><dd><b>{of(k).length}</b></dd></div>)}</dl>
      {r.changes.length === 0 && <p class="empty">Ingen spørgsmål får et andet svar.</p>}
      {KINDS.map((k) => <Kind key={k} kind={k} all={of(k)} />)}
      {r.sets.length > 0 && <><h3>Prøvesæt</h3><Table caption="Rigtige svar i prøvesæt" first="Prøvesæt" rows={r.sets.map((s) => ({ name: s.set, n: s.n, before: s.before, after: s.after, ...(s.worse ? { flag: 'worse' as const } : s.guarded ? { flag: 'guarded' as const } : {}) }))} /></>}
      {areas.length > 0 && <><h3>Områder</h3><Table caption="Rigtige svar efter område" first="Område" rows={areas.map((a) => ({ name: a.title, n: a.n, before: a.before, after: a.after }))} /></>}
    </div>
  );
}

export function ReplaySection({ draft, told }: { draft: Draft; told: () => void }) {
  const [job, setJob] = useState<Job<Replay> | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const [mine, setMine] = useState<Replay | undefined>(undefined);
  const stored = useAsk<Job<Replay>>(!mine && !job && draft.replay ? `/api/studio/jobs/${draft.replay.job}` : undefined, true);
  const result = mine ?? stored.data?.result ?? undefined;
  const run = async (): Promise<void> => {
    setTrouble('');
    const a = await service().send<{ job: string }>('POST', `/api/studio/drafts/${draft.id}/replay`, { version: draft.version });
    if (a.fault) return setTrouble(a.fault.text);
    say('Prøver kladden af');
    const { job: end, trouble: lost } = await follow<Replay>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.state === 'stopped') return say('Stoppet');
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Det kunne ikke prøves af.');
    setMine(end.result);
    say(`Færdig. ${end.result.changes.length} spørgsmål får et andet svar.`);
    told();
  };
  const old = result && result.version !== draft.version;
  return (
    <section class="card" aria-labelledby="replay-title">
      <div class="card-head"><h2 id="replay-title">Virkning</h2>{!job && <Press look="secondary" icon="refresh" test="replay" onClick={() => void run()}>{result ? 'Prøv af igen' : 'Prøv kladden af'}</Press>}</div>
      {!result && !job && <p class="help">Stiller prøvesættene, alle eksempler og borgernes seneste spørgsmål til kladden og til det, der er udgivet, og viser forskellen.</p>}
      {job && <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} />}
      <Trouble text={trouble} />
      {old && !job && <p class="alert alert-warning plain">Kladden er ændret, siden den blev prøvet af.</p>}
      {result && !job && <Result r={result} />}
    </section>
  );
}
