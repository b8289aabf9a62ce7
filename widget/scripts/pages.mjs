// The pages of staff: files beside each other, for their policy allows no script and no style inside the page.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fdsIcons, fdsStyles } from './fds.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const common = {
  absWorkingDir: root, bundle: true, minify: true, charset: 'utf8', legalComments: 'eof',
  target: ['chrome123', 'firefox123', 'safari17.5'], logLevel: 'warning',
};

/** The packages whose files went into a bundle, of which one is the design system. */
const packages = ({ inputs }) => {
  const names = Object.keys(inputs).map((f) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(f)?.[1]).filter(Boolean);
  return [...new Set([...names, 'dkfds'])].sort();
};

/** What is bundled goes with its licence, whole. */
async function licences(names) {
  const texts = names.map(async (name) => {
    const folder = join(root, 'node_modules', name, name === 'dkfds' ? 'dist' : '');
    const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
    if (!file) throw new Error(`${name} has no licence file any more: look where it went`);
    return `${name}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'='.repeat(72)}\n\n`);
}

/** `dist/NAME` from `NAME/ui/main.tsx`, `NAME/styles/NAME.css` and `NAME/index.html`. */
async function page(name) {
  const out = join(root, 'dist', name);
  const cp = (from, to) => copyFile(join(root, from), join(out, to));
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, 'fonts'), { recursive: true });
  const [script] = await Promise.all([
    build({
      ...common, entryPoints: [`${name}/ui/main.tsx`], outfile: `dist/${name}/${name}.js`, format: 'iife', jsx: 'automatic', jsxImportSource: 'preact',
      banner: { js: '/* Borgerlinje, MPL-2.0. Licences of what is bundled: licences.txt */' }, plugins: [fdsIcons], metafile: true,
    }),
    build({
      ...common, entryPoints: [`${name}/styles/${name}.css`], outfile: `dist/${name}/${name}.css`, plugins: [fdsStyles], legalComments: 'none',
      loader: { '.woff2': 'file', '.svg': 'dataurl' }, assetNames: 'fonts/[name]', publicPath: `/${name}`,
      banner: { css: '/* Borgerlinje, MPL-2.0. With parts of Det Faelles Designsystem (MIT) and its fonts (OFL-1.1). */' },
    }),
    cp(`${name}/index.html`, 'index.html'),
    cp('shared/icon.svg', 'icon.svg'),
    // Fonts travel with their licence.
    cp('node_modules/dkfds/dist/fonts/IBMPlexSans/complete/woff2/license.txt', 'fonts/license.txt'),
  ]);
  await writeFile(join(out, 'licences.txt'), await licences(packages(script.metafile)));
}

await Promise.all(['desk', 'studio'].map(page));
