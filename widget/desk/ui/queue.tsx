// The queue to pick from, and what is to be rung back.

import { desk, run } from '../app';
import { now } from '../core/state';
import { slot } from '../../shared/core/time';
import type { Card, Row } from '../core/wire';
import * as words from '../core/words';
import { dial } from './left';
import { Empty, Language, Left, Press, Since, Urgency } from './parts';
import { show } from './view';

export const pick = (item: string): void => void run({ type: 'pick', item }).then((d) => d.ok && show(item));

export function QueuePage() {
  const d = desk.value;
  const q = d.queue;
  return (
    <div class="page">
      <header class="page-head"><h1 id="queue-title">Kø</h1><p>{q ? `${q.total} venter` : ''}{d.agent.mode === 'push' && ' · du får tilbudt dem, der passer; du kan også selv tage én'}</p></header>
      {!q ? <Empty>Henter køen…</Empty> : q.rows.length === 0 ? <Empty>Ingen venter lige nu.</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="queue-title">
          <table class="table" data-testid="queue">
            <caption class="sr-only">Henvendelser, du kan tage, den der har ventet længst øverst</caption>
            <thead><tr><th scope="col">Har ventet</th><th scope="col">Kommune</th><th scope="col">Fagområde</th><th scope="col">Sprog</th><th scope="col">Vigtighed</th><th scope="col">Status</th><th scope="col"><span class="sr-only">Handling</span></th></tr></thead>
            <tbody>{q.rows.map((r) => <QueueRow key={r.item} row={r} />)}</tbody>
          </table>
          {q.total > q.rows.length && <p class="quiet-text">De {q.rows.length}, der har ventet længst, er vist.</p>}
        </div>
      )}
    </div>
  );
}

function QueueRow({ row }: { row: Row }) {
  const free = row.state.kind === 'waiting' || row.state.kind === 'held';
  return (
    <tr class={row.overdue ? 'hurts' : ''}>
      <td class="num"><Since at={row.place_ms} {...(row.overdue ? { hot: 0 } : {})} /></td>
      <th scope="row">{words.place(row.municipality)}</th>
      <td>{row.area.title || '–'}</td>
      <td>{row.language === 'da' ? words.language(row.language) : <Language code={row.language} />}</td>
      <td><Urgency of={row.class} />{row.class === 'normal' && words.urgency(row.class)}{row.overdue && <span class="badge badge-error">Over tid</span>}</td>
      <td>{words.kind(row.state.kind)}{row.state.agent.name && ` · ${row.state.agent.name}`}</td>
      <td class="do"><Press look="secondary" test="pick" aria-disabled={!free} aria-label={`Tag ${words.place(row.municipality)}, ${row.area.title}`} onClick={() => free && pick(row.item)}>Tag</Press></td>
    </tr>
  );
}

export function CallbacksPage() {
  const d = desk.value;
  const rows = d.callbacks?.rows;
  return (
    <div class="page">
      <header class="page-head"><h1 id="callbacks-title">Opkald</h1><p>{rows ? `${rows.length} aftalt, ${rows.filter((c) => c.state.kind === 'due').length} skal ringes op nu` : ''}</p></header>
      {!rows ? <Empty>Henter opkald…</Empty> : rows.length === 0 ? <Empty>Ingen har bedt om at blive ringet op.</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="callbacks-title">
          <table class="table" data-testid="callbacks">
            <caption class="sr-only">Aftalte opkald efter tid</caption>
            <thead><tr><th scope="col">Tid</th><th scope="col">Kommune</th><th scope="col">Emne</th><th scope="col">Sprog</th><th scope="col">Forsøg</th><th scope="col">Status</th><th scope="col"><span class="sr-only">Handling</span></th></tr></thead>
            <tbody>{rows.map((c) => <CallbackRow key={c.item} card={c} />)}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function CallbackRow({ card }: { card: Card }) {
  const d = desk.value;
  const c = card.callback;
  const mine = card.state.kind === 'ringing' && card.state.agent.id === d.me.id;
  return (
    <tr class={card.state.kind === 'due' ? 'hurts' : ''}>
      <td class="when">{c ? slot(c.from_ms, c.to_ms, now(d, Date.now())) : '–'}</td>
      <th scope="row">{words.place(card.municipality)}<span class="under">{c?.reference}</span></th>
      <td class="wide" dir="auto">{c?.topic || card.area.title || '–'}</td>
      <td>{words.language(card.language)}</td>
      <td class="num">{c?.attempts ?? 0} af 3</td>
      <td>
        {words.kind(card.state.kind)}{card.state.agent.name && ` · ${card.state.agent.name}`}
        {(card.state.kind === 'ringing' || card.state.kind === 'resting') && <> · <Left until={card.state.until_ms} /></>}
      </td>
      <td class="do">
        {mine ? <Press look="secondary" onClick={() => show(card.item, false)}>Åbn</Press>
          : card.state.kind === 'due' && <Press look="secondary" icon="smartphone" test="dial" aria-label={`Ring op: ${words.place(card.municipality)}, ${c?.reference}`} onClick={() => dial(card)}>Ring op</Press>}
      </td>
    </tr>
  );
}
