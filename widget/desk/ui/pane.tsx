// One chat in the middle: its head, what was said, where to write. Calls and supervised chats look alike.

import { useEffect } from 'preact/hooks';
import { clock, desk, dispatch, run } from '../app';
import { label, level, now, part } from '../core/state';
import { slot } from '../../shared/core/time';
import type { Card, DialResult, Level } from '../core/wire';
import * as words from '../core/words';
import { Composer } from './composer';
import { Bar, Empty, Language, Left, Press, Urgency } from './parts';
import { Transcript } from './transcript';
import { column, dialog } from './view';

const RESULTS: DialResult[] = ['reached', 'no_answer', 'busy', 'wrong_number'];

function Call({ card }: { card: Card }) {
  const d = desk.value;
  const c = card.callback;
  const { kind, until_ms } = card.state;
  const whole = d.limits.lease_ms;
  // A third left: the page asks for more by itself, for a long talk must not lose the right to it.
  const soon = kind === 'ringing' && until_ms - clock.value < whole / 3;
  useEffect(() => {
    if (soon && d.link === 'open') void run({ type: 'renew_dial', item: card.item, epoch: card.epoch });
  }, [soon, until_ms, d.link]);
  if (!c) return null;
  return (
    <section class="call" aria-label="Opkaldet">
      <p class="phone"><a href={`tel:${c.phone.replace(/[^\d+]/g, '')}`} data-testid="phone">{c.phone.replace(/^(\+45)?(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1 $2 $3 $4 $5').trim()}</a></p>
      <dl class="facts">
        <div><dt>Aftalt</dt><dd>{slot(c.from_ms, c.to_ms, now(d, Date.now()))}</dd></div>
        {c.topic && <div><dt>Emne</dt><dd dir="auto">{c.topic}</dd></div>}
        <div><dt>Nummer</dt><dd>{c.reference}</dd></div>
        <div><dt>Forsøg</dt><dd>{Math.max(1, c.attempts)}. af 3</dd></div>
      </dl>
      {kind === 'ringing' && (
        <>
          <p class="lease">Kun du kan ringe i <Left until={until_ms} /><Bar until={until_ms} whole={whole} /></p>
          <div class="results" role="group" aria-label="Hvordan gik det?">
            {RESULTS.map((r) => (
              <Press key={r} look={r === 'reached' ? 'primary' : 'secondary'} test={`result-${r}`}
                onClick={() => void run({ type: 'end_dial', item: card.item, epoch: card.epoch, result: r })}>{words.dialResult(r)}</Press>
            ))}
          </div>
        </>
      )}
    </section>
  );
}

function Watching({ card }: { card: Card }) {
  const is = level(desk.value, card);
  const to = (l: Level): void => void run({ type: 'supervise', item: card.item, level: l });
  return (
    <div class="watching" role="group" aria-label="Tilsyn">
      {(['monitor', 'coach', 'barge_in'] as const).map((l) => (
        <button key={l} type="button" class="chip" aria-pressed={is === l} data-testid={`level-${l}`} onClick={() => to(l)}>{{ monitor: 'Følg med', coach: 'Vejled', barge_in: 'Gå ind' }[l]}</button>
      ))}
      <button type="button" class="chip" onClick={() => void run({ type: 'stop_supervising', item: card.item })}>Stop</button>
      <span class="quiet-text">{{ monitor: 'Ingen kan se dig.', coach: 'Kun medarbejderen kan læse dig.', barge_in: 'Borgeren kan læse dig.' }[is] ?? ''}</span>
    </div>
  );
}

function Pane({ card, alone }: { card: Card; alone: boolean }) {
  const d = desk.value;
  const kind = part(card, d.me.id);
  const [mine, done] = [kind === 'chat', card.state.kind === 'wrap_up'];
  const on = d.active === card.item;
  const others = card.watchers.filter((w) => w.name !== d.me.name && w.level !== 'monitor');
  return (
    <section class={`pane ${on ? 'on' : ''}`} aria-label={`${kind === 'call' ? 'Opkald' : 'Samtale'}: ${label(card)}`} data-testid="pane" data-item={card.item}
      onPointerDown={() => !on && dispatch({ type: 'show', item: card.item })}>
      <header class="pane-head">
        <div class="pane-title">
          <h2>{words.place(card.municipality)}</h2>
          <p dir="auto">{card.area.title || card.callback?.topic || card.brief?.question || 'Intet fagområde'}</p>
        </div>
        <p class="tags">
          <Urgency of={card.class} /><Language code={card.language} />
          {card.audience && card.audience !== 'citizen' && <span class="badge">{words.audience(card.audience)}</span>}
          {!card.callback && (card.citizen_present ? null : <span class="badge badge-warning">Borgeren er væk</span>)}
        </p>
        <div class="pane-do">
          {mine && !done && (
            <>
              <Press look="tertiary" icon="forward" test="transfer" for="transfer" onClick={() => (dialog.value = { kind: 'transfer', item: card.item })}>Viderestil</Press>
              <Press look="tertiary" icon="check" test="close" for="close" onClick={() => (dialog.value = { kind: 'close', item: card.item })}>Afslut</Press>
            </>
          )}
          {!alone && <Press look="quiet" icon="close" title="Skjul (samtalen bliver i listen)" aria-label={`Skjul ${label(card)}`} onClick={() => dispatch({ type: 'hide', item: card.item })} />}
        </div>
      </header>
      {kind === 'watched' && <Watching card={card} />}
      {others.length > 0 && kind !== 'watched' && <p class="with-you">{others.map((w) => `${w.name}: ${words.level(w.level).toLowerCase()}`).join(', ')}</p>}
      <Call card={card} />
      {done && (
        <div class="wrap-up" role="status">
          <p><b>Efterbehandling</b> <span class="quiet-text">skriv en note, eller gå videre</span></p>
          <Left until={card.state.until_ms} />
          <Press look="primary" icon="check" test="wrap-up-done" for="done" onClick={() => void run({ type: 'wrap_up_done', item: card.item })}>Færdig</Press>
        </div>
      )}
      <Transcript card={card} />
      {(kind !== 'watched' || level(d, card) !== 'monitor') && <Composer card={card} />}
    </section>
  );
}

export function Panes() {
  const d = desk.value;
  const cards = d.panes.map((p) => d.cards[p]).filter((c): c is Card => c !== undefined);
  return (
    <div class={`panes n${cards.length}`} data-testid="panes">
      {cards.map((c) => <Pane key={c.item} card={c} alone={cards.length === 1} />)}
      {cards.length === 0 && (
        <div class="no-pane">
          <Empty>{d.known ? 'Når du tager imod en henvendelse, står samtalen her.' : 'Henter dine samtaler…'}</Empty>
          <Press class="narrow-only" onClick={() => (column.value = 'list')}>Til listen</Press>
        </div>
      )}
    </div>
  );
}

