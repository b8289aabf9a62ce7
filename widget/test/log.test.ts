// Events as the service would send them, through the conversation into a transcript that is drawn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSDOM } from 'jsdom';
import { Conversation, type View } from '../chat/conversation';
import { texts } from '../chat/i18n';
import { Store } from '../chat/store';
import { transcript } from '../chat/transcript';
import { Words } from '../chat/ui/dom';
import { Log } from '../chat/ui/log';
import { LANGS, type Lang } from '../chat/wire';
import { FakeEnv } from './fakes';

type Frame = Record<string, unknown>;

const MARK = 'Skrevet af en computer ud fra kommunens tekst. Den kan tage fejl.';
const OWN = '## Det skal du have med\n\n- dit gamle pas\n- et foto\n\n## Pris\n\nEt pas koster **893 kr.**';

const start = (more: Frame = {}): Frame => ({ type: 'answer_start', turn: 't1', outcome: 'answered', lang: 'da', content_lang: 'da', dir: 'ltr', ...more });
const part = (text: string, turn = 't1'): Frame => ({ type: 'answer_part', turn, text, sections: ['Pris'] });
const end = (more: Frame = {}): Frame => ({ type: 'answer_end', turn: 't1', sources: [], links: [], choices: [], offer_human: false, can_rate: true, ...more });
const asked = (text: string): Frame => ({ type: 'citizen', client_id: `c-${text.length}`, text, masked: [] });
const made = start({ written: 'generated', mark: MARK, title: 'Forny dit pas' });
const approved = { text: OWN, content_lang: 'da', dir: 'ltr' };

