// A draft's way to citizens against the running program: tried on questions, approved by a second person, discussed,
// published with a reason or at a time, and taken back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Citizen, Desk, hire } from './desk.mjs';
import { newsroom, Studio } from './studio.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const closing = (t) => t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
const asks = async (service, code, question) => (await new Widget(await visit(browser, `${service.url}/demo/${code}`)).open()).ask(question);

const SOFA = 'Hvordan slipper jeg af med en gammel sofa, er det storskrald?';
const SET = [
  [SOFA, 'affald-storskrald'],
  ['Hvornår bliver storskrald hentet hos os?', 'affald-storskrald'],
  ['Hvordan fornyer jeg mit pas?', 'pas-forny'],
];
const WHY = 'Ordningen er lukket af byrådet';

test('a draft that makes the guarded set worse is tried, and needs a reason to be published', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']], { questions: SET });
  const was = await asks(service, '0615', SOFA);
  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.article('affald-storskrald');
  await eva.at('remove').click();
  await eva.at('remove-do').click();
  await eva.at('to-draft').click();

  // Nobody has tried it: publishing does, and says what it would do.
  await eva.at('publish').click();
  await eva.at('worse-dialog').filter({ hasText: 'egne' }).waitFor({ timeout: 300_000 });
  await eva.page.keyboard.press('Escape');
  await eva.at('worse-dialog').waitFor({ state: 'detached' });
  assert.equal((await asks(service, '0615', SOFA)).text, was.text);

  await eva.at('replay').click();
  await eva.at('progress').waitFor();
  const result = eva.at('replay-result');
  await result.waitFor({ timeout: 300_000 });
  // What is lost stands open, with the question that loses its answer and where it was asked.
  const lost = eva.at('turned-lost').or(eva.at('turned-flipped')).or(eva.at('turned-contested'));
  assert.match((await lost.allInnerTexts()).join(' '), /storskrald/i);
  const row = result.locator('tr').filter({ hasText: 'egne' });
  assert.match(await row.innerText(), /Dårligere/);
  // Three questions, and two of them had this answer.
  assert.deepEqual((await row.locator('td').allInnerTexts()).slice(0, 2).map((x) => x.split('\n')[0]), ['3', '100 %']);
  assert.match(await result.innerText(), /3 fra prøvesæt/);
  await shoot(eva.page, 'studio-replay', { fullPage: true });

  await eva.at('publish').click();
  await eva.at('worse-dialog').filter({ hasText: 'egne' }).waitFor();
  await eva.at('override').fill('Fordi');
  assert.equal(await eva.at('override-do').getAttribute('aria-disabled'), 'true');
  await eva.at('override').fill(WHY);
  await shoot(eva.page, 'studio-worse');
  await eva.at('override-do').click();
  await eva.at('undo').waitFor({ timeout: 300_000 });
  assert.match(await eva.page.locator('main').innerText(), new RegExp(WHY));
  assert.notEqual((await asks(service, '0615', SOFA)).text, was.text);
  await eva.undo('Byrådet fortrød.');
  assert.equal((await asks(service, '0615', SOFA)).text, was.text);
  assert.deepEqual(eva.faults(/\/publish$/), []);
});

test('a second person approves, what is discussed stays, and a time is kept', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all'], ['bo', 'Bo', 'all']], { rules: 'approve_areas = ["pas"]\n' });
  const eva = await Studio.signIn(browser, service, 'eva');
  // A minute is the least that the clock of the form can say: this one goes on by itself while the rest is done.
  await eva.article('affald-storskrald');
  await eva.writeFirst('Sofaer hentes nu om natten. ');
  await eva.saved();
  await eva.at('to-draft').click();
  await eva.at('schedule-open').click();
  const soon = new Date(Math.ceil((Date.now() + 5_000) / 60_000) * 60_000);
  const two = (n) => String(n).padStart(2, '0');
  const parts = Object.fromEntries(new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Copenhagen', dateStyle: 'short', timeStyle: 'short' }).formatToParts(soon).map((p) => [p.type, p.value]));
  await eva.at('at').fill(`${parts.year}-${two(parts.month)}-${two(parts.day)}T${two(parts.hour)}:${two(parts.minute)}`);
  await eva.at('schedule-do').click();
  await eva.at('schedule').filter({ hasText: 'Udgives' }).waitFor();
  await shoot(eva.page, 'studio-scheduled');
  const scheduled = await eva.page.evaluate(() => location.hash);
  await eva.at('work-elsewhere').click();

  await eva.article('pas-forny');
  await eva.writeFirst('Husk et nyt billede. ');
  await eva.saved();
  await eva.at('to-draft').click();
  const hash = await eva.page.evaluate(() => location.hash);
  // Nobody gets around the second person.
  await eva.at('ask-approval').waitFor();
  assert.equal(await eva.at('publish').count(), 0);
  await eva.at('comment').fill('Er det rigtigt med billedet?');
  await eva.at('comment-send').click();
  await eva.at('comments').filter({ hasText: 'billedet?' }).waitFor();
  await eva.at('ask-approval').click();
  await eva.page.getByText('Venter på, at en anden godkender').waitFor();
  assert.equal(await eva.at('approve').count(), 0, 'who wrote it cannot approve it');

  const bo = await Studio.signIn(browser, service, 'bo');
  await bo.go(hash.slice(1));
  await bo.at('comments').filter({ hasText: 'Er det rigtigt' }).waitFor();
  await bo.at('comment').fill('Ja, det er rigtigt.');
  await bo.at('comment-send').click();
  await bo.at('comments').filter({ hasText: 'Ja, det er rigtigt.' }).waitFor();
  await shoot(bo.page, 'studio-approval');
  await bo.at('approve').click();
  await bo.at('publish').waitFor();

  await eva.page.reload();
  await eva.at('comments').filter({ hasText: 'Ja, det er rigtigt.' }).waitFor();
  await eva.at('publish').click();
  await eva.at('undo').waitFor({ timeout: 300_000 });
  assert.match(await eva.page.locator('main').innerText(), /Godkendt af[\s\S]{0,20}Bo|Bo[\s\S]{0,20}godkend/i);

  // And what was scheduled has gone out by itself.
  await eva.go(scheduled.slice(1));
  for (let n = 0; ; n += 1) {
    await eva.page.reload();
    const over = eva.page.getByText('Se udgivelse').or(eva.at('schedule'));
    await over.first().waitFor();
    if ((await eva.page.getByText('Se udgivelse').count()) > 0) break;
    assert.ok(n < 60, await eva.page.locator('main').innerText());
    await eva.page.waitForTimeout(1_000);
  }
  assert.match((await asks(service, '0851', SOFA)).text, /om natten/);
  assert.deepEqual([...eva.faults(), ...bo.faults()], []);
});

