// The transcript: what was said, in order, once. A live region, so what enters it is read aloud; history and
// streaming are kept silent by aria-live and aria-busy.

import type { Args, Key } from '../i18n';
import type { Outgoing } from '../store';
import type { Entry } from '../transcript';
import type { Agent, CallbackSaved, Citizen, Event, HandoverOffer, Reveal, Turn, Welcome } from '../wire';
import { Answer, type AnswerActions } from './answer';
import { render } from '../markdown';
import { button, h, icon, type Words } from './dom';
import { Handover } from './handover';
import { Rating } from './rating';

/** In the order of the text maskedKinds. */
const KINDS = ['cpr', 'phone', 'email', 'account', 'passport'];

export interface LogActions extends AnswerActions {
  retry(id: string): void;
  unveil(id: string, epoch: number, text: string): void;
  again(text: string): void;
  callback(phone: string, topic: string, slot: number): string;
  queue(): void;
  cancelCallback(reference: string): void;
}

export class Log {
  readonly el: HTMLElement;
  readonly entries: Entry[] = [];
  disclosure: HTMLElement | undefined;
  private dots = h('div', { class: 'dots', 'aria-hidden': 'true', hidden: true, test: 'typing' }, h('i'), h('i'), h('i'));
  private bubbles = new Map<string, HTMLElement>();
  /** Of messages in which something was hidden, as they were written. */
  private written = new WeakMap<Element, string>();
  private answers = new Map<Turn, Answer>();
  private offers: Handover[] = [];
  private callbacks = new Map<string, Handover>();
  private talk: Rating | undefined;
  private greeting: HTMLElement | undefined;
  private hello: Entry | undefined;
  private introFor: string | undefined;
  private silent = false;
  private following = true;
  private lastTop = 0;
  private anchor: HTMLElement | undefined;
  private asked: HTMLElement | undefined;
  /** The answer just given, while nothing else has been said. */
  private latest: Answer | undefined;
  private lastText = '';
  commentMax = 1000;

  constructor(private w: Words, private act: LogActions) {
    this.el = w.put(h('div', {
      class: 'log', role: 'log', 'aria-live': 'polite', 'aria-busy': 'false', tabindex: '0', test: 'log',
    }, this.dots), 'log', undefined, 'aria-label');
    this.intro();
    // A phone that is turned, or its keyboard: the newest stays in sight.
    if ('ResizeObserver' in window) new ResizeObserver(() => this.follow()).observe(this.el);
  }

  /** Before the service answers, the citizen already reads what this is; its own words replace ours. */
  intro(welcome?: Welcome): void {
    if (welcome && this.introFor === welcome.dialogue) return;
    if (!this.disclosure || this.introFor) {
      this.disclosure = this.w.put(h('p', { class: 'disclosure', test: 'disclosure' }), 'disclosure');
      this.add(this.disclosure);
    }
    if (!welcome) return;
    this.introFor = welcome.dialogue;
    this.greeting = h('p', {});
    this.disclosure.after(h('div', { class: 'msg bot', test: 'greeting' },
      h('span', { class: 'sr' }, this.w.t('bot'), ': '), h('div', { class: 'bubble' }, this.greeting)));
    this.entries.push((this.hello = { who: this.w.say('bot'), text: '', markdown: false, extra: [], at: undefined }));
    this.relabel();
    if (welcome.lang !== this.w.lang) return;
    // The municipality's own words, for as long as the citizen keeps the language they are in.
    for (const [el, text] of [[this.disclosure, welcome.disclosure], [this.greeting, welcome.greeting]] as const) {
      if (!text) continue;
      el.removeAttribute('data-t');
      el.textContent = text;
    }
    this.hello.text = this.greeting.textContent ?? '';
  }

  /** What this is must be understood, so disclosure and greeting follow the interface's language. */
  relabel(): void {
    if (this.disclosure) this.w.put(this.disclosure, 'disclosure');
    if (this.greeting && this.hello) this.hello.text = this.w.put(this.greeting, 'greeting').textContent ?? '';
  }

  replay(on: boolean): void {
    this.silent = on;
    this.el.setAttribute('aria-live', on ? 'off' : 'polite');
    if (on) return;
    // What history leaves open may have ended with the service that wrote it; if not, it goes on.
    this.settle();
    this.follow(true);
  }

