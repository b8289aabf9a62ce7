import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, alone, changed, type Standing } from '../chat/standing';
import { parse, type Event, type Wait } from '../chat/wire';
import { setup } from './fakes';

const event = (frame: object): Event => parse(JSON.stringify({ seq: 1, ...frame })) as Event;
const follow = (...frames: object[]): Standing => frames.map(event).reduce(after, alone());

test('who answers follows from the events, whatever lies between', () => {
  assert.equal(follow({ type: 'queued', text: 'i kø' }).with, 'queue');
  const anna = follow({ type: 'queued' }, { type: 'agent_joined', name: 'Anna' }, { type: 'citizen', text: 'hej' });
  assert.deepEqual([anna.with, anna.name], ['person', 'Anna']);
  assert.equal(follow({ type: 'queued' }, { type: 'agent_joined', name: 'Anna' }, { type: 'agent_left' }).with, 'queue');
  assert.equal(follow({ type: 'agent_joined' }, { type: 'handover_ended', outcome: 'settled' }).with, 'bot');
});

test('a promised call takes the place in the queue; a number without a time does not', () => {
  assert.equal(follow({ type: 'queued' }, { type: 'callback_saved', from_ms: 5 }).with, 'bot');
  assert.equal(follow({ type: 'queued' }, { type: 'callback_saved' }).with, 'queue');
  assert.equal(follow({ type: 'agent_joined', name: 'A' }, { type: 'handover_ended', outcome: 'reached' }).with, 'person');
});

test('a wait is another when the place is, or the time by more than a quarter', () => {
  const wait = (position: number, high_min: number, held = false): Wait => ({ type: 'wait', position, low_min: 1, high_min, held, text: '' });
  assert.ok(!changed(wait(3, 20), wait(3, 22)));
  assert.ok(!changed(wait(3, 2), wait(3, 3)));
  assert.ok(changed(wait(3, 20), wait(2, 20)));
  assert.ok(changed(wait(3, 20), wait(3, 30)));
  assert.ok(changed(wait(3, 20), wait(3, 20, true)));
  assert.ok(changed(wait(3, 20), wait(3, 0)), 'nobody can say any more');
});

test('asking for the queue twice is asking once, and is acknowledged by queued', () => {
  const { env, talk, begin, store, calls } = setup();
  begin();
  talk.queue();
  talk.queue();
  assert.deepEqual(env.last.types(), ['hello', 'queue']);
  env.last.say({ type: 'queued', seq: 1, client_id: env.last.sent[1]!.client_id, text: 'i kø' });
  assert.deepEqual(store.data.outbox, []);
  env.last.say({ type: 'wait', position: 2, held: false, text: 'Du er nummer 2' });
  assert.deepEqual(calls.filter((c) => c[0] === 'standing').map((c) => (c[1] as Standing).with), ['queue']);
  assert.equal(calls.filter((c) => c[0] === 'wait').length, 1);
  talk.leave();
  const leave = env.last.sent[2]!;
  env.last.say({ type: 'handover_ended', seq: 2, client_id: leave.client_id, outcome: 'abandoned', text: '', can_rate: false });
  assert.deepEqual(store.data.outbox, []);
});

test('while a person has the chat nobody waits for the bot', () => {
  const { env, talk, begin, calls } = setup();
  begin();
  env.last.say({ type: 'agent_joined', seq: 1, name: 'Anna', text: '' });
  talk.message('Hej');
  env.last.say({ type: 'citizen', seq: 2, client_id: env.last.sent[1]!.client_id, text: 'Hej', masked: [] });
  assert.ok(!calls.some((c) => c[0] === 'working' && c[1] === true));
  env.last.say({ type: 'agent_typing' });
  assert.deepEqual(calls.filter((c) => c[0] === 'agentTyping'), [['agentTyping', 'Anna']]);
});

test('that something can be shown is told, and a word of the citizen shows it', () => {
  const { env, talk, begin, calls } = setup();
  begin();
  env.last.say({ type: 'reveal', client_id: 'm-1', epoch: 7, text: 'Vis Anna' });
  assert.deepEqual(calls.at(-1), ['unveil', { type: 'reveal', client_id: 'm-1', epoch: 7, text: 'Vis Anna' }]);
  assert.ok(!env.last.types().includes('reveal'));
  talk.unveil('m-1', 7, 'Det er 150785-4321');
  assert.deepEqual(env.last.sent.at(-1), { type: 'reveal', client_id: 'm-1', epoch: 7, text: 'Det er 150785-4321' });
});

test('another node tells all again: what was shown is forgotten first', () => {
  const { env, begin, calls, welcome, store, count } = setup();
  begin();
  welcome({ stream: 'a' });
  env.last.say({ type: 'notice', seq: 1, text: 'x' });
  env.last.say({ type: 'queued', seq: 2, client_id: 'k', text: 'i kø' });
  env.last.die();
  env.pass(500);
  env.last.open();
  assert.deepEqual(env.last.sent[0]!.resume, { dialogue: 'd1', token: 't1', seq: 2, stream: 'a' });
  welcome({ resumed: true, replay: true, stream: 'b', seq: 2 });
  assert.equal(count('forget'), 1);
  env.last.say({ type: 'queued', seq: 1, client_id: 'k', text: 'i kø' });
  env.last.say({ type: 'agent_joined', seq: 2, name: 'Anna', text: '' });
  assert.equal(count('event'), 4);
  assert.equal(store.data.stream, 'b');
  const standings = calls.filter((c) => c[0] === 'standing').map((c) => (c[1] as Standing).with);
  assert.deepEqual(standings, ['queue', 'bot', 'queue', 'person']);
});

test('what is not possible is not tried again', () => {
  const { env, talk, begin, calls } = setup();
  begin();
  talk.cancelCallback('B-7K3QF');
  const { client_id } = env.last.sent[1]!;
  env.last.say({ type: 'error', code: 'not_possible', text: 'findes ikke', client_id });
  const failed = calls.find((c) => c[0] === 'failed')!;
  assert.equal((failed[1] as { id: string }).id, client_id);
  talk.cancelCallback('B-7K3QF');
  assert.equal(env.last.types().length, 3, 'a new wish is sent');
});
