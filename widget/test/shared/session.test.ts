import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cameBack, providerAddress, providers, signIn, signInNamed } from '../../shared/core/session';

const answer = (status: number, body: string) => () => Promise.resolve(new Response(body, { status }));

test('what a sign-in by a provider came to is said in words, and nothing that an address makes up', () => {
  assert.equal(cameBack('?x=1'), undefined);
  assert.deepEqual(cameBack('?sign_in=code'), { kind: 'code' });
  const other = { kind: 'fault', text: 'Du blev ikke logget ind. Prøv igen.' };
  assert.deepEqual(cameBack('?sign_in=<b>ring til</b>'), other);
  assert.deepEqual(cameBack('?sign_in=constructor'), other);
  // Each code that the service sends.
  const sent = readFileSync('../src/server/src/auth/oidc/mod.rs', 'utf8');
  const codes = [...sent.matchAll(/Self::\w+ => "([a-z]+)"/g)].map((m) => m[1]);
  assert.ok(codes.length > 5);
  for (const code of codes) assert.notDeepEqual(cameBack(`?sign_in=${code}`), other, code);
});

test('providers are offered as the service names them, and none where it does not', async () => {
  const one = { id: 'aarhus', name: 'Aarhus Kommune' };
  assert.deepEqual(await providers(answer(200, JSON.stringify({ providers: [one, { id: 7 }, null] }))), [one]);
  for (const odd of ['', '{}', 'null', '{"providers":{}}']) assert.deepEqual(await providers(answer(200, odd)), []);
  assert.deepEqual(await providers(answer(503, '{}')), []);
  assert.deepEqual(await providers(() => Promise.reject(new Error('gone'))), []);
  assert.equal(providerAddress({ id: 'a/b', name: '' }, 'studio'), '/api/session/oidc/a%2Fb?to=studio');
});

test('a code after a provider is sent with nothing else', async () => {
  const asked: [string, unknown][] = [];
  const refused = await signInNamed({ code: '123456' }, (url, init) => {
    asked.push([url, init?.body]);
    return answer(400, '{"code":"sign_in_over","text":"Begynd forfra."}')();
  });
  assert.deepEqual(asked, [['/api/session/oidc', '{"code":"123456"}']]);
  assert.deepEqual(refused, { kind: 'refused', code: 'sign_in_over', text: 'Begynd forfra.' });
});

test('what may be shown besides the password is told as the service has it, and nothing that it has not', async () => {
  const asked = async (more: object) => signIn('anna', 'x', {}, answer(401, JSON.stringify({ code: 'code_needed', text: '', ...more })));
  const key = { challenge: 'c', options: {} };
  assert.deepEqual(await asked({ app: true, keys: true, key }), { kind: 'code', asked: { app: true, keys: true, key } });
  for (const odd of [{}, { key: null }, { key: 'x' }, { key: {} }, { app: 'yes', keys: 1 }]) {
    assert.deepEqual(await asked(odd), { kind: 'code', asked: { app: false, keys: false, key: undefined } });
  }
});