  outgoing(o: Outgoing): void {
    if (!o.text) return;
    let el = this.bubbles.get(o.id);
    if (!el) {
      el = h('div', { class: 'msg you', test: 'citizen', 'data-client-id': o.id },
        h('span', { class: 'sr' }, this.w.t('you'), ': '),
        h('div', { class: 'bubble', dir: 'auto' }, h('p', { class: 'said' }, o.text)));
      this.bubbles.set(o.id, el);
      this.el.insertBefore(el, this.dots);
    }
    el.classList.add('pending');
    this.anchor = this.latest = undefined;
    this.state(el, o.failed ? undefined : 'sending');
    if (o.failed) this.failed(o);
    this.follow(true);
  }

  citizen(ev: Citizen): void {
    let el = this.bubbles.get(ev.client_id);
    // Said before and acknowledged before: the same event a second time.
    if (el && !el.classList.contains('pending')) return;
    // Only a request for a person comes without words.
    const said = ev.text || this.w.say('humanSay');
    if (!el) {
      this.outgoing({ id: ev.client_id, kind: 'message', frame: { type: 'bye' }, text: said });
      el = this.bubbles.get(ev.client_id) as HTMLElement;
    }
    el.classList.remove('pending');
    // The text as it is stored, after redaction: what the citizen sees is what we have.
    const p = el.querySelector('.said') as HTMLElement;
    if (ev.text !== p.textContent) this.written.set(el, p.textContent);
    if (ev.text) p.textContent = ev.text;
    const masked = ev.masked.length ? { kinds: this.kinds(ev.masked) } : undefined;
    this.state(el, masked && 'masked', masked);
    // Its place is where the service put it, before anything that still waits.
    const waiting = this.firstWaiting();
    if (el.nextElementSibling !== waiting) this.el.insertBefore(el, waiting);
    this.lastText = ev.text;
    this.settle();
    this.latest = undefined;
    this.asked = el;
    this.entries.push({
      who: this.w.say('you'), text: said, markdown: false, at: this.time(),
      extra: masked ? [this.w.say('masked', masked)] : [],
    });
    this.follow();
  }

  event(ev: Exclude<Event, Citizen>): void {
    // One thing at a time is said: what had not ended by now may never end. A rating can come in the midst of it.
    if (ev.type !== 'rated') this.settle('turn' in ev ? ev.turn : undefined);
    switch (ev.type) {
      case 'answer_start':
        this.answer(ev.turn).start(ev);
        break;
      case 'answer_part':
        this.answer(ev.turn).part(ev.text);
        break;
      case 'answer_end':
        this.latest = this.answer(ev.turn);
        this.latest.end(ev);
        break;
      case 'handover_offer':
        this.offer(ev);
        break;
      case 'callback_offer':
        // Nothing to choose from is only news.
        if (ev.slots.length) this.offer({ ...ev, type: 'handover_offer', open: false, hours: '', phone: '', queue: false });
        else this.news(ev.text);
        break;
      case 'queued':
        for (const o of this.offers) o.queued(true);
        this.news(ev.text);
        break;
      case 'agent_joined':
      case 'agent_left':
        this.news(ev.text);
        break;
      case 'agent':
        this.agent(ev);
        break;
      case 'handover_ended': {
        const el = this.news(ev.text);
        if (ev.can_rate) {
          this.talk = new Rating(this.w, 'rateTalk', '', this.commentMax, (...r) => this.act.rate(...r));
          el.append(this.talk.el);
        }
        break;
      }
      case 'callback_cancelled': {
        const offer = this.offers.find((o) => o.reference === ev.reference);
        if (offer) offer.cancelled(ev);
        else this.news(ev.text);
        break;
      }
      case 'callback_saved':
        this.saved(ev);
        break;
      case 'rated':
        (ev.turn === '' ? this.talk : this.answers.get(ev.turn))?.rated(ev);
        break;
      case 'notice':
        this.note(ev.text);
        this.entries.push({ who: this.w.say('note'), text: ev.text, markdown: false, extra: [], at: this.time() });
        break;
    }
    this.hush();
    this.follow();
  }

