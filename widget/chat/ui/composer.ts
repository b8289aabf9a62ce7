// Where the citizen writes. Nothing is lost here: the text stays until it is handed over, and is saved as it grows.

import { chars } from '../wire';
import { button, h, icon, uid, type Words } from './dom';

const WARN_AT = 0.85;

export interface ComposerActions {
  send(text: string): void;
  human(): void;
  changed(text: string): void;
}

export class Composer {
  readonly el: HTMLElement;
  readonly area: HTMLTextAreaElement;
  max = 2000;
  private count = h('p', { class: 'count', id: uid('count'), role: 'status', test: 'counter' });

  private label = h('label', { class: 'label' });
  private human: HTMLElement;

  constructor(private w: Words, private act: ComposerActions) {
    const id = uid('input');
    this.label.htmlFor = id;
    this.human = button('human', 'human', () => act.human(), icon('person'), w.t('human'));
    this.area = h('textarea', {
      id, rows: '1', dir: 'auto', enterkeyhint: 'send', autocomplete: 'off', 'aria-describedby': this.count.id,
      test: 'input', oninput: () => this.changed(), onkeydown: (e) => this.key(e as KeyboardEvent),
    });
    this.count.hidden = true;
    this.el = h('form', { class: 'composer', novalidate: true, onsubmit: (e) => {
      e.preventDefault();
      this.submit();
    } },
      h('div', { class: 'above' },
        w.put(this.label, 'input'), this.human),
      h('div', { class: 'write' }, this.area,
        button('send', 'send', undefined, h('span', {}, w.t('send')), icon('send'))),
      this.count);
  }

  /** Whom it goes to: a person by name, or the bot; who has asked for a person need not ask again. */
  to(name: string, asked: boolean): void {
    if (name) this.w.put(this.label, 'inputPerson', { name });
    else this.w.put(this.label, 'input');
    this.human.hidden = asked;
  }

  get text(): string {
    return this.area.value;
  }

  set text(v: string) {
    this.area.value = v;
    this.grow();
    this.counter();
  }

  /** Grown to its content; the style sheet sets the most. */
  grow(): void {
    this.area.style.height = 'auto';
    this.area.style.height = `${this.area.scrollHeight + this.area.offsetHeight - this.area.clientHeight}px`;
  }

  private key(e: KeyboardEvent): void {
    // Enter also ends the composing of a character: that one is not a wish to send.
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    this.submit();
  }

  private changed(): void {
    this.grow();
    this.counter();
    this.act.changed(this.text);
  }

  /** Silent far from the limit; then it says what is left, and beyond it what is too much. Never cuts the text. */
  private counter(): void {
    const n = chars(this.text.trim());
    this.count.classList.remove('error');
    this.area.removeAttribute('aria-invalid');
    this.count.hidden = n < this.max * WARN_AT;
    if (n > this.max) this.complain('over', n - this.max);
    else if (!this.count.hidden) {
      this.w.put(this.count, 'left', { n: this.max - n });
      // Every letter would be read aloud; every tenth is enough.
      this.count.setAttribute('aria-live', (this.max - n) % 10 ? 'off' : 'polite');
    } else this.count.textContent = '';
  }

  private complain(key: 'over' | 'input', n = 0): void {
    this.count.setAttribute('aria-live', 'polite');
    this.count.hidden = false;
    this.count.classList.add('error');
    this.w.put(this.count, key, { n });
    this.area.setAttribute('aria-invalid', 'true');
  }

  private submit(): void {
    const text = this.text.trim();
    if (!text || chars(text) > this.max) {
      if (!text) this.complain('input');
      return this.area.focus();
    }
    this.text = '';
    this.act.changed('');
    this.act.send(text);
    this.area.focus();
  }
}
