// Did it help? Three buttons and a word why; of one answer, or of the whole talk with a person.

import type { Key } from '../i18n';
import type { Rated, Turn } from '../wire';
import { button, h, uid, type Words } from './dom';

export class Rating {
  readonly el: HTMLElement;
  private thanks = h('p', { class: 'quiet', role: 'status', test: 'rating-thanks' });

  constructor(
    private w: Words, question: Key, private turn: Turn, private commentMax: number,
    private rate: (turn: Turn, score: number, comment?: string) => string,
  ) {
    const id = uid('rate');
    const buttons = [3, 2, 1].map((score) => w.put(button('btn', `rate-${score}`, () => {
      rate(turn, score);
      this.press(score);
      w.put(this.thanks, 'thanks');
      this.el.querySelector('form')?.remove();
      this.el.append(this.comment(score));
    }), `rate${score as 1 | 2 | 3}`));
    for (const b of buttons) b.setAttribute('aria-pressed', 'false');
    this.el = h('div', { class: 'extra rating', role: 'group', 'aria-labelledby': id, test: 'rating' },
      w.put(h('p', { id, class: 'label' }), question), h('div', { class: 'btns row' }, ...buttons), this.thanks);
  }

  /** On disk, now or in an earlier page of this tab. */
  rated(ev: Rated): void {
    this.press(ev.score);
    if (!this.thanks.textContent) this.w.put(this.thanks, 'thanks');
  }

  private press(score: number): void {
    for (const b of this.el.querySelectorAll<HTMLElement>('[aria-pressed]')) {
      b.setAttribute('aria-pressed', String(b.dataset.testid === `rate-${score}`));
    }
  }

  private comment(score: number): HTMLElement {
    const { w } = this;
    const id = uid('why');
    const area = h('textarea', { id, rows: '2', maxlength: String(this.commentMax), dir: 'auto', test: 'rating-comment' });
    const form = h('form', { novalidate: true, onsubmit: (e) => {
      e.preventDefault();
      const comment = area.value.trim();
      if (!comment) return area.focus();
      this.rate(this.turn, score, comment);
      // The focused button goes away with the form; the group keeps the reader's place.
      this.el.querySelector<HTMLElement>('[aria-pressed=true]')?.focus();
      form.remove();
    } }, w.put(h('label', { for: id, class: 'label' }), 'why'), area,
      button('btn', 'rating-send', undefined, w.t('sendComment')));
    return form;
  }
}
