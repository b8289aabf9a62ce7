// Small parts that several pages of the studio share.

import { useEffect, useId, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Fault as Failed } from '../core/client';
import type { DraftState, Fault, Municipality } from '../core/api';
import { clock, day } from '../../shared/core/time';
import { Empty, Icon, Press } from '../../shared/ui/parts';
import * as words from '../core/words';

/** "i dag kl. 09.05", "2. oktober 2026 kl. 14.00" */
const far = new Intl.DateTimeFormat('da-DK', { timeZone: 'Europe/Copenhagen', day: 'numeric', month: 'long', year: 'numeric' });
export function when(at_ms: number, now_ms = Date.now()): string {
  const near = day(at_ms, now_ms);
  return `${/^i /.test(near) ? near : far.format(at_ms)} kl. ${clock(at_ms)}`;
}
export const When = ({ at }: { at: number }) => <time dateTime={new Date(at).toISOString()}>{when(at)}</time>;

const iso = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Copenhagen', year: 'numeric', month: '2-digit', day: '2-digit' });
export const today = (): string => iso.format(Date.now());
/** "30. juni 2027" of `2027-06-30`; as it stands where it is no date. */
export function date(d: string): string {
  const at = Date.parse(`${d}T12:00:00Z`);
  return Number.isNaN(at) ? d : far.format(at);
}

/** What came of asking: what went wrong with a way to try again, or that it is on its way. */
export function Waiting({ fault, again, what }: { fault: Failed | undefined; again: () => void; what: string }) {
  // What comes at once needs no word before it.
  const [late, setLate] = useState(false);
  useEffect(() => {
    const later = setTimeout(() => setLate(true), 250);
    return () => clearTimeout(later);
  }, []);
  if (fault) {
    return <div class="alert alert-error plain" role="alert" data-testid="trouble"><p>{fault.text}</p><p><Press look="secondary" onClick={again}>Prøv igen</Press></p></div>;
  }
  return late ? <Empty>{`Henter ${what}…`}</Empty> : null;
}

export const Trouble = ({ text }: { text: string }) => (text ? <p class="alert alert-error plain" role="alert" data-testid="trouble">{text}</p> : null);

export const StateBadge = ({ state }: { state: DraftState }) =>
  <span class={`badge ${state === 'waiting' || state === 'scheduled' ? 'badge-warning' : state === 'approved' ? 'badge-info' : ''}`}>{words.state(state)}</span>;

export const Flag = ({ kind, children }: { kind: 'info' | 'warning' | 'error' | ''; children: ComponentChildren }) =>
  <span class={kind ? `badge badge-${kind}` : 'badge'}>{children}</span>;

interface FieldProps { label: string; help?: ComponentChildren; faults?: readonly Fault[]; children: (props: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean }) => ComponentChildren; class?: string }
/** A label, a field, what is asked of it, and what is wrong with it, tied together for whoever hears the page. */
export function Field({ label, help, faults = [], children, class: more = '' }: FieldProps) {
  const id = useId();
  const errors = faults.filter((f) => f.severity !== 'warning');
  const described = [help && `${id}-help`, faults.length > 0 && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div class={`field ${errors.length ? 'wrong' : ''} ${more}`}>
      <label class="form-label" for={id}>{label}</label>
      {help && <p class="help" id={`${id}-help`}>{help}</p>}
      {faults.length > 0 && <p class={errors.length ? 'form-error-message' : 'form-hint'} id={`${id}-fault`}>{faults.map((f) => f.text).join(' ')}</p>}
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': errors.length > 0 })}
    </div>
  );
}

interface TownSelectProps { towns: readonly Municipality[]; value: string; none?: string; onChange: (code: string) => void; label: string; test?: string }
export function TownSelect({ towns, value, none, onChange, label, test }: TownSelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="form-label" for={id}>{label}</label>
      <select id={id} class="form-select" value={value} data-testid={test} onChange={(e) => onChange(e.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {towns.map((m) => <option key={m.code} value={m.code}>{m.name}</option>)}
      </select>
    </div>
  );
}

/** A bar for a long job, with what it is doing just now, and a way to stop it. */
export function Progress({ step, done, total, onStop }: { step: string; done: number; total: number; onStop?: (() => void) | undefined }) {
  const share = total > 0 ? Math.round((done / total) * 100) : undefined;
  return (
    <div class="progress" data-testid="progress">
      <p><span>{step || 'Arbejder…'}</span>{share !== undefined && <span class="num">{share} %</span>}</p>
      <progress class="bar" aria-label={step || 'Arbejder'} max={total > 0 ? total : undefined} value={total > 0 ? done : undefined} />
      {onStop && <Press look="secondary" icon="close" test="stop" onClick={onStop}>Stop</Press>}
    </div>
  );
}

export const Back = ({ href, children }: { href: string; children: ComponentChildren }) => <a class="back" href={href}><Icon name="arrowBack" />{children}</a>;
