import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Commands } from '../../desk/core/commands';
import { Connection, type LinkState, type Owner } from '../../desk/core/connection';
import type { ClientFrame, ServerFrame } from '../../desk/core/wire';
import { FakeEnv } from '../fakes';
import { ok, refused } from './fakes';

function setup() {
  const env = Object.assign(new FakeEnv(), { seen: true, visible: () => env.seen });
  const states: [LinkState, number | undefined][] = [];
  const frames: ServerFrame[] = [];
  let told = 0;
  const owner: Owner = { frame: (f) => void frames.push(f), state: (s, ms) => void states.push([s, ms]), refused: () => void (told += 1) };
  const link = new Connection('wss://x/ws/desk', 'csrf', owner, env);
  return { env, states, frames, link, told: () => told };
}

test('hello first, open only after welcome, pings answered with what is seen', () => {
  const { env, states, link } = setup();
  link.start();
  env.last.open();
  assert.deepEqual(env.last.sent, [{ type: 'hello', v: 1, csrf: 'csrf', visible: true }]);
  assert.equal(link.send({ type: 'watch', what: [] }), false);
  env.last.say({ type: 'welcome' });
  assert.equal(states.at(-1)?.[0], 'open');
  assert.equal(link.send({ type: 'watch', what: [] }), true);
  env.seen = false;
  env.last.say({ type: 'ping', n: 4 });
  assert.deepEqual(env.last.sent.at(-1), { type: 'pong', n: 4, visible: false });
});

test('silence for three pings is a dead line; it comes back with growing waits', () => {
  const { env, states, link } = setup();
  link.start();
  env.last.open();
  env.last.say({ type: 'welcome' });
  env.pass(29_000);
  env.last.say({ type: 'ping', n: 1 });
  env.pass(29_999);
  assert.equal(env.sockets.length, 1);
  env.pass(1);
  assert.deepEqual(states.at(-1), ['waiting', 500]);
  env.pass(500);
  assert.equal(env.sockets.length, 2);
  env.last.die();
  assert.deepEqual(states.at(-1), ['waiting', 1000]);
  link.retryNow();
  assert.equal(env.sockets.length, 3);
});

test('a socket that never opened asks whether the session is over; a stopped one stays stopped', () => {
  const { env, link, told } = setup();
  link.start();
  env.last.die();
  assert.equal(told(), 1);
  link.stop();
  env.pass(60_000);
  assert.equal(env.sockets.length, 1);
});

test('each command gets its own answer, in whatever order', async () => {
  const sent: ClientFrame[] = [];
  const commands = new Commands((f) => sent.push(f) > 0);
  const [a, b] = [commands.run({ type: 'resume' }, 'a'), commands.run({ type: 'pick', item: 'x' }, 'b')];
  commands.answer(refused('b', 'taken'));
  commands.answer(ok('a'));
  assert.equal((await a).ok?.id, 'a');
  assert.equal((await b).refused?.code, 'taken');
});

test('a broken line: words are sent again under the same id, everything else is given up', async () => {
  const sent: ClientFrame[] = [];
  let up = true;
  const commands = new Commands((f) => up && sent.push(f) > 0);
  const words = commands.run({ type: 'message', item: 'x', epoch: 1, text: 'Hej' }, 'm');
  const pick = commands.run({ type: 'pick', item: 'y' }, 'p');
  up = false;
  commands.broke();
  assert.equal((await pick).refused?.code, 'lost');
  const offline = commands.run({ type: 'note', item: 'x', epoch: 1, text: 'Note' }, 'n');
  assert.equal((await commands.run({ type: 'resume' })).refused?.code, 'lost');
  up = true;
  sent.length = 0;
  commands.resend();
  assert.deepEqual(sent.map((f) => (f as { id: string }).id), ['m', 'n']);
  commands.answer(ok('m'));
  commands.answer(ok('n'));
  assert.ok((await words).ok && (await offline).ok);
});
