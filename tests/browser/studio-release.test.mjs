// A draft's way to citizens against the running program: tried on questions, approved by a second person, discussed,
// published with a reason or at a time, and taken back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

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
