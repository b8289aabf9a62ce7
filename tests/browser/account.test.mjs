// The second factor as staff meet it, by keyboard alone: set up, asked for, lost, demanded; and where one is signed in.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faults } from './accessible.mjs';
import { Desk, hire, PASSWORD } from './desk.mjs';
import { Service } from './service.mjs';
import { code } from './totp.mjs';
import { launch, shoot } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function centre(t, env = {}) {
  const service = await Service.start(env);
  t.after(() => service.stop());
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  await hire(service, [['anna', 'Anna', 'agent'], ['egon', 'Egon', 'editor']]);
  return service;
}

/** Puts name and password in. */
async function half(desk, user) {
  await desk.page.locator('#user').fill(user);
  await desk.page.locator('#password').fill(PASSWORD);
  await desk.page.keyboard.press('Enter');
}

async function setUp(desk) {
  const key = await desk.at('second-key').innerText();
  const box = await desk.page.locator('img.qr').boundingBox();
  assert.ok(box.width >= 160, 'the picture can be scanned');
  assert.ok(await desk.page.locator('img.qr').evaluate((i) => i.complete && i.naturalWidth > 0), 'and is drawn');
  await desk.page.locator('#second-code').fill('12');
  await desk.page.keyboard.press('Enter');
  await desk.at('second-problem').waitFor();
  assert.equal(await desk.page.locator('#second-code').getAttribute('aria-invalid'), 'true');
  await desk.page.locator('#second-code').fill(code(key));
  await desk.page.keyboard.press('Enter');
  await desk.at('recovery-codes').waitFor();
  const codes = await desk.at('recovery-codes').locator('li').allInnerTexts();
  assert.equal(codes.length, 10);
  return { key, codes };
}

test('set up at the desk, asked for at the next sign-in, and a recovery code for whoever has lost the telephone', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  await anna.at('account').focus();
  await anna.page.keyboard.press('Enter');
  await anna.at('account-dialog').waitFor();
  assert.equal(await anna.at('second-factor').getAttribute('data-state'), 'none');
  await anna.at('second-on').focus();
  await anna.page.keyboard.press('Enter');
  await anna.at('second-setup').waitFor();
  assert.deepEqual(await faults(anna.page, 'set up'), []);
  await shoot(anna.page, 'account-set-up');
  const { key, codes } = await setUp(anna);
  assert.deepEqual(await faults(anna.page, 'recovery codes'), []);
  await anna.at('second-done').click();
  await anna.page.locator('[data-testid=second-factor][data-state=on]').waitFor();
  await shoot(anna.page, 'account-on');

  const other = await Desk.open(browser, service);
  await half(other, 'anna');
  await other.at('signin-code').waitFor();
  const field = other.page.locator('#code');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.ok(await field.evaluate((f) => f === document.activeElement), 'the cursor is in it');
  assert.deepEqual(await faults(other.page, 'asked for a code'), []);
  await shoot(other.page, 'account-code');
  await other.page.keyboard.press('Enter');
  await other.page.locator('#code-error').waitFor();
  await field.fill('000000');
  await other.page.keyboard.press('Enter');
  await other.at('signin-problem').filter({ hasText: 'Koden passer ikke' }).waitFor();
  await field.fill(code(key, 1));
  await other.page.keyboard.press('Enter');
  await other.ready();

  // Where one is signed in, and ending the other.
  await anna.page.keyboard.press('Escape');
  await anna.at('account').click();
  await anna.at('sessions').locator('li').nth(1).waitFor();
  await anna.at('session-end').click();
  await other.page.locator('#user').waitFor();
  await anna.at('session-end').waitFor({ state: 'detached' });

  await half(other, 'anna');
  await other.at('signin-recovery').click();
  assert.ok(await other.page.locator('#code').evaluate((f) => f === document.activeElement));
  await other.page.locator('#code').fill(codes[4]);
  await other.page.keyboard.press('Enter');
  await other.ready();
  for (const desk of [anna, other]) assert.deepEqual(desk.page.faults.filter((f) => !/40[13]/.test(f)), []);
});

test('where it is demanded it is set up before anything else, at desk and studio', async (t) => {
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-config-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  await writeFile(join(at, 'b.toml'), '[staff]\nsecond_factor = "required"\n');
  const service = await centre(t, { BORGERLINJE_CONFIG: join(at, 'b.toml') });
  for (const [user, path] of [['anna', 'desk'], ['egon', 'studio']]) {
    const staff = await Desk.open(browser, service, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
    await staff.page.goto(`${service.url}/${path}`);
    await half(staff, user);
    await staff.page.getByRole('heading', { name: 'Slå totrinsbekræftelse til' }).waitFor();
    await staff.at('second-setup').waitFor();
    assert.deepEqual(await faults(staff.page, `demanded at ${path}`), []);
    await shoot(staff.page, `account-demanded-${path}`);
    await setUp(staff);
    await staff.at('second-done').click();
    await staff.at('account').click();
    await staff.page.locator('[data-testid=second-factor][data-state=on]').waitFor();
    assert.equal(await staff.at('second-off').count(), 0, 'it is demanded');
    assert.deepEqual(await faults(staff.page, `one's account at ${path}`), []);
  }
});
