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
  // As a reader's own style sheet sets lines, paragraphs, letters and words apart (WCAG 2.2, 1.4.12).
  spaced: { viewport: { width: 1280, height: 900 }, spaced: true },
};

/** Words that cannot be read to their end, of an element that cuts off what does not fit. What is for screen readers alone is a pixel wide. */
function cut() {
  const roots = [document];
  for (const root of roots) for (const e of root.querySelectorAll('*')) if (e.shadowRoot) roots.push(e.shadowRoot);
  const said = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  return roots.flatMap((root) => [...root.querySelectorAll('body *, :host *')]).filter((e) => {
    if (!e.clientWidth || e.clientWidth < 2 || !e.checkVisibility({ visibilityProperty: true })) return false;
    const { overflowX, overflowY, textOverflow, webkitLineClamp } = getComputedStyle(e);
    // A foretaste, whatever the spacing: the whole stands elsewhere.
    if (textOverflow === 'ellipsis' || webkitLineClamp !== 'none') return false;
    const hides = (o) => o === 'hidden' || o === 'clip';
    const over = (hides(overflowX) && e.scrollWidth > e.clientWidth + 1) || (hides(overflowY) && e.scrollHeight > e.clientHeight + 1);
    return over && (said(e) || [...e.querySelectorAll('*')].some(said));
  }).map((e) => `${e.tagName.toLowerCase()}.${e.className} «${e.textContent.trim().slice(0, 60)}»`);
}

export async function look(page, name, view, options = {}) {
  await shoot(page, `studio-${name}-${view}`, options);
  assert.deepEqual(await faults(page, `${name} ${view}`), []);
}

/** What has to be scrolled sideways, and what axe finds. */
export async function faults(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.evaluate(axe);
  const found = await page.evaluate((values) => window.axe.run({ runOnly: values }), RULES);
  // Not for axe to find: what a reader's spacing pushes out of sight.
  const lost = page.spaced ? await page.evaluate(cut) : [];
  return [...lost.map((e) => `${what}: cut off ${e}`), ...(over ? [`${what}: sideways by ${over} pixels`] : []), ...found.violations.map((v) => `${what}: ${v.id} ${v.nodes[0]?.target}`)];
}
