// Who are you? Says in words what went wrong, and how long to wait.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { cameBack, current, providerAddress, providers, signIn, signInNamed, type Asked, type CameBack, type Provider, type Shown, type SignIn } from '../core/session';
import { spoken } from '../core/time';
import { show, supported, UNSUPPORTED, type Challenge } from '../core/webauthn';
import { Press } from './parts';

/** Said once: a page that is loaded again, or shared, says nothing of it. */
function landed(): CameBack | undefined {
  const found = cameBack(location.search);
  if (found) history.replaceState(history.state, '', location.pathname + location.hash);
  return found;
}

interface Problem { text: string; until_ms?: number }

interface Props { title: string; /** Why nobody is signed in any more. */ farewell: string; unreachable: boolean; entered: (answer: SignIn) => void }
export function SignInPage({ title, farewell, unreachable, entered }: Props) {
  const [back] = useState(landed);
  const [problem, setProblem] = useState<Problem | undefined>(unreachable ? { text: 'Tjenesten svarer ikke lige nu.' } : back?.kind === 'fault' ? { text: back.text } : undefined);
  const [busy, setBusy] = useState(false);
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState({ user: false, password: false, code: false });
  /** Whether the password was right and a second factor is asked for, and which kind is at hand. */
  const [step, setStep] = useState<'password' | 'key' | 'code' | 'recovery'>(back?.kind === 'code' ? 'code' : 'password');
  /** Which there are; the challenge in it is for one try. */
  const [asked, setAsked] = useState<Asked>({ app: true, keys: false, key: undefined });
  /** Whether a provider has named us, and the second factor is all that is left. */
  const [named, setNamed] = useState(back?.kind === 'code');
  /** Whether there are keys for this address, and the browser knows of them. */
  const [able, setAble] = useState(false);
  const [offered, setOffered] = useState<Provider[]>([]);
  const [code, setCode] = useState('');
  const first = useRef<HTMLAnchorElement>(null);
  const proof = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  const touch = useRef<HTMLDivElement>(null);
  // Before the page is painted: nothing is ever without a cursor, and a screen reader says the field at once.
  useLayoutEffect(() => (step === 'password' ? name.current : step === 'key' ? touch.current?.querySelector('button') : proof.current)?.focus(), [step]);
  useEffect(() => void providers().then(setOffered), []);
  // Whoever has not begun to write is led to the way that the municipality has chosen.
  useLayoutEffect(() => {
    if (document.activeElement === name.current && !name.current?.value) first.current?.focus();
  }, [offered]);
  const to = location.pathname.startsWith('/studio') ? 'studio' : 'desk';
  const [now, setNow] = useState(Date.now());
  const until = problem?.until_ms;
  useEffect(() => {
    if (until === undefined) return undefined;
    const tick = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(tick);
  }, [until]);
  const wait = until === undefined ? 0 : until - now;

  const send = (shown: Shown): Promise<SignIn> => (named ? signInNamed(shown) : signIn(user.trim(), password, shown));

  /** What came of it, said where one is or from the beginning. */
  const settle = (answer: SignIn): void => {
    if (answer.kind === 'in') return entered(answer);
    if (answer.kind === 'code') return choose(answer.asked);
    if (answer.kind === 'throttled') {
      setNow(Date.now());
      setProblem({ text: 'Der er forsøgt for mange gange.', until_ms: Date.now() + answer.wait_ms });
    } else if (answer.kind === 'unreachable') setProblem({ text: 'Tjenesten svarer ikke lige nu. Prøv igen om lidt.' });
    else if (answer.kind === 'refused' && ['bad_code', 'bad_key', 'key_over', 'second_factor'].includes(answer.code)) setProblem({ text: answer.text });
    else if (named) {
      setProblem({ text: answer.kind === 'refused' ? answer.text : 'Du blev ikke logget ind. Prøv igen.' });
      setNamed(false);
      setStep('password');
    } else {
      // The password may have changed meanwhile: from the beginning.
      setProblem({ text: 'Brugernavn eller adgangskode passer ikke.' });
      setStep('password');
    }
    if (step === 'key') return touch.current?.querySelector('button')?.focus();
    const again = step === 'password' ? secret : proof;
    again.current?.select();
    again.current?.focus();
  };
  /** The key first, for nobody can talk it out of anybody; where there is no other way it is asked for at once. */
  const choose = (found: Asked): void => {
    const can = found.key !== undefined && supported();
    setAble(can);
    setAsked(found);
    setProblem(!found.keys || can || found.app ? undefined
      : { text: found.key ? UNSUPPORTED : 'Nøgler kan ikke bruges på denne adresse. Åbn siden på jeres sædvanlige adresse.' });
    setStep(can ? 'key' : found.app ? 'code' : 'recovery');
    if (can && !found.app) void askKey(found.key);
  };
  const askKey = async (fresh: Challenge | undefined): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    setAsked((a) => ({ ...a, key: undefined }));
    let challenge = fresh;
    if (!challenge) {
      const again = await send({});
      if (again.kind !== 'code' || !again.asked.key) {
        setBusy(false);
        return settle(again);
      }
      challenge = again.asked.key;
    }
    const heard = await show(challenge);
    const answer = 'said' in heard ? await send({ key: heard.said }) : heard;
    setBusy(false);
    if ('kind' in answer) return settle(answer);
    setProblem({ text: answer.fault });
    touch.current?.querySelector('button')?.focus();
  };
  // Whom a provider has named is told here what they may show.
  useEffect(() => {
    if (back?.kind === 'code') void send({}).then((answer) => answer.kind === 'code' && choose(answer.asked));
  }, []);

  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    const coded = step !== 'password';
    if (step === 'key') return busy || wait > 0 ? undefined : askKey(asked.key);
    const empty = { user: !coded && !user.trim(), password: !coded && !password, code: coded && !code.trim() };
    setMissing(empty);
    if (empty.code) return proof.current?.focus();
    if (empty.user || empty.password) return (empty.user ? name : secret).current?.focus();
    if (busy || wait > 0) return;
    setBusy(true);
    const answer = await send(coded ? { code: code.trim() } : {});
    setBusy(false);
    settle(answer);
  };
  const turn = (to: 'key' | 'code' | 'recovery'): void => {
    setCode('');
    setProblem(undefined);
    setMissing({ user: false, password: false, code: false });
    setStep(to);
  };
  const over = (): void => {
    setCode('');
    setPassword('');
    setProblem(undefined);
    setNamed(false);
    setStep('password');
  };

  return (
    <main class="signin" id="main">
      <div class="signin-card">
        <p class="brand">Borgerlinje</p>
        <h1>{title}</h1>
        {farewell && !problem && <p class="alert alert-info plain" role="status">{farewell}</p>}
        <div role="alert">
          {problem && (
            <p class="alert alert-error plain" data-testid="signin-problem">
              {problem.text}{problem.until_ms !== undefined && (wait > 0 ? ` Prøv igen om ${spoken(wait + 999)}.` : ' Du kan prøve igen nu.')}
            </p>
          )}
        </div>
        {step === 'password' && offered.length > 0 && (
          <div class="signin-providers" data-testid="signin-providers">
            {offered.map((p, n) => <a class="button button-primary" key={p.id} ref={n === 0 ? first : null} href={providerAddress(p, to)} data-testid="signin-provider">Log ind med {p.name}</a>)}
            <p class="small" id="signin-or">Eller med brugernavn og adgangskode:</p>
          </div>
        )}
        <form onSubmit={(e) => void submit(e)} noValidate>
          {step === 'password' ? <>
            <div class={missing.user ? 'form-group form-error' : 'form-group'}>
              <label class="form-label" for="user">Brugernavn</label>
              {missing.user && <span class="form-error-message" id="user-error">Skriv dit brugernavn</span>}
              <input class="form-input" id="user" name="user" ref={name} autoComplete="username" autoCapitalize="none" spellcheck={false} required
                aria-invalid={missing.user} aria-describedby={missing.user ? 'user-error' : undefined}
                value={user} onInput={(e) => setUser(e.currentTarget.value)} />
            </div>
            <div class={missing.password ? 'form-group form-error' : 'form-group'}>
              <label class="form-label" for="password">Adgangskode</label>
              {missing.password && <span class="form-error-message" id="password-error">Skriv din adgangskode</span>}
              <input class="form-input" id="password" name="password" type="password" ref={secret} autoComplete="current-password" required
                aria-invalid={missing.password} aria-describedby={missing.password ? 'password-error' : undefined}
                value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
            </div>
          </> : step === 'key' ? (
            <p role="status" data-testid="signin-key">{busy ? 'Følg det, som browseren beder om: tryk på nøglen, eller godkend på telefonen eller computeren.' : 'Brug den nøgle, som du har tilføjet til din konto.'}</p>
          ) : (
            <div class={missing.code ? 'form-group form-error' : 'form-group'} data-testid="signin-code">
              <label class="form-label" for="code">{step === 'code' ? 'Kode fra din kodeapp' : 'Genoprettelseskode'}</label>
              <span class="form-hint" id="code-hint">{step === 'code' ? 'Seks cifre, som skifter hvert halve minut' : 'En af de ti koder, du fik, da du slog totrinsbekræftelse til. Den virker én gang'}</span>
              {missing.code && <span class="form-error-message" id="code-error">Skriv koden</span>}
              <input class="form-input" id="code" name="code" key={step} ref={proof} autoComplete={step === 'code' ? 'one-time-code' : 'off'} inputMode={step === 'code' ? 'numeric' : 'text'}
                autoCapitalize="none" spellcheck={false} required aria-invalid={missing.code} aria-describedby={missing.code ? 'code-hint code-error' : 'code-hint'}
                value={code} onInput={(e) => setCode(e.currentTarget.value)} />
            </div>
          )}
          <div ref={touch} class="signin-do"><Press look={step === 'password' && offered.length > 0 ? 'secondary' : 'primary'} type="submit" test="signin-send" aria-disabled={busy || wait > 0}>{step === 'key' ? 'Brug nøgle' : busy ? 'Logger ind…' : 'Log ind'}</Press></div>
          {unreachable && <Press look="tertiary" onClick={() => void current().then(entered)}>Prøv igen</Press>}
        </form>
        {step !== 'password' && (
          <p class="small">
            {step !== 'key' && asked.keys && able && <Press look="tertiary" test="signin-by-key" onClick={() => turn('key')}>Brug nøgle</Press>}
            {step !== 'code' && asked.app && <Press look="tertiary" test="signin-by-app" onClick={() => turn('code')}>Brug kodeappen</Press>}
            {step !== 'recovery' && <Press look="tertiary" test="signin-recovery" onClick={() => turn('recovery')}>Brug en genoprettelseskode</Press>}
            <Press look="tertiary" onClick={over}>Begynd forfra</Press>
          </p>
        )}
        {step !== 'password' && <p class="small">Har du hverken nøgle, app eller koder, kan IT nulstille din totrinsbekræftelse.</p>}
        {step === 'password' && <p class="small">Har du glemt din adgangskode, kan din leder eller IT give dig en ny.</p>}
      </div>
    </main>
  );
}
