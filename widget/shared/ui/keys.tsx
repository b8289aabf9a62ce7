// One's own security keys and passkeys: added, named, taken away.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Account, Key, Second, Shown } from '../core/session';
import { make, supported, UNSUPPORTED, type Challenge } from '../core/webauthn';
import { Press } from './parts';
import { Codes, Prove } from './prove';
import { say } from './say';

interface NameFormProps { value: string; action: string; send: (name: string) => Promise<string | undefined>; children?: ComponentChildren }
/** What a key is called by its owner. */
function NameForm({ value, action, send, children }: NameFormProps) {
  const [name, setName] = useState(value);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const at = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => at.current?.select(), []);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    const wrong = name.trim() ? await send(name.trim()) : 'Giv nøglen et navn';
    setBusy(false);
    setFault(wrong ?? '');
    if (wrong) at.current?.focus();
  };
  return (
    <form class="code-form" onSubmit={(e) => void submit(e)} noValidate>
      <label class="form-label" for="key-name">Nøglens navn</label>
      <span class="form-hint" id="key-hint">Så du kan kende den igen, for eksempel »Blå nøgle« eller »Min telefon«</span>
      {fault && <p class="form-error-message" id="key-error" role="alert" data-testid="key-problem">{fault}</p>}
      <input class="form-input code-input" id="key-name" name="key-name" ref={at} autoComplete="off" maxLength={60} required
        aria-invalid={fault !== ''} aria-describedby={fault ? 'key-hint key-error' : 'key-hint'} value={name} onInput={(e) => setName(e.currentTarget.value)} />
      <div class="modal-do"><Press look="primary" type="submit" test="key-send" aria-disabled={busy}>{action}</Press>{children}</div>
    </form>
  );
}

interface AddProps { account: Account; second: Second; done: () => void; children?: ComponentChildren }
/** A name, a second factor where there is one already, and then it is the browser's turn. */
export function AddKey({ account, second, done, children }: AddProps) {
  const [name, setName] = useState('');
  const [asked, setAsked] = useState<Challenge | undefined>(undefined);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const [codes, setCodes] = useState<string[] | undefined>(undefined);
  const again = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => again.current?.querySelector('button')?.focus(), [asked]);

  // The challenge stays good when somebody lets go: they need not show their other factor twice.
  const build = async (challenge: Challenge, called: string): Promise<void> => {
    setBusy(true);
    setFault('');
    const heard = await make(challenge);
    const told = 'said' in heard ? await account.addKey(called, heard.said) : heard;
    setBusy(false);
    if ('fault' in told) {
      // What was said to the service is used up; what was never said is not.
      if ('said' in heard) {
        setAsked(undefined);
        setName('');
      }
      return setFault(told.fault);
    }
    say('Nøglen er tilføjet.');
    if (told.ok.recovery_codes.length > 0) setCodes(told.ok.recovery_codes);
    else done();
  };
  const begin = async (shown: Shown, called: string): Promise<string | undefined> => {
    const answer = await account.beginKey(shown);
    if ('fault' in answer) return answer.fault;
    setAsked(answer.ok);
    void build(answer.ok, called);
    return undefined;
  };

  if (codes) return <Codes codes={codes} done={done} />;
  return (
    <div data-testid="key-add">
      <div role="alert">{fault && <p class="alert alert-error plain" data-testid="key-fault">{fault}</p>}</div>
      {asked ? (
        <div ref={again}>
          <p role="status">{busy ? 'Følg det, som browseren beder om: tryk på nøglen, eller godkend på telefonen eller computeren.' : 'Nøglen er ikke tilføjet endnu.'}</p>
          <div class="modal-do"><Press look="primary" test="key-again" aria-disabled={busy} onClick={() => { if (!busy) void build(asked, name); }}>Prøv igen</Press>{children}</div>
        </div>
      ) : name && second.state === 'on' ? (
        <Prove account={account} second={second} action="Fortsæt" send={(shown) => begin(shown, name)}>{children}</Prove>
      ) : (
        <NameForm value={name} action="Fortsæt" send={async (called) => {
          setFault('');
          setName(called);
          return second.state === 'on' ? undefined : begin({}, called);
        }}>{children}</NameForm>
      )}
    </div>
  );
}

const day = new Intl.DateTimeFormat('da-DK', { dateStyle: 'medium' });
const since = (k: Key): string => `tilføjet ${day.format(k.added_ms)}, ${k.used_ms === null ? 'ikke brugt endnu' : `sidst brugt ${day.format(k.used_ms)}`}`;

type Doing = { what: 'add' } | { what: 'name' | 'remove'; key: Key };

export function Keys({ account, second, changed }: { account: Account; second: Second; changed: () => void }) {
  const [doing, setDoing] = useState<Doing | undefined>(undefined);
  const title = useRef<HTMLHeadingElement>(null);
  const over = (): void => {
    setDoing(undefined);
    title.current?.focus();
  };
  const done = (): void => {
    over();
    changed();
  };
  const cancel = <Press look="tertiary" onClick={over}>Fortryd</Press>;
  const can = second.keys_here && supported();
  return (
    <section aria-labelledby="keys-title" data-testid="keys">
      <h3 id="keys-title" ref={title} tabIndex={-1}>Sikkerhedsnøgle eller adgangsnøgle</h3>
      {doing?.what === 'add' ? <AddKey account={account} second={second} done={done}>{cancel}</AddKey>
        : doing?.what === 'name' ? <NameForm value={doing.key.name} action="Gem" send={async (name) => {
          const answer = await account.nameKey(doing.key.id, name);
          if ('fault' in answer) return answer.fault;
          say('Navnet er gemt.');
          done();
          return undefined;
        }}>{cancel}</NameForm>
        : doing?.what === 'remove' ? (
          <>
            <p>Fjern »{doing.key.name}«? Du bliver også logget ud alle andre steder.</p>
            <Prove account={account} second={second} action="Fjern nøglen" send={async (shown) => {
              const answer = await account.removeKey(doing.key.id, shown);
              if ('fault' in answer) return answer.fault;
              say('Nøglen er fjernet.');
              done();
              return undefined;
            }}>{cancel}</Prove>
          </>
        ) : (
          <>
            <p>En nøgle til USB eller NFC, eller en adgangsnøgle på din telefon eller computer. Den virker kun på jeres egen side, så ingen kan lokke den fra dig.</p>
            <ul class="sessions">
              {second.keys.map((k) => (
                <li key={k.id} data-testid="key">
                  <span><strong>{k.name}</strong>, {since(k)}</span>
                  <span>
                    <Press look="tertiary" test="key-name" aria-label={`Omdøb ${k.name}`} onClick={() => setDoing({ what: 'name', key: k })}>Omdøb</Press>
                    {(!second.required || second.app || second.keys.length > 1) && <Press look="tertiary" test="key-remove" aria-label={`Fjern ${k.name}`} onClick={() => setDoing({ what: 'remove', key: k })}>Fjern</Press>}
                  </span>
                </li>
              ))}
            </ul>
            {can ? <div class="modal-do"><Press test="key-new" onClick={() => setDoing({ what: 'add' })}>Tilføj nøgle</Press></div>
              : <p class="small" data-testid="keys-not-here">{second.keys_here ? UNSUPPORTED : 'Nøgler kan ikke bruges på denne adresse. Åbn siden på jeres sædvanlige adresse for at tilføje en.'}</p>}
          </>
        )}
    </section>
  );
}
