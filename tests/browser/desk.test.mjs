// The contact centre as people meet it: a citizen in one browser, agents and a supervisor in others.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults, looks as everywhere } from './accessible.mjs';
import { Citizen, Desk, hire, PASSWORD } from './desk.mjs';
import { Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** A centre of its own for each test, open at all hours, with two agents and a supervisor. */
async function centre(t) {
  const service = await Service.start({ BORGERLINJE_ALWAYS_OPEN: '1' });
  t.after(() => service.stop());
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  await hire(service, [['anna', 'Anna', 'agent'], ['bo', 'Bo', 'agent'], ['vera', 'Vera', 'supervisor']]);
  return service;
}

async function finish(desk, words = 'besvaret') {
  await desk.page.keyboard.press('Alt+A');
  await desk.at('close-code').fill(words);
  await desk.page.keyboard.press('Enter');
  await desk.at('wrap-up-done').click();
  await desk.at('pane').waitFor({ state: 'detached' });
}

test('from the bot to a person, on to another, closed with a code and rated', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  const citizen = await new Widget(await visit(browser, `${service.url}/demo/0751`)).open();
  await citizen.ask('Min nabos hæk er vokset ind over mit skur, hvem bestemmer?');
  await citizen.at('human').click();
  await citizen.at('queue').last().click();
  await citizen.at('people').waitFor();

  await anna.at('offer').filter({ hasText: 'Aarhus' }).waitFor();
  assert.match(await anna.page.title(), /Ny henvendelse/);
  assert.match(await anna.at('assertive').innerText(), /Ny henvendelse: Aarhus/);
  await shoot(anna.page, 'desk-offer');
  await anna.accept();
  await citizen.at('standing').filter({ hasText: 'Anna' }).waitFor();
  assert.match(await anna.at('brief').innerText(), /hæk er vokset ind/);

  await anna.say('Hej, jeg hedder **Anna**.');
  await citizen.at('agent').filter({ hasText: 'Hej, jeg hedder Anna.' }).waitFor();
  assert.equal(await anna.lines('agent').locator('strong').innerText(), 'Anna');
  assert.equal(await anna.at('outgoing').count(), 0);
  await citizen.say('Hvordan får jeg et nyt pas?');
  await anna.lines('citizen').filter({ hasText: 'nyt pas' }).waitFor();
  await anna.at('suggestion').first().waitFor();
  await anna.page.keyboard.press('Alt+1');
  // The first suggestion, in the composer.
  await anna.draftOf(/[^]{40}/);
  await shoot(anna.page, 'desk-chat');
  await anna.at('write', anna.pane()).fill('');
  // By the widget itself: it says so every three seconds at most.
  await citizen.at('input').pressSequentially('Det var ikke det, jeg mente', { delay: 150 });
  await anna.pane().locator('.writes').waitFor();
  await citizen.at('input').fill('');

  const bo = await Desk.signIn(browser, service, 'bo');
  await anna.page.keyboard.press('Alt+V');
  await anna.at('transfer-to').fill('Bo');
  await anna.page.keyboard.press('Enter');
  await anna.focus('transfer-note');
  await anna.page.keyboard.type('Det handler om en hæk og et pas');
  await anna.page.keyboard.press('Enter');
  await anna.at('pane').waitFor({ state: 'detached' });

  await bo.at('offer').or(bo.at('pane')).first().waitFor();
  if (await bo.at('offer').count()) await bo.accept();
  await bo.lines('note').filter({ hasText: 'hæk og et pas' }).waitFor();
  await bo.lines('agent').filter({ hasText: 'jeg hedder Anna' }).waitFor();
  await bo.say('Jeg overtager her.');
  await citizen.at('agent').filter({ hasText: 'Jeg overtager her.' }).waitFor();
  await shoot(citizen.page, 'desk-citizen');
  await bo.page.getByTestId('why').locator('summary').click();
  assert.match(await bo.at('why').innerText(), /viderestillet/);

  await finish(bo);
  const rating = citizen.at('rating').last();
  await citizen.at('rate-3', rating).click();
  await citizen.at('rating-send', rating).click();
  await citizen.at('rating-thanks').last().waitFor();
  // What only staff may read never reached the citizen.
  assert.doesNotMatch(await citizen.at('log').innerText(), /hæk og et pas/);
  assert.deepEqual(citizen.page.faults, []);
  assert.deepEqual([...anna.faults(), ...bo.faults()], []);
});

