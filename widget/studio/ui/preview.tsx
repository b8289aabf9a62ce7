// The answer as a citizen of some municipality reads it, a moment after it was typed.

import { useEffect, useState } from 'preact/hooks';
import { service } from '../app';
import type { Article, Layer, Preview } from '../core/api';
import { toSend } from '../core/article';
import { Markdown } from '../../shared/ui/parts';
import { knowledge, me, setTown, town, working } from '../working';
import { TownSelect } from './bits';

const PAUSE_MS = 350;

/** Asks as soon as the typing rests; an older answer never comes after a newer one. */
export function usePreview(layer: Layer, article: Article | undefined): { preview: Preview | undefined; trouble: string; code: string; setCode: (c: string) => void } {
  const towns = knowledge.value?.municipalities ?? [];
  const own = towns.find((m) => m.code === layer)?.code;
  const inRegion = (c: string): boolean => layer === 'shared' || towns.some((m) => m.code === c && m.region === layer);
  const first = towns.find((m) => inRegion(m.code) && m.writable)?.code ?? towns.find((m) => inRegion(m.code))?.code ?? me.value?.municipalities[0] ?? '';
  const code = own ?? (town.value && inRegion(town.value) ? town.value : first);
  const [got, setGot] = useState<{ preview?: Preview; trouble: string }>({ trouble: '' });
  const draft = working.value?.id;
  useEffect(() => {
    if (!article || !code) return undefined;
    const stop = new AbortController();
    const later = setTimeout(() => {
      void service().send<Preview>('POST', '/api/studio/preview', { municipality: code, layer, article: toSend(article), ...(draft ? { draft } : {}) }, stop.signal).then((answer) => {
        if (stop.signal.aborted) return;
        setGot((before) => (answer.ok ? { preview: answer.ok, trouble: '' } : { ...before, trouble: answer.fault?.text ?? '' }));
      });
    }, got.preview ? PAUSE_MS : 0);
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [layer, code, article, draft]);
  return { preview: got.preview, trouble: got.trouble, code, setCode: setTown };
}

interface Props { preview: Preview | undefined; trouble: string; code: string; setCode: (c: string) => void; layer: Layer }
export function PreviewPanel({ preview, trouble, code, setCode, layer }: Props) {
  // Of a region's version only its own municipalities are readers.
  const towns = (knowledge.value?.municipalities ?? []).filter((m) => layer === 'shared' || m.region === layer || m.code === layer);
  const fixed = towns.length === 1;
  const name = towns.find((m) => m.code === code)?.name ?? '';
  return (
    <aside class="preview" aria-labelledby="preview-title">
      <div class="preview-in">
        <h2 id="preview-title" tabIndex={-1}>Sådan læser borgeren det</h2>
        {fixed ? <p class="quiet-text">I {name}</p> : <TownSelect label="Kommune" towns={towns} value={code} onChange={setCode} test="preview-town" />}
        {trouble && <p class="form-error-message" role="alert">{trouble}</p>}
        {preview && (
          <div class="bubble" data-testid="preview">
            <h3 class="bubble-title">{preview.title}</h3>
            {preview.body.trim() ? <Markdown text={preview.body} /> : <p class="empty">Her kommer teksten, når du skriver den.</p>}
            {preview.links.length > 0 && <ul class="bubble-links">{preview.links.map((l, i) => <li key={i}>{/^https:\/\//.test(l.url) ? <a href={l.url} target="_blank" rel="noopener noreferrer">{l.title || l.url}</a> : <span>{l.title || l.url}</span>}</li>)}</ul>}
            <p class="bubble-source">Kilde: {preview.source || 'mangler'}</p>
          </div>
        )}
      </div>
    </aside>
  );
}
