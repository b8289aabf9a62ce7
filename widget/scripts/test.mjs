// Node 20 cannot read TypeScript, so the tests are bundled first and then given to node's own runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cssText } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tests = (await readdir(join(root, 'test'), { recursive: true })).filter((f) => f.endsWith('.test.ts')).sort();
const out = await mkdtemp(join(root, 'node_modules', '.borgerlinje-test-'));
let status = 1;
try {
  await build({
    absWorkingDir: root,
    entryPoints: tests.map((f) => `test/${f}`),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    // It finds its own files beside itself, so it cannot be bundled.
    external: ['jsdom'],
    plugins: [cssText],
    logLevel: 'warning',
  });
  const files = tests.map((f) => join(out, f.replace(/\.ts$/, '.mjs')));
  status = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' }).status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
process.exit(status);
