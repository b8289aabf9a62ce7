// The Markdown editor: CodeMirror in a shadow root, for there it hangs its style sheet up as an object. In the page itself
// it would write a <style> element, which the page's policy refuses.

import { autocompletion, completionKeymap, startCompletion, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { defineLanguageFacet, HighlightStyle, Language, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { Annotation, Compartment, EditorState, type Extension } from '@codemirror/state';
import { Decoration, EditorView, keymap, lineNumbers, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parser } from '@lezer/markdown';
import type { Slot } from '../core/api';
import { SLOT, slotAt, suggest } from '../core/slots';

const markdown = new Language(defineLanguageFacet(), parser, [], 'markdown');

const looks = HighlightStyle.define([
  { tag: tags.heading, fontWeight: '600', fontSize: '1.06em', color: 'var(--fds-primary)' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: [tags.link, tags.url], color: 'var(--fds-link)' },
  { tag: [tags.processingInstruction, tags.contentSeparator], color: 'var(--fds-gray-500)' },
]);

const theme = EditorView.theme({
  '&': { fontSize: '1.55rem', backgroundColor: 'var(--fds-white)', color: 'var(--fds-gray-900)', border: '1px solid var(--fds-gray-400)', borderRadius: '0.4rem' },
  '&.cm-focused': { outline: '3px solid var(--fds-focus)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: '1.55', minHeight: '26rem' },
  '.cm-content': { padding: '1rem 0', caretColor: 'var(--fds-gray-900)' },
  '.cm-line': { padding: '0 1.2rem' },
  '.cm-gutters': { backgroundColor: 'var(--fds-gray-100)', color: 'var(--fds-gray-500)', border: '0', borderRight: '1px solid var(--line)', fontSize: '1.2rem', minWidth: '3rem' },
  '.cm-gutterElement': { lineHeight: '2.4rem' },
  '.slot': { backgroundColor: 'var(--fds-info-light)', borderRadius: '0.3rem', padding: '0 0.2rem' },
  '.slot-unknown': { backgroundColor: 'var(--fds-error-light)', textDecoration: 'underline wavy var(--fds-red-700)', borderRadius: '0.3rem' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--fds-red-700)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--fds-warning)' },
  '.cm-tooltip': { backgroundColor: 'var(--fds-white)', color: 'var(--fds-gray-900)', border: '1px solid var(--fds-gray-400)', borderRadius: '0.4rem', boxShadow: '0 4px 18px rgb(0 0 0 / 0.2)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', fontSize: '1.4rem', maxHeight: '28rem', maxWidth: 'min(60rem, 90vw)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.4rem 1rem', display: 'flex', gap: '1.2rem', justifyContent: 'space-between' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--fds-primary)', color: 'var(--fds-white)' },
  '.cm-completionDetail': { fontStyle: 'normal', opacity: '0.85', overflow: 'hidden', textOverflow: 'ellipsis' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-diagnostic': { borderLeftColor: 'var(--fds-red-700)', fontSize: '1.3rem', padding: '0.6rem 1rem' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--fds-warning)' },
  '@media (forced-colors: active)': { '.slot': { border: '1px solid' }, '.cm-tooltip-autocomplete ul li[aria-selected]': { outline: '2px solid Highlight' } },
});

const phrases = EditorState.phrases.of({
  'Completions': 'Forslag til felter', 'Diagnostics': 'Fejl i teksten', 'No diagnostics': 'Ingen fejl', 'close': 'luk',
});

/** Slots as they stand in the text; those that nobody knows stand out. */
function slotMarks(known: ReadonlySet<string>): Extension {
  const marks = new MatchDecorator({
    regexp: new RegExp(SLOT, 'g'),
    decoration: (m) => Decoration.mark({ class: known.size === 0 || known.has(m[1] ?? '') ? 'slot' : 'slot-unknown' }),
  });
  return ViewPlugin.fromClass(class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = marks.createDeco(view);
    }
    update(u: ViewUpdate): void {
      this.decorations = marks.updateDeco(u, this.decorations);
    }
  }, { decorations: (v) => v.decorations });
}

/** `{{` opens the list; what is chosen closes itself. */
function complete(slots: readonly Slot[], context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const at = slotAt(line.text.slice(0, context.pos - line.from));
  if (!at) return null;
  const options = suggest(slots, at.typed).map((s): Completion => ({
    label: s.slot, detail: s.value || s.label, type: 'variable',
    apply: (view, _, from, to) => {
      const closed = view.state.sliceDoc(to, to + 2) === '}}';
      view.dispatch({ changes: { from, to, insert: closed ? s.slot : `${s.slot}}}` }, selection: { anchor: from + s.slot.length + 2 }, userEvent: 'input.complete' });
    },
  }));
  return { from: line.from + at.from, options, filter: false };
}

export interface Problem { line: number; text: string; severity: 'error' | 'warning' }

export interface Code {
  set(text: string): void;
  slots(slots: readonly Slot[]): void;
  problems(problems: readonly Problem[]): void;
  readonly(on: boolean): void;
  /** Puts the cursor at the beginning of this line, from 1. */
  go(line: number): void;
  /** Puts a text where the cursor is. */
  insert(text: string): void;
  destroy(): void;
}

const fromOutside = Annotation.define<boolean>();

export function code(host: HTMLElement, label: string, text: string, changed: (text: string) => void): Code {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const [marks, sources, lock] = [new Compartment(), new Compartment(), new Compartment()];
  const completing = (slots: readonly Slot[]): Extension =>
    autocompletion({ override: [(c) => complete(slots, c)], icons: false, activateOnTypingDelay: 0, interactionDelay: 0 });
  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(), markdown, syntaxHighlighting(looks), theme, phrases, lineNumbers(), EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label, lang: 'da', spellcheck: 'true', autocapitalize: 'sentences', 'data-testid': 'body' }),
        marks.of(slotMarks(new Set())), sources.of(completing([])), lock.of([]),
        // Tab is left alone: it leads on, as everywhere on the page.
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.updateListener.of((u) => {
          if (u.docChanged && !u.transactions.some((t) => t.annotation(fromOutside))) changed(u.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, annotations: fromOutside.of(true) });
    },
    slots(slots) {
      view.dispatch({ effects: [marks.reconfigure(slotMarks(new Set(slots.map((s) => s.slot)))), sources.reconfigure(completing(slots))] });
    },
    problems(problems) {
      const { doc } = view.state;
      const found = problems.filter((p) => p.line >= 1 && p.line <= doc.lines).map((p): Diagnostic => {
        const { from, to } = doc.line(p.line);
        return { from, to, severity: p.severity, message: p.text };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    readonly(on) {
      view.dispatch({ effects: lock.reconfigure(on ? [EditorState.readOnly.of(true)] : []) });
    },
    go(line) {
      const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines))).from;
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      view.focus();
    },
    insert(what) {
      view.dispatch(view.state.replaceSelection(what), { userEvent: 'input' });
      view.focus();
      // Put there by a button it is not typing, and the list would stay away.
      if (what.endsWith('{{')) startCompletion(view);
    },
    destroy: () => view.destroy(),
  };
}
