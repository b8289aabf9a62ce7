// The pages and the frame around the dialogue: what is there before the chat is opened, sizes, languages, keys.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let service;
let browser;
before(async () => {
  service = await Service.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const demo = (options) => visit(browser, `${service.url}/demo/0751`, options);

test('the front page lists 39 municipalities, and each leads to its page', async () => {
  const page = await visit(browser, service.url);
  const links = page.locator('.towns a');
  assert.equal(await links.count(), 39);
  const targets = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.ok(targets.every((t) => /^\/demo\/\d{4}$/.test(t)), targets.join(' '));
  assert.equal(new Set(targets).size, 39);
  await shoot(page, 'front');
  await links.filter({ hasText: 'Aarhus' }).click();
  await new Widget(page).at('launcher').waitFor();
  assert.match(await page.title(), /Aarhus/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('before it is opened nothing is stored and nobody is called; after it, no cookie and one tab\'s memory', async () => {
  const page = await demo();
  const widget = new Widget(page);
  await widget.at('launcher').waitFor();
  const kept = () => page.evaluate(async () => ({
    session: Object.keys(sessionStorage), local: localStorage.length, cookie: document.cookie,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
  }));
  const nothing = { session: [], local: 0, cookie: '', databases: 0, caches: 0 };
  assert.deepEqual(await kept(), nothing);
  assert.ok(page.requests.every((r) => !r.startsWith('ws') && !r.includes('/api/')), page.requests.join(' '));

  await widget.open();
  await widget.ask('Hvordan fornyer jeg mit pas?');
  assert.deepEqual(await kept(), { ...nothing, session: ['borgerlinje.0751'] });
  assert.deepEqual(await page.context().cookies(), []);
  // Nothing leaves for another host.
  assert.ok(page.requests.every((r) => new URL(r).host === service.address), page.requests.join(' '));
  await page.context().close();
});

test('the interface speaks the language that is chosen, right to left too', async () => {
  const widget = await new Widget(await demo()).open();
  const person = () => widget.at('human').innerText();
  assert.match(await person(), /menneske/);
  await widget.at('language').selectOption('en');
  assert.equal(await widget.at('panel').getAttribute('lang'), 'en');
  assert.match(await person(), /person|human/i);
  assert.match(await widget.at('disclosure').innerText(), /not a (human|person)/i);
  await widget.at('language').selectOption('ar');
  assert.equal(await widget.at('panel').getAttribute('dir'), 'rtl');
  assert.equal(await widget.at('panel').evaluate((e) => getComputedStyle(e).direction), 'rtl');
  await shoot(widget.page, 'arabic');
  await widget.page.context().close();
});

test('everything can be done with the keyboard', async () => {
  const page = await demo({ viewport: { width: 1280, height: 900 } });
  const widget = new Widget(page);
  await widget.at('launcher').waitFor();
  await widget.walk('launcher');
  await page.keyboard.press('Enter');
  await widget.at('greeting').waitFor();
  await widget.focus('input');
  await page.keyboard.type('Hvordan fornyer jeg mit pas?');
  await page.keyboard.press('Enter');
  assert.equal((await widget.answer(0)).outcome, 'answered');
  await widget.focus('input');

  await widget.walk('rate-3', 'Shift+Tab');
  await page.keyboard.press('Space');
  await widget.at('rating-comment').waitFor();
  assert.equal(await widget.at('rate-3').getAttribute('aria-pressed'), 'true');

  await widget.walk('menu', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await widget.focus('download');
  await page.keyboard.press('Escape');
  assert.equal(await widget.at('menu-list').isVisible(), false);
  assert.equal(await widget.at('panel').isVisible(), true);
  await widget.focus('menu');
  await page.keyboard.press('Escape');
  assert.equal(await widget.at('panel').isVisible(), false);
  await widget.focus('launcher');
  await page.context().close();
});

test('a screen reader is told what matters', async () => {
  const widget = await new Widget(await demo()).open();
  const log = widget.at('log');
  assert.equal(await log.getAttribute('role'), 'log');
  assert.equal(await widget.at('panel').getAttribute('role'), 'dialog');
  assert.ok(await widget.at('panel').getAttribute('aria-label'));
  assert.match(await widget.at('disclosure').innerText(), /chatrobot/i);
  await widget.ask('Hvordan fornyer jeg mit pas?');
  assert.equal(await log.getAttribute('aria-busy'), 'false');
  const nameless = await widget.at('panel').evaluate((panel) => [...panel.querySelectorAll('button, a, select, textarea, input')]
    .filter((e) => e.getClientRects().length && !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
    .map((e) => e.outerHTML));
  assert.deepEqual(nameless, []);
  await widget.page.context().close();
});

test('at 320 pixels nothing has to be scrolled sideways', async () => {
  const size = { viewport: { width: 320, height: 640 } };
  const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const front = await visit(browser, service.url, size);
  assert.equal(await sideways(front), 0);
  await front.context().close();

  const page = await demo(size);
  const widget = new Widget(page);
  await widget.at('launcher').waitFor();
  assert.equal(await sideways(page), 0);
  await widget.open();
  await widget.ask('Hvordan fornyer jeg mit pas?');
  await widget.at('human').click();
  await widget.at('callback').waitFor();
  assert.equal(await sideways(page), 0);
  const wide = await widget.at('panel').evaluate((panel) => [panel, ...panel.querySelectorAll('*')]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
    .map((e) => e.className));
  assert.deepEqual(wide, []);
  const box = await widget.at('panel').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 320, JSON.stringify(box));
  await shoot(page, 'narrow');
  await page.context().close();
});

const looks = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
};
for (const [name, options] of Object.entries(looks)) {
  test(`it can be looked at: ${name}`, async () => {
    const widget = new Widget(await demo(options));
    await widget.at('launcher').waitFor();
    await shoot(widget.page, `${name}-closed`);
    await widget.open();
    await widget.ask('Hvordan fornyer jeg mit pas?');
    await shoot(widget.page, name);
    assert.deepEqual(widget.page.faults, []);
    await widget.page.context().close();
  });
}
