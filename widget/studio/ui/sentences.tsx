// Example sentences that do not do what they were written for: they lead elsewhere, or say what another says.

import { useState } from 'preact/hooks';
import type { Confusion, Knowledge, Strayed, Twin, Twins } from '../core/api';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Press } from '../../shared/ui/parts';
import { Flag } from './bits';

const MOST = 25;
const SENTENCES = 4;

function Sentence({ s, to, k }: { s: Strayed; to: string; k: Knowledge }) {
  return (
    <li>
      <p class="asked" lang={s.lang} dir="auto">{s.text}</p>
      <p class="quiet-text">{s.shown && <Flag kind="error">Ville få det forkerte svar</Flag>} {s.nearest && <>Ligner »<span lang={s.lang}>{s.nearest}</span>« i {to}</>}{s.layer !== 'shared' && ` · ${layerName(s.layer, k.municipalities)}`}{s.lang !== 'da' && ` · ${words.language(s.lang)}`}</p>
    </li>
  );
}

function Card({ c, k }: { c: Confusion; k: Knowledge }) {
  const [all, setAll] = useState(false);
  const shown = all ? c.sentences : c.sentences.slice(0, SENTENCES);
  const rest = c.sentences.length - SENTENCES;
  const first = c.sentences[0];
  return (
    <li class="card" data-testid="confusion">
      <div class="card-head"><h2>{c.of.title}</h2><span class="size">{words.sentences(c.sentences.length)}{c.shown > 0 && `, ${c.shown} med forkert svar`}</span></div>
      <p>fører til <a href={format('articles', c.with.id)}>{c.with.title}</a></p>
      <ul class="turned-list">{shown.map((s) => <Sentence key={`${s.file} ${s.text}`} s={s} to={c.with.title} k={k} />)}</ul>
      {rest > 0 && <button type="button" class="more" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Vis færre' : `Vis ${rest} mere`}</button>}
      <div class="row-buttons"><a class="button button-secondary" href={format('articles', c.of.id, { lag: first?.layer, sprog: first?.lang })}>Ret eksemplerne</a></div>
    </li>
  );
}

export function Confusions({ all, k }: { all: readonly Confusion[]; k: Knowledge }) {
  const [most, setMost] = useState(MOST);
  if (all.length === 0) return <Empty>Alle eksempler fører til deres eget svar.</Empty>;
  return (
    <>
      <p class="help">Eksempler fra ét svar, som robotten ville besvare med et andet, når den ikke kendte dem. Flyt sætningen derhen, hvor den hører til, skriv den tydeligere, eller saml de to svar til ét.</p>
      <ul class="cards" data-testid="confusions">{all.slice(0, most).map((c) => <Card key={`${c.of.id} ${c.with.id}`} c={c} k={k} />)}</ul>
      {all.length > most && <Press look="secondary" onClick={() => setMost(most * 2)}>Vis flere</Press>}
    </>
  );
}

const Side = ({ t }: { t: Twin }) => <><span class="asked" lang={t.lang} dir="auto">{t.text}</span></>;
const To = ({ t, k }: { t: Twin; k: Knowledge }) => <a href={format('articles', t.id, { lag: t.layer, sprog: t.lang })}>{t.title}{t.layer !== 'shared' && ` (${layerName(t.layer, k.municipalities)})`}</a>;

export function TwinsList({ all, k }: { all: readonly Twins[]; k: Knowledge }) {
  const [most, setMost] = useState(4 * MOST);
  if (all.length === 0) return <Empty>Ingen eksempler siger næsten det samme.</Empty>;
  return (
    <>
      <p class="help">Eksempler, der næsten er ens. I to svar ved robotten ikke, hvilket der menes; i samme svar lærer den ikke noget af det ene.</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Eksempler, der næsten er ens">
        <table class="table rows" data-testid="twins"><caption class="sr-only">Eksempler, der næsten er ens</caption>
          <thead><tr><th scope="col">Det ene</th><th scope="col">Det andet</th><th scope="col">Svar</th></tr></thead>
          <tbody>{all.slice(0, most).map((t) => (
            <tr key={`${t.one.file} ${t.one.text} ${t.other.text}`}>
              <td data-label="Det ene"><Side t={t.one} /></td><td data-label="Det andet"><Side t={t.other} /></td>
              <td data-label="Svar"><To t={t.one} k={k} />{t.one.file !== t.other.file && <> og <To t={t.other} k={k} /> <Flag kind="warning">To svar</Flag></>}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
      {all.length > most && <Press look="secondary" onClick={() => setMost(most * 2)}>Vis flere</Press>}
    </>
  );
}
