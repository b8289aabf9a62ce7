// Bringing knowledge in through the studio: a website of the test's own and a Word file, to drafts and never live.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Studio, newsroom } from './studio.mjs';
import { launch, shoot } from './widget.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const fixture = (name) => fileURLToPath(new URL(`../it/fixtures/${name}`, import.meta.url));
const page = (title, text) => `<!doctype html><html lang="da"><head><meta charset="utf-8"><title>${title} | Testby Kommune</title></head><body>
<nav><a href="/">Forside</a></nav><main><h1>${title}</h1>${text}</main><footer>Testby Kommune, Torvet 1</footer></body></html>`;
const KANO = `<p>Du kan låne en kano ved søens bådhus fra maj til september, og det koster ikke noget at låne den en enkelt dag. Du bestiller den på nettet og viser legitimation, når du henter den.</p>
<h2>Hvor henter jeg kanoen?</h2><p>Du henter kanoen ved bådhuset, hvor vores medarbejdere giver jer veste og årer, før I sejler ud på søen.</p>`;
const SHELTER = `<p>Kommunens sheltere kan bestilles af alle, og du kan sove i dem to nætter i træk. Du bestiller dem på nettet, og der er plads til seks personer i hver af dem.</p>
<h2>Bål</h2><p>Du må tænde bål på bålpladsen, når der ikke er forbud mod det. Brænde ligger i skuret bag ved shelteret.</p>`;

/** A small municipal website; `pages` may be changed. */
async function website(t) {
  const pages = new Map();
  const server = createServer((request, answer) => {
    const body = pages.get(request.url);
    answer.writeHead(body ? 200 : 404, { 'content-type': request.url.endsWith('.xml') ? 'application/xml' : 'text/html; charset=utf-8' });
    answer.end(body ?? '');
  });
  await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
  t.after(() => new Promise((ok) => server.close(ok)));
  return { pages, url: `http://127.0.0.1:${server.address().port}` };
}

const looks = { phone: { viewport: { width: 390, height: 844 } }, desktop: { viewport: { width: 1440, height: 900 } } };

test('a website and a Word file become drafts, and a page that has changed becomes a difference', async (t) => {
  t.after(() => Promise.all(browser.contexts().map((c) => c.close())));
  const site = await website(t);
  site.pages.set('/kano', page('Lån en kano', KANO));
  site.pages.set('/shelter', page('Sheltere', SHELTER));
  site.pages.set('/sitemap.xml', `<urlset>${['/kano', '/shelter', '/intet'].map((p) => `<url><loc>${site.url}${p}</loc></url>`).join('')}</urlset>`);
  const service = await newsroom(t, [['eva', 'Eva', 'all']], { env: { BORGERLINJE_IMPORT_HOSTS: site.url } });
  const eva = await Studio.signIn(browser, service, 'eva');
  const open = async (who) => {
    await who.go('/kladder');
    await who.at('to-import').click();
    await who.at('import-send').waitFor();
  };
  const fetchSite = async (who) => {
    await open(who);
    await who.at('from-web').click();
    await who.at('import-sitemap').fill(`${site.url}/sitemap.xml`);
    await who.at('import-area').selectOption('affald');
    await who.at('import-send').click();
    await who.at('imported').waitFor();
  };

  await open(eva);
  await eva.at('from-web').click();
  await eva.at('import-send').click();
  await eva.at('trouble').filter({ hasText: 'adresse' }).waitFor();
  await eva.at('import-pages').fill('https://www.borger.dk/pas');
  await eva.at('import-area').selectOption('affald');
  await eva.at('import-send').click();
  await eva.at('skipped').filter({ hasText: 'BORGERLINJE_IMPORT_HOSTS' }).waitFor();

  await fetchSite(eva);
  assert.match(await eva.at('imported').innerText(), /3 sider læst/);
  await eva.at('skipped').filter({ hasText: '/intet' }).waitFor();
  await eva.at('imported').getByRole('link', { name: /Import af 127/ }).click();
  await eva.page.getByText('Lån en kano').first().waitFor();

  // The page says something else: a difference in the open draft.
  site.pages.set('/kano', page('Lån en kano', KANO.replace('veste og årer', 'veste, årer og et kort')));
  await fetchSite(eva);
  await eva.at('changed').filter({ hasText: 'Lån en kano' }).waitFor();
  await eva.at('unchanged').filter({ hasText: '1 side' }).waitFor();
  await shoot(eva.page, 'studio-import-web');

  await open(eva);
  await eva.at('import-file').setInputFiles(fixture('haandbog.docx'));
  await eva.at('import-area').selectOption('affald');
  await eva.at('import-send').click();
  await eva.at('imported').waitFor();
  assert.match(await eva.at('imported').innerText(), /3 svar læst/);
  await shoot(eva.page, 'studio-import-word');
  await eva.at('import-file').setInputFiles(fixture('skannet.pdf'));
  await eva.at('import-send').click();
  await eva.at('trouble').filter({ hasText: 'skannet' }).waitFor();

  // Nothing of it is live.
  await eva.go('/svar');
  await eva.at('articles').waitFor();
  assert.doesNotMatch(await eva.at('articles').innerText(), /Lån en kano/);

  for (const [name, options] of Object.entries(looks)) {
    const who = await Studio.signIn(browser, service, 'eva', options);
    await fetchSite(who);
    assert.equal(await who.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${name}: sideways`);
    await shoot(who.page, `studio-${name}-import`);
  }
  assert.deepEqual(eva.faults(), []);
});