/** A chat that is open, and what the citizen sees of it. */
function chat(lang: Lang = 'da', history: Frame[] = []) {
  const { window } = new JSDOM('<!doctype html><body></body>');
  const { document } = window;
  Object.assign(globalThis, { window, document, getComputedStyle: window.getComputedStyle.bind(window) });
  const env = new FakeEnv();
  const words = new Words(lang, document);
  const store = new Store('k', () => { throw new Error('no storage'); });
  const revealed: unknown[] = [];
  const log: Log = new Log(words, {
    choose() {}, human() {}, rate: () => '', retry() {}, unveil: (...what) => void revealed.push(what), again() {}, callback: () => '', queue() {}, cancelCallback() {},
  });
  document.body.append(log.el);
  const spoken: boolean[] = [];
  const told: Partial<View> = {
    welcome: (w, fresh) => fresh && log.intro(w),
    replay: (on) => log.replay(on),
    citizen: (ev) => log.citizen(ev),
    event: (ev) => log.event(ev),
    working: (on) => {
      spoken.push(on);
      log.working(on);
    },
    forget: () => log.forget(),
    gone: () => log.retire(),
    failed: () => log.problem(),
    outgoing: (o) => log.outgoing(o),
    unveil: (r) => log.unveil(r),
  };
  const view = new Proxy(told, { get: (t, name: keyof View) => t[name] ?? (() => {}) }) as View;
  const talk = new Conversation('ws://x', { municipality: '0751', signed: undefined }, () => lang, store, view, env, () => env.now);
  let seq = 0;
  const say = (...frames: Frame[]): void => frames.forEach((f) => env.last.say({ ...f, seq: ++seq }));
  const hello = (more: Frame): void => {
    env.last.open();
    env.last.say({ type: 'welcome', dialogue: 'd1', token: 't', lang, disclosure: 'Chatrobot.', greeting: 'Hej.', ...more });
  };
  talk.start();
  hello(history.length ? { resumed: true, seq: history.length } : { resumed: false, seq: 0 });
  say(...history);
  const all = (id: string): HTMLElement[] => [...log.el.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
  const at = (id: string): HTMLElement => {
    assert.equal(all(id).length, 1, `one ${id}`);
    return all(id)[0] as HTMLElement;
  };
  const busy = (): string[] => [log.el, ...all('answer')].map((el) => el.getAttribute('aria-busy') ?? '');
  /** All that is seen, without the numbers that only this page gives. */
  const seen = (): string[] => [...log.el.querySelectorAll(':scope > :not(.dots)')].map((e) => e.outerHTML.replace(/bl-(\w+)-\d+/g, 'bl-$1'));
  const saved = (): string => transcript('', '', log.entries.map((e) => ({ ...e, at: undefined })), new Date(0));
  return { window, env, log, words, talk, say, hello, all, at, busy, seen, saved, spoken, revealed };
}

test('the approved text as it stands has no mark and nothing to unfold', () => {
  const { say, all } = chat();
  say(start({ title: 'Pas' }), part('Bestil tid.'), end({ sources: [{ title: 'Pas', url: 'https://a.example/pas' }] }));
  for (const id of ['answer-mark', 'approved', 'approved-text', 'answer-unfinished']) assert.equal(all(id).length, 0, id);
  assert.equal(all('source')[0]?.textContent, 'Kilde: Pas (åbner i nyt vindue)');
});

test('the mark of the service stands before all else of the answer, in the language of the interface', () => {
  const { say, at, saved } = chat();
  say({ ...made, content_lang: 'en', notice: 'Svaret er på engelsk.' }, part('Book a time.'), end());
  const mark = at('answer-mark');
  assert.equal(mark.textContent, MARK);
  assert.deepEqual([mark.lang, mark.dir, mark.dataset.written], ['da', 'ltr', 'generated']);
  assert.ok(mark.querySelector('svg.i-generated'), 'a sign beside the words');
  for (const id of ['answer-notice', 'answer-title', 'answer-text']) {
    assert.ok(mark.compareDocumentPosition(at(id)) & 4, `before ${id}`);
  }
  assert.equal(mark.parentElement?.lang, 'en');
  assert.equal(mark.closest('[aria-hidden], [hidden]'), null);
  assert.ok(saved().indexOf(MARK) < saved().indexOf('Book a time.') && saved().includes(MARK), saved());
});

test('an excerpt says so; nothing is made up for it', () => {
  const { say, at, all } = chat();
  say(start({ written: 'shortened', mark: 'Et uddrag af kommunens tekst.' }), part('a'), end());
  assert.equal(at('answer-mark').textContent, 'Et uddrag af kommunens tekst.');
  assert.ok(at('answer-mark').querySelector('svg.i-shortened'));
  say(start({ turn: 't2', written: 'shortened' }), part('b', 't2'), end({ turn: 't2' }));
  assert.equal(all('answer-mark').length, 1);
});

test('what a machine wrote is never without a mark, in any language', () => {
  for (const lang of LANGS) {
    for (const mark of [undefined, '', '  \n', 7, null]) {
      const { say, at, saved } = chat(lang);
      say(start({ written: 'generated', mark, lang }), part('Tekst.'), end());
      assert.equal(at('answer-mark').textContent, texts[lang].generated, `${lang} ${mark}`);
      assert.ok(saved().includes(texts[lang].generated));
    }
  }
  const { say, at, words } = chat();
  say(start({ written: 'generated' }), part('Tekst.'), end());
  words.change('ar');
  assert.equal(at('answer-mark').textContent, texts.ar.generated);
});

test('the mark is words, whatever it holds', () => {
  const { say, at } = chat();
  say(start({ written: 'generated', mark: '<img src=x onerror=alert(1)>**fed**' }));
  assert.equal(at('answer-mark').querySelector('img, strong'), null);
  assert.equal(at('answer-mark').textContent, '<img src=x onerror=alert(1)>**fed**');
});

test('sentences come one at a time, and it is busy until the end', () => {
  const { say, at, busy, env, spoken } = chat();
  say(asked('Hvad koster et pas?'), made);
  assert.deepEqual(busy(), ['true', 'true']);
  let first: Element | null = null;
  for (const text of ['Et pas koster 893 kr.', '\n\nDu skal have:', '\n\n- dit gamle pas', '\n- et foto']) {
    env.pass(3_000);
    say(part(text));
    assert.deepEqual(busy(), ['true', 'true'], text);
    assert.equal(at('typing').hidden, false);
    // What has been drawn stays: a part does not make the whole new.
    first ??= at('answer-text').firstElementChild;
    assert.equal(at('answer-text').firstElementChild, first);
  }
  assert.equal(spoken.includes(false), false);
  say(end({ approved }));
  assert.deepEqual(busy(), ['false', 'false']);
  assert.equal(at('typing').hidden, true);
  assert.equal(at('answer-text').innerHTML, '<p>Et pas koster 893 kr.</p><p>Du skal have:</p><ul><li>dit gamle pas</li><li>et foto</li></ul>');
});

test('the municipality’s own text unfolds below the answer and folds again', () => {
  const { say, at, words, window } = chat();
  say({ ...made, content_lang: 'en' }, part('A passport costs 893 kr.'), end({ approved, links: [{ title: 'Bestil', url: 'https://a.example' }] }));
  const [press, own] = [at('approved'), at('approved-text')];
  assert.equal(press.closest('.approved')?.previousElementSibling, at('answer-text'));
  assert.equal(press.getAttribute('aria-controls'), own.id);
  assert.deepEqual([own.hidden, press.getAttribute('aria-expanded'), press.textContent], [true, 'false', texts.da.ownText]);
  assert.deepEqual([own.lang, own.dir, own.parentElement?.parentElement?.lang], ['da', 'ltr', 'en']);
  press.focus();
  press.click();
  assert.deepEqual([own.hidden, press.getAttribute('aria-expanded'), press.textContent], [false, 'true', texts.da.ownTextHide]);
  assert.equal(window.document.activeElement, press);
  assert.equal(own.innerHTML, '<h3>Det skal du have med</h3><ul><li>dit gamle pas</li><li>et foto</li></ul><h3>Pris</h3><p>Et pas koster <strong>893 kr.</strong></p>');
  // Read on request, not because it appeared.
  assert.equal(own.closest('[aria-live]')?.getAttribute('aria-live'), 'off');
  words.change('tr');
  assert.deepEqual([own.hidden, press.textContent], [false, texts.tr.ownTextHide]);
  say(asked('Tak'), start({ turn: 't2' }), part('Selv tak.', 't2'), end({ turn: 't2' }));
  assert.deepEqual([own.hidden, window.document.activeElement], [false, press]);
  press.click();
  assert.deepEqual([own.hidden, press.getAttribute('aria-expanded'), press.textContent], [true, 'false', texts.tr.ownText]);
});

test('the own text is there too when its dialogue is gone', () => {
  const { say, at, all, log } = chat();
  say(made, part('a'), end({ approved }));
  log.retire();
  assert.equal(all('rate-3').length, 0);
  at('approved').click();
  assert.equal(at('approved-text').hidden, false);
});

test('an own text that runs the other way has its own direction', () => {
  const { say, at } = chat();
  say(made, part('a'), end({ approved: { text: 'جواز السفر', content_lang: 'ar', dir: 'rtl' } }));
  assert.deepEqual([at('approved-text').lang, at('approved-text').dir], ['ar', 'rtl']);
});

test('nothing to unfold without a text', () => {
  for (const bad of [undefined, null, 'Pas', {}, { text: ' \n' }, { text: 3 }]) {
    const { say, all } = chat();
    say(made, part('a'), end({ approved: bad }));
    assert.equal(all('approved').length, 0, JSON.stringify(bad));
    assert.equal(all('answer-mark').length, 1);
  }
});

test('an own text that means harm does none', () => {
  const { say, at } = chat();
  const bad = [
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '[klik](javascript:alert(1))', '[x](data:text/html,<b>)', '[x](http://a.example)',
    '![x](https://a.example/p.gif)', '<a href="javascript:alert(1)">x</a>', '</div></div><iframe src="https://a.example">', '<style>*{display:none}</style>',
  ];
  say(made, part('a'), end({ approved: { text: bad.join('\n\n'), content_lang: '"><script>', dir: 'x" onclick="alert(1)' } }));
  const own = at('approved-text');
  at('approved').click();
  assert.deepEqual([...new Set([...own.querySelectorAll('*')].map((e) => e.localName))].sort(), ['a', 'p', 'path', 'span', 'svg']);
  assert.deepEqual([...own.querySelectorAll('a')].map((a) => a.getAttribute('href')), ['https://a.example/p.gif']);
  assert.ok(own.textContent?.includes('<script>alert(1)</script>'));
  assert.equal([...own.querySelectorAll('*'), own].some((e) => [...e.attributes].some((a) => a.name.startsWith('on'))), false);
  assert.ok(['ltr', 'rtl'].includes(own.dir));
});

test('a source says which sections carry the answer', () => {
  const { say, at, saved } = chat();
  say(made, part('a'), end({ sources: [{ title: 'Forny dit pas', url: 'https://a.example/pas', sections: ['Det skal du have med', '<b>Pris</b>'] }] }));
  assert.equal(at('source').textContent, 'Kilde: Forny dit pas (åbner i nyt vindue) (Det skal du have med, <b>Pris</b>)');
  assert.equal(at('source').querySelector('a')?.getAttribute('href'), 'https://a.example/pas');
  assert.ok(saved().includes('Kilde: Forny dit pas (Det skal du have med, <b>Pris</b>) (https://a.example/pas)'), saved());
});

const HISTORY: Frame[] = [
  asked('Hvad koster et pas?'), made, part('Et pas koster '), part('893 kr.'),
  end({ approved, sources: [{ title: 'Forny dit pas', url: 'https://a.example', sections: ['Pris'] }] }),
  asked('Og hvor?'), start({ turn: 't2', written: 'generated' }), part('Du skal bestil', 't2'),
  asked('Hallo?'), start({ turn: 't3', written: 'shortened', mark: 'Et uddrag af kommunens tekst.' }), part('Bestil tid.', 't3'), end({ turn: 't3' }),
];

test('a reload shows what was shown', () => {
  const [live, again] = [chat(), chat('da', HISTORY)];
  live.say(...HISTORY);
  assert.deepEqual(again.seen(), live.seen());
  assert.equal(again.saved(), live.saved());
  assert.equal(live.all('answer').length, 3);
  // And what a node that counts for itself tells anew.
  live.env.last.die();
  live.env.pass(500);
  live.hello({ resumed: true, replay: true, seq: HISTORY.length });
  HISTORY.forEach((f, i) => live.env.last.say({ ...f, seq: i + 1 }));
  assert.deepEqual(live.seen(), again.seen());
  assert.equal(live.saved(), again.saved());
});

test('an answer that never ended is waited for no longer when anything else is said', () => {
  const later: Frame[] = [
    asked('Hallo?'), start({ turn: 't2' }), { type: 'notice', text: 'Noget.' }, { type: 'agent_joined', name: 'Mette', text: 'Mette er her.' },
    { type: 'handover_offer', text: 'Ring.' }, { type: 'queued', client_id: 'q', text: 'I kø.' }, { type: 'agent', id: 'a', name: 'Mette', text: 'Hej' },
    { type: 'callback_saved', client_id: 'x', reference: 'B-1', text: 'Vi ringer.' }, { type: 'handover_ended', outcome: 'left', text: 'Slut.' },
  ];
  for (const f of later) {
    const { say, all, at, busy, saved } = chat();
    say(asked('Hvad koster et pas?'), made, part('Et pas koster'), f);
    const answer = all('answer')[0] as HTMLElement;
    assert.equal(answer.getAttribute('aria-busy'), 'false', String(f.type));
    assert.equal(busy()[0], String(f.type === 'answer_start'));
    assert.equal(at('answer-unfinished').textContent, texts.da.unfinished);
    assert.ok(answer.contains(at('answer-unfinished')) && saved().includes(texts.da.unfinished));
    // Marked as before, and not to be rated or traced to a source as if it were whole.
    assert.equal(at('answer-mark').textContent, MARK);
    for (const id of ['rating', 'sources', 'approved']) assert.equal(all(id).filter((e) => answer.contains(e)).length, 0, id);
  }
});

test('a rating of an earlier answer interrupts nothing', () => {
  const { say, all, busy } = chat();
  say(start({ turn: 't0' }), part('a', 't0'), end({ turn: 't0' }), made, part('Et'), { type: 'rated', client_id: 'r', turn: 't0', score: 3 });
  assert.deepEqual(busy(), ['true', 'false', 'true']);
  assert.equal(all('answer-unfinished').length, 0);
});

test('nothing comes for long, a fault, the end of history: not busy, and it may go on after all', () => {
  const { say, env, all, at, busy, saved } = chat();
  say(asked('Hvad koster et pas?'), made, part('Et pas koster'));
  env.pass(29_000);
  assert.deepEqual(busy(), ['true', 'true']);
  env.pass(2_000);
  assert.deepEqual([busy(), at('typing').hidden], [['false', 'false'], true]);
  say(part(' 893 kr.'));
  assert.deepEqual([busy(), all('answer-unfinished').length], [['true', 'true'], 0]);
  env.last.say({ type: 'error', code: 'internal', text: 'Fejl' });
  assert.deepEqual(busy(), ['false', 'false']);
  say(part(' Bestil tid.'), end({ approved }));
  assert.deepEqual([busy(), all('answer-unfinished').length], [['false', 'false'], 0]);
  assert.equal(at('answer-text').textContent, 'Et pas koster 893 kr. Bestil tid.');
  assert.equal(saved().includes(texts.da.unfinished), false);

  const history = chat('da', [asked('Hvad koster et pas?'), made, part('Et pas')]);
  assert.deepEqual(history.busy(), ['false', 'false']);
  assert.equal(history.all('answer-unfinished').length, 1);
  history.say(part(' koster 893 kr.'));
  assert.deepEqual([history.busy(), history.all('answer-unfinished').length], [['true', 'true'], 0]);
  history.say(end());
  assert.equal(history.at('answer-text').textContent, 'Et pas koster 893 kr.');
});

test('what was hidden is shown by a press on this page alone, and stands in no bubble and no saved conversation', () => {
  const c = chat();
  c.say({ type: 'agent_joined', name: 'Anna', text: 'Anna er her.' });
  c.talk.message('Det er 150785-4321');
  const id = c.env.last.sent.at(-1)?.client_id as string;
  c.say({ type: 'citizen', client_id: id, text: 'Det er [CPR-nummer skjult]', masked: ['cpr'] });
  const can = (client_id: string, epoch = 7): void => c.env.last.say({ type: 'reveal', client_id, epoch, text: epoch ? 'Vis Anna' : 'Anna kan se det nu' });
  // Another page's message, which this page has never had.
  c.say({ type: 'citizen', client_id: 'other', text: 'Det er [CPR-nummer skjult]', masked: ['cpr'] });
  can('other');
  assert.equal(c.all('reveal').length, 0);
  can(id);
  assert.deepEqual(c.revealed, [], 'nothing by itself');
  assert.ok(!(c.log.el.innerHTML + c.saved()).includes('4321'));
  c.at('reveal').click();
  assert.deepEqual(c.revealed, [[id, 7, 'Det er 150785-4321']]);
  can(id, 0);
  assert.equal(c.at('reveal').textContent, 'Anna kan se det nu');
  c.at('reveal').click();
  assert.equal(c.revealed.length, 1);
});
