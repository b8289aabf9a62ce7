// The supervisor's page: how it goes, where it hurts, who is on, and every chat with what may be done to it.

import { useState } from 'preact/hooks';
import { desk, run } from '../app';
import { average, clock as time, percent, short, spoken } from '../../shared/core/time';
import { Sortable } from '../../shared/ui/table';
import type { AgentRow, Figures, Level, Row, TownFigures } from '../core/wire';
import * as words from '../core/words';
import { Empty, Language, Press, Since, SrOnly, Urgency } from './parts';
import { dialog, show } from './view';

const TARGET = 0.8;

function Figure({ title, value, detail, bad }: { title: string; value: string; detail: string; bad?: boolean }) {
  return <div class={bad ? 'figure bad' : 'figure'}><dt>{title}</dt><dd><b>{value}</b><span>{detail}</span>{bad && <SrOnly> Uden for målet</SrOnly>}</dd></div>;
}

const lately = (ms: number): string => (ms === 3_600_000 ? 'Den seneste time' : `De seneste ${spoken(ms)}`);

function FigureRow({ f }: { f: Figures }) {
  return (
    <dl class="figures" aria-label={lately(f.window_ms)} data-testid="figures">
      <Figure title="Servicemål" value={percent(f.service_level)} detail={`svaret inden ${short(f.service_level_ms)}, mål 80 %`} bad={f.service_level !== undefined && f.service_level < TARGET} />
      <Figure title="Ventetid" value={average(f.asa_ms)} detail="i snit til svar (ASA)" />
      <Figure title="Samtaletid" value={average(f.aht_ms)} detail="i snit med efterbehandling (AHT)" />
      <Figure title="Opgav" value={percent(f.abandonment)} detail={`${f.abandoned} af ${f.requested}`} bad={f.abandonment !== undefined && f.abandonment > 0.08} />
      <Figure title="Belægning" value={percent(f.occupancy)} detail="af medarbejdernes tid" bad={f.occupancy !== undefined && f.occupancy > 0.9} />
      <Figure title="Besvaret" value={String(f.answered)} detail={`${f.converted} blev til opkald`} />
    </dl>
  );
}

const hoursOf = (m: TownFigures): string => (m.draining ? 'Lukker' : m.open ? 'Åben' : 'Lukket');
/** What hurts: somebody waits and nobody is there; then how long; then how many. */
const hurt = (m: TownFigures, at: number): number =>
  (m.waiting + m.held > 0 && !m.staffed ? 1e12 : 0) + Math.max(0, at - (m.oldest_ms ?? at)) + m.waiting + m.due / 100;
function Towns({ rows, unserved, at }: { rows: TownFigures[]; unserved: string[]; at: number }) {
  const bad = (m: TownFigures): boolean => unserved.includes(m.code) || (m.waiting > 0 && !m.staffed);
  return (
    <Sortable id="towns" test="towns" caption="Køen efter kommune" first="Kommune" rows={rows} name={(m) => words.place(m)} hurts={bad} hurt={(m) => hurt(m, at)} columns={[
      { key: 'hours', title: 'Åbent', of: hoursOf, cell: (m) => <>{hoursOf(m)}{bad(m) && <span class="badge badge-error">Ingen bemanding</span>}</> },
      { key: 'waiting', title: 'Venter', num: true, of: (m) => m.waiting + m.held },
      { key: 'oldest', title: 'Længst', num: true, of: (m) => (m.oldest_ms === undefined ? 0 : at - m.oldest_ms), cell: (m) => (m.oldest_ms === undefined ? '–' : <Since at={m.oldest_ms} hot={5 * 60_000} />) },
      { key: 'offered', title: 'Tilbudt', num: true, of: (m) => m.offered },
      { key: 'owned', title: 'I gang', num: true, of: (m) => m.owned },
      { key: 'callbacks', title: 'Opkald', num: true, of: (m) => m.callbacks },
      { key: 'due', title: 'Ring nu', num: true, of: (m) => m.due + m.ringing },
    ]} />
  );
}

const agentState = (a: AgentRow): string => (a.state === 'paused' && a.paused ? `Pause: ${words.pause(a.paused).toLowerCase()}` : words.presence(a.state));
const ORDER: Record<string, number> = { available: 3, wrap_up: 2, paused: 1, absent: 0 };