  /** Answers that were begun, but for one, are no longer waited for. */
  private settle(but?: Turn): void {
    for (const [turn, a] of this.answers) if (turn !== but) a.settle();
    this.hush();
  }

  /** An answer is read aloud once, when it is whole. */
  private hush(): void {
    this.el.setAttribute('aria-busy', String([...this.answers.values()].some((a) => a.growing)));
  }

  /** Of the service: what has happened, for the transcript too. */
  private news(text: string): HTMLElement {
    const el = h('div', { class: 'news', test: 'news' },
      h('span', { class: 'sr' }, this.w.t('note'), ': '), h('p', { dir: 'auto' }, text));
    this.add(el);
    this.entries.push({ who: this.w.say('note'), text, markdown: false, extra: [], at: this.time() });
    this.anchor = this.latest = undefined;
    return el;
  }

  private offer(ev: HandoverOffer): void {
    const offer: Handover = new Handover(this.w, ev, this.time(), {
      callback: (phone, topic, slot) => this.callbacks.set(this.act.callback(phone, topic, slot), offer),
      queue: () => this.act.queue(),
      cancelCallback: (reference) => this.act.cancelCallback(reference),
    });
    this.offers.push(offer);
    this.entries.push(offer.entry);
    if (this.latest) return this.latest.offer(offer);
    const el = h('div', { class: 'msg bot' }, h('span', { class: 'sr' }, this.w.t('bot'), ': '), offer.el);
    this.add(el);
    this.anchor = el;
  }

  /** A person's words: by name, with a sign and a border, not by colour alone. */
  private agent(ev: Agent): void {
    const { w } = this;
    const said = h('div', { class: 'md', dir: 'auto', test: 'agent-text' });
    render(said, ev.text, (href, kids) => w.link(href, kids));
    const el = h('div', { class: 'msg agent', test: 'agent' }, h('div', { class: 'bubble' },
      h('p', { class: 'who' }, icon('person'), h('span', {}, h('bdi', {}, ev.name), ', ', w.t('staff'), ':')),
      ev.late && h('p', { class: 'quiet' }, w.t('late')), said));
    this.add(el);
    this.entries.push({ who: `${ev.name}, ${w.say('staff')}`, text: ev.text, markdown: true, extra: [], at: this.time() });
    this.anchor = el;
    this.latest = undefined;
  }

  /** Not in the queue after all. */
  queueFailed(): void {
    for (const o of this.offers) o.queued(false);
  }

  /** All that was shown comes again; what waits to be sent stays. */
  forget(): void {
    const waiting = [...this.el.querySelectorAll('.msg.pending')];
    this.retire();
    this.entries.length = 0;
    this.el.replaceChildren(...waiting, this.dots);
    for (const [id, el] of this.bubbles) if (!el.isConnected) this.bubbles.delete(id);
    this.disclosure = this.greeting = this.introFor = this.anchor = this.asked = this.latest = undefined;
    this.intro();
  }

  /** A line from the system, with at most one thing to do about it. */
  note(text: string, todo?: { label: HTMLElement; test: string; press(): void }): void {
    const el = h('div', { class: 'note', test: 'notice' },
      h('span', { class: 'sr' }, this.w.t('note'), ': '), h('p', { dir: 'auto' }, text));
    if (todo) {
      el.append(button('btn', todo.test, () => {
        el.remove();
        todo.press();
      }, todo.label));
    }
    this.add(el);
    this.follow();
  }

  noteKey(key: Key, args?: Args): void {
    this.note(this.w.say(key, args));
  }

  failed(o: Outgoing): void {
    const el = this.bubbles.get(o.id);
    if (!el) return;
    const p = this.state(el, 'failed');
    p?.append(' ', button('btn', 'retry', () => this.act.retry(o.id), this.w.t('retry')));
    this.follow();
  }

  /** The service failed after it had stored the message: ask the same again. */
  problem(): void {
    const text = this.lastText;
    this.note(this.w.say('problem'), text ? { label: this.w.t('retry'), test: 'retry', press: () => this.act.again(text) } : undefined);
  }

  remove(id: string): void {
    this.bubbles.get(id)?.remove();
    this.bubbles.delete(id);
  }

  /** A callback that was not accepted: the form is the citizen's again. */
  callbackFailed(id: string, badNumber: boolean): void {
    const offer = this.callbacks.get(id);
    if (badNumber) offer?.refuse();
    else offer?.waiting(false);
  }

