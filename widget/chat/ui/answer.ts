// One answer of the chatbot: who wrote it where that is not the municipality, text that grows while it streams, then
// the municipality's own text, sources, links, choices and rating.

import { callable, render, safeUrl, type Block } from '../markdown';
import type { Entry } from '../transcript';
import type { AnswerEnd, AnswerStart, Approved, Rated, Turn } from '../wire';
import { button, h, icon, uid, type Words } from './dom';
import type { Handover } from './handover';
import { Rating } from './rating';

export interface AnswerActions {
  choose(article_id: string, title: string): void;
  human(): void;
  /** Gives the client_id, so that its acknowledgement finds the way back. */
  rate(turn: Turn, score: number, comment?: string): string;
}

export class Answer {
  readonly el: HTMLElement;
  readonly entry: Entry;
  private body = h('div', { class: 'md', test: 'answer-text' });
  private shown: Block[] = [];
  private text = '';
  private human = h('div', { class: 'extra' });
  private rating: Rating | undefined;
  private ended = false;
  private unfinished: HTMLElement | undefined;

  constructor(private w: Words, private turn: Turn, private act: AnswerActions, at: Date | undefined, private commentMax: number) {
    this.entry = { who: w.say('bot'), text: '', markdown: true, extra: [], at };
    this.el = h('div', { class: 'msg bot', test: 'answer', 'aria-busy': 'true' },
      h('span', { class: 'sr' }, w.t('bot'), ': '), h('div', { class: 'bubble' }, this.body));
  }

  /** A person, below the answer that suggested it: one block, and no more of it than was asked for. */
  offer(offer: Handover): void {
    this.human.remove();
    if (this.crisis) this.el.append(h('div', { class: 'extra' }, offer.fold('human', 'offer-human', offer.el), offer.el));
    else {
      this.el.classList.add('joined');
      offer.foldForm();
      this.el.append(offer.el);
    }
  }

  private get crisis(): boolean {
    return this.el.dataset.outcome === 'crisis';
  }

  start(ev: AnswerStart): void {
    const bubble = this.body.parentElement as HTMLElement;
    this.w.content(bubble, ev.content_lang, ev.dir);
    this.el.dataset.outcome = ev.outcome;
    if (ev.notice) {
      // The notice speaks the citizen's language, the answer may not.
      const notice = h('p', { class: 'notice', test: 'answer-notice' }, ev.notice);
      bubble.prepend(this.w.content(notice, ev.lang));
      this.entry.extra.push(ev.notice);
    }
    if (ev.title) {
      bubble.insertBefore(h('p', { class: 'title', test: 'answer-title' }, ev.title), this.body);
      this.entry.text = `**${ev.title}**\n\n`;
    }
    this.mark(bubble, ev);
  }

  /** Says above all else who wrote this. A text of a machine's is never without it, whatever the service sends. */
  private mark(bubble: HTMLElement, { written, mark, lang }: AnswerStart): void {
    const made = written === 'generated';
    if (!made && !mark.trim()) return;
    const el = h('p', { class: 'mark', dir: 'auto', test: 'answer-mark', 'data-written': written }, icon(made ? 'generated' : 'shortened'));
    if (mark.trim()) this.w.content(el, lang).append(h('span', {}, mark));
    else el.append(this.w.t('generated'));
    this.entry.mark = el.textContent ?? '';
    bubble.prepend(el);
  }

  part(text: string): void {
    this.goOn();
    this.text += text;
    this.entry.text += text;
    this.shown = this.draw(this.body, this.text);
  }

  private draw(into: HTMLElement, text: string): Block[] {
    return render(into, this.crisis ? callable(text) : text, (href, kids) => this.w.link(href, kids), into === this.body ? this.shown : []);
  }

