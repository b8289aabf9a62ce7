// One answer of the chatbot: text that grows while it streams, then its sources, links, choices and rating.

import { callable, render, safeUrl, type Block } from '../markdown';
import type { Entry } from '../transcript';
import type { AnswerEnd, AnswerStart, Rated, Turn } from '../wire';
import { button, h, uid, type Words } from './dom';
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
  }

  part(text: string): void {
    this.text += text;
    this.entry.text += text;
    this.shown = render(this.body, this.crisis ? callable(this.text) : this.text, (href, kids) => this.w.link(href, kids), this.shown);
  }

  end(ev: AnswerEnd): void {
    const { w } = this;
    const bubble = this.body.parentElement as HTMLElement;
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
        this.entry.extra.push(`${w.say('source')}: ${s.title}${href ? ` (${href})` : ''}`);
        return h('li', { test: 'source' }, w.t('source'), ': ', href ? w.link(href, [document.createTextNode(s.title)]) : h('span', {}, s.title));
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
    this.settle();
  }

  /** Nothing more will come: the answer may be read aloud. */
  settle(): void {
    this.el.setAttribute('aria-busy', 'false');
  }

  /** On disk, now or in an earlier page of this tab. */
  rated(ev: Rated): void {
    this.rating?.rated(ev);
  }
}
