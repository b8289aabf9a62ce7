// What was said, by whom, when. Own words that are not stored yet stand last, and say so.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { again, clock, desk, dispatch } from '../app';
import type { Outgoing } from '../core/state';
import { clock as time, day } from '../../shared/core/time';
import type { Card, Item, Line } from '../core/wire';
import { Icon, Markdown, memo, Press, SrOnly } from './parts';
import { dialog } from './view';

const who = (l: Line, me: string): string => {
  switch (l.from) {
    case 'citizen': return 'Borgeren';
    case 'bot': return 'Chatrobotten';
    case 'note': return `Intern note${l.name ? ` · ${l.name}` : ''}`;
    case 'coach': return `Vejledning fra ${l.name || 'leder'} · kun til ${l.name === me ? 'medarbejderen' : 'dig'}`;
    case 'supervisor': return `${l.name || 'Leder'} · leder`;
    default: return l.name || 'Medarbejder';
  }
};

const LineView = memo(({ line, card, mine, me, newDay }: { line: Line; card: Card; mine: boolean; me: string; newDay: string }) => {
  const markdown = line.from === 'bot' || line.from === 'agent' || line.from === 'supervisor';
  const from = ['citizen', 'bot', 'agent', 'supervisor', 'coach', 'note'].includes(line.from) ? line.from : 'system';
  return (
    <>
      {newDay && <li class="day"><span>{newDay}</span></li>}
      <li class={`line ${from} ${mine ? 'mine' : ''}`} data-testid="line" data-from={line.from}>
        {from !== 'system' && (
          <div class="by">
            {line.from === 'agent' && (
              <button type="button" class="to-editors" title="Send dette svar til redaktørerne som kladde til et nyt svar" data-testid="to-editors"
                onClick={() => (dialog.value = { kind: 'draft', item: card.item, line })}>
                <Icon name="share" />Til redaktørerne
              </button>
            )}
            <b>{who(line, me)}</b><time dateTime={new Date(line.at_ms).toISOString()}>{time(line.at_ms)}</time>
            {line.late && <span>kom efter viderestilling</span>}
          </div>
        )}
        <div class="said">
          {markdown ? <Markdown text={line.text} under={2} /> : <p dir="auto">{line.text}{from === 'system' && <> <time>{time(line.at_ms)}</time></>}</p>}
        </div>
      </li>
    </>
  );
});

function Unsent({ o }: { o: Outgoing }) {
  const note = o.kind === 'note';
  return (
    <li class={`line ${note ? 'note' : 'agent mine'} ${o.state === 'refused' ? 'failed' : 'pending'}`} data-testid="outgoing" data-state={o.state}>
      <p class="by"><b>{note ? 'Intern note' : 'Dig'}</b>{o.state === 'stored' ? 'Sendt' : o.state === 'sending' ? 'Sender…' : 'Ikke sendt'}</p>
      <div class="said">{note ? <p dir="auto">{o.text}</p> : <Markdown text={o.text} under={2} />}</div>
      {o.state === 'refused' && (
        <div class="failed-row" role="alert">
          <span>{o.why}</span>
          <Press look="tertiary" onClick={() => again(o)}>Send igen</Press>
          <Press look="tertiary" onClick={() => {
            dispatch({ type: 'drop_outgoing', id: o.id });
            const draft = desk.peek().drafts[o.item];
            dispatch({ type: 'draft', item: o.item, text: draft ? `${draft}\n${o.text}` : o.text });
            document.getElementById(`write-${o.item}`)?.focus();
          }}>Ret teksten</Press>
        </div>
      )}
    </li>
  );
}

/** Apart, for it looks at the clock each second and the transcript need not. */
function Writes({ item, shown }: { item: Item; shown: () => void }) {
  const d = desk.value;
  const writes = (d.typing[item] ?? 0) + d.skew_ms > clock.value;
  useLayoutEffect(shown, [writes]);
  return writes ? <p class="writes"><span class="dots" aria-hidden="true"><i /><i /><i /></span>Borgeren skriver…</p> : null;
}

/** What the citizen lets this agent see. It stands in no transcript, and is gone when it is put away. */
function Revealed({ item }: { item: Item }) {
  const texts = desk.value.revealed[item];
  if (!texts) return null;
  return (
    <section class="revealed" aria-label="Vist af borgeren" data-testid="revealed">
      <p><b>Borgeren viser dig det, der blev skjult. Det bliver ikke gemt.</b></p>
      {texts.map((text, n) => <p key={n} dir="auto">{text}</p>)}
      <Press look="tertiary" test="revealed-away" onClick={() => {
        dispatch({ type: 'drop_revealed', item });
        document.getElementById(`write-${item}`)?.focus();
      }}>Skjul igen</Press>
    </section>
  );
}

export function Transcript({ card }: { card: Card }) {
  const d = desk.value;
  const [lines, outgoing] = [d.opened[card.item] && d.lines[card.item], d.outgoing.filter((o) => o.item === card.item)];
  const at = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(true);
  const last = `${lines?.at(-1)?.id}${outgoing.at(-1)?.id}${outgoing.at(-1)?.state}${d.revealed[card.item]?.length}`;
  const end = (): void => void at.current?.scrollTo({ top: at.current.scrollHeight });
  // Whoever reads further up is left there.
  useLayoutEffect(() => {
    if (below) end();
  }, [last, lines === undefined]);
  useLayoutEffect(() => {
    if (!at.current) return undefined;
    const watch = new ResizeObserver(() => below && end());
    watch.observe(at.current);
    return () => watch.disconnect();
  }, [below]);
  const today = d.skew_ms + Date.now();
  let before = 'i dag';
  return (
    <div class="transcript" ref={at} tabIndex={0} role="log" aria-live="off" aria-label="Samtalen" aria-busy={lines === undefined} data-testid="transcript"
      onScroll={(e) => setBelow(e.currentTarget.scrollHeight - e.currentTarget.scrollTop - e.currentTarget.clientHeight < 40)}>
      {lines === undefined
        ? <p class="empty">Henter samtalen…</p>
        : (
          <ol>
            {lines.map((l) => {
              const on = day(l.at_ms, today);
              const newDay = on === before ? '' : on;
              before = on;
              return <LineView key={l.id} line={l} card={card} me={d.me.name} mine={l.from === 'agent' && (l.name === d.me.name || l.name === '')} newDay={newDay} />;
            })}
            {outgoing.map((o) => <Unsent key={o.id} o={o} />)}
          </ol>
        )}
      <Revealed item={card.item} />
      <Writes item={card.item} shown={() => below && end()} />
      {!below && <button type="button" class="to-end" onClick={end}><Icon name="chevron" />Nyeste<SrOnly> besked</SrOnly></button>}
    </div>
  );
}
