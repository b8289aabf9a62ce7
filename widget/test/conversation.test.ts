import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup } from './fakes';

const citizen = (seq: number, client_id: unknown, text = 'Hej') => ({ type: 'citizen', seq, client_id, text, masked: [] });

test('hello first; a message waits for welcome and is sent once', () => {
  const { env, talk, welcome, count } = setup();
  talk.start();
  talk.message('Hej');
  env.last.open();
  assert.deepEqual(env.last.sent, [{ type: 'hello', v: 1, municipality: '0751', lang: 'da' }]);
  welcome();
  assert.deepEqual(env.last.types(), ['hello', 'message']);
  assert.equal(count('outgoing'), 1);
});

test('after a reconnect: resume, and the same client_id until it is acknowledged', () => {
  const { env, talk, begin, welcome, store, count } = setup();
  begin();
  talk.message('Hej');
  const id = env.last.sent[1]!.client_id;
  env.last.die();
  env.pass(500);
  env.last.open();
  assert.deepEqual(env.last.sent[0]!.resume, { dialogue: 'd1', token: 't1', seq: 0 });
  welcome({ resumed: true });
  assert.equal(env.last.sent[1]!.client_id, id);
  env.last.say(citizen(1, id));
  env.last.say(citizen(1, id));
  assert.equal(count('citizen'), 1);
  assert.deepEqual(store.data.outbox, []);
  env.last.die();
  env.pass(1000);
  env.last.open();
  welcome({ resumed: true, seq: 1 });
  assert.deepEqual(env.last.types(), ['hello']);
  assert.equal((env.last.sent[0]!.resume as { seq: number }).seq, 1);
});

test('events are shown once, whatever is sent again', () => {
  const { env, begin, count } = setup();
  begin();
  for (const seq of [1, 2, 2, 1, 3]) env.last.say({ type: 'notice', seq, text: 'x' });
  assert.equal(count('event'), 3);
});

test('a gap is asked for, once', () => {
  const { env, begin, count, welcome } = setup();
  begin();
  env.last.say({ type: 'notice', seq: 1, text: 'a' });
  env.last.say({ type: 'notice', seq: 3, text: 'c' });
  assert.equal(env.sockets.length, 2);
  env.last.open();
  assert.equal((env.last.sent[0]!.resume as { seq: number }).seq, 1);
  welcome({ resumed: true, seq: 3 });
  env.last.say({ type: 'notice', seq: 3, text: 'c' });
  assert.equal(env.sockets.length, 2);
  assert.equal(count('event'), 2);
});

test('history is replayed in silence', () => {
  const { env, talk, store, welcome, calls } = setup('en');
  Object.assign(store.data, { dialogue: 'd1', token: 't1', seq: 9 });
  talk.start();
  env.last.open();
  assert.equal((env.last.sent[0]!.resume as { seq: number }).seq, 0);
  welcome({ resumed: true, seq: 2 });
  env.last.say(citizen(1, 'old'));
  env.last.say({ type: 'answer_start', seq: 2, turn: 1, lang: 'da', content_lang: 'da' });
  const names = calls.map((c) => c[0]);
  assert.ok(!names.includes('speaks'));
  assert.deepEqual(calls.filter((c) => c[0] === 'replay').map((c) => c[1]), [true, false]);
  assert.ok(names.indexOf('replay') < names.indexOf('citizen') && names.lastIndexOf('replay') > names.indexOf('event'));
});

test('a forgotten dialogue begins anew and keeps the unsent message', () => {
  const { env, talk, begin, welcome, count } = setup();
  begin();
  env.last.say({ type: 'notice', seq: 1, text: 'a' });
  talk.rate(1, 3);
  env.last.die();
  talk.message('Hej');
  env.last.open();
  env.last.say({ type: 'error', code: 'unknown_dialogue', text: '' });
  assert.equal(count('gone'), 1);
  assert.equal(env.last.sent.at(-1)!.resume, undefined);
  welcome({ dialogue: 'd2', token: 't2' });
  assert.deepEqual(env.last.types(), ['hello', 'hello', 'message']);
  env.last.say({ type: 'notice', seq: 1, text: 'b' });
  assert.equal(count('event'), 2);
});

test('busy: waits as long as asked, then sends the same again', () => {
  const { env, talk, begin, calls } = setup();
  begin();
  talk.message('Hej');
  const id = env.last.sent[1]!.client_id;
  env.last.say({ type: 'error', code: 'rate_limited', text: '', client_id: id, retry_after_ms: 3000 });
  assert.deepEqual(calls.at(-1), ['held', 'rate_limited', 3000]);
  talk.message('Igen');
  env.pass(2999);
  assert.equal(env.last.sent.length, 2);
  env.pass(1);
  assert.deepEqual(env.last.sent.slice(2).map((f) => f.text), ['Hej', 'Igen']);
  assert.equal(env.last.sent[2]!.client_id, id);
});