test('a whole chat by keys alone', async (t) => {
  const service = await centre(t);
  const anna = await Desk.open(browser, service);
  const { keyboard } = anna.page;
  await anna.page.locator('#user').waitFor();
  await keyboard.type('anna');
  await keyboard.press('Tab');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await anna.ready();

  const citizen = await Citizen.come(browser, service);
  await citizen.wantsPerson();
  await anna.at('offer').waitFor();
  await keyboard.press('F2');
  await anna.lines('citizen').first().waitFor();
  await anna.focus('write');
  await citizen.send('typing');
  await anna.pane().locator('.writes').waitFor();
  await keyboard.type('Hej med dig');
  await keyboard.press('Shift+Enter');
  await keyboard.type('og velkommen');
  await keyboard.press('Enter');
  assert.match((await citizen.heard('agent')).text, /Hej med dig\s+og velkommen/);

  await keyboard.type('/velkom');
  await keyboard.press('Enter');
  await anna.draftOf(/Anna.*Aarhus/);
  await keyboard.press('Control+A');
  await keyboard.press('Delete');

  await keyboard.press('Alt+N');
  await keyboard.type('Ringede fra Spanien');
  await keyboard.press('Enter');
  await anna.lines('note').waitFor();
  await keyboard.press('Alt+S');
  await anna.focus('search');
  await keyboard.type('pas');
  await anna.at('hit').first().waitFor();
  await keyboard.press('Escape');
  await anna.focus('write');

  await keyboard.press('Shift+Tab');
  await keyboard.press('?');
  await anna.at('help-dialog').waitFor();
  await keyboard.press('Escape');
  await anna.at('help-dialog').waitFor({ state: 'detached' });

  await keyboard.press('Alt+P');
  await anna.at('my-state').filter({ hasText: 'Pause' }).waitFor();
  await keyboard.press('Alt+P');
  await anna.at('my-state').filter({ hasText: 'Klar' }).waitFor();
  await keyboard.press('Alt+A');
  await anna.focus('close-code');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await anna.at('wrap-up-done').waitFor();
  await keyboard.press('Alt+G');
  await anna.at('pane').waitFor({ state: 'detached' });
  // The chat went with its focus: the middle has it, so that keys go on working.
  await anna.focus('middle');
  assert.deepEqual([...anna.faults()], []);
});

test('unsent words survive a reload and a restart of the service, and are sent once', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  const citizen = await Citizen.come(browser, service);
  await citizen.wantsPerson();
  await anna.accept();
  await anna.at('write', anna.pane()).fill('Halvt skrevet');
  await anna.page.reload();
  await anna.ready();
  await anna.lines('citizen').first().waitFor();
  assert.equal(await anna.draft(), 'Halvt skrevet');

  await service.kill();
  await anna.at('link-line').waitFor();
  await anna.at('write', anna.pane()).fill('Skrevet uden forbindelse');
  await anna.page.keyboard.press('Enter');
  assert.match(await anna.at('outgoing').innerText(), /Sender/);
  await shoot(anna.page, 'desk-disconnected');
  await service.up();
  await anna.lines('agent').filter({ hasText: 'Skrevet uden forbindelse' }).waitFor();
  await anna.at('outgoing').waitFor({ state: 'detached' });
  assert.equal(await anna.lines('agent').count(), 1);
  anna.page.faults.length = 0;
  await finish(anna);
  assert.deepEqual([...anna.faults()], []);
});

test('two agents, one chat: the second is told kindly', async (t) => {
  const service = await centre(t);
  const [anna, bo] = [await Desk.signIn(browser, service, 'anna'), await Desk.signIn(browser, service, 'bo')];
  for (const desk of [anna, bo]) {
    await desk.at('my-mode').selectOption('pick');
    await desk.page.keyboard.press('Alt+Q');
  }
  const citizen = await Citizen.come(browser, service);
  await citizen.wantsPerson();
  await Promise.all([anna, bo].map((d) => d.at('pick').first().waitFor()));
  // Both have the row before them; whoever is second must be told, and nothing else.
  await Promise.all([anna, bo].map((d) => d.at('pick').first().click()));
  await Promise.any([anna, bo].map((d) => d.at('pane').waitFor()));
  const winner = await anna.at('pane').count() ? anna : bo;
  const other = winner === anna ? bo : anna;
  await other.at('notices').filter({ hasText: /kollega|længere/ }).waitFor();
  assert.equal(await other.at('pane').count(), 0);
  for (const desk of [anna, bo]) await desk.at('my-mode').selectOption('push');
  await winner.page.keyboard.press('Alt+M');
  await finish(winner);
  assert.deepEqual([...anna.faults(), ...bo.faults()], []);
});

