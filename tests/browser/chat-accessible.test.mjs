// What a citizen meets, state by state, read by axe: the pages, the chat, and the ways to a person.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults, looks } from './accessible.mjs';
import { Desk, hire } from './desk.mjs';
import { Service } from './service.mjs';
import { Widget, launch, shoot, visit } from './widget.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [name, options] of Object.entries(looks)) {
  test(`the pages and every state of the chat: ${name}`, async (t) => {
    const service = await Service.start({ BORGERLINJE_ALWAYS_OPEN: '1' });
    t.after(() => service.stop());
    t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
    // Somebody is there, so that a citizen may wait.
    await hire(service, [['anna', 'Anna', 'agent']]);
    const anna = await Desk.signIn(browser, service, 'anna', { bypassCSP: true });
    const found = [];
    const at = (path) => visit(browser, `${service.url}${path}`, { ...options, bypassCSP: true });
    for (const [path, what] of [['/', 'front'], ['/desk', 'desk-sign-in'], ['/studio', 'studio-sign-in']]) {
      const page = await at(path);
      await page.locator('h1, form').first().waitFor();
      await shoot(page, `citizen-${name}-${what}`);
      found.push(...await faults(page, what));
      await page.context().close();
    }

    const page = await at('/demo/0751');
    const widget = new Widget(page);
    const see = async (what) => {
      await shoot(page, `citizen-${name}-${what}`);
      found.push(...await faults(page, what));
    };
    await widget.at('launcher').waitFor();
    await see('closed');
    await widget.open();
    await see('greeting');
    const asks = async (question, outcome) => assert.equal((await widget.ask(question)).outcome, outcome, question);
    await asks('tilskud', 'clarify');
    await see('clarify');
    await asks('Hvordan fornyer jeg mit pas?', 'answered');
    await see('answered');
    await widget.at('rate-2').last().click();
    await widget.at('rating-comment').last().waitFor();
    await see('rated');
    await asks('Mit CPR-nummer er 010190-4321, hvornår udløber mit pas?', 'answered');
    await widget.at('state-masked').or(widget.at('notice')).first().waitFor();
    await see('masked');
    await asks('hvor er min pakke fra postnord', 'handover');
    await see('no-answer');
    await asks('jeg har ikke lyst til at leve mere', 'crisis');
    await see('crisis');
    await widget.at('menu').click();
    await widget.at('menu-list').waitFor();
    await see('menu');
    await page.keyboard.press('Escape');

    await widget.at('human').click();
    const offer = widget.at('handover').last();
    await offer.waitFor();
    await see('offer');
    await widget.at('callback-ask', offer).click();
    await widget.at('callback-phone', offer).fill('123');
    await widget.at('callback-send', offer).click();
    await widget.at('callback-error', offer).waitFor();
    await see('callback-error');
    await widget.at('queue', offer).click();
    await widget.at('people').waitFor();
    await see('waiting');
    await widget.at('leave').click();
    await see('leaving');
    await widget.at('leave-no').click();
    await anna.accept();
    await anna.say('Hej, hvad kan jeg hjælpe med?');
    await widget.at('agent').waitFor();
    await see('talking');
    // What was hidden is shown to her, and to nobody before it is pressed.
    await widget.say('Mit nummer er 010190-4321');
    const reveal = widget.at('reveal').filter({ hasText: 'Vis Anna' });
    await reveal.waitFor();
    await see('may-reveal');
    assert.equal(await anna.at('revealed').count(), 0);
    await widget.walk('reveal', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await widget.at('reveal').filter({ hasText: 'Anna kan se det nu' }).waitFor();
    await widget.focus('reveal');
    await see('revealed');
    await anna.at('revealed').filter({ hasText: '010190-4321' }).waitFor();
    found.push(...await faults(anna.page, `${name} desk revealed`));
    await anna.at('revealed-away').focus();
    await anna.page.keyboard.press('Enter');
    await anna.at('revealed').waitFor({ state: 'detached' });
    assert.ok(!(await service.stored()).includes('010190-4321'));
    await widget.at('language').selectOption('ar');
    await see('arabic');
    await service.kill();
    await widget.say('Mit barn skal også have et pas');
    await widget.at('connection').filter({ hasText: /\p{L}/u }).waitFor();
    await see('disconnected');
    assert.deepEqual(found, []);
  });
}
