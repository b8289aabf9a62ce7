import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf } from '../chat/config';
import { Store } from '../chat/store';
import { fileName, transcript } from '../chat/transcript';
import { chars, clientId, parse, phoneNumber } from '../chat/wire';

test('a frame of the wrong form becomes harmless, an unknown one nothing', () => {
  assert.deepEqual(parse('{"type":"answer_part","seq":3,"turn":1,"text":"Hej"}'), { type: 'answer_part', seq: 3, turn: 1, text: 'Hej' });
  assert.deepEqual(parse('{"type":"answer_end","seq":"x","sources":[{"title":5},null],"links":7}'), {
    type: 'answer_end', seq: 0, turn: '', sources: [{ title: '', url: '', sections: [] }, { title: '', url: '', sections: [] }], links: [],
    choices: [], offer_human: false, can_rate: false, approved: { text: '', content_lang: '', dir: '' },
  });
  const approved = (a: string) => (parse(`{"type":"answer_end","approved":${a}}`) as { approved: unknown }).approved;
  assert.deepEqual(approved('{"text":"Pas","content_lang":"da","dir":"ltr"}'), { text: 'Pas', content_lang: 'da', dir: 'ltr' });
  for (const bad of ['null', '"Pas"', '[1]', '{"text":5}']) assert.deepEqual(approved(bad), { text: '', content_lang: '', dir: '' }, bad);
  const start = parse('{"type":"answer_start","written":3,"mark":null}');
  assert.ok(start?.type === 'answer_start' && start.written === '' && start.mark === '');
  const w = parse('{"type":"welcome","limits":{"message_chars":500}}');
  assert.ok(w?.type === 'welcome' && w.limits.message_chars === 500 && w.limits.comment_chars === 1000 && w.contact.hours === '');
  for (const bad of ['', 'null', '[]', '3', '{', '{"type":"new"}', '{"type":"toString"}', '{"type":"__proto__"}', new ArrayBuffer(2)]) assert.equal(parse(bad), undefined);
});

test('a turn goes back as it came', () => {
  const ask = (t: string) => (parse(`{"type":"rated","turn":${t}}`) as { turn: unknown }).turn;
  assert.equal(ask('7'), 7);
  assert.equal(ask('"t7"'), 't7');
});

test('telephone numbers as people write them', () => {
  for (const [typed, want] of [
    ['12 34 56 78', '12345678'], ['12-34-56-78', '12345678'], ['+45 12345678', '+4512345678'], ['0045 12 34 56 78', '+4512345678'],
    ['(+380) 44 123 45 67', '+380441234567'], ['١٢٣٤٥٦٧٨', '12345678'], ['\u202a12345678\u202c', '12345678'], ['１２３４５６７８', '12345678'],
  ]) assert.equal(phoneNumber(typed!), want, typed);
  for (const bad of ['', '1234567', '123456789', '+1234567', '+1234567890123456', 'ring til mig', '1234567a', '12+345678']) assert.equal(phoneNumber(bad), undefined, bad);
});

test('client ids keep to the alphabet of the protocol', () => {
  assert.match(clientId(), /^[A-Za-z0-9-]{1,64}$/);
  assert.notEqual(clientId(), clientId());
});

test('length is in characters', () => assert.equal(chars('æ😀🇩🇰'), 4));

test('the address comes from the tag', () => {
  const c = configOf({ src: 'https://chat.example.dk/widget/borgerlinje.js?v=2', dataset: { municipality: '0751', lang: 'uk' } });
  assert.deepEqual(c, {
    code: '0751', lang: 'uk', open: false, accent: undefined, signed: undefined, socket: 'wss://chat.example.dk/ws/chat',
    theme: 'https://chat.example.dk/api/municipalities/0751/theme',
  });
  const pinned = configOf({ src: 'https://a.dk/borger/widget/borgerlinje-0a1b.js', dataset: { municipality: '0751', signed: 'e30.c2ln' } });
  assert.deepEqual([pinned?.signed, pinned?.socket], ['e30.c2ln', 'wss://a.dk/borger/ws/chat']);
  assert.equal(configOf({ src: 'http://127.0.0.1:8080/widget/borgerlinje.js', dataset: { municipality: '0751' } }, 'en-GB')?.socket, 'ws://127.0.0.1:8080/ws/chat');
  assert.equal(configOf({ src: 'http://a/widget/borgerlinje.js', dataset: { municipality: '0751', lang: 'xx' } }, 'fr')?.lang, 'da');
  assert.equal(configOf({ src: 'http://a/widget/borgerlinje.js', dataset: {} }), undefined);
  assert.equal(configOf({ src: 'http://a/widget/borgerlinje.js', dataset: { municipality: '../x' } }), undefined);
});

test('the store works without storage', () => {
  const s = new Store('k', () => { throw new Error('denied'); });
  assert.equal(s.load(), false);
  s.save({ draft: 'halvt' });
  assert.equal(s.data.draft, 'halvt');
});

test('the transcript reads as it was said', () => {
  const at = new Date(2026, 10, 21, 9, 5);
  const text = transcript('Samtale: Aarhus Kommune', 'Chatrobot.', [
    { who: 'Du', text: 'Hej\n## ikke en overskrift', markdown: false, extra: [], at },
    { who: 'Chatrobotten', text: '**Hej**', markdown: true, extra: ['Kilde: Pas'], at: undefined },
    { who: 'Chatrobotten', text: 'Bestil tid.', markdown: true, extra: [], at: undefined, mark: 'Skrevet af en computer.' },
  ], at);
  assert.equal(text, 'Samtale: Aarhus Kommune\r\n\r\n2026-11-21 09.05\r\n\r\nChatrobot.\r\n\r\nDu (09.05):\r\nHej\r\n## ikke en overskrift\r\n\r\nChatrobotten:\r\nHej\r\nKilde: Pas\r\n\r\nChatrobotten:\r\nSkrevet af en computer.\r\nBestil tid.\r\n');
  assert.equal(fileName('0751', at), 'borgerlinje-0751-2026-11-21.txt');
});
