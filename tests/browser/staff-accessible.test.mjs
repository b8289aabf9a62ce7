// What staff meet more rarely, state by state, read by axe and walked by keys: the supervisor's page, bringing knowledge
// in, signing in by a provider, several servers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faults, looks } from './accessible.mjs';
import { Citizen, Desk, hire } from './desk.mjs';
import { Service, freePort } from './service.mjs';
import { Studio, newsroom } from './studio.mjs';
import { launch, shoot } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** Looks at a state: a picture, and what is wrong with it. */
const watcher = (page, name, found) => async (what) => {
  await shoot(page, `staff-${name}-${what}`);
  found.push(...await faults(page, `${name} ${what}`));
};
const closing = (t) => t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
/** Presses Tab until that has the focus. */
async function walk(who, name, key = 'Tab', most = 120) {
  const at = () => who.page.evaluate(() => document.activeElement?.dataset.testid || document.activeElement?.id || document.activeElement?.tagName);
  for (let n = 0; n < most; n += 1) {
    if (await at() === name) return;
    await who.page.keyboard.press(key);
  }
  throw new Error(`${most} times ${key} did not lead to ${name}, but to ${await at()}`);
}

test('the supervisor\'s page, each part of it', async (t) => {
  closing(t);
  const service = await Service.start({ BORGERLINJE_ALWAYS_OPEN: '1' });
  t.after(() => service.stop());
  await hire(service, [['anna', 'Anna', 'agent'], ['vera', 'Vera', 'supervisor']]);
  const anna = await Desk.signIn(browser, service, 'anna');
  const citizen = await Citizen.come(browser, service);
  await citizen.wantsPerson();
  await anna.accept();
  await anna.say('Hej, hvad kan jeg hjælpe med?');
  const found = [];
  for (const [name, options] of Object.entries(looks)) {
    const vera = await Desk.signIn(browser, service, 'vera', { ...options, bypassCSP: true });
    const see = watcher(vera.page, `supervisor-${name}`, found);
    await vera.page.keyboard.press('Alt+T');
    await vera.at('towns').waitFor();
    await see('towns');
    await walk(vera, 'show-agents');
    await vera.page.keyboard.press('Enter');
    await vera.at('agents').filter({ hasText: 'Anna' }).waitFor();
    await see('agents');
    await walk(vera, 'show-items', 'Shift+Tab');
    await walk(vera, 'show-items');
    await vera.page.keyboard.press('Enter');
    await vera.at('items').waitFor();
    await see('items');
    // Also on a phone what may be done stands where it is seen.
    const { x, width } = await vera.at('release').boundingBox();
    assert.ok(x >= 0 && x + width <= options.viewport.width, `${name}: out of sight`);
    await walk(vera, 'release');
    await vera.page.keyboard.press('Enter');
    await vera.at('release-send').waitFor();
    await see('release');
    await vera.page.keyboard.press('Escape');
    await vera.page.locator('dialog').waitFor({ state: 'detached' });
    await walk(vera, 'coach', 'Shift+Tab');
    await vera.page.keyboard.press('Enter');
    await vera.lines('citizen').first().waitFor();
    await see('coach');
    await vera.page.keyboard.press('Alt+T');
    await vera.at('figures').waitFor();
    // A head sorts by itself, and says so.
    const head = vera.at('towns').locator('button.sort').first();
    await head.focus();
    await vera.page.keyboard.press('Enter');
    assert.equal(await vera.at('towns').locator('th[aria-sort]').getAttribute('aria-sort'), 'ascending');
    await vera.close();
  }
  assert.deepEqual(found, []);
});

const KANO = 'Du kan låne en kano ved søens bådhus fra maj til september, og det koster ikke noget at låne den en enkelt dag.';
const TABLE = `spørgsmål,svar,område\n"Hvor låner jeg en kano?","${KANO}",affald\n"Hvor låner jeg en kano?","${KANO}",affald\n,"Et svar uden spørgsmål.",affald\n"Et spørgsmål uden svar?",,affald\n"Hvordan fornyer jeg mit pas?","Du fornyer dit pas hos kommunens borgerservice, når du har bestilt tid til det.",pas\n`;

/** A website with one page, which is answered when it is let go. */
async function slowSite(t) {
  const site = createServer(async (_, answer) => {
    await site.gone;
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    answer.end(`<!doctype html><html lang="da"><title>Sheltere</title><main><h1>Sheltere</h1><p>Kommunens sheltere kan bestilles af alle, og du kan sove i dem to nætter i træk. Du bestiller dem på nettet.</p></main></html>`);
  });
  await new Promise((ok) => site.listen(0, '127.0.0.1', ok));
  t.after(() => site.close());
  site.url = `http://127.0.0.1:${site.address().port}`;
  return site;
}

