// What one municipality says of itself: contact, hours, days it is closed, addresses on its website.

import { useEffect, useState } from 'preact/hooks';
import { notice } from '../app';
import { useAsk, wrote } from '../ask';
import type { Facts, Knowledge, Town } from '../core/api';
import { DAYS, wrong } from '../core/facts';
import { format } from '../core/route';
import { Press } from '../../shared/ui/parts';
import { change, query, ready, setTown, town } from '../working';
import { date, Field, TownSelect, Trouble, Waiting } from './bits';

const CONTACT: [string, string, 'text' | 'email' | 'url'][] = [['telefon', 'Telefon', 'text'], ['email', 'E-mail', 'email'], ['adresse', 'Adresse', 'text'], ['aabningstid', 'Åbningstid, som den vises', 'text'], ['hjemmeside', 'Hjemmeside', 'url']];

function Form({ t, k }: { t: Town; k: Knowledge }) {
  const [f, setF] = useState<Facts>(t.facts);
  const [trouble, setTrouble] = useState('');
  const [closing, setClosing] = useState('');
  const set = (c: Partial<Facts>): void => setF({ ...f, ...c });
  const faults = wrong(f);
  const changed = JSON.stringify(f) !== JSON.stringify(t.facts);
  const send = async (): Promise<void> => {
    const first = Object.keys(faults)[0];
    if (first) {
      setTrouble('Ret felterne med rødt først.');
      return void document.querySelector<HTMLElement>('.town [aria-invalid=true]')?.focus();
    }
    const a = await change([{ kind: 'facts', municipality: t.code, facts: f }], `Fakta: ${t.name}`);
    if (a.fault) return setTrouble(a.fault.text);
    setTrouble('');
    wrote();
    notice('success', 'Lagt i kladden.');
  };
  const fault = (name: string) => (faults[name] ? [{ severity: 'error' as const, file: '', line: 0, field: name, text: faults[name] }] : []);
  return (
    <form class="town" noValidate onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <fieldset class="bare" disabled={!t.writable}>
        <legend class="sr-only">{t.name}</legend>
        <section class="card" aria-labelledby="contact-title">
          <h2 id="contact-title">Kontakt</h2>
          <div class="grid">{CONTACT.map(([name, label, type]) => <Field key={name} label={label}>{(p) => <input {...p} class="form-input" inputMode={type} value={f.contact[name] ?? ''} data-testid={`contact-${name}`} onInput={(e) => set({ contact: { ...f.contact, [name]: e.currentTarget.value } })} />}</Field>)}</div>
          <label class="check"><input type="checkbox" checked={!f.sample} onChange={(e) => set({ sample: !e.currentTarget.checked })} /><span>Oplysningerne er kommunens egne og efterset</span></label>
        </section>
        <section class="card" aria-labelledby="hours-title">
          <h2 id="hours-title">Kontaktcentrets åbningstid</h2>
          <div class="grid">{DAYS.map(([day, label]) => <Field key={day} label={label} faults={fault(day)}>{(p) => <input {...p} class="form-input" value={f.hours[day] ?? ''} placeholder="08:00-16:00" onInput={(e) => set({ hours: { ...f.hours, [day]: e.currentTarget.value } })} />}</Field>)}</div>
          <h3>Lukkedage</h3>
          <ul class="tags days">{f.closed.map((d) => <li key={d}><span class="badge">{date(d)}</span><Press look="quiet" icon="close" aria-label={`Fjern ${date(d)}`} onClick={() => set({ closed: f.closed.filter((x) => x !== d) })} /></li>)}{f.closed.length === 0 && <li class="quiet-text">Ingen ud over helligdage</li>}</ul>
          <div class="row-buttons"><Field label="Ny lukkedag">{(p) => <input {...p} class="form-input" type="date" value={closing} onInput={(e) => setClosing(e.currentTarget.value)} />}</Field><Press look="secondary" icon="plus" onClick={() => { if (closing && !f.closed.includes(closing)) set({ closed: [...f.closed, closing].sort() }); setClosing(''); }}>Tilføj</Press></div>
        </section>
        <section class="card" aria-labelledby="town-links-title">
          <h2 id="town-links-title">Adresser på hjemmesiden</h2>
          <p class="help">Svarene henter dem som {'{{kommune.link.navn}}'}.</p>
          <div class="grid">{Object.entries(f.links).map(([name, url]) => <Field key={name} label={name} faults={fault(`link ${name}`)}>{(p) => <input {...p} class="form-input" inputMode="url" spellcheck={false} value={url} onInput={(e) => set({ links: { ...f.links, [name]: e.currentTarget.value } })} />}</Field>)}</div>
        </section>
        <section class="card" aria-labelledby="look-title">
          <h2 id="look-title">Farve og skjulte svar</h2>
          <Field label="Chattens farve" faults={fault('accent')}>{(p) => <input {...p} class="form-input short" value={f.accent} onInput={(e) => set({ accent: e.currentTarget.value })} />}</Field>
          {f.hidden.length === 0 ? <p class="empty">Ingen fælles svar er skjult.</p> : <ul class="plain-list">{f.hidden.map((id) => <li key={id}><a href={format('articles', id)}>{k.articles.find((a) => a.id === id)?.title ?? id}</a></li>)}</ul>}
        </section>
      </fieldset>
      <div class="save-bar">
        <Trouble text={trouble} />
        {t.writable ? <Press look="primary" type="submit" test="facts-save" aria-disabled={!changed}>{changed ? 'Læg i kladden' : 'Ingen ændringer'}</Press> : <p class="quiet-text">Du kan se {t.name}, men ikke rette.</p>}
      </div>
    </form>
  );
}

export function TownFacts({ k }: { k: Knowledge }) {
  const code = town.value || k.municipalities.find((m) => m.writable)?.code || k.municipalities[0]?.code || '';
  const asked = useAsk<Town>(ready.value && code ? `/api/studio/facts/${code}${query()}` : undefined);
  const [n, setN] = useState(0);
  useEffect(() => setN((x) => x + 1), [asked.data]);
  return (
    <>
      <div class="filters"><TownSelect label="Kommune" towns={k.municipalities} value={code} onChange={setTown} test="facts-code" /></div>
      {asked.data ? <Form key={`${code} ${n}`} t={asked.data} k={k} /> : <Waiting {...asked} what="kommunens fakta" />}
    </>
  );
}
