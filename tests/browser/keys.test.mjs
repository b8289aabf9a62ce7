// Security keys as staff meet them, in a browser with a virtual authenticator: added, asked for, let go of, copied, taken
// away, demanded.

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

/** A service by its name: browsers have keys for names alone. */
async function centre(t, env = {}) {
  const service = await Service.start(env);
  t.after(() => service.stop());
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  await hire(service, [['anna', 'Anna', 'agent']]);
  return { url: service.url.replace('127.0.0.1', 'localhost') };
}

/** A key in the USB port of a page's browser; it is touched whenever it blinks. */
class Key {
  static async plug(page) {
    const key = new Key();
    key.cdp = await page.context().newCDPSession(page);
    await key.cdp.send('WebAuthn.enable');
    await key.again();
    return key;
  }

  async again() {
    const options = { protocol: 'ctap2', transport: 'usb', hasResidentKey: false, hasUserVerification: false, automaticPresenceSimulation: true };
    ({ authenticatorId: this.authenticatorId } = await this.cdp.send('WebAuthn.addVirtualAuthenticator', { options }));
  }

  send(what, more = {}) {
    return this.cdp.send(`WebAuthn.${what}`, { authenticatorId: this.authenticatorId, ...more });
  }

  async made() {
    return (await this.send('getCredentials')).credentials;
  }
}

async function half(desk) {
  await desk.page.locator('#user').fill('anna');
  await desk.page.locator('#password').fill(PASSWORD);
  await desk.page.keyboard.press('Enter');
}

/** Signs out as a browser that forgets, and begins again. */
async function anew(desk) {
  await desk.page.context().clearCookies();
  await desk.page.reload();
  await half(desk);
}

async function press(desk, name) {
  await desk.at(name).focus();
  await desk.page.keyboard.press('Enter');
}

async function account(desk) {
  await press(desk, 'account');
  await desk.at('keys').waitFor();
}

async function name(desk, called) {
  const field = desk.page.locator('#key-name');
  await field.waitFor();
  assert.ok(await field.evaluate((f) => f === document.activeElement), 'the cursor is in it');
  await field.fill(called);
  await desk.page.keyboard.press('Enter');
}

test('added, asked for, let go of, copied and taken away, by keyboard', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  const key = await Key.plug(anna.page);
  await account(anna);
  assert.deepEqual(await faults(anna.page, 'no key yet'), []);
  await press(anna, 'key-new');
  await name(anna, '');
  await anna.at('key-problem').filter({ hasText: 'Giv nøglen et navn' }).waitFor();
  assert.deepEqual(await faults(anna.page, 'named'), []);
  await shoot(anna.page, 'keys-name');
  await name(anna, 'Blå nøgle');
  await anna.at('recovery-codes').waitFor();
  const codes = await anna.at('recovery-codes').locator('li').allInnerTexts();
  assert.equal(codes.length, 10);
  await press(anna, 'second-done');
  await anna.at('key').filter({ hasText: 'Blå nøgle' }).filter({ hasText: 'ikke brugt endnu' }).waitFor();
  assert.deepEqual(await faults(anna.page, 'one key'), []);
  await shoot(anna.page, 'keys-one');

  // The same key again: the browser sees that it is there.
  await press(anna, 'key-new');
  await name(anna, 'Blå igen');
  await anna.at('prove').waitFor();
  assert.deepEqual(await faults(anna.page, 'prove'), []);
  assert.ok(await anna.at('prove-key').evaluate((f) => f === document.activeElement), 'the cursor is on it');
  await anna.page.keyboard.press('Enter');
  await anna.at('key-fault').filter({ hasText: 'allerede tilføjet' }).waitFor();
  assert.deepEqual(await faults(anna.page, 'there already'), []);
  await shoot(anna.page, 'keys-there-already');
  await anna.page.keyboard.press('Escape');

  // Asked for at once, where there is nothing else.
  await anew(anna);
  await anna.ready();
  await account(anna);
  await anna.at('key').filter({ hasText: 'sidst brugt' }).waitFor();
  await press(anna, 'key-name');
  await name(anna, 'Blå fra kontoret');
  await anna.at('key').filter({ hasText: 'Blå fra kontoret' }).waitFor();

  // Another key is in the port: the browser comes back with nothing, as when somebody lets go.
  const [blue] = await key.made();
  await key.send('clearCredentials');
  await anew(anna);
  await anna.at('signin-problem').filter({ hasText: 'Nøglen blev ikke brugt' }).waitFor();
  assert.ok(await anna.at('signin-send').evaluate((f) => f === document.activeElement), 'the cursor is where one tries again');
  assert.deepEqual(await faults(anna.page, 'let go of'), []);
  await shoot(anna.page, 'keys-sign-in');
  await key.send('addCredential', { credential: blue });
  await anna.page.keyboard.press('Enter');
  await anna.ready();

  // A copy that has counted less; and a recovery code in its place.
  await key.send('clearCredentials');
  await key.send('addCredential', { credential: { ...blue, signCount: 0 } });
  await anew(anna);
  await anna.at('signin-problem').filter({ hasText: 'Nøglen kunne ikke bekræftes' }).waitFor();
  await press(anna, 'signin-recovery');
  assert.ok(await anna.page.locator('#code').evaluate((f) => f === document.activeElement));
  assert.deepEqual(await faults(anna.page, 'a recovery code'), []);
  await anna.page.locator('#code').fill(codes[0]);
  await anna.page.keyboard.press('Enter');
  await anna.ready();

  // Taken away it is not asked for again.
  await account(anna);
  await press(anna, 'key-remove');
  await anna.at('prove').waitFor();
  await anna.page.locator('#second-code').fill(codes[1]);
  await anna.page.keyboard.press('Enter');
  await anna.page.locator('[data-testid=second-factor][data-state=none]').waitFor();
  assert.equal(await anna.at('key').count(), 0);
  assert.ok(await anna.page.locator('#keys-title').evaluate((f) => f === document.activeElement), 'the cursor is not lost');
  await anew(anna);
  await anna.ready();
  assert.deepEqual(anna.page.faults.filter((f) => !/40[0139]/.test(f)), []);
});

