// The draft one works in. Nothing written here is live: every change goes into it, and the first one makes it.

import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { forgetAnswers, useAsk, wrote, type Asked } from './ask';
import { notice, onSignOut, service, session } from './app';
import type { Change, Conflict, Draft, Knowledge, Me } from './core/api';
import type { Answer } from './core/client';
import { Saved } from './core/saved';

export const working = signal<Draft | undefined>(undefined);
/** True when it is known whether there is a draft one works in: before that, nothing is asked. */
export const ready = signal(false);
export const me = signal<Me | undefined>(undefined);
/** Signed in, but not as one who writes. */
export const denied = signal(false);
/** The municipality one looks at; empty for none. */
export const town = signal('');
/** The last knowledge that some page got: names of areas, municipalities and teams are in it. */
export const knowledge = signal<Knowledge | undefined>(undefined);

let saved: Saved | undefined;
export const kept = (): Saved | undefined => saved;

/** `?draft=ID` and whatever else a question has, without empty ones. */
export function query(q: Record<string, string | undefined> = {}): string {
  const draft = working.value?.id;
  const all = Object.entries({ ...q, draft }).filter((e): e is [string, string] => !!e[1]);
  return all.length ? `?${new URLSearchParams(all).toString()}` : '';
}

effect(() => {
  const s = session.value;
  forgetAnswers();
  ready.value = false;
  working.value = undefined;
  me.value = undefined;
  denied.value = false;
  if (typeof s !== 'object') return;
  saved = new Saved(s.user);
  town.value = saved.town;
  const draft = saved.working;
  void service().get<Me>('/api/studio/me').then((answer) => {
    if (answer.ok) me.value = answer.ok;
    else if (answer.fault.status === 403) denied.value = true;
    else if (answer.fault.status !== 401) notice('error', answer.fault.text);
  });
  void (async () => {
    if (draft) await choose(draft, true);
    ready.value = true;
  })();
});
onSignOut(() => saved?.forget());

export function setTown(code: string): void {
  town.value = code;
  saved?.choose({ town: code });
}

/** All that is known, asked anew when something was written unless `still`; meanwhile what some page got last. */
export function useKnowledge(still = false): { k: Knowledge | undefined; asked: Asked<Knowledge> } {
  const asked = useAsk<Knowledge>(ready.value ? `/api/studio/knowledge${query({ municipality: town.value })}` : undefined, still);
  useEffect(() => {
    if (asked.data) knowledge.value = asked.data;
  }, [asked.data]);
  return { k: asked.data ?? knowledge.value, asked };
}

const over = (d: Draft): boolean => d.state === 'published' || d.state === 'dropped';

/** Works in this draft from now on; an empty id in none. */
export async function choose(id: string, quiet = false): Promise<void> {
  if (!id) return adopt(undefined);
  const answer = await service().get<Draft>(`/api/studio/drafts/${id}`);
  if (answer.ok && !over(answer.ok)) return adopt(answer.ok);
  if (!answer.fault || answer.fault.status === 404) adopt(undefined);
  if (!quiet) notice('warning', answer.fault?.text ?? 'Kladden er ikke åben længere.');
}

const unsaved = new Set<() => Promise<void>>();
/** Saves what is being typed before another draft is worked in; returns how to take it back. */
export function beforeSwitch(save: () => Promise<void>): () => void {
  unsaved.add(save);
  return () => void unsaved.delete(save);
}
/** As somebody chose it on the page. */
export async function switchTo(id: string): Promise<void> {
  await Promise.all([...unsaved].map((save) => save()));
  // Nothing is shown, and so nothing written, of the one while the other is asked for.
  ready.value = false;
  await choose(id);
  ready.value = true;
}

/** Takes what the service said of a draft. */
export function adopt(d: Draft | undefined): void {
  const now = d && over(d) ? undefined : d;
  const changed = now?.id !== working.peek()?.id;
  working.value = now;
  saved?.choose({ working: now?.id ?? '' });
  if (changed) wrote();
}

/** As `adopt`, but only for the draft one works in. */
export function heard(d: Draft): void {
  if (working.peek()?.id === d.id) adopt(d);
}

let queue: Promise<unknown> = Promise.resolve();

export type Changed = Answer<Draft> & { conflicts?: Conflict[]; others?: boolean };

/** Puts changes into the draft one works in, one save after the other. `version` is what the page shows, the newest
 *  known one where it is left out; `title` names a draft that has to be made first. */
export function change(changes: Change[], title: string, version?: number): Promise<Changed> {
  const next = queue.then(() => put(changes, title, version));
  queue = next.catch(() => undefined);
  return next;
}

async function put(changes: Change[], title: string, version?: number): Promise<Changed> {
  const draft = working.peek();
  if (!draft) {
    const answer = await service().send<Draft>('POST', '/api/studio/drafts', { title: title.slice(0, 200), changes });
    if (answer.ok) adopt(answer.ok);
    return answer;
  }
  const shown = version || draft.version;
  const answer = await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/changes`, { version: shown, changes });
  if (answer.ok) {
    heard(answer.ok);
    return { ...answer, others: answer.ok.version > shown + 1 };
  }
  const { draft: theirs, conflicts } = Object(answer.fault.body) as { draft?: Draft; conflicts?: Conflict[] };
  if (answer.fault.code === 'draft_changed' && theirs) {
    heard(theirs);
    return { ...answer, conflicts: conflicts ?? [] };
  }
  if (answer.fault.code !== 'wrong_state' && answer.fault.status !== 404) return answer;
  // Published or dropped by somebody else meanwhile: what was written is not lost, it begins a draft of its own.
  adopt(undefined);
  notice('warning', `Kladden »${draft.title}« er ikke åben længere. Din ændring er lagt i en ny kladde.`);
  return put(changes, title);
}