  working(on: boolean): void {
    this.dots.hidden = !on || this.silent;
    if (on) this.follow();
    else this.settle();
  }

  /** What belonged to a dialogue that is gone can be read, but no longer pressed. */
  retire(): void {
    // What only unfolds here still does.
    for (const el of this.el.querySelectorAll('.extra, form, .msg.bot button:not([aria-controls])')) el.remove();
    this.settle();
    this.answers.clear();
    this.callbacks.clear();
    this.offers = [];
    this.talk = undefined;
  }

  clear(): void {
    this.retire();
    this.bubbles.clear();
    this.entries.length = 0;
    this.lastText = '';
    this.el.replaceChildren(this.dots);
    this.disclosure = this.greeting = this.introFor = this.anchor = this.asked = this.latest = undefined;
    this.intro();
  }

  /** Shows the newest, but never scrolls past the beginning of an answer, nor away from what is being read. */
  follow(force = false): void {
    if (force) this.following = true;
    if (!this.following || this.silent) return;
    const box = this.scroller();
    const bottom = box.scrollHeight - box.clientHeight;
    const top = this.anchor?.isConnected
      ? this.anchor.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop - 12 : bottom;
    box.scrollTop = Math.max(force ? 0 : box.scrollTop, Math.min(bottom, top));
    this.lastTop = box.scrollTop;
  }

  scrolled(): void {
    const box = this.scroller();
    if (box.scrollTop < this.lastTop - 8) this.following = false;
    else if (box.scrollTop + box.clientHeight >= box.scrollHeight - 24) this.following = true;
    this.lastTop = box.scrollTop;
  }

  /** On a very low screen (400 % zoom) the whole panel scrolls, else only the transcript. */
  private scroller(): HTMLElement {
    const panel = this.el.parentElement;
    return panel && getComputedStyle(this.el).overflowY === 'visible' ? panel : this.el;
  }

  private answer(turn: Turn): Answer {
    let a = this.answers.get(turn);
    if (!a) {
      a = new Answer(this.w, turn, this.act, this.time(), this.commentMax);
      this.answers.set(turn, a);
      this.entries.push(a.entry);
      this.add(a.el);
      // The question stays in sight above its answer, unless it is long itself.
      this.anchor = this.asked && a.el.offsetTop - this.asked.offsetTop < 240 ? this.asked : a.el;
    }
    return a;
  }

  private saved(ev: CallbackSaved): void {
    const offer = this.callbacks.get(ev.client_id) ?? this.offers.filter((o) => !o.settled).pop();
    if (offer) offer.saved(ev);
    else this.note(ev.text);
  }

  /** What was hidden, in words; a kind that is newer than this page by its own name. */
  private kinds(masked: string[]): string {
    const names = this.w.say('maskedKinds').split(';');
    return masked.map((kind) => names[KINDS.indexOf(kind)] ?? kind).join(', ');
  }

  /** Under the message: what was hidden in it can be shown, or was. Only the page that wrote it has it, in memory. */
  unveil(r: Reveal): void {
    const el = this.bubbles.get(r.client_id);
    const text = el && this.written.get(el);
    if (!text) return;
    const b = el.querySelector('button') ?? el.appendChild(button('btn', 'reveal', undefined));
    // It stays where it was pressed, so that nobody who is there by keys is sent elsewhere.
    b.textContent = r.text;
    b.onclick = r.epoch ? () => this.act.unveil(r.client_id, r.epoch, text) : null;
    this.follow();
  }

  private state(el: HTMLElement, key: Key | undefined, args?: Args): HTMLElement | undefined {
    el.querySelector('.state')?.remove();
    if (!key) return undefined;
    const p = h('p', { class: `state ${key}`, test: `state-${key}` }, this.w.t(key, args));
    el.append(p);
    return p;
  }

  private add(el: HTMLElement): void {
    this.el.insertBefore(el, this.firstWaiting());
  }

  private firstWaiting(): HTMLElement {
    return this.el.querySelector<HTMLElement>('.msg.pending') ?? this.dots;
  }

  /** Events carry no time, so history has none. */
  private time(): Date | undefined {
    return this.silent ? undefined : new Date();
  }
}
