// Where an agent writes: Enter sends, "/" looks for a canned reply, what is unsent survives a reload.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { desk, dispatch, run, typing } from '../app';
import { complete, filter, GAP, slots, wanted } from '../core/canned';
import { part } from '../core/state';
import { chars, type Canned, type Card } from '../core/wire';
import { hint } from './keys';
import { Press } from './parts';
import { cursor, insertion } from './view';

const MOST = 8;

export function Composer({ card }: { card: Card }) {
  const d = desk.value;
  const text = d.drafts[card.item] ?? '';
  const at = useRef<HTMLTextAreaElement>(null);
  const [note, setNote] = useState(false);
  const [picked, setPicked] = useState(0);
  const [closed, setClosed] = useState('');
  /** The text whose gap was pointed out: sent again as it is, it goes, for brackets may be meant. */
  const [gap, setGap] = useState('');
  const watching = part(card, d.me.id) === 'watched';
  const wrapUp = card.state.kind === 'wrap_up';
  const asNote = note || wrapUp || (card.callback !== undefined && !watching);
  const id = `write-${card.item}`;

  const typed = asNote ? undefined : wanted(text);
  const found = typed === undefined || closed === text ? [] : filter(d.canned, typed).slice(0, MOST);
  const chosen = Math.min(picked, found.length - 1);

  const write = (value: string): void => {
    dispatch({ type: 'draft', item: card.item, text: value });
    setPicked(0);
    setGap('');
  };
  /** Puts text where the cursor is, and leaves the first gap selected so that the next key fills it. */
  const put = (piece: string, from: number, to: number): void => {
    const field = at.current;
    if (!field) return;
    const value = field.value.slice(0, from) + piece + field.value.slice(to);
    write(value);
    requestAnimationFrame(() => {
      field.focus();
      const hole = GAP.exec(value.slice(from));
      if (hole) field.setSelectionRange(from + hole.index, from + hole.index + hole[0].length);
      else field.setSelectionRange(from + piece.length, from + piece.length);
    });
  };
  const take = (c: Canned): void => put(complete(c.text, slots(card, d.me.name, d.municipalities)), 0, text.length);

  useEffect(() => {
    const wish = insertion.value;
    if (!wish || wish.item !== card.item || !at.current) return;
    insertion.value = undefined;
    const field = at.current;
    const before = field.value.slice(0, field.selectionStart);
    const lead = before && !before.endsWith('\n') ? '\n\n' : '';
    // Looking for a reply by "/" ends with whatever was put in.
    const from = wanted(field.value) === undefined ? field.selectionStart : 0;
    put((from ? lead : '') + wish.text, from, wanted(field.value) === undefined ? field.selectionEnd : field.value.length);
  }, [insertion.value]);

  useEffect(() => {
    if (cursor.value !== card.item) return;
    at.current?.focus();
    cursor.value = undefined;
  }, [cursor.value]);

  useLayoutEffect(() => {
    const field = at.current;
    if (!field) return;
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, 220)}px`;
  }, [text]);

  const length = chars(text);
  const tooLong = length > d.limits.text_chars;
  const send = (): void => {
    const words = text.trim();
    if (!words || tooLong) return;
    const hole = GAP.exec(text);
    if (hole && !asNote && gap !== text) {
      setGap(text);
      at.current?.focus();
      at.current?.setSelectionRange(hole.index, hole.index + hole[0].length);
      return;
    }
    write('');
    if (watching) void run({ type: 'supervisor_message', item: card.item, text: words });
    else void run({ type: asNote ? 'note' : 'message', item: card.item, epoch: card.epoch, text: words });
    at.current?.focus();
  };

  const key = (e: KeyboardEvent): void => {
    if (e.isComposing) return;
    if (found.length > 0) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      const c = found[chosen];
      if (step && !e.altKey) {
        e.preventDefault();
        return setPicked((chosen + step + found.length) % found.length);
      }
      if ((e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey && c) {
        e.preventDefault();
        return take(c);
      }
      if (e.key === 'Escape') {
        e.preventDefault();
        return setClosed(text);
      }
    }
    if (e.key === 'Enter' && !e.shiftKey && !e.altKey) {
      e.preventDefault();
      send();
    }
  };

  const what = watching ? 'Skriv til medarbejderen' : asNote ? 'Skriv en intern note' : 'Skriv til borgeren';
  return (
    <form class={asNote ? 'composer note' : 'composer'} onSubmit={(e) => { e.preventDefault(); send(); }}>
      {found.length > 0 && (
        <ul class="pop" role="listbox" id={`${id}-list`} aria-label="Standardsvar">
          {found.map((c, i) => (
            <li key={c.id} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onMouseDown={(e) => { e.preventDefault(); take(c); }}>
              <b>{c.title}</b><span>{complete(c.text, slots(card, d.me.name, d.municipalities))}</span>
            </li>
          ))}
        </ul>
      )}
      {gap && <p class="form-error-message" role="alert">Der er noget at udfylde. Skal det stå, så send igen.</p>}
      {tooLong && <p class="form-error-message" role="alert">Teksten er {length - d.limits.text_chars} tegn for lang.</p>}
      <textarea id={id} ref={at} rows={2} class="form-input" dir="auto" value={text} data-testid="write" aria-label={what} placeholder={what} spellcheck
        {...hint('write', what)}
        {...(found.length > 0 ? { 'aria-controls': `${id}-list`, 'aria-activedescendant': `${id}-${chosen}`, 'aria-autocomplete': 'list' } : {})}
        onInput={(e) => {
          write(e.currentTarget.value);
          if (!asNote && !watching) typing(card.item);
        }}
        onFocus={() => d.active !== card.item && dispatch({ type: 'show', item: card.item })}
        onKeyDown={key} />
      <div class="composer-row">
        {!watching && !wrapUp && !card.callback && (
          <button type="button" class="note-switch" aria-pressed={note} data-testid="note-switch" data-note={card.item} {...hint('note')} onClick={() => { setNote(!note); at.current?.focus(); }}>
            Intern note
          </button>
        )}
        <span class="quiet-text grow">{length > d.limits.text_chars * 0.8 ? `${length} af ${d.limits.text_chars} tegn` : <span class="enter-hint">Enter sender · Skift + Enter ny linje</span>}</span>
        <Press look="primary" type="submit" icon="send" test="send" aria-disabled={!text.trim() || tooLong}>{asNote ? 'Gem note' : 'Send'}</Press>
      </div>
    </form>
  );
}
