// Answers in other words than the approved ones, as a citizen sees them: marked, and the municipality's own text one tap away.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { faults, looks } from './accessible.mjs';
import { cache, Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const MODEL = 'gemma3-270m';
const here = existsSync(join(cache, 'models', MODEL, 'gemma-3-270m-q4_k_m.gguf'));
if (!here && process.env.BORGERLINJE_ACCEPT_TERMS === MODEL) throw new Error(`${MODEL} was not fetched`);
const QUESTION = 'Hvordan sender jeg et høringssvar?';

async function started(t, env) {
  const service = await Service.start(env);
  t.after(() => service.stop());
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  return service;
}

for (const [name, options] of Object.entries(looks)) {
  test(`an extract is marked, and the whole is one tap away: ${name}`, async (t) => {
    const service = await started(t, { BORGERLINJE_GENERATION: 'shortened' });
    const widget = await new Widget(await visit(browser, `${service.url}/demo/0751`, { ...options, bypassCSP: true })).open();
    const answer = await widget.ask(QUESTION);
    assert.match(await widget.at('answer-mark', answer.el).innerText(), /uddrag af kommunens tekst/);
    const button = widget.at('approved', answer.el);
    assert.equal(await button.getAttribute('aria-expanded'), 'false');
    await shoot(widget.page, `extract-${name}-folded`);
    // By keys: the focus stays where it was pressed.
    await button.focus();
    await widget.page.keyboard.press('Enter');
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
    await widget.focus('approved');
    const whole = await widget.at('approved-text', answer.el).innerText();
    assert.ok(whole.length > 1.4 * answer.text.length, `${answer.text.length} of ${whole.length}`);
    const first = answer.text.split('\n')[0];
    assert.ok(whole.includes(first), first);
    await shoot(widget.page, `extract-${name}-unfolded`);
    assert.deepEqual(await faults(widget.page, name), []);
    // Whoever comes back reads the same.
    await widget.page.reload();
    // A small window comes back with the chat closed.
    await widget.at('launcher').or(widget.at('answer-mark')).filter({ visible: true }).first().waitFor();
    if (!(await widget.at('answer-mark').isVisible())) await widget.at('launcher').click();
    await widget.at('answer-mark').waitFor();
    assert.deepEqual(widget.page.faults, []);
  });
}

test('what a model wrote is marked as that, by a real model', { skip: !here && `${MODEL} is not here` }, async (t) => {
  // It has patience, for the program may be unoptimized and the machine at work on other things.
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-generated-'));
  t.after(() => rm(at, { recursive: true }));
  const file = join(at, 'borgerlinje.toml');
  await writeFile(file, '[generation]\nseconds = 120\nfirst_seconds = 120\n');
  const service = await started(t, { BORGERLINJE_CONFIG: file, BORGERLINJE_GENERATION: 'generated', BORGERLINJE_GENERATOR: MODEL });
  let state;
  while (state !== 'ready') {
    state = (await (await fetch(`${service.url}/health/ready`)).json()).generation;
    assert.notEqual(state, 'unavailable', service.said);
  }
  const marked = [];
  for (const question of [QUESTION, 'Hvordan får man en besøgsven?', 'Hvem kan hjælpe min søn på 6 med at tale tydeligt?', 'klage husleje for høj']) {
    const widget = await new Widget(await visit(browser, `${service.url}/demo/0751`)).open();
    const answer = await widget.ask(question);
    if (!(await widget.at('answer-mark', answer.el).count())) continue;
    marked.push(question);
    assert.match(await widget.at('answer-mark', answer.el).innerText(), /Skrevet af en computer/);
    assert.equal(await widget.at('answer-mark', answer.el).getAttribute('data-written'), 'generated');
    await widget.at('approved', answer.el).click();
    assert.ok((await widget.at('approved-text', answer.el).innerText()).length > 100);
    await shoot(widget.page, `generated-${marked.length}`);
    assert.deepEqual(widget.page.faults, []);
  }
  assert.ok(marked.length > 0, 'the model wrote nothing that could be shown');
});
