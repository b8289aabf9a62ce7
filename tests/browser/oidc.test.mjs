// Sign-in by the municipality's own provider: a real one (node-oidc-provider), at another site, through a browser; and
// what somebody may bring back who was never there.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faults } from './accessible.mjs';
import { Desk, hire, PASSWORD } from './desk.mjs';
import { CLIENT, IdentityProvider, SECRET } from './provider.mjs';
import { Service } from './service.mjs';
import { code } from './totp.mjs';
import { launch, shoot } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const PEOPLE = { 'u-17': { preferred_username: 'anna' }, 'u-18': { preferred_username: 'egon' }, 'u-99': { preferred_username: 'bo' } };

/** A service, its provider, and a second one that is away. Bo has an account that nobody opened for a provider. */
async function both(t, more = '') {
  const provider = await IdentityProvider.start(PEOPLE);
  t.after(() => provider.stop());
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-oidc-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  await writeFile(join(at, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  const one = (id, name, issuer) => `[[oidc]]\nid = "${id}"\nname = "${name}"\nissuer = "${issuer}"\nclient_id = "${CLIENT}"\n`
    + `client_secret_file = "${join(at, 'secret')}"\nscopes = ["profile"]\nuser_claim = "preferred_username"\n`;
  await writeFile(join(at, 'b.toml'), `${one('aarhus', 'Aarhus Kommune', provider.issuer)}${more}\n` + one('odense', 'Odense', 'http://localhost:9'));
  const service = await Service.start((url) => ({ BORGERLINJE_CONFIG: join(at, 'b.toml'), BORGERLINJE_PUBLIC_URL: url }));
  t.after(() => service.stop());
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  provider.serves(`${service.url}/api/session/oidc/aarhus/return`);
  const rights = ['--municipalities', 'all'];
  await service.command(['user', 'add', 'anna', '--name', 'Anna', ...rights, '--oidc', 'aarhus', '--no-password']);
  await service.command(['user', 'add', 'egon', '--name', 'Egon', '--role', 'editor', ...rights, '--oidc', 'aarhus:u-18'], PASSWORD);
  await hire(service, [['bo', 'Bo', 'agent']]);
  return { service, provider };
}

const audit = (service) => service.command(['audit', 'list', '--last', '20']);

test('to the provider and back by keyboard, bound at the first time, known at the next', async (t) => {
  const { service } = await both(t);
  const anna = await Desk.open(browser, service);
  const first = anna.at('signin-provider').first();
  await first.waitFor();
  assert.equal(await first.innerText(), 'Log ind med Aarhus Kommune');
  await anna.page.waitForFunction(() => document.activeElement?.dataset.testid === 'signin-provider');
  assert.deepEqual(await faults(anna.page, 'a sign-in page with providers'), []);
  await shoot(anna.page, 'signin-providers');
  const returns = [];
  anna.page.on('request', (r) => r.url().includes('/return?') && returns.push(r.url()));
  await anna.page.keyboard.press('Enter');
  await IdentityProvider.pass(anna.page, 'u-17');
  await anna.ready();
  assert.equal(new URL(anna.page.url()).pathname, '/desk');
  const cookies = await anna.page.context().cookies(service.url);
  const ours = cookies.find((c) => c.name === '__Host-borgerlinje');
  assert.ok(ours.httpOnly && ours.secure && ours.sameSite === 'Strict', JSON.stringify(ours));
  assert.ok(!cookies.some((c) => c.name === '__Host-borgerlinje-oidc'), 'used up');
  const told = await audit(service);
  assert.match(told, /anna\tbind_identity\t.*aarhus/);
  assert.match(told, /anna\tsign_in\t.*oidc aarhus/);
  assert.deepEqual(anna.page.faults.filter((f) => !/401|fonts\.googleapis/.test(f)), []);

  // What came back once says nothing a second time.
  assert.equal(returns.length, 1);
  const replayed = await anna.page.context().newPage();
  await replayed.goto(returns[0]);
  assert.equal(new URL(replayed.url()).search, '?sign_in=over');

  // Signed out here, and the provider still knows her.
  await anna.page.context().clearCookies({ name: '__Host-borgerlinje' });
  await anna.page.goto(`${service.url}/desk`);
  await first.click();
  await anna.ready();

  // Who is nobody's here is told so; also where an account has that name, which nobody opened.
  const bo = await Desk.open(browser, service);
  await bo.at('signin-provider').first().click();
  await IdentityProvider.pass(bo.page, 'u-99');
  await bo.at('signin-problem').filter({ hasText: 'ingen konto her endnu' }).waitFor();
  assert.equal(new URL(bo.page.url()).search, '', 'said once');
  assert.deepEqual(await faults(bo.page, 'unknown here'), []);
  await shoot(bo.page, 'signin-unknown');

  // At the studio it leads back to the studio, and a provider that is away keeps nobody out.
  const egon = await Desk.open(browser, service, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
  await egon.page.goto(`${service.url}/studio`);
  await egon.at('signin-provider').nth(1).click();
  await egon.at('signin-problem').filter({ hasText: 'svarer ikke lige nu' }).waitFor();
  assert.equal(new URL(egon.page.url()).pathname, '/studio');
  assert.deepEqual(await faults(egon.page, 'a provider away'), []);
  await shoot(egon.page, 'signin-away');
  await egon.at('signin-provider').first().click();
  await IdentityProvider.pass(egon.page, 'u-18');
  await egon.at('account').waitFor();
  assert.equal(new URL(egon.page.url()).pathname, '/studio');
});

test('a code app of ours is asked for too, and a password still opens what has one', async (t) => {
  const { service } = await both(t);
  const egon = await Desk.open(browser, service);
  await egon.page.goto(`${service.url}/studio`);
  await egon.page.locator('#user').fill('egon');
  await egon.page.locator('#password').fill(PASSWORD);
  await egon.at('signin-send').click();
  await egon.at('account').click();
  await egon.at('second-on').click();
  const key = await egon.at('second-key').innerText();
  await egon.page.locator('#second-code').fill(code(key));
  await egon.page.keyboard.press('Enter');
  await egon.at('recovery-codes').waitFor();

  const other = await Desk.open(browser, service);
  await other.page.goto(`${service.url}/studio`);
  await other.at('signin-provider').first().click();
  await IdentityProvider.pass(other.page, 'u-18');
  await other.at('signin-code').waitFor();
  assert.deepEqual(await faults(other.page, 'a code after a provider'), []);
  const field = other.page.locator('#code');
  await field.fill('000000');
  await other.page.keyboard.press('Enter');
  await other.at('signin-problem').filter({ hasText: 'Koden passer ikke' }).waitFor();
  await field.fill(code(key, 1));
  await other.page.keyboard.press('Enter');
  await other.at('account').waitFor();
  assert.match(await audit(service), /egon\tsign_in\t.*oidc aarhus, code/);
});

test('what nobody began, or another began, leads nowhere but to the sign-in page', async (t) => {
  const { service, provider } = await both(t);
  const get = (path, cookie) => fetch(service.url + path, { redirect: 'manual', headers: cookie ? { cookie } : {} });
  const to = (r) => [r.status, r.headers.get('location')];
  const begin = async (query = '') => {
    const answer = await get(`/api/session/oidc/aarhus${query}`);
    assert.equal(answer.status, 303);
    const address = new URL(answer.headers.get('location'));
    assert.equal(address.origin, provider.issuer);
    const set = answer.headers.get('set-cookie');
    assert.match(set, /^__Host-borgerlinje-oidc=[^;]{40,}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/);
    return { cookie: set.split(';')[0], state: address.searchParams.get('state') };
  };
  const back = (query, cookie, id = 'aarhus') => get(`/api/session/oidc/${id}/return?${new URLSearchParams(query)}`, cookie);

  const listed = await (await get('/api/session/providers')).json();
  assert.deepEqual(listed, { providers: [{ id: 'aarhus', name: 'Aarhus Kommune' }, { id: 'odense', name: 'Odense' }] });
  assert.deepEqual(to(await get('/api/session/oidc/nobody')), [303, '/desk?sign_in=over']);
  assert.deepEqual(to(await get('/api/session/oidc/odense?to=studio')), [303, '/studio?sign_in=away']);

  let b = await begin();
  assert.deepEqual(to(await back({ code: 'x', state: b.state })), [303, '/desk?sign_in=over'], 'another browser');
  assert.deepEqual(to(await back({ code: 'x', state: 'another' }, b.cookie)), [303, '/desk?sign_in=over']);
  assert.deepEqual(to(await back({ error: 'access_denied', state: b.state }, b.cookie)), [303, '/desk?sign_in=over'], 'used up by the last');
  b = await begin('?to=studio');
  assert.deepEqual(to(await back({ error: 'access_denied', state: b.state }, b.cookie)), [303, '/studio?sign_in=denied']);
  b = await begin('?to=https://evil.example/');
  assert.deepEqual(to(await back({ error: 'x\r\nset-cookie: a=b', state: b.state }, b.cookie)), [303, '/desk?sign_in=failed']);
  b = await begin();
  assert.deepEqual(to(await back({ code: 'x', state: b.state, iss: 'http://localhost:9' }, b.cookie)), [303, '/desk?sign_in=failed'], 'mixed up');
  b = await begin();
  assert.deepEqual(to(await back({ code: 'x', state: b.state }, b.cookie, 'odense')), [303, '/desk?sign_in=over'], 'another provider');
  b = await begin();
  assert.deepEqual(to(await back({ code: 'made-up', state: b.state, iss: provider.issuer }, b.cookie)), [303, '/desk?sign_in=failed'], 'a code of nobody');

  // A code is asked of whom a provider has named, and of nobody else.
  b = await begin();
  const guess = (cookie) => fetch(`${service.url}/api/session/oidc`, { method: 'POST', headers: { cookie, origin: service.url, 'content-type': 'application/json' }, body: '{"code":"000000"}' });
  const refused = await guess(b.cookie);
  assert.deepEqual([refused.status, (await refused.json()).code], [400, 'sign_in_over']);
  await provider.stop();
  b = await begin();
  assert.deepEqual(to(await back({ code: 'x', state: b.state }, b.cookie)), [303, '/desk?sign_in=away'], 'gone meanwhile');
});

test('signing out goes on to the provider where the operator says so, and ends the session there too', async (t) => {
  const { service, provider } = await both(t, 'sign_out = "provider"');
  const anna = await Desk.open(browser, service);
  await anna.at('signin-provider').first().click();
  await IdentityProvider.pass(anna.page, 'u-17');
  await anna.ready();
  await anna.at('sign-out').click();
  await anna.at('sign-out-send').click();
  await anna.page.waitForURL((url) => url.origin === provider.issuer);
  const there = new URL(anna.page.url());
  assert.equal(there.searchParams.get('client_id'), CLIENT);
  assert.deepEqual([...there.searchParams.keys()], ['client_id'], 'nothing of hers is in the address');
  await anna.page.locator('button[name=logout]').click();
  await anna.page.locator('body').filter({ hasText: 'Sign-out Success' }).waitFor();
  // Neither knows her any more.
  const cookies = await anna.page.context().cookies(service.url);
  assert.ok(!cookies.some((c) => c.name === '__Host-borgerlinje'));
  await anna.page.goto(`${service.url}/desk`);
  await anna.at('signin-provider').first().click();
  await anna.page.locator('input[name=login]').waitFor();

  // A session that a password began stays away from the provider.
  const bo = await Desk.signIn(browser, service, 'bo');
  await bo.at('sign-out').click();
  await bo.at('sign-out-send').click();
  await bo.page.locator('#user').waitFor();
  assert.equal(new URL(bo.page.url()).origin, service.url);
});
