// Links that no longer lead where they say, and the way to have them looked at again.

import { useState } from 'preact/hooks';
import { service } from '../app';
import { follow, stopJob } from '../ask';
import type { Job, Knowledge, LinkFault, Links } from '../core/api';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { Flag, Progress, Trouble, When } from './bits';

const MILD: readonly string[] = ['refused', 'private', 'moved'];

function Uses({ f, k }: { f: LinkFault; k: Knowledge }) {
  return (
    <ul class="plain-list">{f.used_by.slice(0, 6).map((u) => (
      <li key={`${u.id} ${u.layer}`}>{u.id ? <a href={format('articles', u.id, { lag: u.layer })}>{u.title}</a> : <a href={format('facts', '', { vis: 'kommune' })}>{u.title}, fakta</a>}{u.id && u.layer !== 'shared' && ` (${layerName(u.layer, k.municipalities)})`}</li>
    ))}{f.used_by.length > 6 && <li>og {f.used_by.length - 6} til</li>}</ul>
  );
}

export function LinksList({ links, k, told }: { links: Links; k: Knowledge; told: (l: Links) => void }) {
  const [job, setJob] = useState<Job<Links> | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const look = async (): Promise<void> => {
    setTrouble('');
    const a = await service().send<{ job: string }>('POST', '/api/studio/links');
    if (a.fault) return setTrouble(a.fault.text);
    say('Gennemgår links');
    const { job: end, trouble: lost } = await follow<Links>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.state === 'stopped') return say('Stoppet');
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Links kunne ikke gennemgås.');
    told(end.result);
    say(`Færdig. ${end.result.faults.length} links skal ses på.`);
  };
  return (
    <>
      <div class="card" data-testid="links-card">
        <p>{links.at_ms ? <>Gennemgået <When at={links.at_ms} />: {links.checked} links, hvoraf {links.faults.length} skal ses på.</> : 'Links er ikke gennemgået endnu.'}</p>
        <p class="help">Tjenesten besøger hvert link én gang, langsomt, og følger det, hvis det sender videre. Adresser på et internt net prøves ikke. Det kræver, at tjenestens maskine kan komme på internettet.</p>
        <Trouble text={trouble} />
        {job ? <Progress step={job.step} done={job.done} total={job.total} onStop={() => stopJob(job.id)} /> : <Press look="secondary" icon="link" test="look-at-links" onClick={() => void look()}>Gennemgå links nu</Press>}
      </div>
      {links.at_ms && links.faults.length === 0 ? <Empty>Alle links svarer.</Empty> : links.faults.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Links, der skal ses på">
          <table class="table rows" data-testid="links"><caption class="sr-only">Links, der skal ses på</caption>
            <thead><tr><th scope="col">Link</th><th scope="col">Hvad er der med det</th><th scope="col">Står i</th></tr></thead>
            <tbody>{links.faults.map((f) => (
              <tr key={f.url}>
                <th scope="row" class="address"><a href={f.url} target="_blank" rel="noreferrer">{f.url}</a></th>
                <td data-label="Hvad er der med det"><Flag kind={MILD.includes(f.kind) ? 'warning' : 'error'}>{words.link(f.kind)}</Flag> {f.text}{f.to && f.kind !== 'moved' && <span class="under address">Sender til {f.to}</span>}</td>
                <td data-label="Står i"><Uses f={f} k={k} /></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </>
  );
}
