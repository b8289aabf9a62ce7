// The way out: faults first, then a second person where one is asked for, then now or at a time.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { notice, service } from '../app';
import { follow, stopJob, wrote } from '../ask';
import type { Draft, Job, Published } from '../core/api';
import { format } from '../core/route';
import * as words from '../core/words';
import { Modal, Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { adopt, me, working } from '../working';
import { Field, Progress, Trouble, When } from './bits';

const OVERRIDE_MIN = 10;

/** `2026-11-23T08:00` of this machine's clock, the next whole hour. */
function soon(): string {
  const at = new Date(Math.ceil((Date.now() + 60_000) / 3_600_000) * 3_600_000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

interface Props { draft: Draft; told: (d: Draft) => void; again: () => void; onPublished: (release: number) => void }
export function Publish({ draft, told, again, onPublished }: Props) {
  const [asking, setAsking] = useState<'drop' | 'time' | 'worse' | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const [job, setJob] = useState<Job<Published> | undefined>(undefined);
  const [at, setAt] = useState(soon());
  const [reason, setReason] = useState('');
  const [worse, setWorse] = useState<string[]>([]);
  const [later, setLater] = useState<object | undefined>(undefined);
  const errors = draft.faults.filter((f) => f.severity !== 'warning').length;
  const { needed, by, why } = draft.approval;
  const mine = draft.writers.some((w) => w.user === me.value?.user);

  const state = async (to: Draft['state'], more: object = {}): Promise<void> => {
    setTrouble('');
    const a = await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/state`, { version: draft.version, to, ...more });
    if (a.fault?.code === 'worse') return worsens(a.fault.body, more);
    setAsking(undefined);
    if (a.fault) return setTrouble(a.fault.text);
    say(words.state(a.ok.state));
    told(a.ok);
    if (to === 'dropped' && working.peek()?.id === draft.id) adopt(undefined);
    wrote();
  };
  /** Asks why it is to be published all the same: now, or at the time that was chosen. */
  const worsens = (said: unknown, later?: object): void => {
    setWorse((Object(said) as { sets?: string[] }).sets ?? []);
    setLater(later);
    setAsking('worse');
  };
  const publish = async (override?: string): Promise<void> => {
    if (job) return;
    setTrouble('');
    const a = await service().send<{ job: string }>('POST', `/api/studio/drafts/${draft.id}/publish`, { version: draft.version, ...(override ? { override } : {}) });
    if (a.fault) {
      if (a.fault.code === 'worse') return worsens(a.fault.body);
      again();
      return setTrouble(a.fault.text);
    }
    setAsking(undefined);
    say('Udgiver');
    const { job: end, trouble: lost } = await follow<Published>(a.ok.job, setJob);
    setJob(undefined);
    const release = end?.result?.release;
    if (end?.error?.code === 'worse') return worsens(end.error);
    if (end?.state === 'stopped') return notice('info', 'Stoppet. Intet er udgivet.');
    if (end?.state !== 'done' || !release) {
      again();
      return setTrouble(lost ?? end?.error?.text ?? 'Det blev ikke udgivet.');
    }
    if (working.peek()?.id === draft.id) adopt(undefined);
    wrote();
    notice('success', `»${draft.title}« er udgivet. Borgerne får de nye svar nu.`);
    onPublished(release.number);
  };

  if (draft.state === 'published') return <aside class="side-card" aria-label="Udgivelse"><h2>Udgivet</h2><p><a href={format('releases', String(draft.release ?? ''))}>Se udgivelse {draft.release}</a></p></aside>;
  if (draft.state === 'dropped') {
    return <aside class="side-card" aria-label="Udgivelse"><h2>Kasseret</h2><p>Intet er slettet.</p>{draft.may.edit && <Press look="secondary" test="reopen" onClick={() => void state('open')}>Åbn den igen</Press>}<Trouble text={trouble} /></aside>;
  }
  const blocked = draft.files.length === 0 ? 'Kladden ændrer ikke noget endnu.' : draft.conflicts.length ? 'Afgør først, hvad der skal gælde, hvor en anden har rettet det samme.' : errors ? `${words.faults(errors)} skal rettes først.` : needed && !by ? 'Den skal godkendes af en anden først.' : !draft.may.publish ? 'Du har ikke ret til at udgive den.' : '';
  return (
    <aside class="side-card" aria-labelledby="publish-title">
      <h2 id="publish-title">Udgiv</h2>
      <ol class="steps">
        <Step done={errors === 0 && draft.conflicts.length === 0 && draft.files.length > 0} title="Uden fejl">{draft.files.length === 0 ? 'Ingen ændringer endnu' : errors ? words.faults(errors) : draft.conflicts.length ? 'Rettet af flere' : 'Alt er i orden'}</Step>
        {needed && <Step done={!!by} title="Godkendt af en anden">{by ? <>{by.name}{draft.approval.at_ms ? <>, <When at={draft.approval.at_ms} /></> : null}</> : <>Krævet af {why.join(', ')}</>}</Step>}
        <Step done={draft.replay?.version === draft.version && draft.replay.worse.length === 0} optional title="Virkning set">{draft.replay?.version === draft.version ? (draft.replay.worse.length ? `Bliver dårligere: ${draft.replay.worse.join(', ')}` : 'Intet bevogtet prøvesæt bliver dårligere') : 'Prøv kladden af, og se, hvilke spørgsmål der får et andet svar. Prøvesættene stilles også, når du udgiver.'}</Step>
      </ol>
      {draft.schedule && <p class={draft.schedule.problem ? 'alert alert-error plain' : 'alert alert-info plain'} data-testid="schedule">{draft.schedule.problem ? `Kunne ikke udgives: ${draft.schedule.problem}` : <>Udgives <When at={draft.schedule.at_ms} /> ({draft.schedule.by.name})</>}</p>}
      <Trouble text={trouble} />
      {job ? <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} /> : (
        <div class="stack">
          {draft.may.approve && draft.state === 'waiting' && !mine && <Press look="primary" icon="check" test="approve" onClick={() => void state('approved')}>Godkend</Press>}
          {draft.state === 'waiting' && !mine && draft.may.approve && <Press look="secondary" test="send-back" onClick={() => void state('open')}>Send tilbage</Press>}
          {needed && !by && draft.state === 'open' && <Press look="primary" test="ask-approval" aria-disabled={errors > 0 || draft.files.length === 0} onClick={() => !errors && draft.files.length > 0 && void state('waiting')}>Bed om godkendelse</Press>}
          {draft.state === 'waiting' && mine && <p class="quiet-text">Venter på, at en anden godkender. Retter du i den, begynder det forfra.</p>}
          {draft.state === 'scheduled' && <Press look="secondary" test="unschedule" onClick={() => void state('open')}>Udgiv alligevel ikke da</Press>}
          {!(needed && !by) && <Press look="primary" icon="send" test="publish" aria-disabled={!!blocked} aria-describedby={blocked ? 'blocked' : undefined} onClick={() => (blocked ? setTrouble(blocked) : void publish())}>Udgiv nu</Press>}
          {!(needed && !by) && draft.state !== 'scheduled' && <Press look="secondary" icon="calendar" test="schedule-open" aria-disabled={!!blocked} onClick={() => (blocked ? setTrouble(blocked) : setAsking('time'))}>Udgiv senere</Press>}
          {draft.may.edit && <Press look="tertiary" test="drop" onClick={() => setAsking('drop')}>Kassér kladden</Press>}
          {blocked && <p class="quiet-text" id="blocked">{blocked}</p>}
        </div>
      )}
      {asking === 'drop' && (
        <Modal title="Kassér kladden?" onClose={() => setAsking(undefined)} test="drop-dialog">
          <p>Den forsvinder fra listen, men kan åbnes igen.</p>
          <div class="modal-do"><Press look="warning" data-first test="drop-do" onClick={() => void state('dropped')}>Kassér</Press><Press look="tertiary" onClick={() => setAsking(undefined)}>Behold</Press></div>
        </Modal>
      )}
      {asking === 'time' && (
        <Modal title="Udgiv senere" onClose={() => setAsking(undefined)} test="time-dialog">
          <form onSubmit={(e) => { e.preventDefault(); const ms = Date.parse(at); if (ms > Date.now()) void state('scheduled', { at_ms: ms }); }}>
            <Field label="Hvornår" help={Date.parse(at) > Date.now() ? undefined : 'Vælg et tidspunkt, der ikke er passeret'}>{(p) => <input {...p} class="form-input" type="datetime-local" data-first value={at} data-testid="at" onInput={(e) => setAt(e.currentTarget.value)} />}</Field>
            <p class="quiet-text">Tjenesten udgiver den selv. Kan den ikke, står årsagen her.</p>
            <div class="modal-do"><Press look="primary" type="submit" test="schedule-do">Planlæg</Press><Press look="tertiary" onClick={() => setAsking(undefined)}>Fortryd</Press></div>
          </form>
        </Modal>
      )}
      {asking === 'worse' && (
        <Modal title="Robotten svarer dårligere med kladden" onClose={() => setAsking(undefined)} test="worse-dialog">
          <form onSubmit={(e) => { e.preventDefault(); if (reason.trim().length >= OVERRIDE_MIN) void (later ? state('scheduled', { ...later, override: reason.trim() }) : publish(reason.trim())); }}>
            <p>Færre rigtige svar i {worse.join(', ') || 'et bevogtet prøvesæt'}. Se virkningen, og ret kladden, eller skriv, hvorfor den skal ud alligevel.</p>
            <Field label="Hvorfor alligevel?" help={`Mindst ${OVERRIDE_MIN} tegn. Begrundelsen følger udgivelsen.`}>{(p) => <textarea {...p} class="form-input" rows={3} data-first value={reason} data-testid="override" onInput={(e) => setReason(e.currentTarget.value)} />}</Field>
            <div class="modal-do"><Press look="warning" type="submit" test="override-do" aria-disabled={reason.trim().length < OVERRIDE_MIN}>{later ? 'Planlæg alligevel' : 'Udgiv alligevel'}</Press><Press look="tertiary" onClick={() => setAsking(undefined)}>Fortryd</Press></div>
          </form>
        </Modal>
      )}
    </aside>
  );
}

interface StepProps { done: boolean; title: string; optional?: boolean; children: ComponentChildren }
const Step = ({ done, title, optional, children }: StepProps) => (
  <li class={done ? 'step done' : 'step'}><strong>{title}</strong><span class="sr-only">{done ? ' (opfyldt)' : optional ? ' (kan springes over)' : ' (mangler)'}</span><span class="quiet-text">{children}</span></li>
);
