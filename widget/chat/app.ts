// Puts conversation and screen together. Until the citizen opens the chat there is one button, no connection and
// nothing stored.

import type { Config } from './config';
import { palette, parseHex } from './contrast';
import { Conversation, type View } from './conversation';
import type { LinkState } from './connection';
import { dirOf, texts } from './i18n';
import { Store, type Outgoing } from './store';
import css from './ui/styles.css';
import { fileName, transcript } from './transcript';
import { Composer } from './ui/composer';
import { h, uid, Words } from './ui/dom';
import { Log } from './ui/log';
import { Panel } from './ui/panel';
import { People } from './ui/people';
import type { Standing } from './standing';
import type { Citizen, ErrorFrame, Event, Lang, Reveal, Wait, Welcome } from './wire';

/** A hiccup shorter than this is nobody's worry. */
const TROUBLE_AFTER_MS = 1_500;
const GOOD_NEWS_MS = 4_000;
const SPEAK_TYPING_AFTER_MS = 2_000;
/** Somebody who writes says so every three seconds. */
const PERSON_TYPES_MS = 5_000;

export class App implements View {
  private host = document.createElement('borgerlinje-chat');
  private store: Store;
  private w: Words;
  private log: Log;
  private composer: Composer;
  private people: People;
  private panel: Panel;
  private talk: Conversation;
  private started = false;
  private themed = false;
  private troubled = false;
  private welcomed = false;
  private pinned = false;
  private phone = '';
  private name = '';
  private lineTimer = 0;
  private troubleTimer = 0;
  private spokenTimer = 0;
  private typingTimer = 0;
  private silent = false;
  /** The page's own title, while ours stands in its place. */
  private title: string | undefined;
  private returnTo: HTMLElement | undefined;

