// The versions of one answer: the shared one, and those of regions and municipalities. A municipality may get one of
// its own, or hide the answer.

import { useState } from 'preact/hooks';
import { go, notice } from '../app';
import type { Knowledge, Layer, Version, Whole } from '../core/api';
import { toSend } from '../core/article';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import { Modal, Press } from '../../shared/ui/parts';
import { change } from '../working';
import { wrote } from '../ask';
import { TownSelect } from './bits';
import { LayerSelect, writable } from './layers';

interface Props { whole: Whole; k: Knowledge; chosen: Version; code: string; onRevert: (v: Version) => void }
export function Versions({ whole, k, chosen, code, onRevert }: Props) {
  const [asking, setAsking] = useState<'own' | 'remove' | 'hide' | undefined>(undefined);
  const name = layerName(chosen.layer, k.municipalities);
  const able = k.municipalities.filter((m) => m.writable);
  const without = writable(k).filter(([l]) => l !== 'shared' && !whole.versions.some((v) => v.layer === l));
  const hidden = whole.hidden_in;
  return (
    <div class="versions">
      <nav aria-label="Udgaver">
        <ul class="version-tabs">
          {whole.versions.map((v) => (
            <li key={v.layer}><a class="tab" href={format('articles', whole.id, { lag: v.layer })} aria-current={v === chosen ? 'page' : undefined} data-testid={`version-${v.layer}`}>{v.layer === 'shared' ? 'Fælles udgave' : layerName(v.layer, k.municipalities)}{v.state !== 'live' && <span class="count" title="Ændret i kladden">•<span class="sr-only"> ændret i kladden</span></span>}</a></li>
          ))}
        </ul>
      </nav>
      <div class="version-do">
        {whole.versions.length > 1 && <a class="button button-secondary" data-testid="compare" href={format('articles', whole.id, { lag: chosen.layer, sammen: chosen.layer === whole.versions[0]?.layer ? whole.versions[1]?.layer : chosen.layer })}>Sammenlign</a>}
        {without.length > 0 && chosen.article && <Press look="secondary" icon="copy" test="make-own" onClick={() => setAsking('own')}>Lav egen udgave</Press>}
        {able.length > 0 && whole.versions.some((v) => v.layer === 'shared') && <Press look="secondary" icon="hidden" test="hide" onClick={() => setAsking('hide')}>Skjul eller vis</Press>}
        {chosen.writable && (chosen.state === 'live' || chosen.state === 'changed') && <Press look="secondary" icon="remove" test="remove" onClick={() => setAsking('remove')}>Fjern</Press>}
        {chosen.writable && chosen.state !== 'live' && <Press look="secondary" icon="undo" test="revert" onClick={() => onRevert(chosen)}>{chosen.state === 'added' ? 'Tag ud af kladden' : 'Som udgivet'}</Press>}
      </div>
      {hidden.length > 0 && <p class="quiet-text version-note">Skjult i {hidden.map((c) => layerName(c, k.municipalities)).join(', ')}. Borgerne dér får ikke svaret.</p>}
      {chosen.state === 'removed' && <p class="alert alert-warning plain">Kladden fjerner {chosen.layer === 'shared' ? 'den fælles udgave' : `udgaven i ${name}`}.</p>}
      {asking === 'own' && <OwnDialog whole={whole} chosen={chosen} layers={without} first={without.find(([l]) => l === code)?.[0] ?? without.find(([l]) => /^0/.test(l))?.[0] ?? without[0]?.[0] ?? ''} onClose={() => setAsking(undefined)} />}
      {asking === 'hide' && <HideDialog whole={whole} title={chosen.article?.title ?? whole.id} towns={able} first={able.some((m) => m.code === code) ? code : able[0]?.code ?? ''} onClose={() => setAsking(undefined)} />}
      {asking === 'remove' && <RemoveDialog whole={whole} chosen={chosen} name={name} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

interface OwnProps { whole: Whole; chosen: Version; layers: [Layer, string][]; first: string; onClose: () => void }
function OwnDialog({ whole, chosen, layers, first, onClose }: OwnProps) {
  const [code, setCode] = useState(first);
  const make = (): void => {
    const a = chosen.article;
    if (!a) return;
    void change([{ kind: 'article', layer: code, article: toSend(a) }], `${a.title}: egen udgave`).then((answer) => {
      onClose();
      if (answer.fault) return notice('error', answer.fault.text);
      wrote();
      go('articles', whole.id, { lag: code });
    });
  };
  return (
    <Modal title="Lav en egen udgave" onClose={onClose} test="own-dialog">
      <p>{/^0/.test(code) ? 'Kommunen får en kopi, som den selv retter. Rettelser i andre udgaver når ikke længere dens borgere.' : 'Regionens kommuner får en kopi. Rettelser i den fælles udgave når ikke længere deres borgere. En kommune med egen udgave beholder den.'}</p>
      <LayerSelect label="Hvem får den?" layers={layers} value={code} onChange={setCode} test="own-town" />
      <div class="modal-do"><Press look="primary" test="own-make" onClick={make}>Lav udgaven</Press><Press look="tertiary" onClick={onClose}>Fortryd</Press></div>
    </Modal>
  );
}

interface HideProps { whole: Whole; title: string; towns: Knowledge['municipalities']; first: string; onClose: () => void }
function HideDialog({ whole, title, towns, first, onClose }: HideProps) {
  const [code, setCode] = useState(first);
  const hidden = whole.hidden_in.includes(code);
  const name = towns.find((m) => m.code === code)?.name ?? '';
  const act = (): void => void change([{ kind: 'hide', municipality: code, id: whole.id, hidden: !hidden }], `${hidden ? 'Vis' : 'Skjul'} »${title}« i ${name}`).then((answer) => {
    onClose();
    if (answer.fault) return notice('error', answer.fault.text);
    wrote();
    notice('success', `${hidden ? 'Vises' : 'Skjules'} i ${name}, når kladden udgives.`);
  });
  return (
    <Modal title="Skjul eller vis i en kommune" onClose={onClose} test="hide-dialog">
      <TownSelect label="Kommune" towns={towns} value={code} onChange={setCode} test="hide-town" />
      <p>{hidden ? `Svaret er skjult i ${name}. Vil du vise det igen?` : `Borgere i ${name} vil ikke længere få svaret. Det ændrer intet for andre.`}</p>
      <div class="modal-do"><Press look="primary" test="hide-do" onClick={act}>{hidden ? `Vis i ${name}` : `Skjul i ${name}`}</Press><Press look="tertiary" onClick={onClose}>Fortryd</Press></div>
    </Modal>
  );
}

function RemoveDialog({ whole, chosen, name, onClose }: { whole: Whole; chosen: Version; name: string; onClose: () => void }) {
  const shared = chosen.layer === 'shared';
  const others = whole.versions.length > 1;
  const act = (): void => void change([{ kind: 'remove_article', layer: chosen.layer, id: whole.id }], `Fjern »${chosen.article?.title ?? whole.id}«`).then((answer) => {
    onClose();
    if (answer.fault) return notice('error', answer.fault.text);
    wrote();
    notice('success', 'Fjernes, når kladden udgives.');
    if (chosen.state === 'added') go('articles');
  });
  return (
    <Modal title={shared ? 'Fjern den fælles udgave?' : `Fjern udgaven i ${name}?`} onClose={onClose} test="remove-dialog">
      <p>{shared ? 'Ingen kommune får længere den fælles udgave.' : others ? `${name} får igen den udgave, som andre har.` : `Borgere i ${name} får ikke længere svaret.`}{shared && others ? ' Kommuner med egen udgave beholder den.' : ''} Det sker først, når kladden udgives, og kan fortrydes.</p>
      <div class="modal-do"><Press look="warning" test="remove-do" data-first onClick={act}>Fjern</Press><Press look="tertiary" onClick={onClose}>Behold</Press></div>
    </Modal>
  );
}

