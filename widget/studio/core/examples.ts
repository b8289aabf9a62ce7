// Example sentences as an editor edits them: one a line, pasted many at a time, doubles marked.

import type { Fault } from './api';

/** What makes two sentences the same to whoever reads them: case, punctuation and blanks do not. */
export const key = (sentence: string): string =>
  sentence.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** Lines of a pasted text as sentences: bullets, numbers, quotes and commas of a list are taken off, blanks made one. */
export function lines(pasted: string): string[] {
  return pasted.split(/\r?\n/).map((line) => line.replace(/\s+/g, ' ').trim()
    .replace(/^(?:[-*•–]|\d{1,3}[.)])\s+/, '')
    .replace(/^(["'”“])(.*?)["'”“],?$/, '$2')
    .trim()).filter(Boolean);
}

export type Mark = { kind: 'double'; of: number } | { kind: 'short' } | { kind: 'elsewhere'; title: string };

/** What is the matter with each sentence, if anything: the later of two that are the same, one that says nothing. */
export function marks(sentences: readonly string[], elsewhere: ReadonlyMap<string, string> = new Map()): (Mark | undefined)[] {
  const first = new Map<string, number>();
  return sentences.map((s, i) => {
    const k = key(s);
    if (k.length < 2) return { kind: 'short' };
    const before = first.get(k);
    if (before !== undefined) return { kind: 'double', of: before };
    first.set(k, i);
    const title = elsewhere.get(k);
    return title === undefined ? undefined : { kind: 'elsewhere', title };
  });
}

const DOUBLE = /^Eksemplet «(.*)» står (?:to gange|også i (\S+?))\.?$/;

/** Of what the check says: sentences that are examples of another article too, by `key`, with that article's id. */
export function elsewhere(faults: readonly Pick<Fault, 'text'>[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const f of faults) {
    const m = DOUBLE.exec(f.text);
    const id = m?.[2]?.split('/').at(-1)?.replace(/\.md$/, '');
    if (m?.[1] && id) found.set(key(m[1]), id);
  }
  return found;
}

/** Whether it is marked at its sentence, or counted above the list, so that it need not be said once more. */
export const shownAtSentence = (f: Pick<Fault, 'text'>): boolean => DOUBLE.test(f.text) || /^Der er \d+ eksempler på spørgsmål\./.test(f.text);

/** Those that are not there yet, each once, and how many were left out. */
export function added(there: readonly string[], pasted: readonly string[]): { fresh: string[]; doubles: number } {
  const known = new Set(there.map(key));
  const fresh = pasted.filter((s) => {
    const k = key(s);
    if (known.has(k)) return false;
    known.add(k);
    return true;
  });
  return { fresh, doubles: pasted.length - fresh.length };
}

/** Without the later of those that are the same, and without empty ones. */
export const tidy = (sentences: readonly string[]): string[] => added([], sentences.filter((s) => key(s).length > 0)).fresh;
