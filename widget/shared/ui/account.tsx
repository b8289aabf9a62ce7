// One's own account: the second factor, and where one is signed in.

import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Account, current, type Offered, type Second, type Session, type SessionRow, type Shown, type SignIn } from '../core/session';
import { supported } from '../core/webauthn';
import { AddKey, Keys } from './keys';
import { Modal, Press } from './parts';
import { CodeForm, Codes, Prove } from './prove';
import { say } from './say';

/** Setting it up: a picture for the app, the key for those who type it, a first code, and what to keep. */
function SetUp({ account, shown, done, children }: { account: Account; shown: Shown; done: () => void; children?: ComponentChildren }) {
  const [offered, setOffered] = useState<Offered | undefined>(undefined);
  const [fault, setFault] = useState('');
  const [codes, setCodes] = useState<string[] | undefined>(undefined);
  useEffect(() => void account.offer(shown).then((o) => ('ok' in o ? setOffered(o.ok) : setFault(o.fault))), []);
  if (codes) return <Codes codes={codes} done={done} />;
  if (fault) return <><p class="alert alert-error plain" role="alert" data-testid="second-fault">{fault}</p><div class="modal-do">{children}</div></>;
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
        if (answer.ok.recovery_codes.length === 0) done();
        else setCodes(answer.ok.recovery_codes);
        return undefined;
      }}>{children}</CodeForm>
    </div>
  );
}

function SecondFactor({ account, second, changed }: { account: Account; second: Second; changed: () => void }) {
  const [doing, setDoing] = useState<'' | 'set_up' | 'codes' | 'remove'>('');
  const [shown, setShown] = useState<Shown | undefined>(undefined);
  const [codes, setCodes] = useState<string[] | undefined>(undefined);
  const over = (): void => {
    setDoing('');
    setShown(undefined);
    setCodes(undefined);
    changed();
  };
  const cancel = <Press look="tertiary" onClick={over}>Fortryd</Press>;
  return (
    <section aria-labelledby="second-title" data-testid="second-factor" data-state={second.state}>
      <h3 id="second-title">Totrinsbekræftelse</h3>
      {codes ? <Codes codes={codes} done={over} />
        : doing === 'set_up' ? (second.state === 'on' && !shown
          ? <Prove account={account} second={second} action="Fortsæt" send={(s) => { setShown(s); return Promise.resolve(undefined); }}>{cancel}</Prove>
          : <SetUp account={account} shown={shown ?? {}} done={over}>{cancel}</SetUp>)
        : doing === 'codes' ? <Prove account={account} second={second} action="Lav nye koder" send={async (s) => {
          const answer = await account.recovery(s);
          if ('fault' in answer) return answer.fault;
          setCodes(answer.ok.recovery_codes);
          return undefined;
        }}>{cancel}</Prove>
        : doing === 'remove' ? <Prove account={account} second={second} action="Slå kodeappen fra" send={async (s) => {
          const answer = await account.remove(s);
          if ('fault' in answer) return answer.fault;
          say('Kodeappen er slået fra.');
          over();
          return undefined;
        }}>{cancel}</Prove>
        : second.state === 'on' ? (
          <>
            <p>Slået til{second.app ? ' med kodeapp' : ''}{second.app && second.keys.length > 0 ? ' og nøgle' : second.app ? '' : ' med nøgle'}. Du har {second.recovery_codes} genoprettelseskoder tilbage.</p>
            {/* Keys: whoever stands on one of them when the others come does not stand on another. */}
            <div class="modal-do">
              <Press key="codes" test="second-codes" onClick={() => setDoing('codes')}>Lav nye genoprettelseskoder</Press>
              {!second.app && <Press key="app" test="second-on" onClick={() => setDoing('set_up')}>Tilføj en kodeapp</Press>}
              {second.app && (!second.required || second.keys.length > 0) && <Press look="tertiary" test="second-off" onClick={() => setDoing('remove')}>Slå kodeappen fra</Press>}
            </div>
          </>
        ) : (
          <>
            <p>Med en kode fra din telefon eller en nøgle kan ingen logge ind som dig, selv om de kender din adgangskode.</p>
            <div class="modal-do"><Press key="app" look="primary" test="second-on" onClick={() => setDoing('set_up')}>Brug en kodeapp</Press></div>
          </>
        )}
    </section>
  );
}

/** Both kinds, from one look at how it stands. */
function Factors({ account }: { account: Account }) {
  const [second, setSecond] = useState<Second | undefined>(undefined);
  const look = (): void => void account.second().then((s) => 'ok' in s && setSecond(s.ok));
  useEffect(look, []);
  if (!second || second.state === 'off') return null;
  return <><SecondFactor account={account} second={second} changed={look} /><Keys account={account} second={second} changed={look} /></>;
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
      <Factors account={account} />
      <Sessions account={account} />
    </Modal>
  );
}

/** Before anything else, where the service demands it. */
export function SetUpPage({ session, entered, signOut }: { session: Session; entered: (answer: SignIn) => void; signOut: () => void }) {
  const account = useMemo(() => new Account(session.csrf), [session.csrf]);
  const [second, setSecond] = useState<Second | undefined>(undefined);
  const [byKey, setByKey] = useState(false);
  useEffect(() => void account.second().then((s) => 'ok' in s && setSecond(s.ok)), []);
  const done = (): void => void current().then(entered);
  const out = <Press look="tertiary" onClick={signOut}>Log ud</Press>;
  return (
    <main class="signin" id="main">
      <div class="signin-card">
        <p class="brand">Borgerlinje</p>
        <h1>Slå totrinsbekræftelse til</h1>
        <p>Din konto skal have den, før du kan gå videre. Det tager et par minutter, og du skal bruge din telefon eller en nøgle.</p>
        {byKey && second ? <AddKey account={account} second={second} done={done}>{out}</AddKey> : <SetUp account={account} shown={{}} done={done}>{out}</SetUp>}
        {second?.keys_here && supported() && <p class="small"><Press look="tertiary" test="second-instead" onClick={() => setByKey(!byKey)}>{byKey ? 'Brug en kodeapp i stedet' : 'Brug en sikkerhedsnøgle eller adgangsnøgle i stedet'}</Press></p>}
      </div>
    </main>
  );
}