test('a rate and what a municipality says of itself are changed in forms, and answers have them', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']]);
  const PRICE = 'Hvad koster et pas til en voksen?';
  assert.match((await asks(service, '0751', PRICE)).text, /893 kr\./);
  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.go('/satser');
  const rate = eva.at('rates').locator('tr').filter({ hasText: '{{sats.pas_voksen}}' });
  await eva.at('edit-rate', rate).click();
  await eva.at('rate-value').fill('mange');
  await eva.at('rate-save').click();
  await eva.at('rate-dialog').getByRole('alert').filter({ hasText: 'begynde med et tal' }).waitFor();
  await eva.at('rate-value').fill('1.234');
  await shoot(eva.page, 'studio-rate');
  await eva.at('rate-save').click();
  await rate.filter({ hasText: '1.234 kr.' }).waitFor();
  await eva.go('/satser?vis=kommune');
  await eva.at('facts-code').selectOption('0751');
  await eva.at('contact-telefon').fill('12 34 56 78');
  await eva.at('facts-save').click();
  await eva.at('to-draft').filter({ hasText: '2 ændringer' }).waitFor();
  await eva.publish();
  const what = await eva.page.locator('main').innerText();
  assert.match(what, /1\.234/);
  assert.match(what, /12 34 56 78/);
  await shoot(eva.page, 'studio-release-tables', { fullPage: true });
  assert.match((await asks(service, '0751', PRICE)).text, /1\.234 kr\./);
  assert.deepEqual(eva.faults(), []);
});

test('what an agent answered becomes a draft of an editor', async (t) => {
  closing(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']], { env: { BORGERLINJE_ALWAYS_OPEN: '1' } });
  await hire(service, [['anna', 'Anna', 'agent']]);
  const anna = await Desk.signIn(browser, service, 'anna');
  const asked = 'Min nabos hæk er vokset ind over mit skur, hvem bestemmer?';
  await (await Citizen.come(browser, service)).wantsPerson(asked);
  await anna.accept();
  await anna.say('Det er dig og din nabo, der skal blive enige. Kommunen blander sig ikke i hække mellem naboer.');
  await anna.at('to-editors').first().click();
  await anna.at('draft-send').click();
  await anna.at('draft-dialog').waitFor({ state: 'detached' });

  const eva = await Studio.signIn(browser, service, 'eva');
  await eva.go('/naeste?vis=replies');
  const reply = eva.at('reply').filter({ hasText: asked });
  await reply.waitFor({ timeout: 300_000 });
  await shoot(eva.page, 'studio-replies');
  await eva.at('group-area', reply).selectOption('bolig');
  await eva.at('make-of-reply', reply).click();
  await eva.at('article-form').waitFor();
  assert.match(await eva.text(), /blive enige/);
  assert.equal(await eva.at('examples').locator('textarea').first().inputValue(), asked);
  await eva.saved();
  // It is being written, and is nobody else's to begin.
  await eva.go('/naeste?vis=replies');
  const none = eva.page.getByText('Ingen medarbejdere har sendt et svar til redaktionen.');
  await none.waitFor();
  await eva.page.reload();
  await none.waitFor({ timeout: 300_000 });
  assert.deepEqual([...eva.faults(), ...anna.faults()], []);
});
