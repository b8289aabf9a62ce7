// One article's form and its way into the draft: saved a moment after the last key, kept in the browser until it is.

import { signal } from '@preact/signals';
import { wrote } from './ask';
import type { Article, Conflict, Layer } from './core/api';
import { same, toSend } from './core/article';
import { begin, dirty, due, edit, type Edit, type EditAction } from './core/edit';
import { change, kept, working } from './working';

const PAUSE_MS = 900;
const RETRY_MS = 5_000;

let made = 0;

export class Editing {
  /** Another number, another form. */
  readonly nr = ++made;
  readonly state: ReturnType<typeof signal<Edit>>;
  readonly conflicts = signal<Conflict[]>([]);
  private later: ReturnType<typeof setTimeout> | undefined;
  private gone = false;
  /** The draft that it is saved into; empty until there is one. */
  draft: string;
  /** True when it began with text that an earlier page could not save. */
  readonly restored: boolean;

  constructor(readonly layer: Layer, article: Article, private draftTitle: string) {
    const version = working.peek()?.version ?? 0;
    this.draft = working.peek()?.id ?? '';
    this.state = signal(begin(article, version));
    const unsaved = kept()?.unsaved(layer, article.id);
    this.restored = unsaved !== undefined && dirty({ ...begin(article, version), now: unsaved.article });
    if (unsaved && this.restored) {
      // Saved against the version that it was written on, so that what others did since is merged, not run over.
      this.state.value = { ...begin(article, unsaved.draft === this.draft ? unsaved.version : version), now: unsaved.article };
      this.soon();
    }
  }

  get value(): Edit {
    return this.state.value as Edit;
  }

  private do(a: EditAction): void {
    this.state.value = edit(this.state.peek() as Edit, a);
    const e = this.state.peek() as Edit;
    kept()?.keep(this.layer, e.now.id, dirty(e) || e.sending ? { draft: this.draft, version: e.version, article: e.now } : undefined);
  }

  type(change: Partial<Article>): void {
    this.do({ type: 'typed', article: { ...(this.state.peek() as Edit).now, ...change } });
    this.soon();
  }

  /** What the service has now, for a form at rest. */
  loaded(article: Article): void {
    this.do({ type: 'loaded', article, version: working.peek()?.version ?? 0 });
  }

  private soon(ms = PAUSE_MS): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => void this.save(), ms);
  }

  async save(): Promise<void> {
    clearTimeout(this.later);
    const now = this.state.peek() as Edit;
    const e = now.problem ? { ...now, problem: '' } : now;
    if (!due(e)) return;
    this.do({ type: 'sending' });
    const answer = await change([{ kind: 'article', layer: this.layer, article: toSend(e.now) }], this.draftTitle, e.version);
    if (answer.ok) {
      this.draft = answer.ok.id;
      this.do({ type: 'stored', version: answer.ok.version, others: answer.others ?? false });
      // The form has yet to show what others wrote.
      if (answer.others) wrote();
      if (due(this.state.peek() as Edit)) this.soon();
    } else if (answer.conflicts && !same((this.state.peek() as Edit).now, e.now)) {
      // Typed on meanwhile: that too belongs to what is to be settled.
      this.do({ type: 'failed', text: '' });
      this.soon(0);
    } else if (answer.conflicts) {
      this.do({ type: 'conflict' });
      this.conflicts.value = answer.conflicts;
    } else {
      this.do({ type: 'failed', text: answer.fault?.text ?? '' });
      if (answer.fault?.code === 'unreachable' && !this.gone) this.soon(RETRY_MS);
    }
  }

  /** The conflict is settled, and this form is of the past: nothing of it is to be sent. */
  over(): void {
    clearTimeout(this.later);
    const e = this.state.peek() as Edit;
    this.state.value = begin(e.now, e.version);
    this.conflicts.value = [];
    kept()?.keep(this.layer, e.now.id, undefined);
  }

  /** The page goes: what is typed is sent now. */
  leave(): void {
    this.gone = true;
    void this.save();
  }
}
