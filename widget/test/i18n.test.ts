import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dirOf, names, say, texts, type Key } from '../chat/i18n';
import { LANGS } from '../chat/wire';

const keys = Object.keys(texts.da) as Key[];
const slots = (s: string): string[] => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

for (const lang of LANGS) {
  test(`${lang} has every text, with the same slots`, () => {
    assert.deepEqual(Object.keys(texts[lang]).sort(), [...keys].sort());
    for (const k of keys) {
      assert.ok(texts[lang][k].trim(), k);
      assert.deepEqual(slots(texts[lang][k]), slots(texts.da[k]), k);
      // The bundle separates texts with "|"; markup would be shown as it stands.
      assert.doesNotMatch(texts[lang][k], /[|<>*_]|\s$|^\s|  /, k);
    }
    assert.ok(names[lang]);
  });
}

test('a language is not a copy of another', () => {
  for (const a of LANGS) for (const b of LANGS) {
    if (a < b) assert.ok(keys.filter((k) => texts[a][k] === texts[b][k]).length <= 2, `${a} and ${b}`);
  }
});

test('script of each language is its own', () => {
  for (const k of keys) {
    const latin = /^(?:Enter|Shift|CPR)$/;
    for (const [lang, script] of [['uk', /\p{Script=Cyrillic}/u], ['ar', /\p{Script=Arabic}/u]] as const) {
      assert.match(texts[lang][k], script, `${lang} ${k}`);
      for (const w of texts[lang][k].replace(/\{\w+\}/g, '').match(/[A-Za-z]+/g) ?? []) assert.match(w, latin, `${lang} ${k}: ${w}`);
    }
    assert.doesNotMatch(texts.uk[k], /[ыэёъ]/i, `Russian letters in ${k}`);
  }
});

test('slots are filled, direction is known', () => {
  assert.equal(say('da', 'left', { n: 3 }), 'Du kan skrive 3 tegn mere.');
  assert.equal(dirOf('ar'), 'rtl');
  assert.equal(dirOf('ar-SY'), 'rtl');
  assert.equal(dirOf('da'), 'ltr');
});
