import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast, DARK_SOFT, LIGHT, LIGHT_SOFT, palette, parseHex, readable, textOn, toHex, type Rgb } from '../chat/contrast';
import css from '../chat/ui/styles.css';

const hex = (v: string): Rgb => parseHex(v) as Rgb;

/** The custom properties of the n-th :host block: light, then dark. */
function scheme(n: number): Record<string, Rgb> {
  const block = [...css.matchAll(/:host\s*\{([^}]*)\}/g)][n]?.[1] ?? '';
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,6})/gi)].map((m) => [m[1], hex(m[2] as string)]));
}
const light = scheme(0);
const dark = { ...light, ...scheme(1) };

test('known ratios', () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast(hex('#777'), hex('#fff')).toFixed(2), '4.48');
  assert.equal(parseHex('red'), undefined);
  assert.equal(parseHex('#12'), undefined);
  assert.equal(toHex(hex('#0f5')), '#00ff55');
});

test('the style sheet reads in both schemes', () => {
  for (const [name, s] of [['light', light], ['dark', dark]] as const) {
    const at = (fg: string, bg: string, least: number): void =>
      assert.ok(contrast(s[fg] as Rgb, s[bg] as Rgb) >= least, `${name}: ${fg} on ${bg} ${contrast(s[fg] as Rgb, s[bg] as Rgb).toFixed(2)}`);
    for (const bg of ['surface', 'soft']) {
      at('text', bg, 7);
      at('quiet', bg, 7);
      at('bad', bg, 7);
      at(`bl-ink-${name}`, bg, 7);
      at('line', bg, 3);
    }
    at('on-warn', 'warn', 7);
    at('bl-on-accent', 'bl-accent', 7);
  }
});

test('derived colours know the surfaces of the sheet', () => {
  assert.deepEqual(light.surface, LIGHT);
  assert.deepEqual(light.soft, LIGHT_SOFT);
  assert.deepEqual(dark.soft, DARK_SOFT);
});

test('no accent makes text unreadable', () => {
  for (const a of ['#ffe600', '#ffffff', '#000000', '#e30613', '#0f5c4c', '#808080', '#7f7f00', '#00ffff', '#777777']) {
    const p = palette(hex(a), hex('#ffffff'));
    assert.ok(contrast(hex(p['--bl-accent']!), hex(p['--bl-on-accent']!)) >= 4.5, a);
    for (const bg of ['surface', 'soft']) {
      assert.ok(contrast(hex(p['--bl-ink-light']!), light[bg] as Rgb) >= 7, `${a} light ${bg}`);
      assert.ok(contrast(hex(p['--bl-ink-dark']!), dark[bg] as Rgb) >= 7, `${a} dark ${bg}`);
    }
  }
  assert.deepEqual(textOn(hex('#ffe600'), hex('#ffffff')), [0, 0, 0]);
  assert.deepEqual(readable([0, 0, 0], [255, 255, 255]), [0, 0, 0]);
});

test('the default palette is the derived one', () => {
  const p = palette(hex('#0f5c4c'));
  for (const k of ['ink-light', 'ink-dark']) {
    const set = light[`bl-${k}`] as Rgb;
    assert.ok(set.every((x, i) => Math.abs(x - (hex(p[`--bl-${k}`]!)[i] as number)) <= 2), `${k}: ${toHex(set)} should be ${p[`--bl-${k}`]}`);
  }
});
