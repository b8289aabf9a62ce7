// Sentences that citizens write, one a line: Enter makes the next, many can be pasted at once, doubles are marked.

import { useRef, useState } from 'preact/hooks';
import { route } from '../app';
import type { Article, Preview } from '../core/api';
import { EXAMPLES, faultsOf, LANGS, type Lang } from '../core/article';
import { added, elsewhere, lines, marks, shownAtSentence, tidy, type Mark } from '../core/examples';
import * as words from '../core/words';
import { say } from '../../shared/ui/say';
import { Press } from '../../shared/ui/parts';

/** So many are shown of a long list at first. */
const FEW = 12;

const markText = (m: Mark): string => {
  switch (m.kind) {
    case 'double': return `Samme som linje ${m.of + 1}`;
    case 'short': return 'For kort';
    case 'elsewhere': return `Hører også til »${m.title}«`;
  }
};

interface Props { article: Article; preview: Preview | undefined; shared: boolean; type: (c: Partial<Article>) => void }
export function Examples({ article, preview, shared, type }: Props) {
  // Who comes from a list of sentences to mend finds them: their language, all of it.
  const asked = LANGS.find((l) => l === route.peek().q.sprog);
  const [lang, setLang] = useState<Lang>(asked ?? 'da');
  const [pasting, setPasting] = useState(false);
  const [whole, setWhole] = useState(!!asked);
  const list = useRef<HTMLOListElement>(null);
  const all = article.examples[lang] ?? [];
  const set = (next: string[]): void => type({ examples: { ...article.examples, [lang]: next } });
  const faults = faultsOf(preview, 'examples');
  const found = marks(all, elsewhere(faults));
  const doubles = found.filter((m) => m?.kind === 'double').length;
  const focus = (i: number): void => void requestAnimationFrame(() => list.current?.querySelectorAll('textarea')[i]?.focus());

  const key = (e: KeyboardEvent, i: number): void => {
    if (e.isComposing) return;
    if (e.key === 'Enter') {
      e.preventDefault();
      set([...all.slice(0, i + 1), '', ...all.slice(i + 1)]);
      focus(i + 1);
    } else if (e.key === 'Backspace' && all[i] === '') {
      e.preventDefault();
      set(all.filter((_, j) => j !== i));
      focus(Math.max(0, i - 1));
    } else if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && !e.altKey && !e.shiftKey) {
      // From the end of a sentence to the next one, from its beginning to the one before.
      const at = e.currentTarget as HTMLTextAreaElement;
      const down = e.key === 'ArrowDown';
      if (at.selectionStart !== (down ? at.value.length : 0) || at.selectionEnd !== at.selectionStart) return;
      e.preventDefault();
      list.current?.querySelectorAll('textarea')[i + (down ? 1 : -1)]?.focus();
    }
  };
  const paste = (e: ClipboardEvent, i: number): void => {
    const many = lines(e.clipboardData?.getData('text/plain') ?? '');
    if (many.length < 2) return;
    e.preventDefault();
    const { fresh, doubles: left } = added(all, many);
    const at = all[i] === '' ? i : i + 1;
    set([...all.slice(0, at), ...fresh, ...all.slice(all[i] === '' ? i + 1 : at)]);
    told(fresh.length, left);
    focus(at + fresh.length - 1);
  };
  const told = (fresh: number, left: number): void => say(`${fresh} tilføjet${left ? `, ${left} var der i forvejen` : ''}`);
  const remove = (i: number): void => {
    set(all.filter((_, j) => j !== i));
    say('Eksemplet er fjernet');
    focus(Math.min(i, all.length - 2));
  };
  // A long list is opened when somebody asks, or when something in it is marked.
  const shown = whole || all.length <= FEW + 4 || found.slice(FEW).some(Boolean) ? all : all.slice(0, FEW);
  const short = shared && lang === 'da' && all.length < EXAMPLES;
  return (
    <section class="card" aria-labelledby="examples-title">
      <h2 id="examples-title">Eksempler på spørgsmål</h2>
      <p class="help">Sådan som borgere selv skriver det: kort, langt, med slåfejl. Af dem lærer robotten at kende spørgsmålet.</p>
      <div class="chips" role="group" aria-label="Sprog">
        {LANGS.map((l) => <button key={l} type="button" class="chip" aria-pressed={l === lang} data-testid={`examples-${l}`} onClick={() => setLang(l)}>{words.language(l)} <span class="of">{(article.examples[l] ?? []).length}</span></button>)}
      </div>
      {short && <p class="quiet-text">Mindst {EXAMPLES} på dansk. Der mangler {EXAMPLES - all.length}.</p>}
      {faults.filter((f) => !shownAtSentence(f)).map((f, i) => <p key={i} class="form-error-message">{f.text}</p>)}
      <ol class="examples" ref={list} data-testid="examples">
        {shown.map((s, i) => {
          const mark = found[i];
          return (
            <li key={i} class={mark ? 'marked' : ''}>
              <span class="nr" aria-hidden="true">{i + 1}</span>
              <textarea class="form-input" rows={1} value={s} lang={lang} dir="auto" aria-label={`Eksempel ${i + 1}`} aria-describedby={mark ? `mark-${lang}-${i}` : undefined}
                onInput={(e) => set(all.map((x, j) => (j === i ? e.currentTarget.value.replace(/\s*\n\s*/g, ' ') : x)))} onKeyDown={(e) => key(e, i)} onPaste={(e) => paste(e, i)} />
              <Press look="quiet" icon="close" aria-label={`Fjern eksempel ${i + 1}`} onClick={() => remove(i)} />
              {mark && s !== '' && <span class="mark" id={`mark-${lang}-${i}`}>{markText(mark)}</span>}
            </li>
          );
        })}
      </ol>
      {shown.length < all.length && <p><Press look="tertiary" icon="chevron" test="all-examples" onClick={() => setWhole(true)}>Vis alle {all.length}</Press></p>}
      <div class="row-buttons">
        <Press look="secondary" icon="plus" test="add-example" onClick={() => { setWhole(true); set([...all, '']); focus(all.length); }}>Tilføj</Press>
        <Press look="secondary" icon="listAdd" test="paste-examples" aria-expanded={pasting} onClick={() => setPasting(!pasting)}>Indsæt mange</Press>
        {doubles > 0 && <Press look="secondary" test="tidy" onClick={() => { set(tidy(all)); say(doubles === 1 ? 'Dubletten er fjernet' : `${doubles} dubletter er fjernet`); }}>Fjern {doubles === 1 ? 'dubletten' : `${doubles} dubletter`}</Press>}
      </div>
      {pasting && <Many onDone={(pasted) => {
        setPasting(false);
        const { fresh, doubles: left } = added(all, pasted);
        set([...all.filter((s) => s !== ''), ...fresh]);
        told(fresh.length, left);
      }} />}
    </section>
  );
}

function Many({ onDone }: { onDone: (sentences: string[]) => void }) {
  const [text, setText] = useState('');
  const n = lines(text).length;
  return (
    <div class="many">
      <label class="form-label" for="many">Ét spørgsmål pr. linje</label>
      <textarea id="many" class="form-input" rows={6} dir="auto" value={text} data-testid="many" ref={(e) => { if (e && !text) e.focus(); }} onInput={(e) => setText(e.currentTarget.value)} />
      <Press look="primary" test="many-add" aria-disabled={n === 0} onClick={() => n > 0 && onDone(lines(text))}>{n === 0 ? 'Tilføj' : n === 1 ? 'Tilføj 1 linje' : `Tilføj ${n} linjer`}</Press>
    </div>
  );
}
