// An article while somebody writes in it: what is stored, what stands in the form, what is on its way. A fold, so that
// nothing typed while a save is under way is ever taken for saved.

import type { Article } from './api';
import { same } from './article';

export interface Edit {
  /** As the service has it. */
  saved: Article;
  now: Article;
  /** On its way to the service. */
  sending: Article | undefined;
  /** The draft's version that `saved` is of; 0 before there is a draft. */
  version: number;
  /** Why the last try failed; it is tried again when something is typed or asked for. */
  problem: string;
  /** Others wrote in the same places: nothing is sent before that is settled. */
  conflict: boolean;
}

export type EditAction =
  | { type: 'loaded'; article: Article; version: number }
  | { type: 'typed'; article: Article }
  | { type: 'sending' }
  /** `others`: somebody else saved in between, and theirs was merged in; the form does not show it yet. */
  | { type: 'stored'; version: number; others: boolean }
  | { type: 'failed'; text: string }
  | { type: 'conflict' };

export const begin = (article: Article, version: number): Edit =>
  ({ saved: article, now: article, sending: undefined, version, problem: '', conflict: false });

export function edit(e: Edit, a: EditAction): Edit {
  switch (a.type) {
    case 'loaded':
      // What is typed stays; only a form at rest takes what came.
      return dirty(e) || e.sending ? e : begin(a.article, a.version);
    case 'typed': return { ...e, now: a.article, problem: '' };
    case 'sending': return { ...e, sending: e.now, problem: '' };
    case 'stored': {
      const saved = e.sending ?? e.saved;
      // Typed on meanwhile: the next save is still one against the version that the form shows.
      const version = a.others && !same(e.now, saved) ? e.version : a.version;
      return { ...e, saved, sending: undefined, version };
    }
    case 'failed': return { ...e, sending: undefined, problem: a.text };
    case 'conflict': return { ...e, sending: undefined, conflict: true };
  }
}

export const dirty = (e: Edit): boolean => !same(e.now, e.saved);
/** Whether there is something to send and nothing in its way. */
export const due = (e: Edit): boolean => dirty(e) && !e.sending && !e.conflict && !e.problem;

export type Stand = 'clean' | 'dirty' | 'saving' | 'failed' | 'conflict';
export const stand = (e: Edit): Stand =>
  e.conflict ? 'conflict' : e.problem ? 'failed' : e.sending ? 'saving' : dirty(e) ? 'dirty' : 'clean';
