// The public design system from its own SCSS, with every colour as a custom property: what we draw ourselves and what
// it draws then change together, in the dark too. Its published CSS has the colours typed in.
import { compileString } from 'sass';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../node_modules/dkfds/dist/scss/', import.meta.url));

function found(path) {
  const [folder, name] = [path.slice(0, path.lastIndexOf('/') + 1), path.slice(path.lastIndexOf('/') + 1)];
  return [`${folder}_${name}.scss`, `${folder}${name}.scss`, `${path}/_index.scss`].find((p) => existsSync(p));
}

/** `"gray-100": #F5F5F5` becomes `"gray-100": var(--fds-gray-100, #F5F5F5)`, and roles of colours likewise. */
function themed(path, source) {
  if (path.endsWith('values/colors/_fds-colors.scss')) return source.replace(/("[\w-]+"):\s+(#\w+|rgb\([^)]*\)|white)/g, (_, name, value) => `${name}: var(--fds-${name.slice(1, -1)}, ${value})`);
  if (path.endsWith('values/colors/_theme-colors.scss')) return source.replace(/"([\w-]+)":\s+vars\.[^,\n]+/g, '"$1": var(--fds-$1)');
  return source;
}

// Everything goes through our own scheme, relative imports too, so that the palette cannot slip past `themed`.
const importer = {
  canonicalize(url) {
    if (!url.startsWith('fds:')) return null;
    const path = decodeURIComponent(url.slice(4));
    const at = found(path.startsWith('/') ? path : join(root, path));
    return at ? new URL(`fds:${pathToFileURL(at).pathname}`) : null;
  },
  load(url) {
    const path = decodeURIComponent(url.pathname);
    return { contents: themed(path, readFileSync(path, 'utf8')), syntax: 'scss' };
  },
};

/** Plain CSS; addresses in it are relative to the design system's `dist/css`. */
export function fds(source) {
  return compileString(source, { importers: [importer], style: 'expanded', quietDeps: true }).css;
}

export const fdsImages = join(root, '../css');

/** `import chat from 'fds:chat'`: the path data of one of its icons. Our pages draw the `svg` around it. */
export const fdsIcons = {
  name: 'fds-icons',
  setup(b) {
    b.onResolve({ filter: /^fds:/ }, ({ path }) => ({ path: path.slice(4), namespace: 'fds' }));
    b.onLoad({ filter: /.*/, namespace: 'fds' }, ({ path }) => {
      const svg = readFileSync(join(root, '../img/svg-icons', `${path}.svg`), 'utf8');
      const box = /viewBox="([^"]+)"/.exec(svg)?.[1];
      const d = [...svg.matchAll(/ d="([^"]+)"/g)].map((m) => m[1]).join('');
      return { contents: `export default ${JSON.stringify([box, d])};`, loader: 'js' };
    });
  },
};

/** Style sheets of the design system inside our own bundle. */
export const fdsStyles = {
  name: 'fds-styles',
  setup(b) {
    b.onLoad({ filter: /\.scss$/ }, ({ path }) => ({
      contents: fds(readFileSync(path, 'utf8')), loader: 'css', resolveDir: fdsImages, watchFiles: [path],
    }));
  },
};
