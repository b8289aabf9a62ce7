import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSDOM } from 'jsdom';
import { renderer, type Under } from '../../shared/core/markdown';

const { window } = new JSDOM('');
const render = renderer(window as unknown as Parameters<typeof renderer>[0]);
function html(markdown: string, under: Under = 3): string {
  const at = window.document.createElement('div');
  at.replaceChildren(render(markdown, under) as unknown as Node);
  return at.innerHTML.trim().replace(/\n/g, '');
}

test('what the protocol allows is drawn', () => {
  assert.equal(html('**Fed** og *skrå*'), '<p><strong>Fed</strong> og <em>skrå</em></p>');
  assert.equal(html('- a\n- b'), '<ul><li>a</li><li>b</li></ul>');
  assert.equal(html('3. c'), '<ol start="3"><li>c</li></ol>');
  assert.equal(html('linje\nlinje'), '<p>linje<br>linje</p>');
  assert.equal(html('## Titel'), '<h4>Titel</h4>');
  assert.equal(html('# Titel\n## Titel\n### Titel', 2), '<h3>Titel</h3><h3>Titel</h3><h4>Titel</h4>');
});

test('links lead elsewhere, safely', () => {
  assert.equal(html('[Pas](https://a.example/x)'), '<p><a href="https://a.example/x" target="_blank" rel="noopener noreferrer">Pas</a></p>');
  assert.match(html('[Ring](tel:+4520304050)'), /href="tel:\+4520304050"/);
});

test('what could do harm is not there', () => {
  const bad = [
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '[x](javascript:alert(1))', '[x](JaVaScRiPt:alert(1))', '[x](data:text/html,<b>)',
    '[x](http://a.example)', '[x](//a.example)', '[x](/api/session)', '![x](https://a.example/pixel.gif)', '<a href="javascript:alert(1)">x</a>', '<iframe src="https://a.example">',
    '<svg onload=alert(1)>', '<style>*{display:none}</style>', '<form action="https://a.example"><input></form>', '<p style="position:fixed" onclick="x()" id="app" class="button">x</p>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">', '[x](https://a.example "onmouseover=alert(1)")',
  ];
  for (const markdown of bad) {
    const at = window.document.createElement('div');
    at.replaceChildren(render(markdown, 3) as unknown as Node);
    assert.equal(at.querySelector('script, img, iframe, svg, style, form, input, math, [onerror], [onclick], [onload], [style], [id], [class], [title]'), null, `${markdown}: ${at.innerHTML}`);
    for (const a of at.querySelectorAll('a[href]')) assert.match(a.getAttribute('href') ?? '', /^(https:\/\/|tel:|mailto:)/, markdown);
  }
});

test('what looks like HTML is shown as it was written', () => {
  const at = window.document.createElement('div');
  at.replaceChildren(render('Skriv <b>fed</b> her', 3) as unknown as Node);
  assert.equal(at.textContent?.trim(), 'Skriv <b>fed</b> her');
});
