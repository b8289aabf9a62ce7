// The report of `eval`, a page that editors read in a browser, read by axe.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { faults, looks } from './accessible.mjs';
import { Service } from './service.mjs';
import { launch, shoot, visit } from './widget.mjs';

// Right, wrong on purpose, without its article, from right to left, and no answer: each part of the page is there.
const ROWS = [
  ['question', 'municipality', 'expected', 'lang', 'slice'],
  ['Hvordan fornyer jeg mit pas?', '0751', 'pas-forny', 'da', 'plain'],
  ['Hvor fornyer jeg mit pas henne, og hvordan?', '0751', 'hund', 'da', 'egen'],
  ['Hvordan fornyer jeg mit pas i dag?', '0751', 'findes-ikke', 'da', 'plain'],
  ['كيف أجدد جواز سفري؟', '0630', 'hund', 'ar', 'lay'],
  ['asdf qwer zxcv', '0751', '-', 'da', 'gibberish'],
];

test('the report of eval, in every window', async (t) => {
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-report-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  const [set, report] = [join(at, 'set.tsv'), join(at, 'report.html')];
  await writeFile(set, ROWS.map((row) => `${row.join('\t')}\n`).join(''));
  await Service.command(['eval', set, '--report', report], {});
  const browser = await launch();
  t.after(() => browser.close());
  const found = [];
  for (const [name, options] of Object.entries(looks)) {
    const page = await visit(browser, pathToFileURL(report).href, { ...options, bypassCSP: true });
    await page.locator('table').first().waitFor();
    await shoot(page, `report-${name}`, { fullPage: true });
    found.push(...await faults(page, `report ${name}`));
    await page.context().close();
  }
  assert.deepEqual(found, []);
});
