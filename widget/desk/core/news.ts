// What an agent should hear of, told by comparing what was with what is. Sounds, notifications and what a screen
// reader says all come from here, so that none of them says more than the others.

import { offers, part, type Desk } from './state';
import type { Card, Line } from './wire';

export type Heard =
  | { kind: 'offer'; card: Card }
  /** A citizen wrote: `shown` when the words stand in the pane that keys go to. */
  | { kind: 'message'; card: Card; line: Line; shown: boolean }
  | { kind: 'coach'; card: Card; line: Line }
  | { kind: 'transferred'; card: Card }
  | { kind: 'revealed'; card: Card }
  | { kind: 'paused' };

export function news(was: Desk, is: Desk): Heard[] {
  const out: Heard[] = [];
  const known = new Set(offers(was).map((c) => `${c.item} ${c.state.offer}`));
  for (const card of offers(is)) if (!known.has(`${card.item} ${card.state.offer}`)) out.push({ kind: 'offer', card });
  for (const card of Object.values(is.cards)) {
    const before = was.cards[card.item];
    // Nobody pressed accept or pick: it was laid on the desk.
    if (was.known && !before && part(card, is.me.id) === 'chat' && card.decisions.at(-1)?.reason === 'transferred') {
      out.push({ kind: 'transferred', card });
    }
    if ((is.revealed[card.item]?.length ?? 0) > (was.revealed[card.item]?.length ?? 0)) out.push({ kind: 'revealed', card });
    const [old, lines] = [was.lines[card.item], is.lines[card.item]];
    // The first answer to `open` is history, not news.
    if (!old || !lines || old === lines || !was.opened[card.item] || part(card, is.me.id) === 'watched') continue;
    const ids = new Set(old.map((l) => l.id));
    for (const line of lines) {
      if (ids.has(line.id)) continue;
      if (line.from === 'citizen') out.push({ kind: 'message', card, line, shown: is.active === card.item });
      if (line.from === 'coach' || line.from === 'supervisor') out.push({ kind: 'coach', card, line });
    }
  }
  if (was.agent.state !== 'paused' && is.agent.state === 'paused' && is.agent.paused === 'ignored') out.push({ kind: 'paused' });
  return out;
}
