// Rates that all share, and what each municipality says of itself, as forms. Changes go into a draft.

import { useEffect, useState } from 'preact/hooks';
import { go, notice, route } from '../app';
import { useAsk, wrote } from '../ask';
import type { Rate, Rates } from '../core/api';
import { rateProblem } from '../core/facts';
import { format } from '../core/route';
import { Empty, Icon, Modal, Press } from '../../shared/ui/parts';
import { change, knowledge, query, ready, useKnowledge } from '../working';
import { Field, Flag, Waiting } from './bits';
import { TownFacts } from './town';

const UNITS = ['kr.', 'kr. om måneden', 'kr. om året', 'kr. i timen', 'kr. om dagen', 'dage', 'uger', 'måneder', 'år', 'pct.', 'timer'];
const fold = (s: string): string => s.toLowerCase().normalize('NFC');

interface DialogProps { rate: Rate; fresh: boolean; taken: (id: string) => boolean; onClose: () => void }
function RateDialog({ rate, fresh, taken, onClose }: DialogProps) {
  const [r, setR] = useState(rate);
  const [trouble, setTrouble] = useState('');
  const set = (c: Partial<Rate>): void => setR({ ...r, ...c });
  const done = (answer: Awaited<ReturnType<typeof change>>): void => {
    if (answer.fault) return setTrouble(answer.fault.text);
    wrote();
    notice('success', 'Lagt i kladden.');
    onClose();
  };
  const send = async (): Promise<void> => {
    const problem = rateProblem(r, fresh, taken(r.id));
    if (problem) return setTrouble(problem);
    const { used_by: _, ...rest } = r;
    done(await change([{ kind: 'rate', rate: { ...rest, value: r.value.trim() } }], `Sats: ${r.name}`));
  };
  const used = rate.used_by ?? [];
  return (
    <Modal title={fresh ? 'Ny sats' : r.name} onClose={onClose} test="rate-dialog">
      <form noValidate onSubmit={(e) => { e.preventDefault(); void send(); }}>
        <Field label="Navn">{(p) => <input {...p} class="form-input" data-first={fresh} value={r.name} data-testid="rate-name" onInput={(e) => set({ name: e.currentTarget.value })} />}</Field>
        {fresh && <Field label="Kortnavn" help="Bruges i svarene: {{sats.kortnavn}}">{(p) => <input {...p} class="form-input" spellcheck={false} value={r.id} onInput={(e) => set({ id: e.currentTarget.value.toLowerCase().replace(/[^a-z0-9_]/g, '_') })} />}</Field>}
        <div class="grid">
          <Field label="Værdi" help="Som en dansker skriver den: 1.234,50">{(p) => <input {...p} class="form-input" data-first={!fresh} inputMode="decimal" value={r.value} data-testid="rate-value" onInput={(e) => set({ value: e.currentTarget.value })} />}</Field>
          <Field label="Enhed">{(p) => <><input {...p} class="form-input" list="units" value={r.unit} onInput={(e) => set({ unit: e.currentTarget.value })} /><datalist id="units">{UNITS.map((u) => <option key={u} value={u} />)}</datalist></>}</Field>
          <Field label="År">{(p) => <input {...p} class="form-input" type="number" min={2020} max={2100} value={r.year} data-testid="rate-year" onInput={(e) => set({ year: Number(e.currentTarget.value) })} />}</Field>
        </div>
        <Field label="Kilde" help="Siden, hvor værdien står">{(p) => <input {...p} class="form-input" inputMode="url" value={r.source} data-testid="rate-source" onInput={(e) => set({ source: e.currentTarget.value })} />}</Field>
        <label class="check"><input type="checkbox" checked={!r.sample} data-testid="rate-checked" onChange={(e) => set({ sample: !e.currentTarget.checked })} /><span>Værdien er efterset i kilden. Ellers vises den som vejledende.</span></label>
        {trouble && <p class="form-error-message" role="alert">{trouble}</p>}
        {used.length > 0 && <p class="quiet-text">Bruges i {used.slice(0, 6).map((id, i) => <span key={id}>{i > 0 && ', '}<a href={format('articles', id)} onClick={onClose}>{knowledge.value?.articles.find((a) => a.id === id)?.title ?? id}</a></span>)}{used.length > 6 && ` og ${used.length - 6} andre`}.</p>}
        <div class="modal-do">
          <Press look="primary" type="submit" test="rate-save">Læg i kladden</Press><Press look="tertiary" onClick={onClose}>Fortryd</Press>
          {!fresh && used.length === 0 && <Press look="tertiary" icon="remove" onClick={() => void change([{ kind: 'remove_rate', id: r.id }], `Fjern satsen ${r.name}`).then(done)}>Fjern</Press>}
        </div>
      </form>
    </Modal>
  );
}

