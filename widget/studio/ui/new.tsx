// A new article: what it is called, where it belongs, who gets it. All else is written on its page.

import { useState } from 'preact/hooks';
import { go } from '../app';
import type { Knowledge } from '../core/api';
import { blank, slug, TITLE_MAX } from '../core/article';
import { key } from '../core/examples';
import { Modal, Press } from '../../shared/ui/parts';
import { change, town } from '../working';
import { Field, today, Trouble } from './bits';
import { LayerSelect, usual, writable } from './layers';

export function NewArticle({ k, area, onClose }: { k: Knowledge; area: string; onClose: () => void }) {
  const [title, setTitle] = useState('');
  const [where, setWhere] = useState(area);
  const [layer, setLayer] = useState(usual(k, town.value));
  const [missing, setMissing] = useState('');
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const id = slug(title);
  const taken = k.articles.find((a) => a.id === id || key(a.title) === key(title));

  const make = async (): Promise<void> => {
    const what = title.trim().length < 3 || id.length < 2 ? 'Skriv en titel på mindst tre bogstaver.' : !where ? 'Vælg et område.' : !layer ? 'Du har ikke ret til at skrive svar.' : '';
    setMissing(what);
    if (what || busy) return;
    if (taken) return setMissing(`Der er allerede et svar, der hedder næsten det samme: »${taken.title}«. Find på en anden titel, eller ret det.`);
    setBusy(true);
    const answer = await change([{ kind: 'article', layer, article: blank(id, title.trim(), where, k.owners[0] ?? 'borgerservice', today()) }], `Nyt svar: ${title.trim()}`);
    setBusy(false);
    if (answer.fault) return setTrouble(answer.fault.text);
    onClose();
    go('articles', id, { lag: layer });
  };

  return (
    <Modal title="Nyt svar" onClose={onClose} test="new-dialog">
      <form noValidate onSubmit={(e) => { e.preventDefault(); void make(); }}>
        <Field label="Titel" help="Hvad en borger ville kalde det">{(p) => <input {...p} class="form-input" data-first maxLength={TITLE_MAX} value={title} data-testid="new-title" onInput={(e) => setTitle(e.currentTarget.value)} />}</Field>
        <Field label="Område">{(p) => <select {...p} class="form-select" value={where} data-testid="new-area" onChange={(e) => setWhere(e.currentTarget.value)}><option value="">Vælg</option>{k.areas.map((a) => <option key={a.id} value={a.id}>{a.title}</option>)}</select>}</Field>
        <LayerSelect label="Hvem får det?" layers={writable(k)} value={layer} onChange={setLayer} test="new-layer" />
        {missing && <p class="form-error-message" role="alert">{missing}</p>}
        <Trouble text={trouble} />
        <div class="modal-do"><Press look="primary" type="submit" test="new-make" aria-disabled={busy}>Lav kladden</Press><Press look="tertiary" onClick={onClose}>Fortryd</Press></div>
      </form>
    </Modal>
  );
}
