// The chat on pages of others: on a website that is listed, and on one that is not.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let folder;
let service;
let browser;
/** Two websites of others, each with the script tag of the municipality that its path names. */
const sites = [];

const website = () => new Promise((ok) => {
  const site = createServer((asked, answer) => {
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    const tag = `<script src="${service?.url}/widget/borgerlinje.js" data-municipality="${asked.url.slice(1)}" data-lang="da"></script>`;
    answer.end(`<!doctype html><html lang="da"><title>Kommunen</title><link rel="icon" href="data:,"><h1>Kommunen</h1>${tag}`);
  });
  site.listen(0, '127.0.0.1', () => {
    site.origin = `http://127.0.0.1:${site.address().port}`;
    sites.push(site);
    ok(site);
  });
});

before(async () => {
  const listed = await website();
  await website();
  folder = await mkdtemp(join(tmpdir(), 'borgerlinje-websites-'));
  const file = join(folder, 'borgerlinje.toml');
  await writeFile(file, `[[website]]\norigin = "${listed.origin}"\nmunicipalities = ["0751"]\n`);
  service = await Service.start({ BORGERLINJE_CONFIG: file });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.stop();
  for (const site of sites) site.close();
  if (folder) await rm(folder, { recursive: true });
});

test('on a listed website the chat answers, in the municipality\'s colours', async () => {
  const page = await visit(browser, `${sites[0].origin}/0751`);
  const widget = await new Widget(page).open();
  const answer = await widget.ask('Hvordan fornyer jeg mit pas?');
  assert.match(answer.text, /pas/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

for (const [what, site, town] of [['that is not listed', 1, '0751'], ['of another municipality', 0, '0615']]) {
  test(`a website ${what} is told kindly that the chat cannot be opened from it`, async () => {
    const page = await visit(browser, `${sites[site].origin}/${town}`);
    const widget = new Widget(page);
    await widget.at('launcher').click();
    const line = widget.at('connection');
    await line.filter({ hasText: 'kan desværre ikke åbnes fra denne hjemmeside' }).waitFor();
    assert.match(await line.innerText(), /ring til kommunen/);
    // It is given up for good: whatever was under way has ended, and nothing is tried again.
    const tried = page.requests.filter((r) => r.startsWith('ws')).length;
    await page.waitForTimeout(3_000);
    assert.equal(page.requests.filter((r) => r.startsWith('ws')).length, tried);
    assert.match(await line.innerText(), /denne hjemmeside/);
    await shoot(page, `website-${town}`);
    await page.context().close();
  });
}
