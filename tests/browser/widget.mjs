// A citizen's browser, and the chat in it as a citizen sees it.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
/** An answer takes well under a second; a busy machine with two cores may take longer. */
export const PATIENCE_MS = 30_000;

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium', ignoreDefaultArgs: ['--headless'], args: FLAGS,
});

const out = fileURLToPath(new URL('out/', import.meta.url));
export async function shoot(page, name, options = {}) {
  await mkdir(out, { recursive: true });
  await page.screenshot({ ...options, path: `${out}${name}.png` });
}

/** In the page before anything of it: the least spacing that WCAG 2.2 asks a page to bear (1.4.12), in shadow roots too. */
function space() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }');
  const into = (root) => (root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]);
  into(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (...with_) {
    const root = attach.apply(this, with_);
    // Whoever made it sets its own sheets first.
    queueMicrotask(() => into(root));
    return root;
  };
}

/** A page in a context of its own; `page.faults` collects what the browser complains of. */
export async function visit(browser, url, { spaced, ...options } = {}) {
  const context = await browser.newContext({ locale: 'da-DK', timezoneId: 'Europe/Copenhagen', ...options });
  if (spaced) await context.addInitScript(space);
  const page = await context.newPage();
  page.spaced = spaced;
  page.setDefaultTimeout(PATIENCE_MS);
  page.faults = [];
  page.requests = [];
  page.on('pageerror', (e) => page.faults.push(String(e)));
  page.on('console', (m) => {
    const { url } = m.location();
    // Browsers ask every site for an icon; the sample pages have none.
    if (m.type() === 'error' && !url.endsWith('/favicon.ico')) page.faults.push(`${m.text()} ${url}`);
  });
  page.on('request', (r) => page.requests.push(r.url()));
  page.on('websocket', (s) => page.requests.push(s.url()));
  await page.goto(url);
  return page;
}

/** In the page: the data-testid of what has the focus, or whether that is `wanted`. */
function focused(wanted) {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  const name = e?.dataset?.testid ?? e?.tagName ?? '';
  return wanted === undefined ? name : name === wanted;
}

export class Widget {
  constructor(page) {
    this.page = page;
  }

  /** By data-testid, inside the shadow root too. */
  at(name, within = this.page) {
    return within.getByTestId(name);
  }

  /** Opens the chat and waits until the service has greeted. */
  async open() {
    await this.at('launcher').click();
    await this.at('greeting').waitFor();
    return this;
  }

  async say(text) {
    await this.at('input').fill(text);
    await this.at('input').press('Enter');
  }

  /** Says it and waits for the whole answer: outcome, title, text, notice, sources. */
  async ask(text) {
    const before = await this.at('answer').count();
    await this.say(text);
    return this.answer(before);
  }

  async answer(index) {
    const el = this.at('answer').nth(index);
    await el.and(this.page.locator('[aria-busy=false]')).waitFor();
    const text = async (name) => {
      const one = this.at(name, el);
      return (await one.count()) ? (await one.first().innerText()).trim() : '';
    };
    return {
      el,
      outcome: await el.getAttribute('data-outcome'),
      title: await text('answer-title'),
      text: await text('answer-text'),
      notice: await text('answer-notice'),
      sources: await this.at('source', el).allInnerTexts(),
    };
  }

  /** What stands in the transcript, in order: [who, words]. Words of buttons and states are left out. */
  transcript() {
    return this.at('log').evaluate((log) => [...log.querySelectorAll('[data-testid=citizen], [data-testid=answer]')].map((e) => {
      const who = e.dataset.testid;
      const words = e.querySelector(who === 'citizen' ? '.said' : '[data-testid=answer-text]')?.textContent ?? '';
      return [who, words.trim()];
    }));
  }

  /** The focused element's data-testid, through the shadow root. */
  focused() {
    return this.page.evaluate(focused);
  }

  /** Waits until the focus is on `name`. */
  async focus(name) {
    await this.page.waitForFunction(focused, name);
  }

  /** Presses `key` until the focus is on `name`. */
  async walk(name, key = 'Tab', most = 80) {
    for (let i = 0; i < most; i++) {
      if ((await this.focused()) === name) return;
      await this.page.keyboard.press(key);
    }
    throw new Error(`${most} times ${key} did not lead to ${name}`);
  }
}
