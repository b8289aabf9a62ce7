// An agent's browser with the desk in it, and a citizen who speaks the chat's protocol from a page of the service.

import assert from 'node:assert/strict';

import { PATIENCE_MS, visit } from './widget.mjs';

export const PASSWORD = 'en lang sætning om ingenting 7';

/** Accounts as [user, name, role]; they can sign in at once. */
export const hire = (service, staff) => service.command(['user', 'import', '-'],
  [['user', 'name', 'role', 'municipalities', 'password'], ...staff.map((s) => [...s, 'all', PASSWORD])].map((row) => row.join('\t')).join('\n') + '\n');

export class Desk {
  constructor(page) {
    this.page = page;
  }

  static async open(browser, service, options = {}) {
    return new Desk(await visit(browser, `${service.url}/desk`, { viewport: { width: 1440, height: 900 }, ...options }));
  }

  static async signIn(browser, service, user, options = {}) {
    const desk = await Desk.open(browser, service, options);
    await desk.page.locator('#user').fill(user);
    await desk.page.locator('#password').fill(PASSWORD);
    await desk.at('signin-send').click();
    await desk.ready();
    return desk;
  }

  /** Signed in, and the service has said what is on the desk. */
  async ready() {
    await this.at('tab-chats').waitFor();
    const there = this.at('my-state').filter({ hasText: /Klar|Pause/ });
    // Who only supervises has no state to be in, which the page knows when it has been welcomed.
    for (let tries = 0; !(await there.count()) && (await this.at('my-state').count()); tries += 1) {
      if (tries > 300) throw new Error(`the desk is not ready: ${await this.at('my-state').innerText()}`);
      await new Promise((ok) => setTimeout(ok, 100));
    }
  }

  at(name, within = this.page) {
    return within.getByTestId(name);
  }

  async accept() {
    await this.at('accept').first().click();
    await this.pane().waitFor();
    await this.lines('citizen').first().waitFor();
  }

  pane() {
    return this.page.locator('.pane.on');
  }

  lines(from) {
    return this.pane().locator(`[data-testid=line][data-from=${from}]`);
  }

  async say(text) {
    await this.at('write', this.pane()).fill(text);
    await this.page.keyboard.press('Enter');
    await this.pane().locator('[data-testid=line]', { hasText: text.replaceAll('*', '') }).waitFor();
  }

  draft() {
    return this.at('write', this.pane()).inputValue();
  }

  /** Waits until the composer holds such a text. */
  async draftOf(wanted) {
    let draft = '';
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
      draft = await this.draft();
      if (wanted.test(draft)) return;
      await new Promise((ok) => setTimeout(ok, 50));
    }
    assert.match(draft, wanted);
  }

  /** Waits until the focus is there. */
  async focus(name) {
    await this.page.waitForFunction((wanted) => (document.activeElement?.dataset.testid || document.activeElement?.id) === wanted, name);
  }

  /** What the browser complained of, less what was meant to happen: asking who is signed in when nobody is. */
  faults() {
    return this.page.faults.filter((f) => !/\/api\/session$/.test(f));
  }

  close() {
    return this.page.context().close();
  }
}

export class Citizen {
  #ids = 0;

  static async come(browser, service, code = '0751') {
    const citizen = new Citizen();
    citizen.page = await visit(browser, `${service.url}/demo/${code}`);
    await citizen.page.evaluate((municipality) => {
      window.frames_ = [];
      window.chat = new WebSocket(`ws://${location.host}/ws/chat`);
      window.chat.onmessage = (e) => window.frames_.push(JSON.parse(e.data));
      window.chat.onopen = () => window.chat.send(JSON.stringify({ type: 'hello', v: 1, municipality, lang: 'da' }));
    }, code);
    await citizen.heard('welcome');
    return citizen;
  }

  send(type, fields = {}) {
    const frame = { type, client_id: `c${++this.#ids}`, ...fields };
    return this.page.evaluate((f) => window.chat.send(JSON.stringify(f)), frame);
  }

  /** The first frame of this type, or the first whose text matches. */
  async heard(type, text = '') {
    const handle = await this.page.waitForFunction(
      ([t, words]) => window.frames_.find((f) => f.type === t && (f.text ?? '').includes(words)), [type, text], { timeout: PATIENCE_MS });
    return handle.jsonValue();
  }

  async ask(text) {
    const before = await this.page.evaluate(() => window.frames_.filter((f) => f.type === 'answer_end').length);
    await this.send('message', { text });
    await this.page.waitForFunction((n) => window.frames_.filter((f) => f.type === 'answer_end').length > n, before);
  }

  /** The bot could not help: a person, please. */
  async wantsPerson(question = 'Min nabos hæk er vokset ind over mit skur, hvem bestemmer?') {
    await this.ask(question);
    await this.send('human');
    await this.heard('handover_offer');
    await this.send('queue');
    await this.heard('queued');
  }

  close() {
    return this.page.context().close();
  }
}
