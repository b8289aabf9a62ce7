// The frame around the conversation: launcher, header, language, menu, connection line. No knowledge of the wire.

import { dirOf, names, type Args, type Key } from '../i18n';
import { LANGS, type Lang } from '../wire';
import { button, h, icon, isolate, uid, type Words } from './dom';

export interface PanelActions {
  open(): void;
  close(): void;
  lang(l: Lang): void;
  download(): void;
  restart(): void;
  tryNow(): void;
  scrolled(): void;
}

/** Where styles.css makes the panel fill the screen; keep the two together. */
const FULL = '(max-width: 480px), (max-height: 420px)';

export class Panel {
  readonly launcher: HTMLElement;
  readonly el: HTMLElement;
  private dot = h('span', { class: 'badge', hidden: true, test: 'unread' });
  private name = h('h2', { test: 'municipality' });
  private sub = h('p', { class: 'sub', test: 'who' });
  private menu: HTMLElement;
  private menuButton: HTMLElement;
  private select: HTMLSelectElement;
  private line = h('div', { class: 'line', role: 'status', test: 'connection' });
  /** Heard, not seen: what the dots show to others. */
  private spoken = h('p', { class: 'sr', role: 'status', test: 'announce' });
  private ask: HTMLElement;
  private full = window.matchMedia(FULL);

  constructor(private w: Words, private root: ShadowRoot, private act: PanelActions, log: HTMLElement, people: HTMLElement, composer: HTMLElement) {
    this.launcher = button('launcher', 'launcher', () => act.open(), icon('chat'), w.t('ask'), this.dot);
    this.launcher.setAttribute('aria-haspopup', 'dialog');

    const menu = uid('menu');
    this.select = w.put(h('select', { class: 'lang', test: 'language', onchange: () => act.lang(this.select.value as Lang) },
      ...LANGS.map((l) => h('option', { value: l, lang: l }, names[l]))), 'lang', undefined, 'aria-label');
    this.menuButton = w.put(button('tool', 'menu', () => this.toggle(this.menu.hidden), icon('menu')), 'menu', undefined, 'aria-label');
    this.menuButton.setAttribute('aria-controls', menu);
    const item = (key: Key, test: string, press: () => void): HTMLElement => h('li', {},
      button('item', test, () => {
        this.toggle(false);
        press();
      }, w.t(key)));
    this.menu = h('ul', { id: menu, class: 'menu', hidden: true, test: 'menu-list' },
      item('download', 'download', () => {
        act.download();
        this.menuButton.focus();
      }),
      item('fresh', 'restart', () => this.confirm(true)));
    const close = w.put(button('tool', 'close', () => act.close(), icon('close')), 'close', undefined, 'aria-label');

    const question = uid('ask');
    this.ask = h('div', { class: 'ask', role: 'group', 'aria-labelledby': question, hidden: true, test: 'restart-ask' },
      w.put(h('p', { id: question }), 'freshAsk'),
      h('div', { class: 'btns row' },
        button('btn main', 'restart-yes', () => {
          this.confirm(false);
          act.restart();
        }, w.t('freshYes')),
        button('btn', 'restart-no', () => this.confirm(false), w.t('no'))));

    this.line.hidden = true;
    this.el = w.put(h('section', { class: 'panel', role: 'dialog', tabindex: '-1', hidden: true, test: 'panel' },
      // No banner beside that of the page.
      h('div', { class: 'head' },
        h('div', { class: 'titles' }, w.put(this.name, 'ask'), w.put(this.sub, 'robot')),
        this.select, this.menuButton, close, this.menu),
      this.line, log, this.ask, people, composer, this.spoken), 'ask', undefined, 'aria-label');
    log.addEventListener('scroll', () => act.scrolled(), { passive: true });
    this.el.addEventListener('scroll', () => act.scrolled(), { passive: true });
    this.el.addEventListener('keydown', (e) => this.key(e));
    this.el.addEventListener('click', (e) => {
      if (!this.menu.hidden && !this.menu.contains(e.target as Node) && !this.menuButton.contains(e.target as Node)) this.toggle(false);
    });
    this.fitToKeyboard();
    this.full.addEventListener?.('change', () => this.modality());
  }

  get isOpen(): boolean {
    return !this.el.hidden;
  }

  get isFull(): boolean {
    return this.full.matches;
  }

