// The printed line on pages of others: the script by its hash over an upgrade, a script that was changed on its way, and
// configurations that the operator did not sign so.

import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { faults } from './accessible.mjs';
import { Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

const built = fileURLToPath(new URL('../../widget/dist/borgerlinje.js', import.meta.url));
const REFUSED = 'kan desværre ikke åbnes fra denne hjemmeside';

let folder;
let service;
let browser;
const sites = [];

const listening = (server) => new Promise((ok) => server.listen(0, '127.0.0.1', () => {
  server.origin = `http://127.0.0.1:${server.address().port}`;
  sites.push(server);
  ok(server);
}));

/** A municipality's website; `line` is what its editor has put into the page. */
async function website() {
  const site = await listening(createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    answer.end(`<!doctype html><html lang="da"><meta charset="utf-8"><title>Kommunen</title><link rel="icon" href="data:,"><main><h1>Kommunen</h1></main>${site.line}`);
  }));
  return site;
}

/** Somebody between citizens and the service, who adds `more` to every script. */
async function between() {
  const proxy = createServer((asked, answer) => {
    const on = request(service.url + asked.url, { headers: { ...asked.headers, connection: 'close' } }, (got) => {
      const { 'content-length': _, ...headers } = got.headers;
      answer.writeHead(got.statusCode, headers);
      got.on('data', (bytes) => answer.write(bytes));
      got.on('end', () => answer.end(headers['content-type'].includes('javascript') ? proxy.more : ''));
    });
    asked.pipe(on);
  });
  proxy.on('upgrade', (asked, socket, head) => {
    const [host, port] = service.address.split(':');
    const on = connect(port, host, () => {
      const lines = asked.rawHeaders.flatMap((h, i, all) => (i % 2 ? [] : [`${h}: ${all[i + 1]}`]));
      on.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      on.write(head);
      on.pipe(socket).pipe(on);
    });
    for (const end of [on, socket]) end.on('error', () => end.destroy());
  });
  return listening(proxy);
}

const snippet = (town, site, ...more) => service.command(
  ['widget', 'snippet', '--municipality', town, '--website', site.origin, '--service', service.url, ...more]);

let ours;
let other;
before(async () => {
  ours = await website();
  other = await website();
  folder = await mkdtemp(join(tmpdir(), 'borgerlinje-embed-'));
  await cp(built, join(folder, 'pages/dist/borgerlinje.js'));
  const file = join(folder, 'borgerlinje.toml');
  const listed = [ours, other].map((s) => `[[website]]\norigin = "${s.origin}"\n`).join('');
  await writeFile(file, `[embed]\nsigned = true\n${listed}`);
  service = await Service.start({ BORGERLINJE_CONFIG: file, BORGERLINJE_WIDGET: join(folder, 'pages') });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.stop();
  for (const site of sites) site.close();
  if (folder) await rm(folder, { recursive: true });
});

test('the printed line opens the chat on its website, also after an upgrade', async () => {
  const first = await snippet('0751', ours, '--lang', 'da');
  const script = first.match(/src="([^"]+)"/)[1];
  for (const upgrade of [false, true]) {
    if (upgrade) await appendFile(join(folder, 'pages/dist/borgerlinje.js'), '/* 2 */\n');
    ours.line = first;
    const page = await visit(browser, ours.origin);
    const answer = await (await new Widget(page).open()).ask('Hvordan fornyer jeg mit pas?');
    assert.match(answer.text, /pas/);
    assert.ok(page.requests.includes(script), page.requests.join(' '));
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
  ours.line = await snippet('0751', ours);
  assert.notEqual(ours.line.match(/src="([^"]+)"/)[1], script);
  const page = await visit(browser, ours.origin);
  await new Widget(page).open();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the browser refuses a script that somebody on the way has changed', async () => {
  const proxy = await between();
  ours.line = (await snippet('0751', ours)).replaceAll(service.url, proxy.origin);
  // The same way without a change, so that it is the change that is refused.
  proxy.more = '';
  let page = await visit(browser, ours.origin);
  await new Widget(page).open();
  assert.deepEqual(page.faults, []);
  await page.context().close();
  proxy.more = '\nwindow.stolen = true;';
  page = await visit(browser, ours.origin);
  await page.waitForLoadState('networkidle');
  assert.equal(page.faults.length, 1, page.faults.join('\n'));
  assert.match(page.faults[0], /integrity/);
  assert.equal(await page.locator('borgerlinje-chat').count(), 0);
  assert.equal(await page.evaluate(() => 'stolen' in window), false);
  await page.context().close();
  // Without the hash nothing would have stood against it.
  ours.line = (await snippet('0751', ours, '--unpinned')).replaceAll(service.url, proxy.origin);
  page = await visit(browser, ours.origin);
  await page.locator('borgerlinje-chat').waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => 'stolen' in window), true);
  await page.context().close();
});

/** The line with another value where the configuration is. */
const changed = (line, change) => line.replace(/data-signed="([^".]+)\.([^"]+)"/, (_, text, signature) => {
  const json = change(JSON.parse(Buffer.from(text, 'base64url')));
  return `data-signed="${Buffer.from(JSON.stringify(json)).toString('base64url')}.${signature}"`;
});

test('a configuration that was changed is refused in words, and what was written waits for the right one', async () => {
  const right = await snippet('0751', ours, '--lang', 'da');
  ours.line = changed(right, (json) => ({ ...json, websites: [ours.origin, 'https://evil.example'] }));
  assert.notEqual(ours.line, right);
  const page = await visit(browser, ours.origin, { bypassCSP: true });
  const widget = new Widget(page);
  await widget.at('launcher').click();
  const line = widget.at('connection');
  await line.filter({ hasText: REFUSED }).waitFor();
  assert.match(await line.innerText(), /ring til kommunen/);
  const tried = page.requests.filter((r) => r.startsWith('ws')).length;
  await widget.say('Hvordan fornyer jeg mit pas?');
  await page.waitForTimeout(3_000);
  assert.equal(page.requests.filter((r) => r.startsWith('ws')).length, tried, 'it is given up for good');
  assert.match(await line.innerText(), new RegExp(REFUSED));
  assert.deepEqual(await faults(page, 'refused'), []);
  await shoot(page, 'embed-refused');
  // The editor puts the right line in, and the citizen comes back to the page.
  ours.line = right;
  await page.goto(ours.origin);
  const answer = await widget.answer(0);
  assert.match(answer.text, /pas/);
  assert.deepEqual(await widget.transcript().then((all) => all.filter(([who]) => who === 'citizen').length), 1);
  await page.context().close();
});

for (const [what, line, said] of [
  ['of another website', async () => snippet('0751', ours, '--lang', 'da'), REFUSED],
  ['without a signature', async () => (await snippet('0751', other, '--lang', 'da')).replace(/ data-signed="[^"]*"/, ''), REFUSED],
  ['of another municipality, in English', async () => (await snippet('0751', other, '--lang', 'en')).replace('"0751"', '"0615"'), 'cannot be opened from this website'],
]) {
  test(`a line ${what} opens no chat and says so`, async () => {
    other.line = await line();
    const page = await visit(browser, other.origin);
    const widget = new Widget(page);
    await widget.at('launcher').click();
    await widget.at('connection').filter({ hasText: said }).waitFor();
    assert.equal(await widget.at('greeting').count(), 0);
    await page.context().close();
  });
}
