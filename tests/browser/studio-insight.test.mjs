// What editors see of the knowledge as a whole: thresholds with their curve, sentences in each other's way, links.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { look, looks } from './accessible.mjs';
import { newsroom, Studio } from './studio.mjs';
import { Widget, launch, visit } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());
const closing = (t) => t.after(() => Promise.all(browser.contexts().map((c) => c.close())));

/** A website on this machine where only the front page is left; resolves with its address. */
async function website(t) {
  const server = createServer((q, a) => {
    a.statusCode = q.url === '/' ? 200 : 404;
    a.end();
  });
  await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

const percent = (text) => Number(/([\d,]+) %/.exec(text)[1].replace(',', '.'));

test('another threshold is tried without changing anything', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.at('tab-thresholds').click();
  await eva.at('curve').waitFor();
  const says = () => eva.at('threshold-says').innerText();
  const figures = async () => (await eva.page.locator('.figure dd b').allInnerTexts()).map(percent);
  const [now, before] = [await says(), await figures()];
  assert.ok(before[1] <= 3.5, `${before} keeps the budget`);
  // The row of today in the table says what the figures say.
  const row = eva.at('steps').locator('tr.now');
  assert.equal(percent(await row.locator('td').nth(0).innerText()), before[0]);
  assert.equal(percent(await row.locator('td').nth(1).innerText()), before[1]);
  await eva.at('threshold').focus();
  await eva.page.keyboard.press('End');
  const bold = await figures();
  assert.ok(bold[0] > before[0] && bold[1] > before[1], `${before} to ${bold}`);
  assert.match(await eva.at('threshold').getAttribute('aria-valuetext'), /^Svarer fra .* % sikkerhed$/);
  await eva.page.keyboard.press('Home');
  assert.ok((await figures())[0] < 5);
  await eva.at('threshold-back').click();
  assert.equal(await says(), now);
  const area = eva.at('areas').locator('tbody tr').first();
  const name = await area.locator('th a').innerText();
  await area.locator('th a').click();
  await eva.page.locator('#curve-title').filter({ hasText: name }).waitFor();
  assert.equal(percent(await area.locator('td').nth(1).innerText()), (await figures())[0]);
  assert.deepEqual(eva.faults(), []);
});

test('sentences that lead elsewhere and links that lead nowhere are listed where they are mended', async (t) => {
  closing(t);
  const site = await website(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']], { env: { BORGERLINJE_PRIVATE_LINKS: '127.0.0.1' } });
  await service.kill();
  const files = (await readdir(join(service.knowledge, 'shared'), { recursive: true })).filter((f) => f.endsWith('.md'));
  for (const file of files) {
    const path = join(service.knowledge, 'shared', file);
    // Nothing outside is asked by a test.
    const text = (await readFile(path, 'utf8')).replaceAll('https://', 'https://10.255.255.1/');
    await writeFile(path, file === 'pas/pas-forny.md' ? `${text}\nSe mere på ${site}/passet.\n` : text);
  }
  await service.up();
  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.at('tab-next').click();
  await eva.at('list-confusions').click();
  const card = eva.at('confusion').first();
  await card.waitFor();
  const sentence = await card.locator('.asked').first().innerText();
  await card.getByText('Ret eksemplerne').click();
  await eva.at('article-form').waitFor();
  const all = await eva.at('examples').locator('textarea').evaluateAll((list) => list.map((x) => x.value));
  assert.ok(all.includes(sentence), `${sentence} stands there to be mended`);

  await eva.at('tab-next').click();
  await eva.at('list-links').click();
  await eva.at('links-card').filter({ hasText: 'ikke gennemgået endnu' }).waitFor();
  await eva.at('look-at-links').click();
  const gone = eva.at('links').locator('tr').filter({ hasText: `${site}/passet` });
  await gone.waitFor({ timeout: 300_000 });
  assert.match(await gone.innerText(), /Findes ikke[\s\S]*404/);
  await gone.getByRole('link', { name: /pas/i }).last().click();
  await eva.at('article-form').waitFor();
  await eva.at('preview').filter({ hasText: `${site}/passet` }).waitFor();
  assert.deepEqual(eva.faults(), []);
});

test('every page of it, looked at and read by axe', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  for (const question of ['Kan jeg leje en kano på søen?', 'hvor kan man leje en kano']) {
    await (await new Widget(await visit(browser, `${service.url}/demo/0751`)).open()).ask(question);
  }
  for (const [name, options] of Object.entries(looks)) {
    const eva = await Studio.signIn(browser, service, 'eva', { ...options, bypassCSP: true });
    await eva.go('/graenser');
    await eva.at('curve').waitFor();
    await eva.at('threshold').focus();
    for (let n = 0; n < 12; n += 1) await eva.page.keyboard.press('ArrowRight');
    await look(eva.page, name, 'thresholds', { fullPage: true });
    await eva.go('/naeste');
    await eva.at('group').first().waitFor({ timeout: 300_000 });
    await look(eva.page, name, 'groups');
    await eva.go('/naeste?vis=unreached');
    await eva.page.getByRole('region', { name: 'Svar, ingen får' }).waitFor();
    await look(eva.page, name, 'unreached');
    await eva.go('/naeste?vis=confusions');
    await eva.at('confusion').first().waitFor({ timeout: 300_000 });
    await look(eva.page, name, 'confusions');
    await eva.go('/naeste?vis=twins');
    await eva.at('twins').or(eva.page.locator('.empty')).first().waitFor();
    await look(eva.page, name, 'twins');
    await eva.go('/naeste?vis=links');
    await eva.at('links-card').waitFor();
    await look(eva.page, name, 'links');
    await eva.page.context().close();
  }
});
