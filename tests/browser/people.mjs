// A citizen's browser at a node whose agents a test plays: it starts this with the address, is asked for what the
// agent does by a line on standard output, and answers with one when it is done.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Widget, launch, shoot, visit } from './widget.mjs';

const url = process.argv[2];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** What the agent does: `accept`, `say TEXT`, `typing`, `close`. */
async function agent(what) {
  console.log(`agent ${what}`);
  const { value } = await lines.next();
  assert.equal(value, 'done', what);
}

const browser = await launch();
const page = await visit(browser, `${url}/demo/0751`, { viewport: { width: 1280, height: 900 } });
const widget = await new Widget(page).open();
const text = (name) => widget.at(name).last().innerText();

// Two ways to a person, the form only for who chose it.
await widget.ask('Hvordan fornyer jeg mit pas?');
await widget.at('human').click();
const offer = widget.at('handover').last();
await offer.waitFor();
assert.ok(await widget.at('queue', offer).isVisible());
assert.ok(await widget.at('callback', offer).isHidden());
await shoot(page, 'people-offer');
await widget.at('callback-ask', offer).click();
assert.ok((await widget.at('callback-slot', offer).locator('option').count()) >= 4);
assert.match(await widget.at('callback-slot', offer).locator('option').first().innerText(), /dag den \d+\. \w+ kl\. \d+\.\d\d til \d+\.\d\d/);
await shoot(page, 'people-times');

// In the queue: told where, may leave, and the bot goes on.
await widget.at('queue', offer).focus();
await page.keyboard.press('Enter');
await widget.at('people').waitFor();
assert.match(await text('standing'), /Du er nummer 1|fundet en medarbejder/);
assert.ok(await widget.at('human').isHidden());
await shoot(page, 'people-waiting');
const meanwhile = await widget.ask('Hvor afleverer jeg batterier?');
assert.equal(meanwhile.outcome, 'answered');
await widget.at('leave').click();
await widget.focus('leave-yes');
await widget.at('leave-no').click();
await widget.focus('leave');

// A person: by name, and unlike the machine.
await agent('accept');
await widget.at('standing').filter({ hasText: 'ANNA' }).waitFor();
await agent('say Hej, **jeg hedder Anna**. Hvad kan jeg hjælpe med?');
await widget.at('agent').waitFor();
assert.match(await text('agent'), /^ANNA, medarbejder:\s+Hej, jeg hedder Anna/);
assert.equal(await page.locator('label[for^=bl-input]').innerText(), 'Skriv til ANNA');
assert.match(await text('who'), /ANNA/);
const answers = await widget.at('answer').count();
await widget.say('Mit barn skal også have et pas');
await widget.at('citizen').filter({ hasText: 'Mit barn' }).waitFor();
await agent('typing');
await widget.at('typing').waitFor();
await widget.at('announce').filter({ hasText: /ANNA skriver/ }).waitFor({ state: 'attached' });
await shoot(page, 'people-talking');
await agent('say Så skal I begge møde op.');
await widget.at('agent').nth(1).waitFor();
assert.ok(await widget.at('typing').isHidden());
assert.equal(await widget.at('answer').count(), answers, 'the bot is silent');

// Closed: a mark on the button. Reloaded: all is there, and who one talks to.
await widget.at('close').click();
await agent('say Er du der?');
await widget.at('unread').waitFor();
await widget.at('launcher').click();
await page.reload();
await widget.at('agent').nth(2).waitFor();
assert.match(await text('standing'), /ANNA/);

// Small, dark, from right to left, and at 400 %.
await page.emulateMedia({ colorScheme: 'dark' });
await page.setViewportSize({ width: 390, height: 844 });
await shoot(page, 'people-phone-dark');
await widget.at('language').selectOption('ar');
await shoot(page, 'people-arabic');
await widget.at('language').selectOption('da');
await page.setViewportSize({ width: 320, height: 256 });
const wide = await widget.at('panel').evaluate((p) => p.scrollWidth - p.clientWidth);
assert.ok(wide <= 0, `${wide} pixels beside the screen at 400 %`);
await widget.at('leave').scrollIntoViewIfNeeded();
await shoot(page, 'people-400');
await page.emulateMedia({ colorScheme: 'light' });
await page.setViewportSize({ width: 1280, height: 900 });

await page.waitForTimeout(100);
const [head, frame] = await Promise.all([widget.at('municipality').boundingBox(), widget.at('panel').boundingBox()]);
assert.ok(head.y >= frame.y, 'the header is in sight again');

// The end, and what it was worth.
await agent('close');
await widget.at('news').filter({ hasText: 'afsluttet' }).waitFor();
assert.ok(await widget.at('people').isHidden());
const rating = widget.at('rating').last();
await widget.at('rate-3', rating).click();
await widget.at('rating-thanks', rating).filter({ hasText: 'Tak' }).waitFor();
await shoot(page, 'people-ended');

// Rung back instead, at a time, and then not.
const before = await widget.at('handover').count();
await widget.at('human').click();
const second = widget.at('handover').nth(before);
await widget.at('callback-ask', second).click();
await widget.at('callback-slot', second).selectOption({ index: 1 });
const chosen = await widget.at('callback-slot', second).locator('option').nth(1).innerText();
await widget.at('callback-phone', second).fill('20 30 40 50');
await widget.at('callback-send', second).click();
await widget.at('callback-saved', second).waitFor();
assert.ok((await widget.at('callback-saved', second).innerText()).includes(chosen));
await shoot(page, 'people-callback');
await widget.at('callback-cancel', second).click();
await widget.at('callback-saved', second).filter({ hasText: 'slettet' }).waitFor();

assert.deepEqual(page.faults, []);
await browser.close();
console.log('all is well');
process.exit(0);
