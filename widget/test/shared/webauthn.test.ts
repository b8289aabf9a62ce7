import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, fault, make, show, text, UNSUPPORTED } from '../../shared/core/webauthn';

test('bytes are written as the service reads them, and read as it writes them', () => {
  const all = Uint8Array.from({ length: 256 }, (_, n) => n);
  for (let length = 0; length < 9; length += 1) {
    const some = all.slice(250 - length, 255);
    const written = text(some.buffer);
    assert.equal(written, Buffer.from(some).toString('base64url'));
    assert.deepEqual(bytes(written), some);
  }
  assert.equal(text(all.buffer), Buffer.from(all).toString('base64url'));
});

test('a browser without keys says so, and each fault has its own words', async () => {
  const asked = { challenge: 'c', options: { challenge: 'AAAA' } };
  assert.deepEqual([await show(asked), await make(asked)], [{ fault: UNSUPPORTED }, { fault: UNSUPPORTED }]);
  const said = ['NotAllowedError', 'InvalidStateError', 'NotSupportedError', 'SecurityError', 'constructor'].map((name) => fault(name, false));
  assert.equal(new Set(said).size, said.length);
  assert.notEqual(fault('NotAllowedError', true), fault('NotAllowedError', false));
});
