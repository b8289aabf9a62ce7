// How sure the service must be before it answers: what that gives in each area, and what another threshold would give.

import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { go, route } from '../app';
import { useAsk } from '../ask';
import type { AreaCurve, Curve, Share, Thresholds } from '../core/api';
import { format } from '../core/route';
import { FEW, places, share, standing, today, type Standing } from '../core/thresholds';
import { Empty, Press } from '../../shared/ui/parts';
import { Chart } from './chart';
import { Flag, Waiting } from './bits';
import { ready } from '../working';

const one = new Intl.NumberFormat('da-DK', { maximumFractionDigits: 1 });
const many = new Intl.NumberFormat('da-DK');
const percent = (s: Share): string => `${one.format(s.percent)} %`;
const range = (s: Share): string => `${one.format(s.low)} til ${one.format(s.high)}`;
const sure = (threshold: number): string => `${one.format(100 * threshold)} %`;

const Cell = ({ s }: { s: Share }) => <td class="num">{percent(s)}<span class="under">{range(s)}</span></td>;

/** What the threshold that holds, or held, is called. */
const Now = createContext('I dag');

function Figure({ name, now, then, hurts }: { name: string; now: Share; then: Share; hurts: boolean }) {
  const held = useContext(Now).toLowerCase();
  const by = then.percent - now.percent;
  const moved = Math.abs(by) >= 0.05;
  return (
    <div class={hurts && moved && by > 0 ? 'figure bad' : 'figure'}>
      <dt>{name}</dt>
      <dd><b>{percent(then)}</b><br /><span class="quiet-text">{range(then)}{moved && `; ${held} ${percent(now)}`}</span></dd>
    </div>
  );
}

