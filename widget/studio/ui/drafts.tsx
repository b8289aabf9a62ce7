// Drafts: what waits for somebody first, then what is being written.

import { useEffect } from 'preact/hooks';
import { go, notice, route, service, session } from '../app';
import { useAsk } from '../ask';
import type { Draft } from '../core/api';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Press } from '../../shared/ui/parts';
import { adopt, ready, working } from '../working';
import { Flag, StateBadge, Waiting, When } from './bits';

const SHOWN = [['', 'Åbne'], ['waiting', 'Venter på godkendelse'], ['scheduled', 'Planlagte'], ['published', 'Udgivne'], ['dropped', 'Kasserede']] as const;

export function DraftsPage() {
  const state = route.value.q.vis ?? '';
  const asked = useAsk<{ drafts: Draft[] }>(ready.value ? `/api/studio/drafts${state ? `?state=${state}` : ''}` : undefined);
  useEffect(() => {
    document.title = 'Kladder · Redaktionen';
  }, []);
  const make = (): void => void service().send<Draft>('POST', '/api/studio/drafts', { title: 'Ny kladde', changes: [] }).then((a) => {
    if (a.fault) return notice('error', a.fault.text);
    adopt(a.ok);
    go('drafts', a.ok.id);
  });
  const drafts = asked.data?.drafts;
  const user = typeof session.value === 'object' ? session.value.user : '';
  return (
    <>
      <div class="page-head"><h1>Kladder</h1><p>Intet i en kladde når borgerne, før den er udgivet.</p><a class="button button-secondary" href={format('drafts', 'hent')} data-testid="to-import">Hent svar ind</a><Press look="primary" icon="plus" test="new-draft" onClick={make}>Ny kladde</Press></div>
      <div class="chips" role="group" aria-label="Vis">{SHOWN.map(([s, title]) => <button key={s} type="button" class="chip" aria-pressed={state === s} onClick={() => go('drafts', '', { vis: s }, true)}>{title}</button>)}</div>
      {!drafts ? <Waiting {...asked} what="kladderne" /> : drafts.length === 0 ? <Empty>{state ? 'Ingen kladder her.' : 'Ingen åbne kladder. Ret et svar, så laves der en.'}</Empty> : (
        <ul class="cards" data-testid="drafts">
          {drafts.map((d) => (
            <li key={d.id} class="card draft-card">
              <h2><a href={format('drafts', d.id)}>{d.title}</a></h2>
              <p class="tags"><StateBadge state={d.state} />{d.id === working.value?.id && <Flag kind="info">Du arbejder i den</Flag>}{d.approval.needed && !d.approval.by && d.state !== 'published' && <Flag kind="warning">Kræver godkendelse</Flag>}{d.schedule?.problem && <Flag kind="error">Kunne ikke udgives</Flag>}</p>
              <p>{words.changes(d.files.length)}{d.files.length > 0 && `: ${d.files.slice(0, 3).map((f) => f.title || f.file).join(', ')}${d.files.length > 3 ? ' …' : ''}`}</p>
              <p class="quiet-text">{d.author.user === user ? 'Din' : d.author.name} · ændret <When at={d.changed_ms} />{d.comments.length > 0 && ` · ${d.comments.length === 1 ? '1 kommentar' : `${d.comments.length} kommentarer`}`}{d.source && ` · hentet fra ${d.source}`}</p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