test('a supervisor sees where it hurts, guides an agent unseen by the citizen, and takes a chat back', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  const vera = await Desk.signIn(browser, service, 'vera');
  const citizen = await Citizen.come(browser, service);
  await citizen.wantsPerson();
  await anna.accept();

  await vera.page.keyboard.press('Alt+T');
  await vera.at('figures').waitFor();
  assert.equal(await vera.at('towns').locator('tbody tr').count(), 39);
  await vera.at('show-agents').click();
  await vera.at('agents').filter({ hasText: 'Anna' }).waitFor();
  await vera.at('show-items').click();
  await vera.at('coach').first().click();
  await vera.lines('citizen').first().waitFor();
  await vera.say('Spørg om adressen');
  await anna.lines('coach').filter({ hasText: 'Spørg om adressen' }).waitFor();
  await shoot(vera.page, 'desk-coach');
  await vera.page.keyboard.press('Alt+T');
  await shoot(vera.page, 'desk-supervisor');
  await vera.at('show-items').click();
  await anna.at('my-choice').selectOption('break');
  await vera.at('release').first().click();
  await vera.at('release-send').click();
  await anna.at('pane').waitFor({ state: 'detached' });
  await anna.at('notices').filter({ hasText: /leder|køen/ }).waitFor();
  const all = await citizen.page.evaluate(() => JSON.stringify(window.frames_));
  assert.doesNotMatch(all, /Spørg om adressen/);
  await citizen.send('leave');
  await citizen.heard('handover_ended');
  await anna.at('my-choice').selectOption('available');
  assert.deepEqual([...vera.faults(), ...anna.faults()], []);
});

test('wrong words at the door are told in words', async (t) => {
  const service = await centre(t);
  const desk = await Desk.open(browser, service);
  await desk.at('signin-send').click();
  await desk.focus('user');
  await desk.page.locator('#user').fill('ingen');
  await desk.page.locator('#password').fill('forkert adgangskode');
  await desk.at('signin-send').click();
  await desk.at('signin-problem').filter({ hasText: 'passer ikke' }).waitFor();
  await desk.focus('password');
});

const looks = { ...everywhere, small: { viewport: { width: 1024, height: 768 } } };
for (const [name, options] of Object.entries(looks)) {
  test(`every view, looked at and read by axe: ${name}`, async (t) => {
  const service = await centre(t);
    const anna = await Desk.signIn(browser, service, 'anna', { ...options, bypassCSP: true });
    const citizen = await Citizen.come(browser, service);
    await citizen.wantsPerson();
    const look = async (view) => {
      await shoot(anna.page, `desk-${name}-${view}`);
      assert.deepEqual(await faults(anna.page, view), []);
    };
    await anna.at('offer').waitFor();
    await look('offer');
    await anna.at('accept').first().click();
    await anna.lines('citizen').first().waitFor();
    await anna.say('Hej, hvad kan jeg hjælpe med?');
    await look('chat');
    const titles = [await anna.page.title()];
    for (const [key, view] of [['Alt+V', 'transfer'], ['Alt+A', 'close'], ['F1', 'keys'], ['Alt+I', 'settings']]) {
      await anna.page.keyboard.press(key);
      await anna.page.locator('dialog[open]').waitFor();
      await look(view);
      await anna.page.keyboard.press('Escape');
      await anna.page.locator('dialog').waitFor({ state: 'detached' });
    }
    for (const [key, view] of [['Alt+Q', 'queue'], ['Alt+O', 'callbacks']]) {
      await anna.page.keyboard.press(key);
      await anna.page.locator('.page').waitFor();
      await look(view);
      titles.push(await anna.page.title());
    }
    assert.match(titles.join(), /Samtaler · Borgerlinje,.*Kø · Borgerlinje,.*Opkald · Borgerlinje/);
    await anna.page.keyboard.press('Alt+M');
    await finish(anna);
  });
}
