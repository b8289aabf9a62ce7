// The editors' studio against the running program: from a citizen's question without an answer to the answer, and back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { look, looks } from './accessible.mjs';
import { BUILD_MS, newsroom, Studio } from './studio.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const closing = (t) => t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
const citizen = async (service, code) => new Widget(await visit(browser, `${service.url}/demo/${code}`)).open();

const QUESTION = 'Kan jeg leje en kano på søen?';
const OTHERS = ['hvor kan man leje en kano', 'kanoudlejning ved søen', 'udlejer I kanoer til ture på søen'];
/** What the editor knows that citizens write as well, pasted as a list. */
const MORE = ['- hvad koster det at leje en kano', '- leje kajak eller kano for en dag', '- kan vi låne kanoer til en spejdertur', '- booking af kano', '- kano til to personer i weekenden', '- jeg vil gerne sejle i kano', '- hvor henter man kanoen', '- kanoleje priser og tider', '- kan jeg leje en kano på søen'].join('\n');
const BODY = `Ja, du kan leje en kano ved søens bådhus fra maj til september. Du bestiller den på nettet, og redningsveste følger med til alle i kanoen.

## Det skal du vide
Mindst én om bord skal være fyldt atten år. Ring på {{kommune.telefon}}, hvis I er mange og skal bruge flere kanoer, så hjælper vi dig.`;

