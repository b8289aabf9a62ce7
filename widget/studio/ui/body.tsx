// The words of the answer: its title, the Markdown with slots, and what the check says, line by line.

import { useEffect, useRef } from 'preact/hooks';
import { useAsk } from '../ask';
import type { Article, Fault, Preview, Slot } from '../core/api';
import { faultsOf, place, TITLE_MAX } from '../core/article';
import { Press } from '../../shared/ui/parts';
import { query } from '../working';
import { Field } from './bits';
import { code as makeCode, type Code } from './code';

/** What may stand between braces, with its value in this municipality; undefined until that is known. */
export const useSlots = (code: string): Slot[] | undefined =>
  useAsk<{ slots: Slot[] }>(code ? `/api/studio/slots${query({ municipality: code })}` : undefined).data?.slots;

interface Props { article: Article; preview: Preview | undefined; code: string; locked: boolean; type: (c: Partial<Article>) => void }
export function Body({ article, preview, code, locked, type }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Code | undefined>(undefined);
  const tell = useRef(type);
  tell.current = type;
  // Typed here and not yet come back as a property: until then an older property must not undo it.
  const ahead = useRef<string | undefined>(undefined);
  const slots = useSlots(code);
  useEffect(() => {
    if (!host.current) return undefined;
    const made = makeCode(host.current, 'Svarets tekst', article.body, (body) => {
      ahead.current = body;
      tell.current({ body });
    });
    editor.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    if (ahead.current === article.body) ahead.current = undefined;
    else if (ahead.current === undefined) editor.current?.set(article.body);
  }, [article.body]);
  useEffect(() => editor.current?.readonly(locked), [locked]);
  useEffect(() => editor.current?.slots(slots ?? []), [slots]);
  const faults = preview?.faults ?? [];
  const lines = faults.flatMap((f) => {
    const at = place(f, preview?.body_line ?? 1);
    return 'line' in at ? [{ line: at.line, text: f.text, severity: f.severity === 'warning' ? 'warning' as const : 'error' as const, fault: f }] : [];
  });
  useEffect(() => editor.current?.problems(lines), [preview]);
  const range = preview && (preview.words < preview.words_min || preview.words > preview.words_max);
  return (
    <section class="card" aria-labelledby="body-title">
      <h2 id="body-title">Svaret</h2>
      <Field label="Titel" help="Hvad en borger ville kalde det" faults={faultsOf(preview, 'title')}>
        {(p) => <input {...p} class="form-input" value={article.title} maxLength={TITLE_MAX} data-testid="title" onInput={(e) => type({ title: e.currentTarget.value })} />}
      </Field>
      <p class="form-label" id="body-label">Tekst</p>
      <p class="help">Begynd med det korte svar. Skriv {'{{'} for at hente satser, telefon og links, så de altid passer.</p>
      <div class="tools" role="toolbar" aria-label="Indsæt i teksten">
        <Press look="tertiary" onClick={() => editor.current?.insert('\n\n## ')}>Overskrift</Press>
        <Press look="tertiary" icon="bullets" onClick={() => editor.current?.insert('\n- ')}>Liste</Press>
        <Press look="tertiary" icon="bold" onClick={() => editor.current?.insert('**fed**')}>Fed</Press>
        <Press look="tertiary" icon="link" onClick={() => editor.current?.insert('[tekst](https://)')}>Link</Press>
        <Press look="tertiary" test="insert-slot" onClick={() => editor.current?.insert('{{')}>Felt {'{{ }}'}</Press>
        {preview && <span class={range ? 'words-count bad' : 'words-count'} data-testid="words">{preview.words} ord <span class="quiet-text">({preview.words_min} til {preview.words_max})</span></span>}
      </div>
      <div class="code" ref={host} data-testid="code" />
      <Problems lines={lines} go={(n) => editor.current?.go(n)} />
    </section>
  );
}

interface Line { line: number; text: string; severity: 'error' | 'warning'; fault: Fault }
/** The same that is underlined in the text, for whoever hears it or looks for it. */
function Problems({ lines, go }: { lines: readonly Line[]; go: (line: number) => void }) {
  if (lines.length === 0) return null;
  return (
    <div class="problems" data-testid="problems">
      <h3>{lines.length === 1 ? 'Én ting skal rettes' : `${lines.length} ting skal rettes`}</h3>
      <ul>{lines.map((l, i) => <li key={`${l.line} ${i}`} class={l.severity}><button type="button" class="more" onClick={() => go(l.line)}>Linje {l.line}</button> {l.text}</li>)}</ul>
    </div>
  );
}
