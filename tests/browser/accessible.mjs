// What axe says of a page, and that nothing has to be scrolled sideways.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { shoot } from './widget.mjs';

const axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Windows that every view is looked at in. Axe is put into the page, which its policy would not let be. */
export const looks = {
  light: { viewport: { width: 1440, height: 900 } },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 } },
  // What a window of 1280 pixels shows at 400 %.
  enlarged: { viewport: { width: 320, height: 256 } },
  forced: { viewport: { width: 1024, height: 768 }, forcedColors: 'active' },
};

export async function look(page, name, view, options = {}) {
  await shoot(page, `studio-${name}-${view}`, options);
  assert.deepEqual(await faults(page, `${name} ${view}`), []);
}

/** What has to be scrolled sideways, and what axe finds. */
export async function faults(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.evaluate(axe);
  const found = await page.evaluate((values) => window.axe.run({ runOnly: values }), RULES);
  return [...(over ? [`${what}: sideways by ${over} pixels`] : []), ...found.violations.map((v) => `${what}: ${v.id} ${v.nodes[0]?.target}`)];
}
