// What is looked at right now: the tab, an open dialog, which column a phone shows. Not the service's business.

import { effect, signal } from '@preact/signals';
import { desk, dispatch, lists } from '../app';
import type { Item, Line } from '../core/wire';

export const TABS = ['chats', 'queue', 'callbacks', 'supervisor'] as const;
export type Tab = (typeof TABS)[number];
const HASH: Record<Tab, string> = { chats: '', queue: '#koe', callbacks: '#opkald', supervisor: '#tilsyn' };

const fromHash = (): Tab => TABS.find((t) => HASH[t] === location.hash) ?? 'chats';
export const tab = signal<Tab>(fromHash());
window.addEventListener('hashchange', () => (tab.value = fromHash()));

/** Which column is on top where only one has room. */
export type Column = 'list' | 'chat' | 'help';
export const column = signal<Column>('list');

export type Dialog =
  | { kind: 'transfer'; item: Item } | { kind: 'close'; item: Item } | { kind: 'draft'; item: Item; line: Line }
  | { kind: 'help' } | { kind: 'settings' } | { kind: 'account' } | { kind: 'release'; item: Item; name: string } | { kind: 'sign_out' };
export const dialog = signal<Dialog | undefined>(undefined);

export function go(to: Tab): void {
  tab.value = to;
  if (HASH[to] !== location.hash) history.replaceState(null, '', HASH[to] || location.pathname);
}

/** Whose composer takes the cursor as soon as it is there: the card may come after the answer. */
export const cursor = signal<Item | undefined>(undefined);
export const mouse = (): boolean => window.matchMedia('(hover: hover)').matches;

/** Brings a chat forward and, when asked to, the cursor into its composer. */
export function show(item: Item, write = true): void {
  go('chats');
  dispatch({ type: 'show', item });
  column.value = 'chat';
  // On glass the cursor would bring up a keyboard over what one came to read.
  if (write && mouse()) cursor.value = item;
}

effect(() => {
  const t = tab.value;
  const pick = desk.value.agent.mode === 'pick';
  const wanted = [...(t === 'queue' || pick ? ['queue' as const] : []), 'callbacks' as const, ...(t === 'supervisor' ? ['supervisor' as const] : [])];
  if (wanted.join() !== lists.peek().join()) lists.value = wanted;
});

/** What is put into a composer from outside: articles and canned replies. */
export const insertion = signal<{ item: Item; text: string; n: number } | undefined>(undefined);
let n = 0;
export const insert = (item: Item, text: string): void => {
  column.value = 'chat';
  insertion.value = { item, text, n: ++n };
};
