// Who answers the citizen now, as the events of the dialogue tell it.

import type { Event, Wait } from './wire';

export interface Standing {
  with: 'bot' | 'queue' | 'person';
  /** The person's first name. */
  name: string;
  /** What the service said of it last. */
  text: string;
}

export const alone = (): Standing => ({ with: 'bot', name: '', text: '' });

/** After an event; the same object when it changes nothing. */
export function after(s: Standing, ev: Event): Standing {
  switch (ev.type) {
    case 'queued':
    case 'agent_left':
      return { with: 'queue', name: '', text: ev.text };
    case 'agent_joined':
      return { with: 'person', name: ev.name, text: ev.text };
    case 'callback_saved':
      // A promised call takes the place in the queue.
      return ev.from_ms && s.with === 'queue' ? alone() : s;
    case 'handover_ended':
      // A call that was made ends no chat.
      return ev.outcome === 'reached' || ev.outcome === 'unreached' || s.with === 'bot' ? s : alone();
    default:
      return s;
  }
}

/** Whether a wait is another in substance: the place, the hours, or the time by more than a quarter. */
export function changed(before: Wait, now: Wait): boolean {
  const much = (a: number, b: number): boolean => Math.abs(a - b) > Math.max(1, Math.max(a, b) / 4);
  return before.position !== now.position || before.held !== now.held || (before.high_min > 0) !== (now.high_min > 0)
    || much(before.high_min, now.high_min);
}