function Agents({ rows }: { rows: AgentRow[] }) {
  return (
    <Sortable id="agents" test="agents" caption="Medarbejdere" first="Medarbejder" rows={rows} name={(a) => a.name} hurt={(a) => ORDER[a.state] ?? 0} columns={[
      { key: 'state', title: 'Status', of: agentState, cell: (a) => <span class={`state ${a.state}`}><span class="dot" aria-hidden="true" />{agentState(a)}</span> },
      { key: 'mode', title: 'Får', of: (a) => (a.mode === 'pick' ? 'vælger selv' : 'tilbudt') },
      { key: 'chats', title: 'Samtaler', num: true, of: (a) => a.chats, cell: (a) => `${a.chats} af ${a.capacity}` },
      { key: 'offers', title: 'Tilbud', num: true, of: (a) => a.offers },
      { key: 'calls', title: 'Opkald', num: true, of: (a) => a.calls },
      { key: 'wrap', title: 'Efter', num: true, of: (a) => a.wrap_ups },
      { key: 'idle', title: 'Ledig i', num: true, of: (a) => a.idle_ms, cell: (a) => (a.state === 'available' && a.chats === 0 ? short(a.idle_ms) : '–') },
    ]} />
  );
}

function Items({ rows, at }: { rows: Row[]; at: number }) {
  const watch = (r: Row, level: Level): void => void run({ type: 'supervise', item: r.item, level }).then((d) => d.ok && show(r.item, level !== 'monitor'));
  const held = (r: Row): boolean => r.state.kind === 'owned' && r.state.agent.id !== desk.peek().me.id;
  if (rows.length === 0) return <Empty>Ingen henvendelser lige nu.</Empty>;
  return (
    <Sortable id="items" test="items" caption="Henvendelser" first="Kommune" rows={rows} name={(r) => words.place(r.municipality)} hurts={(r) => r.overdue} hurt={(r) => (r.overdue ? 1e12 : 0) + at - r.place_ms} columns={[
      { key: 'age', title: 'Siden', num: true, of: (r) => at - r.place_ms, cell: (r) => <Since at={r.place_ms} {...(r.overdue ? { hot: 0 } : {})} /> },
      { key: 'area', title: 'Fagområde', of: (r) => r.area.title, cell: (r) => <>{r.area.title || '–'} <Language code={r.language} /> <Urgency of={r.class} /></> },
      { key: 'state', title: 'Status', of: (r) => words.kind(r.state.kind) },
      { key: 'agent', title: 'Hos', of: (r) => r.state.agent.name || '–' },
      {
        key: 'do', title: 'Tilsyn', plain: true, of: () => 0, cell: (r) => held(r) && (
          <span class="row-do">
            <Press look="tertiary" icon="visibility" test="monitor" aria-label={`Følg med: ${words.place(r.municipality)}, ${r.state.agent.name}`} onClick={() => watch(r, 'monitor')}>Følg</Press>
            <Press look="tertiary" test="coach" aria-label={`Vejled ${r.state.agent.name}`} onClick={() => watch(r, 'coach')}>Vejled</Press>
            <Press look="tertiary" test="barge" aria-label={`Gå ind i samtalen: ${words.place(r.municipality)}, ${r.state.agent.name}`} onClick={() => watch(r, 'barge_in')}>Gå ind</Press>
            <Press look="tertiary" test="release" aria-label={`Læg tilbage i køen: ${words.place(r.municipality)}, ${r.state.agent.name}`} onClick={() => (dialog.value = { kind: 'release', item: r.item, name: r.state.agent.name })}>Læg tilbage</Press>
          </span>
        ),
      },
    ]} />
  );
}

const PARTS = [['towns', 'Kommuner'], ['agents', 'Medarbejdere'], ['items', 'Henvendelser']] as const;

export function SupervisorPage() {
  const d = desk.value;
  const s = d.supervisor;
  const [open, setOpen] = useState<(typeof PARTS)[number][0]>('towns');
  const at = Date.now() + d.skew_ms;
  const count = s && { towns: s.municipalities.length, agents: s.agents.filter((a) => a.state !== 'absent').length, items: s.items.length };
  return (
    <div class="page">
      <header class="page-head"><h1 id="supervisor-title">Tilsyn</h1><p>{s ? `${lately(s.figures.window_ms)} · kl. ${time(at)}` : ''}</p></header>
      {!s ? <Empty>Henter tal…</Empty> : (
        <>
          {s.unserved.length > 0 && (
            <p class="alert alert-error plain" role="status">
              <b>{s.unserved.length === 1 ? 'En kommune har ingen, der kan svare: ' : `${s.unserved.length} kommuner har ingen, der kan svare: `}</b>
              {s.unserved.map((c) => words.place(s.municipalities.find((m) => m.code === c) ?? { name: c })).join(', ')}
            </p>
          )}
          <FigureRow f={s.figures} />
          <div class="chips tabs" role="group" aria-label="Vis">
            {PARTS.map(([k, t]) => <button key={k} type="button" class="chip" aria-pressed={open === k} data-testid={`show-${k}`} onClick={() => setOpen(k)}>{t} <span class="of">{count?.[k]}</span></button>)}
          </div>
          {open === 'towns' && <Towns rows={s.municipalities} unserved={s.unserved} at={at} />}
          {open === 'agents' && <Agents rows={s.agents} />}
          {open === 'items' && <Items rows={s.items} at={at} />}
        </>
      )}
    </div>
  );
}
