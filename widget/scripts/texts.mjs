// The seven languages are a third of the download, and a seventh copy of each key is waste: in the bundle the
// keys stand once (in Danish), every other language is a list of texts in the same order.
import { transform } from 'esbuild';
import { readFile } from 'node:fs/promises';

async function load(path) {
  const { code } = await transform(await readFile(path, 'utf8'), { loader: 'ts', format: 'esm' });
  const module = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  return Object.values(module)[0];
}

export const packedTexts = {
  name: 'packed-texts',
  setup(b) {
    b.onLoad({ filter: /i18n[\\/][a-z]{2}\.ts$/ }, async ({ path }) => {
      const lang = path.slice(-5, -3);
      if (lang === 'da') return undefined;
      const keys = Object.keys(await load(path.replace(/[a-z]{2}\.ts$/, 'da.ts')));
      const texts = await load(path);
      const list = keys.map((k) => texts[k]);
      if (list.some((t) => typeof t !== 'string' || t.includes('|'))) {
        return { errors: [{ text: `${path}: a text is missing, or contains "|" which separates them here` }] };
      }
      return {
        contents: `import { da } from './da'; import { zip } from './zip';
          export const ${lang} = /* @__PURE__ */ zip(da, ${JSON.stringify(list.join('|'))});`,
        loader: 'ts',
        resolveDir: path.replace(/[\\/][^\\/]+$/, ''),
      };
    });
  },
};
