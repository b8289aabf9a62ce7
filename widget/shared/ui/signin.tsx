// Who are you? Says in words what went wrong, and how long to wait.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { cameBack, current, providerAddress, providers, signIn, signInCode, type CameBack, type Provider, type SignIn } from '../core/session';
import { spoken } from '../core/time';
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
  /** Whether the password was right and a code is asked for, and which kind is at hand. */
  const [step, setStep] = useState<'password' | 'code' | 'recovery'>(back?.kind === 'code' ? 'code' : 'password');
  /** Whether a provider has named us, and the code is all that is left. */
  const [named, setNamed] = useState(back?.kind === 'code');
  const [offered, setOffered] = useState<Provider[]>([]);
  const [code, setCode] = useState('');
  const first = useRef<HTMLAnchorElement>(null);
  const proof = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  // Before the page is painted: nothing is ever without a cursor, and a screen reader says the field at once.
  useLayoutEffect(() => (step === 'password' ? name : proof).current?.focus(), [step]);
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

  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    const coded = step !== 'password';
    const empty = { user: !coded && !user.trim(), password: !coded && !password, code: coded && !code.trim() };
    setMissing(empty);
    if (empty.code) return proof.current?.focus();
    if (empty.user || empty.password) return (empty.user ? name : secret).current?.focus();
    if (busy || wait > 0) return;
    setBusy(true);
    const answer = named ? await signInCode(code.trim()) : await signIn(user.trim(), password, coded ? code.trim() : '');
    setBusy(false);
    if (answer.kind === 'in') return entered(answer);
    if (answer.kind === 'code') {
      setProblem(undefined);
      return setStep('code');
    }
    if (answer.kind === 'throttled') {
      setNow(Date.now());
      setProblem({ text: 'Der er forsøgt for mange gange.', until_ms: Date.now() + answer.wait_ms });
    } else if (answer.kind === 'unreachable') setProblem({ text: 'Tjenesten svarer ikke lige nu. Prøv igen om lidt.' });
    else if (answer.kind === 'refused' && answer.code === 'bad_code') setProblem({ text: answer.text });
    else if (named) {
      setProblem({ text: answer.kind === 'refused' ? answer.text : 'Du blev ikke logget ind. Prøv igen.' });
      setNamed(false);
      setStep('password');
    } else {
      // The password may have changed meanwhile: from the beginning.
      setProblem({ text: 'Brugernavn eller adgangskode passer ikke.' });
      setStep('password');
    }
    const again = coded ? proof : secret;
    again.current?.select();
    again.current?.focus();
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
          </> : (
            <div class={missing.code ? 'form-group form-error' : 'form-group'} data-testid="signin-code">
              <label class="form-label" for="code">{step === 'code' ? 'Kode fra din kodeapp' : 'Genoprettelseskode'}</label>
              <span class="form-hint" id="code-hint">{step === 'code' ? 'Seks cifre, som skifter hvert halve minut' : 'En af de ti koder, du fik, da du slog totrinsbekræftelse til. Den virker én gang'}</span>
              {missing.code && <span class="form-error-message" id="code-error">Skriv koden</span>}
              <input class="form-input" id="code" name="code" key={step} ref={proof} autoComplete={step === 'code' ? 'one-time-code' : 'off'} inputMode={step === 'code' ? 'numeric' : 'text'}
                autoCapitalize="none" spellcheck={false} required aria-invalid={missing.code} aria-describedby={missing.code ? 'code-hint code-error' : 'code-hint'}
                value={code} onInput={(e) => setCode(e.currentTarget.value)} />
            </div>
          )}
          <Press look={step === 'password' && offered.length > 0 ? 'secondary' : 'primary'} type="submit" test="signin-send" aria-disabled={busy || wait > 0}>{busy ? 'Logger ind…' : 'Log ind'}</Press>
          {unreachable && <Press look="tertiary" onClick={() => void current().then(entered)}>Prøv igen</Press>}
        </form>
        {step === 'code' && <p class="small"><Press look="tertiary" test="signin-recovery" onClick={() => { setCode(''); setStep('recovery'); }}>Brug en genoprettelseskode</Press><Press look="tertiary" onClick={over}>Begynd forfra</Press></p>}
        {step === 'recovery' && <p class="small"><Press look="tertiary" onClick={() => { setCode(''); setStep('code'); }}>Brug kodeappen</Press><Press look="tertiary" onClick={over}>Begynd forfra</Press></p>}
        {step !== 'password' && <p class="small">Har du hverken app eller koder, kan IT nulstille din totrinsbekræftelse.</p>}
        {step === 'password' && <p class="small">Har du glemt din adgangskode, kan din leder eller IT give dig en ny.</p>}
      </div>
    </main>
  );
}
