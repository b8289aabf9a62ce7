// What one works in, always in sight: a draft, or none yet.

import { useAsk } from '../ask';
import { route } from '../app';
import type { Draft } from '../core/api';
import { format } from '../core/route';
import * as words from '../core/words';
import { ready, switchTo, working } from '../working';

export function Working() {
  const { data } = useAsk<{ drafts: Draft[] }>(ready.value ? '/api/studio/drafts' : undefined);
  const now = working.value;
  const open = (data?.drafts ?? []).filter((d) => d.may.edit || d.id === now?.id);
  // A draft made just now is not in the list yet.
  const all = now && !open.some((d) => d.id === now.id) ? [now, ...open] : open;
  return (
    <div class={now ? 'working on' : 'working'}>
      <label class="sr-only" for="working">Kladde, du arbejder i</label>
      <select id="working" class="form-select" value={now?.id ?? ''} data-testid="working" onChange={(e) => void switchTo(e.currentTarget.value)}>
        <option value="">Ny kladde ved første ændring</option>
        {all.map((d) => <option key={d.id} value={d.id}>{d.title}{d.state === 'open' ? '' : ` (${words.state(d.state).toLowerCase()})`}</option>)}
      </select>
      {now && !(route.value.view === 'drafts' && route.value.id === now.id) && (
        <a class="button button-secondary" href={format('drafts', now.id)} data-testid="to-draft">Se {words.changes(now.files.length)}</a>
      )}
    </div>
  );
}
