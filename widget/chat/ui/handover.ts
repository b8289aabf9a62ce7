// The honest offer of a person: when they are there, how to ring them, and a number to be rung back on.

import { say, type Key } from '../i18n';
import { render } from '../markdown';
import type { Entry } from '../transcript';
import { LANGS, phoneNumber, type CallbackCancelled, type CallbackSaved, type HandoverOffer } from '../wire';
import { button, h, uid, type Words } from './dom';

const TOPIC_MAX = 500;

export interface HandoverActions {
  /** `slot` is the beginning of the time that was chosen; 0 for none. */
  callback(phone: string, topic: string, slot: number): void;
  queue(): void;
  cancelCallback(reference: string): void;
}

export class Handover {
  readonly el: HTMLElement;
  readonly entry: Entry;
  private form: HTMLFormElement;
  private unfold = (): void => {};
  private done = h('p', { class: 'done', role: 'status', tabindex: '-1', test: 'callback-saved' });
  private error = h('p', { class: 'error', id: uid('error'), test: 'callback-error' });
  private phone: HTMLInputElement;
  private button: HTMLButtonElement;
  private queue: HTMLButtonElement | undefined;
  private cancel: HTMLButtonElement | undefined;
  reference = '';

  constructor(private w: Words, ev: HandoverOffer, at: Date | undefined, private act: HandoverActions) {
    // Hours and number stand below in a place of their own: what the service says of them, and of now, is said once.
    const now = ev.open ? 'openNow' : 'closedNow';
    const shown = [ev.hours, ev.phone, ...LANGS.map((l) => say(l, now))].filter(Boolean);
    const rest = shown.reduce((s, x) => s.split(x).join('\0'), ev.text).replace(/[^.!?؟\0]*\0[^.!?؟]*[.!?؟]?\s*/g, ' ');
    const text = h('div', { class: 'md', dir: 'auto' });
    render(text, rest, (href, kids) => w.link(href, kids));
    this.entry = {
      who: w.say('bot'), text: ev.text, markdown: true, at,
      extra: [ev.hours, ev.phone].filter((s) => s && !ev.text.includes(s)),
    };
    const id = uid('phone');
    const hint = uid('hint');
    const topic = uid('topic');
    this.phone = h('input', {
      id, type: 'tel', autocomplete: 'tel', inputmode: 'tel', dir: 'ltr', maxlength: '40', 'aria-describedby': hint,
      'aria-required': 'true', test: 'callback-phone', oninput: () => this.clear(),
    });
    const area = h('textarea', { id: topic, rows: '2', maxlength: String(TOPIC_MAX), dir: 'auto', test: 'callback-topic' });
    const slot = uid('slot');
    const slots = h('select', { id: slot, test: 'callback-slot' },
      ...ev.slots.map((s) => h('option', { value: String(s.from_ms) }, s.text)));
    this.button = button(ev.queue ? 'btn' : 'btn main', 'callback-send', undefined, w.t('cbSend'));
    this.error.hidden = this.done.hidden = true;
    this.form = h('form', { novalidate: true, test: 'callback', onsubmit: (e) => {
      e.preventDefault();
      if (this.button.getAttribute('aria-disabled') === 'true') return;
      const number = phoneNumber(this.phone.value);
      if (!number) return this.refuse(hint);
      this.waiting(true);
      this.act.callback(number, area.value.trim(), Number(slots.value));
    } },
      w.put(h('h3', {}), 'cbTitle'),
      ev.slots.length > 0 && w.put(h('label', { for: slot, class: 'label' }), 'cbWhen'),
      ev.slots.length > 0 && slots,
      w.put(h('label', { for: id, class: 'label' }), 'cbPhone'),
      w.put(h('p', { id: hint, class: 'quiet' }), 'cbHint'),
      this.phone, this.error,
      w.put(h('label', { for: topic, class: 'label' }), 'cbTopic'), area,
      this.button);
    this.el = h('div', { class: 'bubble', test: 'handover' },
      // Without hours it is no offer of the municipality's, only of a call.
      !!ev.hours && h('p', { class: 'open', test: 'handover-open' }, w.t(now)),
      !!ev.hours && h('p', { test: 'handover-hours' }, w.t('hours'), ': ', h('bdi', {}, ev.hours)),
      ev.phone ? h('p', {}, w.phone(ev.phone)) : undefined, text, this.form, this.done);
    if (!ev.queue) return;
    // Two ways, and the form only for who chose it.
    this.queue = button('btn main', 'queue', () => {
      if (this.queue?.getAttribute('aria-disabled') === 'true') return;
      this.queue?.setAttribute('aria-disabled', 'true');
      act.queue();
    }, w.t('queueAsk'));
    this.form.before(h('div', { class: 'btns' }, this.queue, this.fold('cbTitle', 'callback-ask', this.form)));
  }