test('with a code app beside it one chooses, and a removed key no longer opens', async (t) => {
  const service = await centre(t);
  const anna = await Desk.signIn(browser, service, 'anna');
  const key = await Key.plug(anna.page);
  await account(anna);
  await press(anna, 'key-new');
  await name(anna, 'Blå nøgle');
  await press(anna, 'second-done');
  await anna.page.locator('[data-testid=second-factor][data-state=on]').waitFor();
  await press(anna, 'second-on');
  await press(anna, 'prove-key');
  const secret = await anna.at('second-key').innerText();
  await anna.page.locator('#second-code').fill(code(secret));
  await anna.page.keyboard.press('Enter');
  await anna.at('second-off').waitFor();

  await anew(anna);
  await anna.at('signin-key').waitFor();
  assert.deepEqual(await faults(anna.page, 'a choice'), []);
  await shoot(anna.page, 'keys-choice');
  await press(anna, 'signin-by-app');
  await anna.page.locator('#code').waitFor();
  await press(anna, 'signin-by-key');
  assert.ok(await anna.at('signin-send').evaluate((f) => f === document.activeElement));
  await anna.page.keyboard.press('Enter');
  await anna.ready();

  await account(anna);
  await press(anna, 'key-remove');
  await press(anna, 'prove-key');
  // While it is asked for the list is away: it is gone when the list is there without it.
  await anna.at('key-new').waitFor();
  await anna.at('key').waitFor({ state: 'detached' });
  assert.equal((await key.made()).length, 1, 'the key itself knows nothing of it');
  await anew(anna);
  await anna.at('signin-code').waitFor();
  assert.equal(await anna.at('signin-by-key').count(), 0);
  await anna.page.locator('#code').fill(code(secret, 1));
  await anna.page.keyboard.press('Enter');
  await anna.ready();
});

test('where a second factor is demanded a key will do; and at an address that is a number none is offered', async (t) => {
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-config-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  await writeFile(join(at, 'b.toml'), '[staff]\nsecond_factor = "required"\n');
  const service = await centre(t, { BORGERLINJE_CONFIG: join(at, 'b.toml') });
  const anna = await Desk.open(browser, service, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
  const key = await Key.plug(anna.page);
  await half(anna);
  await press(anna, 'second-instead');
  await anna.at('key-add').waitFor();
  assert.deepEqual(await faults(anna.page, 'demanded'), []);
  await shoot(anna.page, 'keys-demanded');
  await name(anna, 'Blå nøgle');
  await press(anna, 'second-done');
  await account(anna);
  assert.equal(await anna.at('key-remove').count(), 0, 'it is demanded');
  assert.deepEqual(await faults(anna.page, 'one demanded key'), []);

  const elsewhere = await Desk.open(browser, { url: service.url.replace('localhost', '127.0.0.1') });
  await half(elsewhere);
  await elsewhere.at('signin-problem').filter({ hasText: 'ikke bruges på denne adresse' }).waitFor();
  assert.ok(await elsewhere.page.locator('#code').evaluate((f) => f === document.activeElement), 'a recovery code is left');
  assert.deepEqual(await faults(elsewhere.page, 'elsewhere'), []);
  assert.equal((await key.made()).length, 1);
});
