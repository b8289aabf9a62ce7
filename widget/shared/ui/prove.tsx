// Showing a second factor again, and the codes for whoever loses it.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Account, Second, Shown } from '../core/session';
import { show, supported } from '../core/webauthn';
import { Press } from './parts';

interface CodeFormProps { label: string; send: (code: string) => Promise<string | undefined>; action: string; look?: 'primary' | 'secondary'; children?: ComponentChildren }
/** Asks for a code; `send` says what went wrong. */
export function CodeForm({ label, send, action, look = 'primary', children }: CodeFormProps) {
  const [code, setCode] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const at = useRef<HTMLInputElement>(null);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    const wrong = code.trim() ? await send(code.trim()) : 'Skriv koden';
    setBusy(false);
    setFault(wrong ?? '');
    if (wrong) at.current?.select();
    if (wrong) at.current?.focus();
  };
  return (
    <form class="code-form" onSubmit={(e) => void submit(e)} noValidate>
      <label class="form-label" for="second-code">{label}</label>
      {fault && <p class="form-error-message" id="second-error" role="alert" data-testid="second-problem">{fault}</p>}
      <input class="form-input code-input" id="second-code" name="code" ref={at} autoComplete="one-time-code" inputMode="numeric" spellcheck={false} required
        aria-invalid={fault !== ''} aria-describedby={fault ? 'second-error' : undefined} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      <div class="modal-do"><Press look={look} type="submit" test="second-send" aria-disabled={busy}>{action}</Press>{children}</div>
    </form>
  );
}

export function Codes({ codes, done }: { codes: string[]; done: () => void }) {
  const at = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => at.current?.focus(), []);
  return (
    <div>
      <h3 ref={at} tabIndex={-1}>Dine genoprettelseskoder</h3>
      <p>Gem dem et sikkert sted, for eksempel i en adgangskodeboks. De vises kun nu. Hver kode virker én gang, hvis du mister telefonen eller nøglen.</p>
      <ol class="recovery" data-testid="recovery-codes">{codes.map((c) => <li key={c}><code>{c}</code></li>)}</ol>
      <div class="modal-do"><Press look="primary" test="second-done" onClick={done}>Jeg har gemt koderne</Press></div>
    </div>
  );
}

interface ProveProps { account: Account; second: Second; action: string; send: (shown: Shown) => Promise<string | undefined>; children?: ComponentChildren }
/** It is you: by a key, where there is one that this browser can ask, or by a code. */
export function Prove({ account, second, action, send, children }: ProveProps) {
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const at = useRef<HTMLDivElement>(null);
  const keys = second.keys.length > 0 && second.keys_here && supported();
  useLayoutEffect(() => at.current?.querySelector<HTMLElement>(keys ? 'button' : 'input')?.focus(), []);
  const press = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    const asked = await account.challenge();
    const heard = 'ok' in asked ? await show(asked.ok) : asked;
    const wrong = 'said' in heard ? await send({ key: heard.said }) : heard.fault;
    setBusy(false);
    setFault(wrong ?? '');
  };
  return (
    <div ref={at} data-testid="prove">
      <p>Bekræft først, at det er dig.</p>
      {keys && (
        <div class="prove-key">
          {fault && <p class="form-error-message" role="alert" data-testid="prove-problem">{fault}</p>}
          <Press look="primary" test="prove-key" aria-disabled={busy} onClick={() => void press()}>Bekræft med nøgle</Press>
        </div>
      )}
      <CodeForm label={second.app ? 'Kode fra din kodeapp, eller en genoprettelseskode' : 'Genoprettelseskode'} action={action} look={keys ? 'secondary' : 'primary'} send={(code) => send({ code })}>{children}</CodeForm>
    </div>
  );
}