  /** In the queue, or not after all: then it can be tried again. */
  queued(yes: boolean): void {
    if (yes) {
      this.queue?.remove();
      // What was begun there is kept, out of the way of who waits.
      if (this.form.isConnected && !this.form.hidden) this.form.before(h('p', {}, this.fold('cbTitle', 'callback-ask', this.form)));
    } else {
      this.queue?.removeAttribute('aria-disabled');
    }
  }

  /** Hides `what` behind a button. */
  fold(key: Key, test: string, what: HTMLElement): HTMLElement {
    what.hidden = true;
    what.tabIndex = -1;
    const b = button('btn', test, () => {
      this.unfold();
      what.focus();
    }, this.w.t(key));
    this.unfold = () => {
      what.hidden = false;
      b.remove();
    };
    return b;
  }

  foldForm(): void {
    if (!this.queue) this.form.before(h('p', {}, this.fold('cbTitle', 'callback-ask', this.form)));
  }

  get settled(): boolean {
    return !this.done.hidden;
  }

  /** On disk: the form has done its work. */
  saved(ev: CallbackSaved): void {
    this.unfold();
    const { text } = ev;
    this.done.append(text);
    // Some services put the reference in the text already.
    if (!text.includes(ev.reference)) this.done.append(` ${ev.reference}`);
    this.entry.extra.push(this.done.textContent ?? '');
    this.done.hidden = false;
    const inside = this.form.contains((this.form.getRootNode() as ShadowRoot).activeElement);
    this.form.remove();
    this.queue?.remove();
    this.reference = ev.reference;
    this.cancel = button('btn', 'callback-cancel', () => {
      if (this.cancel?.getAttribute('aria-disabled') === 'true') return;
      this.cancel?.setAttribute('aria-disabled', 'true');
      this.act.cancelCallback(ev.reference);
    }, this.w.t('cbCancel'));
    this.done.after(this.cancel);
    if (inside) this.done.focus();
  }

  cancelled(ev: CallbackCancelled): void {
    const inside = this.cancel === (this.el.getRootNode() as ShadowRoot).activeElement;
    this.cancel?.remove();
    this.reference = '';
    this.done.textContent = ev.text;
    this.entry.extra.push(ev.text);
    if (inside) this.done.focus();
  }

  waiting(on: boolean): void {
    // aria-disabled, not disabled: a button that loses the focus throws a keyboard user to the top of the page.
    this.button.setAttribute('aria-disabled', String(on));
    this.button.replaceChildren(this.w.t(on ? 'sending' : 'cbSend'));
  }

  refuse(hint = this.phone.getAttribute('aria-describedby') ?? ''): void {
    this.waiting(false);
    this.w.put(this.error, 'cbError').hidden = false;
    this.phone.setAttribute('aria-invalid', 'true');
    this.phone.setAttribute('aria-describedby', `${this.error.id} ${hint.replace(this.error.id, '').trim()}`);
    this.phone.focus();
  }

  private clear(): void {
    if (this.error.hidden || !phoneNumber(this.phone.value)) return;
    this.error.hidden = true;
    this.phone.removeAttribute('aria-invalid');
    this.phone.setAttribute('aria-describedby', (this.phone.getAttribute('aria-describedby') ?? '').replace(this.error.id, '').trim());
  }
}