  show(on: boolean, describedBy?: string): void {
    this.el.hidden = !on;
    this.launcher.hidden = on;
    this.launcher.setAttribute('aria-expanded', String(on));
    if (describedBy) this.el.setAttribute('aria-describedby', describedBy);
    this.toggle(false);
    this.ask.hidden = true;
    this.modality();
    if (on) this.unread(false);
  }

  unread(on: boolean): void {
    this.dot.hidden = !on;
    if (on) this.w.put(this.dot, 'unread', undefined, 'aria-label').setAttribute('role', 'img');
  }

  /** Whose chat this is, once it is known. */
  municipality(name: string): void {
    if (!name) return;
    this.name.removeAttribute('data-t');
    this.name.textContent = name;
  }

  /** Who answers: the machine, or a person by name. */
  who(person: string): void {
    if (!person) return void this.w.put(this.sub, 'robot');
    this.sub.removeAttribute('data-t');
    this.sub.replaceChildren(h('bdi', {}, person), ', ', this.w.t('staff'));
  }

  language(l: Lang): void {
    this.select.value = l;
    this.el.lang = this.launcher.lang = l;
    this.el.dir = this.launcher.dir = dirOf(l);
  }

  announce(key: Key | undefined, args?: Args): void {
    if (key) this.w.put(this.spoken, key, args);
    else this.spoken.textContent = '';
  }

  /** The connection in plain words; nothing when all is well. */
  status(key?: Key, args?: Args, retry = false, phone = ''): void {
    this.line.hidden = !key;
    if (!key) return this.line.replaceChildren();
    this.line.replaceChildren(h('p', {}, this.w.t(key, args), !!phone && ' ', phone ? this.w.t('callUs', { phone: isolate(phone) }) : undefined));
    if (retry) this.line.append(button('btn', 'try-now', () => this.act.tryNow(), this.w.t('retry')));
  }

  /** The chat is closed for now, in the service's words. */
  closed(text: string): void {
    this.line.hidden = false;
    this.line.replaceChildren(h('p', {}, text));
  }

  private confirm(on: boolean): void {
    this.ask.hidden = !on;
    if (on) this.ask.querySelector('button')?.focus();
    else this.menuButton.focus();
  }

  private toggle(on: boolean): void {
    this.menu.hidden = !on;
    this.menuButton.setAttribute('aria-expanded', String(on));
    if (on) this.menu.querySelector('button')?.focus();
  }

  private key(e: KeyboardEvent): void {
    if (e.key === 'Escape' && !e.isComposing) {
      // The innermost open thing first.
      if (!this.menu.hidden) {
        this.toggle(false);
        this.menuButton.focus();
      } else if (!this.ask.hidden) this.confirm(false);
      else this.act.close();
    } else if (e.key === 'Tab' && this.isFull) this.cycle(e);
  }

  /** A panel that covers the page must not let the focus wander off beneath it. */
  private cycle(e: KeyboardEvent): void {
    const all = [...this.el.querySelectorAll<HTMLElement>('button, a[href], select, textarea, input, [tabindex="0"]')]
      .filter((x) => x.getClientRects().length > 0);
    const [first, last] = [all[0], all[all.length - 1]];
    const at = this.root.activeElement;
    if (e.shiftKey && (at === first || at === this.el)) {
      e.preventDefault();
      last?.focus();
    } else if (!e.shiftKey && at === last) {
      e.preventDefault();
      first?.focus();
    }
  }

  private modality(): void {
    // What scrolled as a whole on a low screen would stay half out of sight on a higher one.
    this.el.scrollTop = 0;
    if (this.isFull) this.el.setAttribute('aria-modal', 'true');
    else this.el.removeAttribute('aria-modal');
  }

  /** Phones lay their keyboard over the page without telling the style sheet. */
  private fitToKeyboard(): void {
    const view = window.visualViewport;
    if (!view) return;
    const fit = (): void => {
      // Zoomed in by pinching: the citizen chose what to see, so leave the panel where it is.
      const covered = view.scale <= 1.01 && window.innerHeight - view.height > 80;
      this.el.style.setProperty('--bl-height', covered ? `${view.height}px` : '');
      this.el.style.setProperty('--bl-top', covered ? `${view.offsetTop}px` : '');
    };
    view.addEventListener('resize', fit);
    view.addEventListener('scroll', fit);
  }
}
