// Slots in a text: where one is being typed, and which ones fit.

import type { Slot } from './api';

/** `{{name}}`, the name as its first group. */
export const SLOT = /\{\{\s*([^{}\s]+)\s*\}\}/;

/** The slot being typed at the end of this piece of a line: what is typed of it, and where that begins. */
export function slotAt(before: string): { from: number; typed: string } | undefined {
  const open = before.lastIndexOf('{{');
  if (open < 0 || before.indexOf('}}', open) >= 0) return undefined;
  const typed = before.slice(open + 2);
  // A long way from the braces somebody writes something else.
  return /^\s*[\p{L}\p{N}_. -]{0,40}$/u.test(typed) ? { from: open + 2, typed: typed.trim() } : undefined;
}

const fold = (s: string): string => s.toLowerCase().normalize('NFC');

/** Those whose name, title or value holds every word typed, names that begin so first. At most `most`. */
export function suggest(slots: readonly Slot[], typed: string, most = 60): Slot[] {
  const words = fold(typed).split(/[\s.]+/).filter(Boolean);
  const rank = (s: Slot): number => {
    const name = fold(s.slot);
    if (name.startsWith(fold(typed))) return 0;
    return name.split(/[._]/).some((w) => words[0] !== undefined && w.startsWith(words[0])) ? 1 : 2;
  };
  return slots.filter((s) => words.every((w) => fold(`${s.slot} ${s.label} ${s.value}`).includes(w)))
    .map((s) => [rank(s), s] as const).sort((a, b) => a[0] - b[0]).slice(0, most).map(([, s]) => s);
}