function Steps({ t, c, name }: { t: Thresholds; c: Curve; name: string }) {
  const held = useContext(Now);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Andre grænser, ${name}`}>
      <table class="table dense" data-testid="steps"><caption class="sr-only">Hvad andre grænser ville give, {name}, med 95 %-intervaller</caption>
        <thead><tr><th scope="col">Svarer fra sikkerhed</th><th scope="col" class="num">Får et svar</th><th scope="col" class="num">Forkert svar</th></tr></thead>
        <tbody>{places(t).map((at) => {
          const s = standing(t, c, at);
          return <tr key={at} class={at === today(t) ? 'now' : ''}><th scope="row">{sure(s.threshold)}{at === today(t) && <Flag kind="info">{held}</Flag>}</th><Cell s={s.answered} /><Cell s={s.wrong} /></tr>;
        })}</tbody>
      </table>
    </div>
  );
}

function Areas({ t, at }: { t: Thresholds; at: number }) {
  const now = today(t);
  const moved = at !== now;
  const worst = (a: AreaCurve): number => standing(t, a, now).wrong.percent;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Områder, flest forkerte svar først">
      <table class="table rows" data-testid="areas"><caption class="sr-only">Alle områder, flest forkerte svar først, med 95 %-intervaller</caption>
        <thead><tr><th scope="col">Område</th><th scope="col" class="num">Sætninger</th><th scope="col" class="num">Får et svar</th><th scope="col" class="num">Forkert svar</th>{moved && <><th scope="col" class="num">Svar, valgt grænse</th><th scope="col" class="num">Forkert, valgt grænse</th></>}</tr></thead>
        <tbody>{t.areas.toSorted((a, b) => worst(b) - worst(a)).map((a) => {
          const [is, then] = [standing(t, a, now), standing(t, a, at)];
          return (
            <tr key={a.area}>
              <th scope="row"><a href={format('thresholds', '', { udgivelse: route.value.q.udgivelse, omraade: a.area })}>{a.title}</a>{a.n < FEW && <Flag kind="warning">Få sætninger</Flag>}</th>
              <td class="num" data-label="Sætninger">{many.format(a.n)}</td>
              {([['Får et svar', is.answered], ['Forkert svar', is.wrong], ...(moved ? [['Svar, valgt grænse', then.answered], ['Forkert, valgt grænse', then.wrong]] : [])] as [string, Share][])
                .map(([label, s]) => <td key={label} class="num" data-label={label}>{percent(s)}<span class="under">{range(s)}</span></td>)}
            </tr>
          );
        })}</tbody>
      </table>
    </div>
  );
}

const told = (s: Standing, name: string, past: boolean): string => (past
  ? `${name}: Dengang svarede robotten, når den var mindst ${sure(s.threshold)} sikker. Så fik ${percent(s.answered)} et svar, og ${percent(s.wrong)} fik et forkert.`
  : `${name}: I dag svarer robotten, når den er mindst ${sure(s.threshold)} sikker. Så får ${percent(s.answered)} et svar, og ${percent(s.wrong)} får et forkert.`);

function Page({ t }: { t: Thresholds }) {
  const wanted = route.value.q.omraade ?? '';
  const release = route.value.q.udgivelse;
  const past = release !== undefined;
  const held = past ? 'Dengang' : 'I dag';
  const area = t.areas.find((a) => a.area === wanted);
  const curve: Curve = area ?? t.all;
  const name = area?.title ?? 'Alle områder';
  const now = today(t);
  const [at, setAt] = useState(now);
  const [is, then] = [standing(t, curve, now), standing(t, curve, at)];
  const strays = (i: number): Share => share((area ? area.strays : t.outside.answered)[i] ?? 0, t.outside.n);
  return (
    <Now.Provider value={held}>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <div class="field wide"><label class="form-label" for="area">Område</label><select id="area" class="form-select" value={area?.area ?? ''} data-testid="area" onChange={(e) => go('thresholds', '', { udgivelse: release, omraade: e.currentTarget.value }, true)}><option value="">Alle områder</option>{t.areas.map((a) => <option key={a.area} value={a.area}>{a.title}</option>)}</select></div>
        <div class="field wide">
          <label class="form-label" for="threshold">Prøv en anden grænse</label>
          <div class="range"><span aria-hidden="true">Forsigtig</span><input id="threshold" type="range" min={0} max={t.thresholds.length - 1} value={at} data-testid="threshold" aria-valuetext={`Svarer fra ${sure(then.threshold)} sikkerhed`} onInput={(e) => setAt(Number(e.currentTarget.value))} /><span aria-hidden="true">Modig</span></div>
        </div>
        <p class="range-says">Svarer fra <b data-testid="threshold-says">{sure(then.threshold)}</b> sikkerhed{at === now ? `, som ${held.toLowerCase()}` : ''}</p>
        {at !== now && <Press look="secondary" test="threshold-back" onClick={() => setAt(now)}>Tilbage til {held.toLowerCase()}</Press>}
      </form>
      <section class="card" aria-labelledby="curve-title">
        <h2 id="curve-title">{name}</h2>
        {curve.n < FEW && <p class="alert alert-warning plain" data-testid="few">Kun {many.format(curve.n)} sætninger. Her kan få sætninger flytte tallet meget; se på intervallet, ikke på tallet.</p>}
        <dl class="figures">
          <Figure name="Får et svar" now={is.answered} then={then.answered} hurts={false} />
          <Figure name="Forkert svar" now={is.wrong} then={then.wrong} hurts />
          <Figure name={area ? 'Svar herfra, hvor vi intet svar har' : 'Svar, hvor vi intet svar har'} now={strays(now)} then={strays(at)} hurts />
        </dl>
        <div class="beside">
          <Chart curve={t.thresholds.map((_, i) => standing(t, curve, i))} now={is} chosen={then} budget={t.budget.wrong} told={told(is, name, past)} held={held} />
          <Steps t={t} c={curve} name={name} />
        </div>
        <p class="quiet-text">Bygger på {many.format(curve.n)} eksempelsætninger, som robotten blev prøvet i uden at have lært af dem, og på {many.format(t.outside.n)} beskeder, vi ikke har et svar på. Hos borgerne kan tallene falde lidt anderledes ud.</p>
      </section>
      <h2>Områder</h2>
      <Areas t={t} at={at} />
    </Now.Provider>
  );
}

export function ThresholdsPage() {
  const { udgivelse } = route.value.q;
  const asked = useAsk<Thresholds>(ready.value ? `/api/studio/thresholds${udgivelse ? `?release=${encodeURIComponent(udgivelse)}` : ''}` : undefined);
  const t = asked.data;
  useEffect(() => {
    document.title = 'Grænser · Redaktionen';
  }, []);
  return (
    <>
      <div class="page-head"><h1>Hvor sikker skal robotten være?</h1></div>
      <p class="lead">Robotten svarer kun, når den er sikker nok. Ligger grænsen højt, får færre et svar, men også færre et forkert. Her ser du, hvad der ville ske, hvis den lå et andet sted. Du ændrer ikke noget ved at prøve.</p>
      {udgivelse && <p class="alert alert-info plain" data-testid="past">Sådan var det med <a href={format('releases', udgivelse)}>udgivelse {udgivelse}</a>. <a href={format('thresholds')}>Se, hvordan det er i dag</a></p>}
      {!t ? <Waiting {...asked} what="tallene" /> : t.all.n === 0 ? <Empty>Der er ingen eksempelsætninger at måle på endnu.</Empty> : <Page key={t.release} t={t} />}
      {t && !udgivelse && (
        <details class="card" data-testid="who-decides">
          <summary>Hvem bestemmer grænsen?</summary>
          <p>Den findes ved hver udgivelse: så lav som fejlbudgettet tillader, det vil sige højst {one.format(t.budget.wrong)} % forkerte svar og svar på højst {one.format(t.budget.unanswerable)} % af de beskeder, vi ikke har et svar på. Mellem {sure(t.clarify)} og {sure(t.answer)} får borgeren lov at vælge mellem to eller tre svar.</p>
          <p>Fejlbudgettet sætter driften (<code>max_wrong_answers</code> og <code>max_unanswerable_answered</code>). Har ét område mange fejl, hjælper bedre eksempler mere end en anden grænse: se listen <a href={format('next', '', { vis: 'confusions' })}>Forveksles</a>.</p>
        </details>
      )}
    </>
  );
}
