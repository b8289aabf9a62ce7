// The desk's page: files beside each other, for its policy allows no script and no style inside the page.
import { build } from 'esbuild';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fdsIcons, fdsStyles } from './fds.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'dist/desk');
const common = {
  absWorkingDir: root, bundle: true, minify: true, charset: 'utf8', legalComments: 'eof',
  target: ['chrome123', 'firefox123', 'safari17.5'], logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'fonts'), { recursive: true });
const cp = (from, to) => copyFile(join(root, from), join(out, to));
await Promise.all([
  build({
    ...common, entryPoints: ['desk/ui/main.tsx'], outfile: 'dist/desk/desk.js', format: 'iife', jsx: 'automatic', jsxImportSource: 'preact',
    banner: { js: '/* Borgerlinje, MPL-2.0 */' }, plugins: [fdsIcons],
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
