// One IIFE with its CSS inside: the municipality adds one tag and hosts nothing.
import { build, transform } from 'esbuild';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packedTexts } from './texts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** esbuild's `text` loader keeps the whitespace of a style sheet; citizens should not download it. */
export const cssText = {
  name: 'css-text',
  setup(b) {
    b.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const { code } = await transform(source, { loader: 'css', minify: true, charset: 'utf8' });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/** Names of our classes' members that nothing else has: not the browser, not the wire, not what is stored. */
async function ownNames() {
  const read = async (dir, wanted) => {
    const names = (await readdir(join(root, dir), { recursive: true })).filter((f) => wanted.test(f));
    return (await Promise.all(names.map((f) => readFile(join(root, dir, f), 'utf8')))).join('\n');
  };
  const foreign = await read('node_modules/typescript/lib', /^lib\..*\.d\.ts$/) + await read('chat', /^(wire|store|i18n.\w+)\.ts$/);
  const taken = new Set(foreign.match(/\w+/g));
  const members = /\b(?:private|readonly|get) (?!readonly|get)([a-z]\w+)|^  ([a-z]\w+)\(.*\{$/gm;
  const ours = [...(await read('chat', /\.ts$/)).matchAll(members)].map((m) => m[1] ?? m[2]);
  return new RegExp(`^(${ours.filter((n) => !taken.has(n)).join('|')})$`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({
    absWorkingDir: root,
    entryPoints: ['chat/main.ts'],
    outfile: 'dist/borgerlinje.js',
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['es2020', 'safari14.1'],
    charset: 'utf8',
    legalComments: 'none',
    mangleProps: await ownNames(),
    banner: { js: '/* Borgerlinje, MPL-2.0 */' },
    plugins: [cssText, packedTexts],
    logLevel: 'warning',
  });
}
