// One's own account: the second factor, and where one is signed in.

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Account, current, type Offered, type Second, type Session, type SessionRow, type SignIn } from '../core/session';
import { Modal, Press } from './parts';
import { say } from './say';

interface CodeFormProps { label: string; send: (code: string) => Promise<string | undefined>; action: string; children?: ComponentChildren }
/** Asks for a code; `send` says what went wrong. */
function CodeForm({ label, send, action, children }: CodeFormProps) {
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
      <div class="modal-do"><Press look="primary" type="submit" test="second-send" aria-disabled={busy}>{action}</Press>{children}</div>
    </form>
  );
}

function Codes({ codes, done }: { codes: string[]; done: () => void }) {
  const at = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => at.current?.focus(), []);
  return (
    <div>
      <h3 ref={at} tabIndex={-1}>Dine genoprettelseskoder</h3>
      <p>Gem dem et sikkert sted, for eksempel i en adgangskodeboks. De vises kun nu. Hver kode virker én gang, hvis du mister telefonen.</p>
      <ol class="recovery" data-testid="recovery-codes">{codes.map((c) => <li key={c}><code>{c}</code></li>)}</ol>
      <div class="modal-do"><Press look="primary" test="second-done" onClick={done}>Jeg har gemt koderne</Press></div>
    </div>
  );
}

/** Setting it up: a picture for the app, the key for those who type it, a first code, and what to keep. */
function SetUp({ account, done, children }: { account: Account; done: () => void; children?: ComponentChildren }) {
  const [offered, setOffered] = useState<Offered | undefined>(undefined);
  const [fault, setFault] = useState('');
  const [codes, setCodes] = useState<string[] | undefined>(undefined);
  useEffect(() => void account.offer().then((o) => ('ok' in o ? setOffered(o.ok) : setFault(o.fault))), []);
  if (codes) return <Codes codes={codes} done={done} />;
  if (fault) return <p class="alert alert-error plain" role="alert">{fault}</p>;
  if (!offered) return <p class="empty">Et øjeblik…</p>;
  return (
    <div data-testid="second-setup">
      <ol class="steps">
        <li>Åbn en kodeapp på din telefon, for eksempel Microsoft Authenticator eller Google Authenticator.</li>
        <li>
          Scan billedet med appen.
          <img class="qr" src={`data:image/svg+xml,${encodeURIComponent(offered.qr)}`} alt="QR-kode til kodeappen. Kan du ikke scanne den, så skriv nøglen herunder i appen." width={220} height={220} />
          <p>Kan du ikke scanne, så skriv denne nøgle i appen: <code class="key" data-testid="second-key">{offered.key}</code></p>
        </li>
        <li>Skriv den kode på seks cifre, som appen viser.</li>
      </ol>
      <CodeForm label="Kode fra appen" action="Slå til" send={async (code) => {
        const answer = await account.confirm(code);
        if ('fault' in answer) return answer.fault;
        setCodes(answer.ok.recovery_codes);
        return undefined;
      }}>{children}</CodeForm>
    </div>
  );
}

function SecondFactor({ account }: { account: Account }) {
  const [second, setSecond] = useState<Second | undefined>(undefined);
  const [doing, setDoing] = useState<'' | 'set_up' | 'codes' | 'remove'>('');
  const [codes, setCodes] = useState<string[] | undefined>(undefined);
  const look = (): void => void account.second().then((s) => 'ok' in s && setSecond(s.ok));
  useEffect(look, []);
  const over = (): void => {
    setDoing('');
    setCodes(undefined);
    look();
  };
  if (!second || second.state === 'off') return null;
  const cancel = <Press look="tertiary" onClick={over}>Fortryd</Press>;
  return (
    <section aria-labelledby="second-title" data-testid="second-factor" data-state={second.state}>
      <h3 id="second-title">Totrinsbekræftelse</h3>
      {codes ? <Codes codes={codes} done={over} />
        : doing === 'set_up' ? <SetUp account={account} done={over}>{cancel}</SetUp>
        : doing === 'codes' ? <CodeForm label="Kode fra din kodeapp" action="Lav nye koder" send={async (code) => {
          const answer = await account.recovery(code);
          if ('fault' in answer) return answer.fault;
          setCodes(answer.ok.recovery_codes);
          return undefined;
        }}>{cancel}</CodeForm>
        : doing === 'remove' ? <CodeForm label="Kode fra din kodeapp" action="Slå fra" send={async (code) => {
          const answer = await account.remove(code);
          if ('fault' in answer) return answer.fault;
          say('Totrinsbekræftelse er slået fra.');
          over();
          return undefined;
        }}>{cancel}</CodeForm>
        : second.state === 'on' ? (
          <>
            <p>Slået til. Du har {second.recovery_codes} genoprettelseskoder tilbage.</p>
            <div class="modal-do"><Press test="second-codes" onClick={() => setDoing('codes')}>Lav nye genoprettelseskoder</Press>{!second.required && <Press look="tertiary" test="second-off" onClick={() => setDoing('remove')}>Slå fra</Press>}</div>
          </>
        ) : (
          <>
            <p>Med en kode fra din telefon kan ingen logge ind som dig, selv om de kender din adgangskode.</p>
            <div class="modal-do"><Press look="primary" test="second-on" onClick={() => setDoing('set_up')}>Slå til</Press></div>
          </>
        )}
    </section>
  );
}

const when = new Intl.DateTimeFormat('da-DK', { dateStyle: 'medium', timeStyle: 'short' });

function Sessions({ account }: { account: Account }) {
  const [rows, setRows] = useState<SessionRow[]>([]);
  const [fault, setFault] = useState('');
  const look = (): void => void account.sessions().then((s) => ('ok' in s ? setRows(s.ok.sessions) : setFault(s.fault)));
  useEffect(look, []);
  const end = (id: string): void => void account.end(id).then((e) => {
    if ('fault' in e) return setFault(e.fault);
    say('Der er logget ud.');
    look();
  });
  return (
    <section aria-labelledby="sessions-title" data-testid="sessions">
      <h3 id="sessions-title">Her er du logget ind</h3>
      {fault && <p class="form-error-message" role="alert">{fault}</p>}
      <ul class="sessions">
        {rows.map((s) => (
          <li key={s.id}>
            <span>Siden {when.format(s.begun_ms)}{s.from && <> fra {s.from}</>}, brugt {when.format(s.used_ms)}{s.this && <strong> (denne)</strong>}</span>
            {!s.this && <Press look="tertiary" test="session-end" aria-label={`Log ud det sted, der har været logget ind siden ${when.format(s.begun_ms)}`} onClick={() => end(s.id)}>Log ud</Press>}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function AccountDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const account = useMemo(() => new Account(session.csrf), [session.csrf]);
  return (
    <Modal title={`Min konto: ${session.name}`} onClose={onClose} test="account-dialog">
      <SecondFactor account={account} />
      <Sessions account={account} />
    </Modal>
  );
}

/** Before anything else, where the service demands it. */
export function SetUpPage({ session, entered, signOut }: { session: Session; entered: (answer: SignIn) => void; signOut: () => void }) {
  const account = useMemo(() => new Account(session.csrf), [session.csrf]);
  return (
    <main class="signin" id="main">
      <div class="signin-card">
        <p class="brand">Borgerlinje</p>
        <h1>Slå totrinsbekræftelse til</h1>
        <p>Din konto skal have den, før du kan gå videre. Det tager et par minutter, og du skal bruge din telefon.</p>
        <SetUp account={account} done={() => void current().then(entered)}><Press look="tertiary" onClick={signOut}>Log ud</Press></SetUp>
      </div>
    </main>
  );
}
