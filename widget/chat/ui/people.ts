// Where the citizen stands with people: the place in the queue, or who has the chat, and the way out. Seen always;
// said to a screen reader only when it has changed in substance.

import { changed, type Standing } from '../standing';
import type { Wait } from '../wire';
import { button, h, icon, uid, type Words } from './dom';

/** A place that changes all the time is not read aloud more often than this. */
const SPEAK_EVERY_MS = 20_000;

export class People {
  readonly el: HTMLElement;
  private text = h('p', { test: 'standing' });
  private spoken = h('p', { class: 'sr', role: 'status', test: 'standing-spoken' });
  private out: HTMLButtonElement;
  private ask: HTMLElement;
  private question = h('p', { id: uid('leave') });
  private said: Wait | undefined;
  private saidAt = 0;
  private later = 0;

  constructor(private w: Words, leave: () => void, private back: () => void) {
    this.out = button('btn', 'leave', () => this.confirm(true), w.t('leaveQueue'));
    this.ask = h('div', { role: 'group', 'aria-labelledby': this.question.id, hidden: true, test: 'leave-ask' },
      this.question, h('div', { class: 'btns row' },
        button('btn main', 'leave-yes', () => {
          this.ask.hidden = true;
          this.out.setAttribute('aria-disabled', 'true');
          leave();
          back();
        }, w.t('leaveYes')),
        button('btn', 'leave-no', () => this.confirm(false), w.t('no'))));
    this.el = h('div', { class: 'people', hidden: true, test: 'people' },
      h('div', { class: 'now' }, icon('person'), this.text, this.out), this.ask, this.spoken);
  }

  show(s: Standing): void {
    const { w } = this;
    // A focus in what goes away would fall to the top of the page.
    const inside = this.el.contains((this.el.getRootNode() as ShadowRoot).activeElement);
    this.el.hidden = s.with === 'bot';
    this.ask.hidden = true;
    this.out.removeAttribute('aria-disabled');
    clearTimeout(this.later);
    this.said = undefined;
    const person = s.with === 'person';
    w.put(this.question, person ? 'leaveAskPerson' : 'leaveAsk');
    this.out.replaceChildren(w.t(person ? 'leavePerson' : 'leaveQueue'));
    // What the service said of it stands in the transcript, and was read from there.
    if (person) w.put(this.text, 'withPerson', { name: s.name });
    else {
      this.text.removeAttribute('data-t');
      this.text.textContent = s.text;
    }
    if (inside && this.el.hidden) this.back();
  }

  wait(wait: Wait): void {
    this.text.removeAttribute('data-t');
    this.text.textContent = wait.text;
    clearTimeout(this.later);
    if (this.said && !changed(this.said, wait)) return;
    const rest = this.saidAt + SPEAK_EVERY_MS - Date.now();
    // The first of a wait is read at once, and so is that it is the citizen's turn.
    if (!this.said || wait.position === 1 || rest <= 0) this.say(wait);
    else this.later = window.setTimeout(() => this.say(wait), rest);
  }

  private say(wait: Wait): void {
    this.said = wait;
    this.saidAt = Date.now();
    this.spoken.textContent = wait.text;
  }

  private confirm(on: boolean): void {
    if (this.out.getAttribute('aria-disabled') === 'true') return;
    this.ask.hidden = !on;
    if (on) this.ask.querySelector('button')?.focus();
    else this.out.focus();
  }
}
