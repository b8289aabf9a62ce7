// The desk's page: files beside each other, for its policy allows no script and no style inside the page.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fdsIcons, fdsStyles } from './fds.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'dist/desk');
const common = {
  absWorkingDir: root, bundle: true, minify: true, charset: 'utf8', legalComments: 'eof',
  target: ['chrome123', 'firefox123', 'safari17.5'], logLevel: 'warning',
};

/** What is bundled goes with its licence, whole. */
async function licences() {
  const texts = ['preact', '@preact/signals', '@preact/signals-core', 'marked', 'dompurify', 'dkfds/dist'].map(async (name) => {
    const folder = join(root, 'node_modules', name);
    const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
    if (!file) throw new Error(`${name} has no licence file any more: look where it went`);
    return `${name}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
  });
  await writeFile(join(out, 'licences.txt'), (await Promise.all(texts)).join(`\n${'='.repeat(72)}\n\n`));
}

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'fonts'), { recursive: true });
const cp = (from, to) => copyFile(join(root, from), join(out, to));
await Promise.all([
  licences(),
  build({
    ...common, entryPoints: ['desk/ui/main.tsx'], outfile: 'dist/desk/desk.js', format: 'iife', jsx: 'automatic', jsxImportSource: 'preact',
    banner: { js: '/* Borgerlinje, MPL-2.0. Licences of what is bundled: licences.txt */' }, plugins: [fdsIcons],
  }),
  build({
    ...common, entryPoints: ['desk/styles/desk.css'], outfile: 'dist/desk/desk.css', plugins: [fdsStyles], legalComments: 'none',
    loader: { '.woff2': 'file', '.svg': 'dataurl' }, assetNames: 'fonts/[name]', publicPath: '/desk',
    banner: { css: '/* Borgerlinje, MPL-2.0. With parts of Det Faelles Designsystem (MIT) and its fonts (OFL-1.1). */' },
  }),
  cp('desk/index.html', 'index.html'),
  cp('desk/icon.svg', 'icon.svg'),
  // Fonts travel with their licence.
  cp('node_modules/dkfds/dist/fonts/IBMPlexSans/complete/woff2/license.txt', 'fonts/license.txt'),
]);
