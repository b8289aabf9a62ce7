import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, ceilingMs } from '../chat/backoff';
import { setup } from './fakes';

test('the bound doubles from 0.5 s to 30 s', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 1000].map(ceilingMs), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test('full jitter uses the whole range and no more', () => {
  assert.equal(backoffMs(3, () => 0), 0);
  assert.equal(backoffMs(3, () => 1), 4000);
  const seen = Array.from({ length: 2000 }, () => backoffMs(4));
  assert.ok(Math.max(...seen) <= 8000 && Math.min(...seen) < 800 && Math.max(...seen) > 7200);
});

test('no connection before start, and one after', () => {
  const { env, talk } = setup();
  assert.equal(env.sockets.length, 0);
  talk.start();
  talk.start();
  assert.equal(env.sockets.length, 1);
});

test('retries wait longer each time, and begin anew after a good connection', () => {
  const { env, begin } = setup();
  begin();
  env.last.die();
  env.pass(499);
  assert.equal(env.sockets.length, 1);
  env.pass(1);
  assert.equal(env.sockets.length, 2);
  env.last.die();
  env.pass(999);
  assert.equal(env.sockets.length, 2);
  env.pass(1);
  assert.equal(env.sockets.length, 3);
  env.last.open();
  env.pass(10_000);
  env.last.die();
  env.pass(500);
  assert.equal(env.sockets.length, 4);
});

test('a connection closed at once does not count as good', () => {
  const { env, begin } = setup();
  begin();
  env.last.die();
  env.pass(500);
  env.last.open();
  env.last.die();
  env.pass(500);
  assert.equal(env.sockets.length, 2);
});

test('pings when quiet, answers pings, gives up on silence', () => {
  const { env, begin } = setup();
  begin();
  const s = env.last;
  env.pass(25_000);
  assert.deepEqual(s.sent.at(-1), { type: 'ping', n: 1 });
  s.say({ type: 'pong', n: 1 });
  s.say({ type: 'ping', n: 9 });
  assert.deepEqual(s.sent.at(-1), { type: 'pong', n: 9 });
  env.pass(25_000);
  assert.deepEqual(s.sent.at(-1), { type: 'ping', n: 2 });
  env.pass(10_000);
  env.pass(500);
  assert.equal(env.sockets.length, 2);
});

test('back on the net: at once', () => {
  const { env, begin, talk, calls } = setup();
  begin();
  env.isOnline = false;
  env.last.die();
  assert.deepEqual(calls.at(-1), ['link', 'offline']);
  talk.link.retryNow();
  assert.equal(env.sockets.length, 2);
});

test('a socket that is never answered is given up', () => {
  const { env, talk } = setup();
  talk.start();
  env.pass(10_500);
  assert.equal(env.sockets.length, 2);
});