test('bringing knowledge in, each state of it', async (t) => {
  closing(t);
  const site = await slowSite(t);
  const service = await newsroom(t, [['eva', 'Eva', 'all']], { env: { BORGERLINJE_IMPORT_HOSTS: site.url } });
  const found = [];
  for (const [name, options] of Object.entries(looks)) {
    const eva = await Studio.signIn(browser, service, 'eva', { ...options, bypassCSP: true });
    const see = watcher(eva.page, `import-${name}`, found);
    await eva.go('/kladder');
    await eva.at('to-import').click();
    await eva.at('import-send').waitFor();
    await see('file');
    await walk(eva, 'from-web');
    await eva.page.keyboard.press('Enter');
    await eva.at('import-sitemap').fill(`${site.url}/sitemap.xml`);
    await eva.at('import-under').waitFor();
    await see('web');
    await eva.at('import-sitemap').fill('');
    await walk(eva, 'import-send');
    await eva.page.keyboard.press('Enter');
    await eva.at('trouble').waitFor();
    await see('trouble');

    let letGo;
    site.gone = new Promise((ok) => (letGo = ok));
    await eva.at('import-pages').fill(`${site.url}/shelter`);
    await eva.at('import-area').selectOption('affald');
    await walk(eva, 'import-send');
    await eva.page.keyboard.press('Enter');
    // The button has gone; who pressed it by a key stands at what may be done now.
    await eva.at('stop').waitFor();
    await eva.page.waitForFunction(() => document.activeElement?.dataset.testid === 'stop');
    await see('running');
    await eva.page.keyboard.press('Enter');
    await eva.page.waitForFunction(() => document.activeElement?.dataset.testid === 'import-send');
    letGo();

    await eva.at('from-file').click();
    await eva.at('import-file').setInputFiles({ name: 'svar.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
    await walk(eva, 'import-send');
    await eva.page.keyboard.press('Enter');
    await eva.at('imported').waitFor();
    await eva.page.waitForFunction(() => document.activeElement?.id === 'imported-title');
    await eva.at('skipped').waitFor();
    await eva.at('duplicates').locator('summary').click();
    assert.doesNotMatch(await eva.at('duplicates').innerText(), /hvor-laaner/, 'an id is no title');
    await shoot(eva.page, `staff-import-${name}-whole`, { fullPage: true });
    // What is half under the head of a page that was scrolled is not small.
    await eva.page.evaluate(() => scrollTo(0, 0));
    await see('result');
    await eva.page.context().close();
  }
  assert.deepEqual(found, []);
});

test('signing in where the municipality has providers, and where one is away', async (t) => {
  closing(t);
  const at = await mkdtemp(join(tmpdir(), 'borgerlinje-providers-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  const names = ['Aarhus Kommune', 'Favrskov og Syddjurs Kommuner i fællesskab med Norddjurs', 'Odense'];
  const one = (name, n) => `[[oidc]]\nid = "p${n}"\nname = "${name}"\nissuer = "http://localhost:${9 + n}"\nclient_id = "x"\nclient_secret_file = "${join(at, 'secret')}"\n`;
  await writeFile(join(at, 'secret'), 'ingen\n', { mode: 0o600 });
  await writeFile(join(at, 'b.toml'), names.map(one).join(''));
  const service = await Service.start((url) => ({ BORGERLINJE_CONFIG: join(at, 'b.toml'), BORGERLINJE_PUBLIC_URL: url }));
  t.after(() => service.stop());
  const found = [];
  for (const [name, options] of Object.entries(looks)) {
    for (const place of ['desk', 'studio']) {
      const anna = await Desk.open(browser, service, { ...options, bypassCSP: true });
      await anna.page.goto(`${service.url}/${place}`);
      const see = watcher(anna.page, `signin-${name}`, found);
      await anna.at('signin-provider').nth(2).waitFor();
      await anna.page.waitForFunction(() => document.activeElement?.dataset.testid === 'signin-provider');
      await see(place);
      // All by keys: past the providers to the password, and back to one of them, which is away.
      await walk(anna, 'user');
      await walk(anna, 'signin-send');
      await anna.page.keyboard.press('Enter');
      await anna.page.locator('#user-error').waitFor();
      await see(`${place}-missing`);
      await walk(anna, 'signin-provider', 'Shift+Tab');
      await anna.page.keyboard.press('Enter');
      await anna.at('signin-problem').filter({ hasText: 'svarer ikke lige nu' }).waitFor();
      await see(`${place}-away`);
      await anna.close();
    }
  }
  assert.deepEqual(found, []);
});

test('several servers, well and ill', async (t) => {
  closing(t);
  const port = await freePort();
  const redis = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--save', ''], { stdio: 'ignore' });
  const missing = await new Promise((ok) => {
    redis.once('error', ok);
    redis.once('spawn', () => ok(undefined));
  });
  if (missing) return t.skip('there is no redis-server');
  t.after(() => redis.kill());
  const env = { BORGERLINJE_REDIS_URL: `redis://127.0.0.1:${port}` };
  const nodes = [];
  for (const name of ['server-a', 'server-b']) {
    nodes.push(await newsroom(t, [['eva', 'Eva', 'all']], { env: { ...env, BORGERLINJE_NODE: name } }));
  }
  const found = [];
  for (const [state, wanted] of [['well', 'Alle 2 servere'], ['ill', 'De servere, der svarer']]) {
    if (state === 'ill') await nodes[1].kill();
    for (const [name, options] of Object.entries(looks)) {
      const eva = await Studio.signIn(browser, nodes[0], 'eva', { ...options, bypassCSP: true });
      await eva.go('/udgivelser');
      await eva.at('servers').filter({ hasText: wanted }).waitFor({ timeout: 180_000 });
      await watcher(eva.page, `servers-${name}`, found)(state);
      await eva.page.context().close();
    }
  }
  assert.deepEqual(found, []);
});
