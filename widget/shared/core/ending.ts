// A session ends after some hours, whatever is under way. It is said in time to end that first (WCAG 2.2, 2.2.1).

import { clock } from './time';

/** How long before. */
const AHEAD_MS = 15 * 60_000;

let timer: unknown;
type After = (then: () => void, ms: number) => unknown;
const browser: After = (then, ms) => setTimeout(then, ms);

/** Says once when the session will end; `kept`, what becomes of words that are not sent by then. Takes the place of what was to be said before. */
export function beforeEnd(ends_in_ms: number, kept: string, say: (text: string) => void, now_ms = Date.now(), after = browser): void {
  clearTimeout(timer as number);
  if (!ends_in_ms) return;
  const text = `Du bliver logget ud kl. ${clock(now_ms + ends_in_ms)}. Log ud og ind igen inden da, når det passer dig. ${kept}`;
  timer = after(() => say(text), Math.max(0, ends_in_ms - AHEAD_MS));
}