  constructor(private cfg: Config) {
    const root = this.host.attachShadow({ mode: 'open' });
    this.store = new Store(`borgerlinje.${cfg.code}`, () => window.sessionStorage);
    const before = this.store.load();
    this.w = new Words(this.store.data.lang ?? cfg.lang, root);
    this.log = new Log(this.w, {
      choose: (id, title) => this.talk.choose(id, title),
      human: () => this.human(),
      rate: (turn, score, comment) => this.talk.rate(turn, score, comment),
      retry: (id) => this.talk.retry(id),
      unveil: (...what) => this.talk.unveil(...what),
      again: (text) => this.talk.message(text),
      callback: (phone, topic, slot) => this.talk.callback(phone, topic, slot),
      queue: () => this.talk.queue(),
      cancelCallback: (reference) => this.talk.cancelCallback(reference),
    });
    this.composer = new Composer(this.w, {
      send: (text) => this.talk.message(text),
      human: () => this.human(),
      changed: (draft) => {
        this.store.save({ draft });
        if (draft) this.talk.typing();
      },
    });
    this.people = new People(this.w, () => this.talk.leave(), () => this.composer.area.focus());
    this.panel = new Panel(this.w, root, {
      open: () => this.open(),
      close: () => this.close(),
      lang: (l) => {
        this.pinned = true;
        this.setLang(l);
      },
      download: () => this.download(),
      restart: () => this.restart(),
      tryNow: () => this.talk.link.retryNow(),
      scrolled: () => this.log.scrolled(),
    }, this.log.el, this.people.el, this.composer.el);
    this.talk = new Conversation(cfg.socket, { municipality: cfg.code, signed: cfg.signed }, () => this.w.lang, this.store, this);

    style(root);
    root.append(this.panel.launcher, this.panel.el);
    this.colours(cfg.accent);
    this.panel.language(this.w.lang);
    // Pages listen for keys of their own ("/" for search): typing here is not meant for them.
    for (const t of ['keydown', 'keyup', 'keypress']) this.host.addEventListener(t, (e) => e.stopPropagation());
    window.addEventListener('online', () => this.started && this.talk.link.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.untitle();
      if (this.started) this.talk.link.probe();
    });
    document.body.append(this.host);
    // The citizen had it open on the page before; on a phone it would hide the page just asked for.
    if (before && this.store.data.open && !this.panel.isFull) this.open(false);
    else if (cfg.open) this.open(false);
  }

  open(focus = true): void {
    if (this.panel.isOpen) return;
    const from = document.activeElement;
    this.returnTo = from instanceof HTMLElement && from !== this.host && from !== document.body ? from : undefined;
    const disclosure = this.log.disclosure as HTMLElement;
    disclosure.id ||= uid('disclosure');
    this.panel.show(true, disclosure.id);
    this.store.save({ open: true });
    if (!this.started) {
      this.started = true;
      this.composer.text = this.store.data.draft;
      void this.theme();
      this.talk.start();
    } else this.talk.link.probe();
    this.composer.grow();
    this.log.follow(true);
    if (!focus) return;
    // On a touch screen the keyboard would cover the words that say what this is.
    if (window.matchMedia('(pointer: coarse)').matches) this.panel.el.focus();
    else this.composer.area.focus();
  }

  close(): void {
    if (!this.panel.isOpen) return;
    this.panel.show(false);
    this.store.save({ open: false });
    (this.returnTo ?? this.panel.launcher).focus();
  }

  // What the conversation tells.

  link(s: LinkState): void {
    if (s === 'open') return;
    if (s === 'stopped') return this.panel.status('stopped');
    const say = (): void => {
      const now = this.talk.link.state;
      const trouble = this.troubled || this.welcomed || now !== 'connecting';
      this.troubled = trouble;
      this.panel.status(now === 'offline' ? now : trouble ? 'lost' : 'connecting', undefined, trouble, trouble ? this.phone : '');
    };
    if (this.troubled) say();
    // One wait for the whole trouble, however often the state changes meanwhile.
    else this.troubleTimer ||= window.setTimeout(say, TROUBLE_AFTER_MS);
  }

  welcome(w: Welcome, fresh: boolean): void {
    clearTimeout(this.lineTimer);
    clearTimeout(this.troubleTimer);
    this.troubleTimer = 0;
    this.welcomed = true;
    this.panel.status(this.troubled ? 'online' : undefined);
    if (this.troubled) this.lineTimer = window.setTimeout(() => this.panel.status(), GOOD_NEWS_MS);
    this.troubled = false;
    this.phone = w.contact.phone;
    this.name = w.municipality.name;
    this.composer.max = w.limits.message_chars;
    this.log.commentMax = w.limits.comment_chars;
    this.panel.municipality(this.name);
    if (fresh) this.log.intro(w);
    // A resumed dialogue of another page: the interface goes on in its language.
    this.log.follow();
  }

  replay(on: boolean): void {
    this.silent = on;
    this.log.replay(on);
  }

  outgoing(o: Outgoing): void {
    this.log.outgoing(o);
  }

  citizen(ev: Citizen): void {
    this.log.citizen(ev);
  }

  event(ev: Exclude<Event, Citizen>): void {
    this.log.event(ev);
    const person = /^(agent|agent_joined|callback_offer)$/.test(ev.type);
    if (person) this.typed();
    if (this.silent) return;
    if ((person || ev.type === 'answer_end') && !this.panel.isOpen) this.panel.unread(true);
    // Who waits may be reading something else: the page's title is all of us that can be seen there.
    if (person && document.hidden) {
      this.title ??= document.title;
      document.title = `${this.w.say('unread')} – ${this.title}`;
    }
  }

  standing(s: Standing): void {
    this.people.show(s);
    this.panel.who(s.with === 'person' ? s.name : '');
    this.composer.to(s.with === 'person' ? s.name : '', s.with !== 'bot');
    if (s.with !== 'person') this.typed();
    this.log.follow();
  }

  wait(w: Wait): void {
    this.people.wait(w);
    this.log.follow();
  }

  agentTyping(name: string): void {
    clearTimeout(this.typingTimer);
    if (!this.typingTimer) this.panel.announce('writes', { name });
    this.log.working(true);
    this.typingTimer = window.setTimeout(() => this.typed(), PERSON_TYPES_MS);
  }

  unveil(r: Reveal): void {
    this.log.unveil(r);
  }

  forget(): void {
    this.log.forget();
    const disclosure = this.log.disclosure as HTMLElement;
    disclosure.id = uid('disclosure');
    this.panel.el.setAttribute('aria-describedby', disclosure.id);
  }

  /** The person has stopped writing, or has said it. */
  private typed(): void {
    if (!this.typingTimer) return;
    clearTimeout(this.typingTimer);
    this.typingTimer = 0;
    this.log.working(false);
    this.panel.announce(undefined);
  }

  private untitle(): void {
    if (this.title !== undefined) document.title = this.title;
    this.title = undefined;
  }

  working(on: boolean): void {
    this.log.working(on);
    clearTimeout(this.spokenTimer);
    if (on) this.spokenTimer = window.setTimeout(() => this.panel.announce('typing'), SPEAK_TYPING_AFTER_MS);
    else this.panel.announce(undefined);
  }

  held(code: string, ms: number): void {
    clearTimeout(this.lineTimer);
    this.panel.status(code === 'overloaded' ? 'busy' : 'slow', { n: Math.ceil(ms / 1000) });
    this.lineTimer = window.setTimeout(() => this.panel.status(), ms);
  }

  failed(o: Outgoing | undefined, e: ErrorFrame): void {
    const closed = e.code === 'closed';
    // Why is what the citizen needs, whatever it was that could not be had.
    if (closed || (!o && e.code === 'not_possible')) this.log.note(e.text);
    if (!o) {
      // An answer that stops half-way must not keep a screen reader waiting.
      if (e.code === 'internal') this.log.problem();
    } else if (o.kind === 'rate') this.talk.withdraw(o.id);
    else if (o.kind === 'callback') {
      this.talk.withdraw(o.id);
      this.log.callbackFailed(o.id, !closed && e.code !== 'internal' && e.code !== 'not_possible');
      if (e.code === 'not_possible') this.log.note(e.text || this.w.say('problem'));
      if (e.code === 'internal') this.log.noteKey('problem');
    } else if (!o.text) {
      // A wish that cannot be had: the service says why, and offers what can.
      this.talk.withdraw(o.id);
      this.log.queueFailed();
      if (!closed) this.log.note(e.text || this.w.say('problem'));
    } else if (e.code === 'too_large' && !this.composer.text) {
      // Back where it can be made shorter.
      this.talk.withdraw(o.id);
      this.log.remove(o.id);
      this.composer.text = o.text;
      this.store.save({ draft: o.text });
      this.log.note(e.text || this.w.say('failed'));
    } else this.log.failed(o);
  }

  gone(): void {
    this.log.retire();
    this.log.noteKey('gone');
  }

  closed(text: string): void {
    // The link is stopped, not in trouble: nothing of that is to be said over this.
    clearTimeout(this.troubleTimer);
    this.troubleTimer = 0;
    // A stopped link has said something already.
    if (text) this.panel.closed(text);
  }

  /** The service saw another language than the interface's. Switch, say so, and make the way back easy. */
  speaks(lang: Lang): void {
    if (this.pinned) return;
    const old = this.w.lang;
    this.setLang(lang);
    const label = h('span', { lang: old, dir: dirOf(old) }, texts[old].back);
    this.log.note(this.w.say('switched'), { label, test: 'lang-back', press: () => {
      this.pinned = true;
      this.setLang(old);
      this.composer.area.focus();
    } });
  }

  private setLang(lang: Lang): void {
    this.w.change(lang);
    this.panel.language(lang);
    this.log.relabel();
    this.talk.setLang(lang);
  }

  private human(): void {
    this.talk.human(this.w.say('humanSay'));
  }

  private restart(): void {
    this.log.clear();
    const disclosure = this.log.disclosure as HTMLElement;
    disclosure.id = uid('disclosure');
    this.panel.el.setAttribute('aria-describedby', disclosure.id);
    this.talk.restart();
    this.composer.area.focus();
  }

  private download(): void {
    const now = new Date();
    const title = `${this.w.say('log')}: ${this.name || this.cfg.code}`;
    // By this all that is kept of it is found, for whoever asks to see it or have it erased.
    const text = transcript(`${title}\nID: ${this.store.data.dialogue}`, this.log.disclosure?.textContent ?? '', this.log.entries, now);
    // The mark at the beginning tells old editors that this is UTF-8.
    const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/plain;charset=utf-8' }));
    const a = h('a', { href: url, download: fileName(this.cfg.code, now) });
    a.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  private async theme(): Promise<void> {
    if (this.themed) return;
    this.themed = true;
    try {
      const answer = await fetch(`${this.cfg.theme}?lang=${this.w.lang}`, { credentials: 'omit', referrerPolicy: 'no-referrer' });
      const t = (await answer.json()) as Record<string, unknown>;
      if (answer.status === 403) {
        // Of a socket that is refused a page is not told why: this says that it may not open the chat.
        this.talk.link.stop();
        this.closed(t.text as string);
      }
      // Of a problem's answer there is no name and no colour.
      if (!this.name && t.name) this.panel.municipality((this.name = String(t.name)));
      // The page's own choice is nearer than the service's.
      if (!this.cfg.accent) this.colours(String(t.accent ?? ''), String(t.on_accent ?? ''));
    } catch {
      // The colours of the style sheet do.
    }
  }

  private colours(accent?: string, onAccent?: string): void {
    const rgb = parseHex(accent);
    if (!rgb) return;
    for (const [k, v] of Object.entries(palette(rgb, parseHex(onAccent)))) this.host.style.setProperty(k, v);
  }
}

/** A constructed sheet is allowed by every content security policy; a style element is for browsers without. */
function style(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(h('style', {}, css));
  }
}