test('too busy to welcome: comes back no sooner than asked', () => {
  const { env, talk } = setup();
  talk.start();
  env.last.open();
  env.last.say({ type: 'error', code: 'overloaded', text: '', retry_after_ms: 4000 });
  env.pass(3999);
  assert.equal(env.sockets.length, 1);
  env.pass(600);
  assert.equal(env.sockets.length, 2);
});

test('a fault of the service marks the message and sends it again on request', () => {
  const { env, talk, begin, calls } = setup();
  begin();
  talk.message('Hej');
  const id = env.last.sent[1]!.client_id as string;
  env.last.say({ type: 'error', code: 'internal', text: '', client_id: id });
  assert.equal(calls.at(-1)![0], 'failed');
  talk.retry(id);
  assert.equal(env.last.sent.at(-1)!.client_id, id);
});

test('what the operator signed for the page goes with each hello as it came', () => {
  const { env, talk, welcome } = setup('da', 'eyJ2IjoxfQ.c2ln');
  talk.start();
  env.last.open();
  welcome();
  env.last.die();
  env.pass(500);
  env.last.open();
  for (const { sent } of env.sockets) assert.equal(sent[0]!.signed, 'eyJ2IjoxfQ.c2ln');
  assert.ok(env.last.sent[0]!.resume);
});

for (const code of ['unknown_municipality', 'unsupported_version']) {
  test(`${code} ends the attempts, in the service's words, and what was written is kept`, () => {
    const { env, talk, calls, store } = setup();
    talk.start();
    talk.message('Hej');
    env.last.open();
    env.last.say({ type: 'error', code, text: 'Ring til os.' });
    assert.deepEqual(calls.at(-1), ['closed', 'Ring til os.']);
    env.pass(3_600_000);
    assert.equal(env.sockets.length, 1);
    assert.equal(store.data.outbox.length, 1);
  });
}

test('a chat that is closed says so, keeps what was written, and looks again', () => {
  const { env, talk, calls, store } = setup();
  talk.start();
  talk.message('Hej');
  env.last.open();
  env.last.say({ type: 'error', code: 'closed', text: 'Ring til os.', retry_after_ms: 300_000 });
  assert.deepEqual(calls.at(-1), ['closed', 'Ring til os.']);
  env.pass(299_999);
  assert.equal(env.sockets.length, 1);
  env.pass(1);
  assert.equal(env.sockets.length, 2);
  env.last.open();
  assert.equal(env.last.sent[0]!.type, 'hello');
  assert.equal(store.data.outbox.length, 1);
});

test('what a chat that was closed meanwhile refuses is marked, and is not sent again by itself', () => {
  const { env, talk, begin, calls, count } = setup();
  begin();
  talk.message('Hej');
  const id = env.last.sent[1]!.client_id as string;
  env.last.say({ type: 'error', code: 'closed', text: 'Ring til os.', client_id: id, retry_after_ms: 300_000 });
  assert.equal(calls.at(-1)![0], 'failed');
  assert.equal(count('closed'), 0);
  env.pass(20_000);
  assert.equal(env.last.sent.filter((f) => f.type === 'message').length, 1);
});

test('one request for a person, typing at most every 3 s, bye before a new dialogue', () => {
  const { env, talk, begin, store } = setup();
  begin();
  talk.human('Person');
  talk.human('Person');
  env.now = 10_000;
  talk.typing();
  talk.typing();
  env.now = 13_000;
  talk.typing();
  assert.deepEqual(env.last.types(), ['hello', 'human', 'typing', 'typing']);
  const old = env.last;
  talk.restart();
  assert.equal(old.types().at(-1), 'bye');
  assert.equal(store.data.dialogue, '');
  env.last.open();
  assert.equal(env.last.sent[0]!.resume, undefined);
});

test('another language is told of, before its answer', () => {
  const { env, begin, calls } = setup();
  begin();
  env.last.say({ type: 'answer_start', seq: 1, turn: 1, lang: 'uk', content_lang: 'da' });
  assert.deepEqual(calls.slice(-2).map((c) => c[0]), ['speaks', 'event']);
  env.last.say({ type: 'answer_start', seq: 2, turn: 2, lang: 'xx', content_lang: 'da' });
  assert.equal(calls.filter((c) => c[0] === 'speaks').length, 1);
});
