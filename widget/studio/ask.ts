// Asking the service from a page: what came last stays in sight while it is asked anew.

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { service } from './app';
import type { Fault as Trouble } from './core/client';
import type { Job } from './core/api';

export interface Asked<T> { data: T | undefined; fault: Trouble | undefined; busy: boolean; again: () => void }

/** Raised when something was written: whoever shows it asks anew. */
export const written = signal(0);
export const wrote = (): void => void (written.value += 1);

/** Last answers by path, so that going back shows at once what one left. */
const last = new Map<string, unknown>();
const KEPT = 40;
export const forgetAnswers = (): void => last.clear();

/** `undefined` asks nothing. With `still`, what is written elsewhere is no reason to ask anew. */
export function useAsk<T>(path: string | undefined, still = false): Asked<T> {
  const [got, setGot] = useState<{ path: string; fault: Trouble | undefined } | undefined>(undefined);
  const [tries, setTries] = useState(0);
  const seen = still ? 0 : written.value;
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    void service().get<T>(path, stop.signal).then((answer) => {
      if (stop.signal.aborted) return;
      if (!answer.fault) {
        last.delete(path);
        last.set(path, answer.ok);
        for (const old of last.keys()) if (last.size > KEPT) last.delete(old);
      }
      setGot({ path, fault: answer.fault });
    });
    return () => stop.abort();
  }, [path, seen, tries]);
  const mine = got?.path === path ? got : undefined;
  return {
    data: path === undefined ? undefined : (last.get(path) as T | undefined),
    fault: mine?.fault, busy: path !== undefined && !mine, again: () => setTries((n) => n + 1),
  };
}

const EVERY_MS = 300;
const wait = (ms: number): Promise<void> => new Promise((ok) => setTimeout(ok, ms));

/** Follows a job to its end; `told` hears of every step. Two lost answers in a row are no reason to give up, ten are.
 *  Aborting stops the job too, and nothing more is told of it. */
export async function follow<R>(id: string, told: (job: Job<R>) => void, signal?: AbortSignal): Promise<{ job?: Job<R>; trouble?: string }> {
  for (let lost = 0; lost < 10;) {
    const answer = await service().get<Job<R>>(`/api/studio/jobs/${id}`);
    if (signal?.aborted) {
      stopJob(id);
      return {};
    }
    if (answer.fault) {
      if (answer.fault.code !== 'unreachable') return { trouble: answer.fault.text };
      lost += 1;
    } else {
      lost = 0;
      told(answer.ok);
      if (answer.ok.state !== 'running') return { job: answer.ok };
    }
    await wait(EVERY_MS);
  }
  return { trouble: 'Tjenesten svarer ikke. Genindlæs siden om lidt.' };
}

export const stopJob = (id: string): void => void service().send('DELETE', `/api/studio/jobs/${id}`);
