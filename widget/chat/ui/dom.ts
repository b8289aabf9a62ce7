// A few lines instead of a framework. Texts of the interface are marked with their key, so that a change of
// language can go over everything already on the screen.

import { dirOf, say, type Args, type Key } from '../i18n';
import { safeUrl } from '../markdown';
import type { Lang } from '../wire';

type Child = Node | string | false | undefined;
type Props = Record<string, string | boolean | undefined | ((e: Event) => void)>;

let seq = 0;
/** Unique within this page's widget; aria references stay inside one shadow root. */
export const uid = (name: string): string => `bl-${name}-${++seq}`;

/** `onX` is a listener, true a bare attribute, false and undefined none. Nothing here can set markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...kids: Child[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (typeof v === 'function') el.addEventListener(k.slice(2), v);
    else if (v === true) el.setAttribute(k, '');
    else if (v !== false && v !== undefined) el.setAttribute(k === 'id' || k !== 'test' ? k : 'data-testid', v);
  }
  el.append(...kids.filter((c): c is Node | string => c !== false && c !== undefined));
  return el;
}

/** A button that does not submit the form it happens to be in. */
export const button = (cls: string, test: string, press: (() => void) | undefined, ...kids: Child[]): HTMLButtonElement =>
  h('button', { type: press ? 'button' : 'submit', class: cls, test, onclick: press }, ...kids);

const PATHS = {
  chat: 'M4 5h16v11H9.5L4 20z M8 9h8 M8 12.5h5',
  close: 'M6 6l12 12 M18 6L6 18',
  menu: 'M5 7h14 M5 12h14 M5 17h14',
  send: 'M5 12h13 M12 5.5l6.5 6.5-6.5 6.5',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4 21c1-8 15-8 16 0',
  out: 'M9 6H5v13h13v-4 M13 5h6v6 M19 5l-8 8',
  generated: 'M12 3v4 M5 7h14v12H5z M9.5 11.5v2 M14.5 11.5v2',
  shortened: 'M5 6h14 M5 11h14 M5 16h4 M13 16h.01 M17 16h.01',
  phone: 'M7 4l3 4-2 2c1 3 3 5 6 6l2-2 4 3-2 3C11 20 4 13 4 6z',
};

export function icon(name: keyof typeof PATHS): SVGElement {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  const path = document.createElementNS(ns, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon i-${name}`);
  svg.append(path);
  return svg;
}

/** The interface's language, and every text that depends on it. */
export class Words {
  constructor(public lang: Lang, private root: ParentNode) {}

  say(key: Key, args?: Args): string {
    return say(this.lang, key, args);
  }

  /** A span with a text of the interface. */
  t(key: Key, args?: Args): HTMLSpanElement {
    return this.put(h('span'), key, args);
  }

  /** Sets and marks a text, or an attribute such as aria-label. */
  put<E extends Element>(el: E, key: Key, args?: Args, attr = ''): E {
    el.setAttribute(`data-t${attr && '-' + attr}`, JSON.stringify([key, args]));
    const text = this.say(key, args);
    if (attr) el.setAttribute(attr, text);
    else {
      // It may stand within a content of another language.
      el.setAttribute('lang', this.lang);
      if (el.textContent !== text) el.textContent = text;
    }
    return el;
  }

  /** Says everything again in another language. */
  change(lang: Lang): void {
    this.lang = lang;
    for (const attr of ['', 'aria-label', 'label']) {
      const mark = `data-t${attr && '-' + attr}`;
      for (const el of this.root.querySelectorAll(`[${mark}]`)) {
        const [key, args] = JSON.parse(el.getAttribute(mark) as string) as [Key, Args | undefined];
        this.put(el, key, args, attr);
      }
    }
  }

  /** lang and dir for a text whose language may differ from the interface's. */
  content(el: HTMLElement, lang: string, dir = ''): HTMLElement {
    el.lang = lang || this.lang;
    el.dir = lang ? dirOf(lang) : dir || dirOf(this.lang);
    return el;
  }

  /** Leaves the page open behind it; says so to those who cannot see the icon. */
  link(href: string, kids: Node[], cls = ''): HTMLElement {
    const away = /^https:/i.test(href);
    return h('a', {
      href, class: cls || undefined, rel: away && 'noopener noreferrer', target: away && '_blank',
    }, ...kids, away && icon('out'), away && h('span', { class: 'sr' }, ' (', this.t('newWindow'), ')'));
  }

  phone(number: string): HTMLElement | undefined {
    const href = safeUrl('tel:' + number.replace(/[^+\d]/g, ''));
    if (!href) return undefined;
    return h('a', { href, class: 'btn', test: 'call' }, icon('phone'),
      this.t('call', { phone: isolate(number) }));
  }
}

/** Keeps "+45 12 34" in order inside Arabic text. */
export const isolate = (s: string): string => `\u2066${s}\u2069`;
