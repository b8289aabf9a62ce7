// A list to choose from by typing: for wrap-up codes and where to transfer. An editable combobox of the ARIA practices,
// its list always open, for it is all there is in the dialog.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Empty } from './parts';

export interface Option { key: string; title: string; detail?: string; group?: string; off?: boolean }

const fold = (s: string): string => s.toLowerCase().normalize('NFC');

/** How well it fits what is typed: 0 begins so, 1 a word of it begins so, 2 it is in it somewhere; undefined not at all. */
function rank(o: Option, typed: string): number | undefined {
  const [title, wanted] = [fold(o.title), fold(typed).trim()];
  if (title.startsWith(wanted)) return 0;
  if (title.split(/[\s-]+/).some((w) => w.startsWith(wanted))) return 1;
  return wanted.split(/\s+/).every((w) => fold(`${o.title} ${o.group ?? ''}`).includes(w)) ? 2 : undefined;
}

interface Props { label: string; options: Option[]; chosen: string | undefined; onChoose: (key: string) => void; onDone?: () => void; test: string }
export function Choice({ label, options, chosen, onChoose, onDone, test }: Props) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const field = useRef<HTMLInputElement>(null);
  // It may come later than its dialog, when its options had to be asked for.
  useEffect(() => field.current?.focus(), []);
  const found = options.filter((o) => rank(o, typed) !== undefined);
  const able = found.filter((o) => !o.off);
  const at = able.findIndex((o) => o.key === chosen);
  const key = (e: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && able.length) {
      e.preventDefault();
      const next = able[at < 0 ? (step > 0 ? 0 : able.length - 1) : (at + step + able.length) % able.length];
      if (next) onChoose(next.key);
      document.getElementById(`${id}-${next?.key}`)?.scrollIntoView({ block: 'nearest' });
    } else if (e.key === 'Enter' && at >= 0 && onDone) {
      e.preventDefault();
      onDone();
    }
  };
  return (
    <div class="choice">
      <label class="form-label" for={id}>{label}</label>
      <input id={id} class="form-input" ref={field} data-first role="combobox" aria-expanded="true" aria-autocomplete="list" aria-controls={`${id}-list`} autoComplete="off"
        aria-activedescendant={at >= 0 ? `${id}-${chosen}` : undefined} placeholder="Skriv for at finde" value={typed} data-testid={test}
        onInput={(e) => {
          setTyped(e.currentTarget.value);
          const value = e.currentTarget.value;
          const best = options.filter((o) => !o.off && rank(o, value) !== undefined).sort((a, b) => (rank(a, value) ?? 3) - (rank(b, value) ?? 3))[0];
          if (value.trim() && best) onChoose(best.key);
        }} onKeyDown={key} />
      <ul role="listbox" id={`${id}-list`} aria-label={label} tabIndex={-1}>
        {found.map((o, i) => (
          <li key={o.key} id={`${id}-${o.key}`} role="option" aria-selected={o.key === chosen} aria-disabled={o.off} class={o.off ? 'off' : ''}
            data-group={o.group !== found[i - 1]?.group ? o.group : undefined}
            onClick={() => !o.off && onChoose(o.key)} onDblClick={() => !o.off && onDone?.()}>
            <span>{o.title}</span>{o.detail && <span class="quiet-text">{o.detail}</span>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <Empty>Intet passer.</Empty>}
    </div>
  );
}