test('from an unanswered question to its answer, in the municipalities that inherit it and in no other, and back', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  // Each asks in a dialogue of its own: what was said before would be part of the question.
  const asks = async (code, question = QUESTION) => (await citizen(service, code)).ask(question);
  const before = await asks('0751');
  for (const q of OTHERS) await asks('0751', q);
  assert.notEqual(before.outcome, 'answered');

  const eva = await Studio.signIn(browser, service, 'eva');
  // The list for all municipalities, asked for first, comes last.
  let [first, hand] = [undefined, undefined];
  const late = new Promise((ok) => (hand = ok));
  await eva.page.route('**/api/studio/jobs/*', async (r) => {
    first ??= r.request().url();
    if (r.request().url() === first && r.request().method() === 'GET') await late;
    await r.continue();
  });
  const asked = eva.page.waitForRequest(/\/api\/studio\/jobs\//);
  await eva.at('tab-next').click();
  await asked;
  await eva.at('next-town').selectOption('0751');
  const group = eva.at('group').filter({ hasText: /kano/i }).first();
  await group.waitFor({ timeout: BUILD_MS });
  const stopped = eva.page.waitForRequest((r) => r.url() === first && r.method() === 'DELETE');
  hand();
  await stopped;
  assert.ok(await group.isVisible(), 'what was asked for last stays');
  await eva.page.unroute('**/api/studio/jobs/*');
  await shoot(eva.page, 'studio-next');
  // For the region that this municipality and another lie in; a third lies elsewhere.
  await eva.at('group-layer', group).selectOption('1082');
  await eva.at('make-draft', group).click();
  await eva.at('article-form').waitFor();
  assert.deepEqual(await eva.at('preview-town').locator('option').evaluateAll((all) => all.map((o) => o.value).toSorted()), ['0615', '0751']);
  // The citizens' own words are its first examples.
  assert.match(await eva.at('examples').locator('textarea').first().inputValue(), /kano/i);
  await eva.at('title').fill('Lej en kano på søen');
  await eva.at('field-area').selectOption('kultur-fritid');
  await eva.at('field-source').fill('Søens reglement');
  await eva.writeFirst(BODY);
  await eva.at('preview').filter({ hasText: 'ved søens bådhus' }).waitFor();
  assert.doesNotMatch(await eva.at('preview').innerText(), /\{\{/);
  await eva.at('paste-examples').click();
  await eva.at('many').fill(MORE);
  await eva.at('many-add').click();
  await eva.at('polite').filter({ hasText: 'var der i forvejen' }).waitFor();
  await eva.at('problems').waitFor({ state: 'detached' });
  await eva.saved();
  await shoot(eva.page, 'studio-article');
  await eva.publish();
  await shoot(eva.page, 'studio-release');

  for (const inherits of ['0751', '0615']) {
    const began = performance.now();
    const now = await asks(inherits);
    t.diagnostic(`${inherits}: answered after ${Math.round(performance.now() - began)} ms, page and all`);
    assert.equal(now.outcome, 'answered');
    assert.match(now.text, /ved søens bådhus/);
  }
  assert.doesNotMatch((await asks('0851')).text, /bådhus/);
  // What is answered now is no more to be written.
  await eva.at('tab-next').click();
  await eva.page.getByRole('button', { name: 'Opdatér' }).click();
  await eva.at('progress').waitFor();
  await eva.at('progress').waitFor({ state: 'detached', timeout: BUILD_MS });
  assert.equal(await eva.at('group').filter({ hasText: /leje en kano/i }).count(), 0);
  await eva.go('/udgivelser/2');

  await eva.undo('Reglementet er ikke vedtaget endnu.');
  assert.equal((await asks('0751')).text, before.text);
  // How sure the service had to be then stays with the release.
  await eva.go('/udgivelser/2');
  await eva.at('then').click();
  await eva.at('past').filter({ hasText: 'udgivelse 2' }).waitFor();
  await eva.at('curve').waitFor();
  await shoot(eva.page, 'studio-thresholds-then');
  assert.deepEqual(eva.faults(), []);
});

const SOFA = 'Hvordan slipper jeg af med en gammel sofa, er det storskrald?';

test('a change of the shared text is seen as the citizen sees it, and a municipality with its own keeps it', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all'], ['ida', 'Ida', '0751']]);
  // Who writes for one municipality reads the shared text, and gets a version of her own.
  const ida = await Studio.signIn(browser, service, 'ida');
  await ida.article('affald-storskrald');
  assert.ok(await ida.at('title').isDisabled());
  await ida.at('make-own').click();
  await ida.at('own-make').click();
  await ida.at('version-0751').waitFor();
  await ida.writeFirst('Aarhus henter din sofa på torsdag. ');
  await ida.saved();
  await ida.publish();

  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.at('town').selectOption('0751');
  await eva.at('articles').filter({ hasText: 'Egen udgave' }).waitFor();
  await eva.article('affald-storskrald');
  await eva.writeFirst('Ring på {{kommune.tel');
  await eva.page.locator('.cm-tooltip-autocomplete').waitFor();
  // A list that has just come up takes no key yet: it must not be chosen from by mistake.
  await eva.page.waitForTimeout(200);
  await eva.page.keyboard.press('Enter');
  // The same list by its button, and in the address of a link.
  await eva.at('insert-slot').click();
  await eva.page.locator('.cm-tooltip-autocomplete').waitFor();
  await eva.page.keyboard.press('Escape');
  for (let i = 0; i < 2; i += 1) await eva.page.keyboard.press('Backspace');
  assert.match(await eva.at('link-slots').locator('option').first().getAttribute('value'), /^\{\{kommune\.link\.\w+\}\}$/);
  await eva.page.keyboard.type(', så hentes sofaen. Det koster 500 kr. ');
  await eva.at('problems').filter({ hasText: 'beløb' }).waitFor();
  await eva.saved();
  await eva.at('to-draft').click();
  await eva.at('faults').filter({ hasText: 'beløb' }).waitFor();
  assert.equal(await eva.at('publish').getAttribute('aria-disabled'), 'true');
  await eva.page.goBack();
  await eva.at('body').click();
  await eva.page.keyboard.press('Control+Home');
  for (let i = 0; i < 'Ring på {{kommune.telefon}}, så hentes sofaen. '.length; i += 1) await eva.page.keyboard.press('ArrowRight');
  for (let i = 0; i < 'Det koster 500 kr. '.length; i += 1) await eva.page.keyboard.press('Delete');
  await eva.at('problems').waitFor({ state: 'detached' });
  await eva.saved();
  await eva.publish();
  assert.match((await (await citizen(service, '0615')).ask(SOFA)).text, /så hentes sofaen/);
  assert.match((await (await citizen(service, '0751')).ask(SOFA)).text, /Aarhus henter din sofa/);

  // The list by its heads: most examples first, then fewest, then as it was.
  await eva.go('/svar');
  const counted = async () => (await eva.at('articles').locator('td[data-label=Eksempler]').allInnerTexts()).map(Number);
  const usual = await counted();
  const head = eva.page.locator('th', { has: eva.at('sort-examples') });
  for (const [said, want] of [['descending', usual.toSorted((a, b) => b - a)], ['ascending', usual.toSorted((a, b) => a - b)], [null, usual]]) {
    await eva.at('sort-examples').click();
    assert.equal(await head.getAttribute('aria-sort'), said);
    assert.deepEqual(await counted(), want);
  }

  await eva.article('affald-storskrald');
  await eva.at('compare').click();
  await eva.at('compare-view').locator('mark').first().waitFor();
  await shoot(eva.page, 'studio-compare');
  assert.deepEqual([...eva.faults(), ...ida.faults()], []);
});

test('two editors in one text: both are kept, and nobody is run over', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all'], ['bo', 'Bo', 'all']]);
  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.article('affald-storskrald');
  await eva.writeFirst('Fra Eva. ');
  await eva.saved();
  const bo = await Studio.signIn(browser, service, 'bo');
  await bo.at('working').selectOption({ index: 1 });
  await bo.article('affald-storskrald');
  assert.match(await bo.text(), /^Fra Eva/);
  // Another field: merged without a word.
  await bo.at('title').fill('Storskrald hentes');
  await bo.saved();
  await eva.at('field-source').fill('Regulativet');
  await eva.saved();
  await eva.page.waitForFunction(() => document.querySelector('[data-testid=title]').value === 'Storskrald hentes');
  // The same line: asked.
  await bo.article('pas-forny');
  await bo.article('affald-storskrald');
  await bo.writeFirst('Fra Bo. ');
  await bo.saved();
  await eva.writeFirst('Mere fra Eva. ');
  await eva.at('settle').waitFor();
  await shoot(eva.page, 'studio-conflict');
  assert.match(await eva.at('settle').innerText(), /Mere fra Eva[\s\S]*Fra Bo/);
  await eva.at('settle-both').check({ force: true });
  await eva.at('settle-send').click();
  await eva.at('settle').waitFor({ state: 'detached' });
  await eva.saved();
  await eva.page.locator('.cm-content').filter({ hasText: 'Fra Bo' }).waitFor();
  assert.match(await eva.text(), /Mere fra Eva/);
  assert.equal(await eva.at('title').inputValue(), 'Storskrald hentes');
  // Who wrote what can be read at the draft.
  await eva.at('to-draft').click();
  await eva.at('saves').locator('summary').click();
  await eva.at('saves').filter({ hasText: 'version 1' }).waitFor();
  assert.match(await eva.at('saves').innerText(), /Eva[\s\S]*Bo[\s\S]*Eva/);
  assert.deepEqual([...eva.faults(/\/changes$/), ...bo.faults()], []);
});