function RateList({ rates, writable }: Rates) {
  const [words, setWords] = useState('');
  const [open, setOpen] = useState<{ rate: Rate; fresh: boolean } | undefined>(undefined);
  const year = new Date().getFullYear();
  const wanted = fold(words).split(/\s+/).filter(Boolean);
  const found = rates.filter((r) => wanted.every((w) => fold(`${r.name} ${r.id} ${r.value}`).includes(w)));
  return (
    <>
      <div class="filters">
        <div class="field wide"><label class="form-label" for="find-rate">Søg i satser</label><input id="find-rate" class="form-input" type="search" value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div>
        {writable && <Press look="secondary" icon="plus" test="new-rate" onClick={() => setOpen({ rate: { id: '', name: '', value: '', unit: 'kr.', year, source: '', sample: false }, fresh: true })}>Ny sats</Press>}
      </div>
      {!writable && <p class="quiet-text">Satserne er fælles for alle kommuner. Du kan se dem, men ikke rette dem.</p>}
      {found.length === 0 ? <Empty>Ingen sats passer.</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Satser">
          <table class="table rows" data-testid="rates"><caption class="sr-only">Satser</caption>
            <thead><tr><th scope="col">Sats</th><th scope="col" class="num">Værdi</th><th scope="col">År</th><th scope="col">Kilde</th><th scope="col" class="num">Bruges i</th>{writable && <th scope="col"><span class="sr-only">Ret</span></th>}</tr></thead>
            <tbody>{found.map((r) => (
              <tr key={r.id}>
                <th scope="row">{r.name}<span class="under">{`{{sats.${r.id}}}`}</span></th>
                <td class="num" data-label="Værdi">{r.value} {r.unit}</td>
                <td data-label="År">{r.year < year ? <span class="late"><Icon name="warning" />{r.year}<span class="sr-only"> (et tidligere år)</span></span> : r.year}{r.sample && <> <Flag kind="warning">Ikke efterset</Flag></>}</td>
                <td data-label="Kilde">{/^https:\/\//.test(r.source) ? <a href={r.source} target="_blank" rel="noopener noreferrer">{new URL(r.source).host}</a> : r.source}</td>
                <td class="num" data-label="Bruges i">{(r.used_by ?? []).length}</td>
                {writable && <td class="do"><Press look="secondary" icon="edit" test="edit-rate" aria-label={`Ret ${r.name}`} onClick={() => setOpen({ rate: r, fresh: false })}>Ret</Press></td>}
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {open && <RateDialog rate={open.rate} fresh={open.fresh} taken={(id) => rates.some((r) => r.id === id)} onClose={() => setOpen(undefined)} />}
    </>
  );
}

export function FactsPage() {
  const { q } = route.value;
  const towns = q.vis === 'kommune';
  const asked = useAsk<Rates>(ready.value && !towns ? `/api/studio/rates${query()}` : undefined);
  const { k, asked: known } = useKnowledge(true);
  useEffect(() => {
    document.title = 'Satser og fakta · Redaktionen';
  }, []);
  return (
    <>
      <div class="page-head"><h1>Satser og fakta</h1><p>Det, der ændrer sig. Svarene henter det herfra, så det kun skal rettes ét sted.</p></div>
      <div class="chips" role="group" aria-label="Vis">
        <button type="button" class="chip" aria-pressed={!towns} onClick={() => go('facts', '', {}, true)}>Satser</button>
        <button type="button" class="chip" aria-pressed={towns} data-testid="facts-town" onClick={() => go('facts', '', { vis: 'kommune' }, true)}>Kommunernes fakta</button>
      </div>
      {towns ? (k ? <TownFacts k={k} /> : <Waiting {...known} what="kommunerne" />) : asked.data ? <RateList {...asked.data} /> : <Waiting {...asked} what="satserne" />}
    </>
  );
}
