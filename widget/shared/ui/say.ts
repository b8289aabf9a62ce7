// Two live regions for the whole desk: one place decides what a screen reader hears.

import { signal } from '@preact/signals';

export const polite = signal<string[]>([]);
export const assertive = signal<string[]>([]);

function put(region: typeof polite, text: string): void {
  // Each as a line of its own, so that the same words twice are heard twice; old ones go without a sound.
  region.value = [...region.peek().slice(-2), text];
  setTimeout(() => (region.value = region.peek().filter((t) => t !== text)), 10_000);
}
export const say = (text: string): void => put(polite, text);
export const interrupt = (text: string): void => put(assertive, text);