test('what is written survives a reload and a service that is away', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  const eva = await Studio.signIn(browser, service, 'eva');
  eva.page.on('dialog', (d) => d.accept());
  await eva.article('pas-forny');
  await service.kill();
  await eva.at('title').fill('Pas: halvt skrevet');
  await eva.page.locator('[data-stand=failed]').waitFor();
  await service.up();
  await eva.page.reload();
  await eva.at('article-form').waitFor();
  await eva.at('notices').filter({ hasText: 'hentet frem' }).waitFor();
  assert.equal(await eva.at('title').inputValue(), 'Pas: halvt skrevet');
  await eva.saved();
  await eva.page.reload();
  await eva.at('to-draft').waitFor();
  assert.equal(await eva.at('title').inputValue(), 'Pas: halvt skrevet');
});

test('an article, its draft and its way out by keys alone', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  const eva = await Studio.signIn(browser, service, 'eva');
  const { keyboard } = eva.page;
  const walk = async (wanted, key = 'Tab') => {
    for (let i = 0; i < 120; i += 1) {
      // Through shadow roots, for the text stands in one.
      const at = await eva.page.evaluate(() => {
        let e = document.activeElement;
        while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
        return [e?.dataset.testid, e?.id, e?.textContent?.trim()];
      });
      if (at.some((x) => x === wanted)) return;
      await keyboard.press(key);
    }
    throw new Error(`no way to ${wanted} by ${key}`);
  };
  await walk('find');
  await keyboard.type('storskrald');
  await eva.at('found').filter({ hasText: '1 af' }).waitFor();
  await walk((await eva.at('articles').locator('tbody a').innerText()).trim());
  await keyboard.press('Enter');
  await eva.at('article-form').waitFor();
  await walk('body');
  await keyboard.press('Control+Home');
  await keyboard.type('Skrevet uden mus. ');
  await eva.saved();
  // Tab leads out of the text again.
  await keyboard.press('Tab');
  await walk('to-draft', 'Shift+Tab');
  await keyboard.press('Enter');
  await eva.at('publish').waitFor();
  await walk('comment');
  await keyboard.type('Klar');
  await walk('comment-send');
  await keyboard.press('Enter');
  await eva.at('comments').filter({ hasText: 'Klar' }).waitFor();
  await walk('drop');
  await keyboard.press('Enter');
  await eva.at('drop-dialog').waitFor();
  await keyboard.press('Escape');
  await eva.at('drop-dialog').waitFor({ state: 'detached' });
  await walk('drop', 'Shift+Tab');
  assert.deepEqual(eva.faults(), []);
});

test('every view, looked at and read by axe', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  const first = await Studio.signIn(browser, service, 'eva');
  await first.article('affald-storskrald');
  await first.writeFirst('Det koster 500 kr. ');
  await first.saved();
  const draft = await first.at('to-draft').getAttribute('href');
  for (const [name, options] of Object.entries(looks)) {
    const eva = await Studio.signIn(browser, service, 'eva', { ...options, bypassCSP: true });
    const at = (view) => look(eva.page, name, view);
    await at('articles');
    await eva.at('new-article').click();
    await at('new');
    await eva.page.keyboard.press('Escape');
    await eva.at('working').selectOption({ index: 1 });
    await eva.article('affald-storskrald');
    await eva.at('problems').waitFor();
    await at('article');
    for (const [view, hash, shown] of [
      ['draft', draft.slice(1), 'faults'], ['drafts', '/kladder', 'drafts'], ['releases', '/udgivelser', 'tab-releases'], ['rates', '/satser', 'rates'],
      ['town', '/satser?vis=kommune', 'facts-save'],
    ]) {
      await eva.go(hash);
      await eva.at(shown).waitFor();
      await at(view);
    }
    await eva.page.context().close();
  }
});
