// A small knowledge folder of a test's own, and an editor's browser with the studio in it.

import { copyFile, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PASSWORD } from './desk.mjs';
import { cache, Service } from './service.mjs';
import { visit } from './widget.mjs';

const knowledge = fileURLToPath(new URL('../../knowledge', import.meta.url));
/** Publishing builds the whole knowledge anew, so there is little of it: enough for the ranker to know what it does not know. */
const AREAS = ['affald', 'pas', 'dyr', 'parkering', 'bolig', 'koerekort'];
/** Two in one region, one in another. */
const TOWNS = ['0751', '0615', '0851'];
export const BUILD_MS = 300_000;

async function folder() {
  const to = join(await mkdtemp(join(tmpdir(), 'borgerlinje-knowledge-')), 'knowledge');
  await cp(knowledge, to, {
    recursive: true,
    filter: (path) => {
      const [top, name, file] = relative(knowledge, path).split(sep);
      // Of municipalities only what they say of themselves.
      return (top !== 'shared' || !name || AREAS.includes(name)) && (top !== 'kommune' || !name || (TOWNS.includes(name) && (!file || file === 'kommune.toml')));
    },
  });
  for (const code of TOWNS) {
    const path = join(to, 'kommune', code, 'kommune.toml');
    // What they hide may not be here.
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^hidden = .*$/m, 'hidden = []'));
  }
  return to;
}

/** What is learned of that knowledge, once for all tests: training it anew took most of their time. */
let learned;
async function learn() {
  const to = await mkdtemp(join(tmpdir(), 'borgerlinje-learned-'));
  process.once('exit', () => rmSync(to, { recursive: true, force: true }));
  for (const name of ['models', 'words']) await symlink(join(cache, name), join(to, name));
  await mkdir(join(to, 'index'));
  // Sentences that are encoded already are taken from there, and nothing of ours is written there.
  const vectors = (await readdir(join(cache, 'index')).catch(() => [])).filter((f) => f.startsWith('vectors-'));
  await Promise.all(vectors.map((f) => copyFile(join(cache, 'index', f), join(to, 'index', f))));
  const at = await folder();
  await Service.command(['index'], { BORGERLINJE_KNOWLEDGE: at, BORGERLINJE_CACHE: to });
  await rm(dirname(at), { recursive: true, force: true });
  return to;
}

/** The service over a knowledge of its own, with these editors as [user, name, municipalities]. `rules` is its
 *  studio.toml, `questions` a guarded set beside it: question and article. */
export async function newsroom(t, editors, { rules, questions, env } = {}) {
  const at = await folder();
  t.after(() => rm(dirname(at), { recursive: true, force: true }));
  if (rules) await writeFile(join(at, 'studio.toml'), rules);
  if (questions) {
    const set = join(dirname(at), 'tests/questions');
    await mkdir(set, { recursive: true });
    const rows = [['question', 'municipality', 'expected', 'lang', 'slice'], ...questions.map(([text, article]) => [text, '0751', article, 'da', 'lay'])];
    await writeFile(join(set, 'egne.tsv'), rows.map((r) => r.join('\t')).join('\n') + '\n');
  }
  learned ??= learn();
  const service = await Service.start({ BORGERLINJE_KNOWLEDGE: at, BORGERLINJE_CACHE: await learned, ...env });
  t.after(() => service.stop());
  const rows = [['user', 'name', 'role', 'municipalities', 'password'], ...editors.map(([user, name, where]) => [user, name, 'editor', where, PASSWORD])];
  await service.command(['user', 'import', '-'], rows.map((r) => r.join('\t')).join('\n') + '\n');
  service.knowledge = at;
  return service;
}

export class Studio {
  constructor(page, url) {
    this.page = page;
    this.url = url;
  }

  static async signIn(browser, service, user, options = {}) {
    const studio = new Studio(await visit(browser, `${service.url}/studio`, { viewport: { width: 1440, height: 900 }, ...options }), service.url);
    await studio.page.locator('#user').fill(user);
    await studio.page.locator('#password').fill(PASSWORD);
    await studio.at('signin-send').click();
    await studio.at('articles').waitFor();
    return studio;
  }

  at(name, within = this.page) {
    return within.getByTestId(name);
  }

  /** Another view by its address, without asking the server for the page again. */
  async go(hash) {
    await this.page.evaluate((h) => (location.hash = h), hash);
  }

  async article(id, layer = 'shared') {
    await this.go(`/svar/${id}?lag=${layer}`);
    await this.at('article-form').waitFor();
    await this.at('body').waitFor();
  }

  /** Waits until what was typed is in the draft. */
  async saved() {
    await this.page.locator('[data-testid=stand][data-stand=clean]').filter({ hasText: 'Gemt' }).waitFor();
  }

  /** Puts the cursor at the beginning of the text and types. */
  async writeFirst(words) {
    await this.at('body').click();
    await this.page.keyboard.press('Control+Home');
    await this.page.keyboard.type(words);
  }

  async text() {
    return this.page.locator('.cm-content').innerText();
  }

  /** From the draft one works in to the release. */
  async publish() {
    await this.at('to-draft').click();
    await this.at('publish').and(this.page.locator('[aria-disabled=false], :not([aria-disabled])')).click();
    await this.at('undo').waitFor({ timeout: BUILD_MS });
  }

  async undo(why) {
    await this.at('undo').click();
    await this.at('undo-why').fill(why);
    await this.at('undo-do').click();
    await this.at('notices').filter({ hasText: 'er fortrudt' }).waitFor({ timeout: BUILD_MS });
  }

  /** What the browser complained of, less what was meant to happen. */
  faults(meant = /\/api\/session$/) {
    return this.page.faults.filter((f) => !/\/api\/session$/.test(f) && !meant.test(f));
  }
}

