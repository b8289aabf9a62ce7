// The left column: my state, what is offered, my chats, whom to ring.

import { useState } from 'preact/hooks';
import { clock, desk, dispatch, run } from '../app';
import { calls, chats, label, lastWords, level, now, offers, unread, waitingSince, watched } from '../core/state';
import { slot } from '../../shared/core/time';
import type { Card, Mode, PauseWhy } from '../core/wire';
import * as words from '../core/words';
import { Bar, Empty, Language, Left, Press, Since, SrOnly, Urgency, useRoving } from './parts';
import { go, show } from './view';

/** A citizen who waits longer than this for an answer is shown as waiting too long. */
const HOT_MS = 2 * 60_000;

const PAUSES: PauseWhy[] = ['break', 'meeting', 'training', 'other'];
export const setPause = (why: PauseWhy | undefined): void => void run(why ? { type: 'pause', why } : { type: 'resume' });

function MyState() {
  const { agent } = desk.value;
  const paused = agent.state === 'paused';
  return (
    <section class="mine" aria-label="Min status">
      <p class={`state ${agent.state}`} role="status" data-testid="my-state">
        <span class="dot" aria-hidden="true" />
        <strong>{agent.state === 'absent' ? 'Tilslutter…' : words.presence(agent.state)}</strong>
        {paused && agent.paused && agent.paused !== 'break' && <span>{words.pause(agent.paused)}</span>}
      </p>
      <div class="mine-row">
        <label class="sr-only" for="my-choice">Skift status</label>
        <select id="my-choice" class="form-select" data-testid="my-choice" title="Pause eller klar (Alt + P)" aria-keyshortcuts="Alt+P"
          value={paused ? (agent.paused === 'ignored' ? 'other' : agent.paused || 'break') : 'available'}
          onChange={(e) => setPause(e.currentTarget.value === 'available' ? undefined : (e.currentTarget.value as PauseWhy))}>
          <option value="available">Klar</option>
          {PAUSES.map((p) => <option key={p} value={p}>{p === 'break' ? 'Pause' : `Pause: ${words.pause(p).toLowerCase()}`}</option>)}
        </select>
        <label class="sr-only" for="my-mode">Sådan får jeg henvendelser</label>
        <select id="my-mode" class="form-select" data-testid="my-mode" title="Sådan får jeg henvendelser" value={agent.mode}
          onChange={(e) => void run({ type: 'mode', mode: e.currentTarget.value as Mode })}>
          <option value="push">Får tilbudt</option>
          <option value="pick">Vælger selv</option>
        </select>
      </div>
      {paused && <Press look="primary" icon="check" class="full" test="resume" for="pause" onClick={() => setPause(undefined)}>Meld mig klar</Press>}
    </section>
  );
}

/** Words half written in another chat: nobody is carried away from them. */
const writingNow = (): boolean => document.activeElement instanceof HTMLTextAreaElement && document.activeElement.value.trim() !== '';

export const accept = (c: Card | undefined): void => {
  if (!c) return;
  void run({ type: 'accept', item: c.item, offer: c.state.offer }).then((done) => {
    if (done.ok) return writingNow() ? dispatch({ type: 'beside', item: c.item }) : show(c.item);
  });
};
export const decline = (c: Card | undefined): void => void (c && run({ type: 'decline', item: c.item, offer: c.state.offer }));

function Offer({ card, first }: { card: Card; first: boolean }) {
  const keys = first ? { shows: true } : {};
  return (
    <li class={`offer ${card.class}`} data-testid="offer">
      <div class="offer-top"><h3>{card.callback ? 'Opkald: ' : ''}{words.place(card.municipality)}</h3><Left until={card.state.until_ms} /></div>
      <Bar until={card.state.until_ms} whole={desk.value.limits.offer_ms} />
      <p class="offer-what" dir="auto">{card.area.title || card.brief?.question || 'Intet fagområde'}</p>
      <p class="tags"><Urgency of={card.class} /><Language code={card.language} /><span class="quiet-text">Har ventet <Since at={card.place_ms} /></span></p>
      <div class="offer-do">
        <Press look="primary" icon="check" test="accept" {...(first ? { for: 'accept' as const } : {})} {...keys} onClick={() => accept(card)}
          aria-label={`Tag imod ${label(card)}`}>Tag imod</Press>
        <Press look="tertiary" test="decline" {...(first ? { for: 'decline' as const } : {})} onClick={() => decline(card)}
          aria-label={`Afvis ${label(card)}`}>Afvis</Press>
      </div>
    </li>
  );
}

