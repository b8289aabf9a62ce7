import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocks, callable, inline, plain, safeUrl } from '../chat/markdown';

test('paragraphs, headings and both lists', () => {
  const b = blocks('Første linje\nanden linje\n\n## Det skal du have\n- pas\n- penge\n\n1. Bestil\n2) Mød op\n   i god tid');
  assert.deepEqual(b.map((x) => x.t), ['p', 'h', 'ul', 'ol']);
  assert.equal('lines' in b[0]! && b[0].lines.length, 2);
  assert.equal('items' in b[3]! && b[3].items[1]!.length, 2);
});

test('a blank line between items keeps one list, a paragraph after it ends it', () => {
  assert.deepEqual(blocks('- a\n\n- b\n\nSlut').map((x) => x.t), ['ul', 'p']);
});

test('only an indented line goes on with an item', () => {
  assert.deepEqual(blocks('- a\n  b\nSlut').map((x) => x.t), ['ul', 'p']);
});

test('numbers of a crisis answer can be pressed, unless the text has links of its own', () => {
  assert.equal(callable('Ring 112. Livslinien 70 201 201, 24 timer'), 'Ring [112](tel:112). Livslinien [70 201 201](tel:70201201), 24 timer');
  assert.equal(callable('[112](tel:112)'), '[112](tel:112)');
});

test('a list keeps the number it starts with', () => {
  const [b] = blocks('3. tredje');
  assert.equal(b && 'start' in b && b.start, 3);
});

test('bold and links nest', () => {
  assert.deepEqual(inline('**se [pas](https://a.dk/x_(y))** nu'), [
    { t: 'bold', kids: [{ t: 'text', text: 'se ' }, { t: 'link', href: 'https://a.dk/x_(y)', kids: [{ t: 'text', text: 'pas' }] }] },
    { t: 'text', text: ' nu' },
  ]);
});

test('an unfinished mark while streaming is text', () => {
  for (const s of ['**halvt', '[pas](https://', 'a ** b ** c', '[x]', '2 * 3']) assert.deepEqual(inline(s), [{ t: 'text', text: s }]);
});

test('only https, tel and mailto may be followed', () => {
  for (const ok of ['https://borger.dk/pas?a=1#b', 'tel:+4512345678', 'tel:112', 'mailto:post@kommune.dk', 'HTTPS://A.DK']) assert.equal(safeUrl(ok), ok);
  for (const bad of [
    'http://a.dk', 'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', ' data:text/html,x', '//a.dk', '/intern', 'ftp://a',
    'https:a.dk', 'https://', 'https://user@evil.dk@a', 'https://a.dk\\@evil', 'tel:javascript', 'vbscript:x', 'blob:https://a', '', 'https://a.dk/ x',
  ]) assert.equal(safeUrl(bad), undefined, bad);
  assert.equal(safeUrl(undefined), undefined);
});

test('a forbidden link leaves its words, HTML stays text', () => {
  assert.deepEqual(inline('[klik](javascript:alert(1)) her').map((i) => i.t), ['text', 'text']);
  assert.deepEqual(inline('<img src=x onerror=alert(1)>'), [{ t: 'text', text: '<img src=x onerror=alert(1)>' }]);
});

test('hostile input takes no time', () => {
  const start = performance.now();
  for (const s of ['**'.repeat(4000), '['.repeat(8000), '[a]('.repeat(3000), '**a '.repeat(3000), '('.repeat(8000), '- '.repeat(4000)]) blocks(s);
  assert.ok(performance.now() - start < 2000);
});

test('as plain text links keep their address', () => {
  assert.equal(plain('## Pas\nSe **[borger.dk](https://borger.dk)**\n\n1. a\n2. b'), 'Pas\n\nSe borger.dk (https://borger.dk)\n\n1. a\n2. b');
});