  /** The municipality's own text, one tap away. */
  private approved({ text, content_lang, dir }: Approved): HTMLElement {
    const { w } = this;
    const own = w.content(h('div', { class: 'md own', id: uid('own'), hidden: true, test: 'approved-text' }), content_lang, dir);
    this.draw(own, text);
    const label = w.t('ownText');
    const b = button('btn', 'approved', () => {
      // Whoever unfolds it reads it when they like: it is not news.
      el.setAttribute('aria-live', 'off');
      own.hidden = !own.hidden;
      b.setAttribute('aria-expanded', String(!own.hidden));
      w.put(label, own.hidden ? 'ownText' : 'ownTextHide');
    }, label);
    b.setAttribute('aria-controls', own.id);
    b.setAttribute('aria-expanded', 'false');
    const el = h('div', { class: 'approved' }, b, own);
    return el;
  }

  end(ev: AnswerEnd): void {
    const { w } = this;
    const bubble = this.body.parentElement as HTMLElement;
    if (ev.approved.text.trim()) bubble.append(this.approved(ev.approved));
    const links = ev.links.flatMap((l) => {
      const href = safeUrl(l.url);
      if (!href) return [];
      this.entry.extra.push(`${l.title}: ${href}`);
      return [h('li', {}, w.link(href, [h('span', {}, l.title)], 'btn'))];
    });
    if (links.length) bubble.append(h('ul', { class: 'btns', test: 'links' }, ...links));
    // What can be chosen is not shown twice.
    const sources = ev.sources.filter((s) => !this.crisis || !ev.choices.some((c) => c.title === s.title));
    if (sources.length) {
      bubble.append(h('ul', { class: 'sources', test: 'sources' }, ...sources.map((s) => {
        const href = safeUrl(s.url);
        const sections = s.sections.length > 0 && `(${s.sections.join(', ')})`;
        this.entry.extra.push([`${w.say('source')}: ${s.title}`, sections, href && `(${href})`].filter(Boolean).join(' '));
        return h('li', { test: 'source' }, w.t('source'), ': ',
          href ? w.link(href, [document.createTextNode(s.title)]) : h('span', {}, s.title), sections && ' ', sections && h('bdi', {}, sections));
      })));
    }
    if (ev.choices.length) {
      const id = uid('choices');
      const label = w.put(h('p', { id, class: 'label' }), 'choices');
      label.hidden = ev.choices.length < 2;
      this.el.append(h('div', { class: 'extra', role: 'group', 'aria-labelledby': id, test: 'choices' }, label,
        h('ul', { class: 'btns', lang: bubble.lang, dir: bubble.dir }, ...ev.choices.map((c) => h('li', {},
          button('btn', 'choice', () => this.act.choose(c.article_id, c.title), c.title))))));
    }
    if (ev.offer_human) {
      this.human.append(button('btn', 'offer-human', () => this.act.human(), w.t('human')));
      this.el.append(this.human);
    }
    if (ev.can_rate) {
      this.rating = new Rating(w, 'rate', this.turn, this.commentMax, (...r) => this.act.rate(...r));
      this.el.append(this.rating.el);
    }
    this.goOn();
    this.ended = true;
    this.el.setAttribute('aria-busy', 'false');
  }

  get growing(): boolean {
    return this.el.getAttribute('aria-busy') === 'true';
  }

  /** Nothing more is to be expected: it may be read aloud as far as it came, and does not pass for a whole answer. */
  settle(): void {
    if (this.ended || !this.growing) return;
    this.el.setAttribute('aria-busy', 'false');
    this.unfinished = h('p', { class: 'state', test: 'answer-unfinished' }, this.w.t('unfinished'));
    this.el.append(this.unfinished);
    this.entry.extra.push(this.w.say('unfinished'));
  }

  /** It goes on after all. */
  private goOn(): void {
    this.el.setAttribute('aria-busy', 'true');
    if (!this.unfinished) return;
    this.unfinished.remove();
    this.unfinished = undefined;
    this.entry.extra.pop();
  }

  /** On disk, now or in an earlier page of this tab. */
  rated(ev: Rated): void {
    this.rating?.rated(ev);
  }
}