function Chat({ card, is }: { card: Card; is?: string }) {
  const d = desk.value;
  const [news, since, last] = [d.unread[card.item] ?? 0, waitingSince(d, card.item), lastWords(d, card.item)];
  const writes = (d.typing[card.item] ?? 0) + d.skew_ms > clock.value;
  const closing = card.state.kind === 'wrap_up';
  return (
    <li>
      <button type="button" class={`chat-link ${d.active === card.item ? 'on' : ''} ${d.panes.includes(card.item) ? 'open' : ''}`} data-stop={card.item}
        data-testid="chat-link" aria-current={d.active === card.item ? 'true' : undefined} onClick={() => show(card.item)}>
        <span class="chat-top">
          <strong>{words.place(card.municipality)}</strong>
          {closing ? <Left until={card.state.until_ms} /> : since !== undefined && <Since at={since} hot={HOT_MS} />}
        </span>
        <span class="chat-area">{is ?? (card.area.title || card.brief?.question || 'Samtale')}</span>
        <span class="chat-last" dir="auto">
          {writes ? <em>skriver…</em> : closing ? 'Efterbehandling' : d.drafts[card.item] ? <><b>Kladde: </b>{d.drafts[card.item]}</> : last?.text ?? ''}
        </span>
        <span class="tags">
          {news > 0 && <span class="count" data-testid="unread">{news}<SrOnly> {news === 1 ? 'ulæst besked' : 'ulæste beskeder'}</SrOnly></span>}
          <Urgency of={card.class} /><Language code={card.language} />
          {!card.citizen_present && !closing && !card.callback && <span class="badge">Borgeren er væk</span>}
        </span>
      </button>
    </li>
  );
}

function ChatList({ title, cards, test, is }: { title: string; cards: Card[]; test: string; is?: (c: Card) => string }) {
  const roving = useRoving<HTMLUListElement>(desk.value.active);
  return (
    <section class="list" aria-labelledby={`${test}-title`}>
      <h2 id={`${test}-title`}>{title} <span class="of">{cards.length}</span></h2>
      <ul {...roving} data-testid={test}>{cards.map((c) => <Chat key={c.item} card={c} {...(is ? { is: is(c) } : {})} />)}</ul>
    </section>
  );
}

function Due() {
  const d = desk.value;
  const due = (d.callbacks?.rows ?? []).filter((c) => c.state.kind === 'due');
  const [most, setMost] = useState(3);
  if (due.length === 0) return null;
  return (
    <section class="list" aria-labelledby="due-title">
      <h2 id="due-title">Skal ringes op <span class="of">{due.length}</span></h2>
      <ul>
        {due.slice(0, most).map((c) => (
          <li key={c.item} class="due">
            <div><strong>{words.place(c.municipality)}</strong><span class="quiet-text">{slot(c.callback?.from_ms ?? 0, c.callback?.to_ms ?? 0, now(d, Date.now()))}</span></div>
            <Press look="secondary" icon="smartphone" aria-label={`Ring op: ${label(c)}`} onClick={() => dial(c)}>Ring</Press>
          </li>
        ))}
      </ul>
      {due.length > most && <button type="button" class="more" onClick={() => setMost(due.length)}>Vis alle {due.length}</button>}
    </section>
  );
}
export const dial = (c: Card): void => void run({ type: 'dial', item: c.item }).then((done) => done.ok && show(c.item, false));

/** Where there is room for one column only, an offer must be seen whatever is looked at. */
export function OfferStrip() {
  const [first] = offers(desk.value);
  if (!first) return null;
  return (
    <section class="offer-strip" aria-label="Ny henvendelse">
      <p><b>{words.place(first.municipality)}</b> <Left until={first.state.until_ms} /></p>
      <Press look="primary" icon="check" onClick={() => accept(first)} aria-label={`Tag imod ${label(first)}`}>Tag imod</Press>
      <Press look="tertiary" onClick={() => decline(first)} aria-label={`Afvis ${label(first)}`}>Afvis</Press>
    </section>
  );
}

export function LeftColumn() {
  const d = desk.value;
  const [mine, asked, ringing, seen] = [chats(d), offers(d), calls(d), watched(d)];
  const agent = d.me.roles.includes('agent') || !d.me.roles.includes('supervisor');
  return (
    <section class="left-column" id="left" aria-label="Mine henvendelser" tabIndex={-1}>
      {agent && <MyState />}
      {asked.length > 0 && (
        <section class="list offers" aria-labelledby="offers-title">
          <h2 id="offers-title">Ny henvendelse {asked.length > 1 && <span class="of">{asked.length}</span>}</h2>
          <ul>{asked.map((c, i) => <Offer key={c.item} card={c} first={i === 0} />)}</ul>
        </section>
      )}
      {(agent || mine.length > 0) && <ChatList title="Mine samtaler" cards={mine} test="my-chats" />}
      {agent && mine.length === 0 && <Empty>{!d.known ? 'Henter…' : nothing(d.agent.state, d.agent.mode)}</Empty>}
      {d.agent.mode === 'pick' && (d.queue?.total ?? 0) > 0 && (
        <Press look="secondary" icon="listBulleted" class="full" for="queue" onClick={() => go('queue')}>{d.queue?.total} venter i køen</Press>
      )}
      {ringing.length > 0 && <ChatList title="Opkald i gang" cards={ringing} test="my-calls" is={(c) => c.callback?.phone ?? ''} />}
      <Due />
      {!agent && seen.length === 0 && <Empty>Vælg en samtale under Tilsyn for at følge med.</Empty>}
      {seen.length > 0 && <ChatList title="Tilsyn" cards={seen} test="my-watched" is={(c) => `${words.level(level(d, c))}: ${c.state.agent.name}`} />}
      <p class="sr-only">{unread(d)} ulæste beskeder i alt</p>
    </section>
  );
}

function nothing(state: string, mode: string): string {
  if (state === 'paused') return 'Du får ingen nye henvendelser, mens du holder pause.';
  if (mode === 'pick') return 'Ingen samtaler. Vælg en fra køen.';
  return 'Ingen samtaler lige nu. Den næste kommer her af sig selv.';
}

