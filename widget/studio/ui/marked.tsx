// Differences as people read them: words struck out and words put in, not only by colour.

import { diffWordsWithSpace } from 'diff';
import type { FileDiff, Hunk } from '../core/api';
import { readable } from '../core/diff';

/** Two texts as one, with what went and what came. */
export const Words = ({ before, after }: { before: string; after: string }) => (
  <>{diffWordsWithSpace(before, after).map((p, i) => (p.added ? <ins key={i}>{p.value}</ins> : p.removed ? <del key={i}>{p.value}</del> : <span key={i}>{p.value}</span>))}</>
);

/** One side of a comparison: what the other has not is marked. */
export const Side = ({ mine, other, left }: { mine: string; other: string; left: boolean }) => (
  <>{diffWordsWithSpace(left ? mine : other, left ? other : mine).map((p, i) => {
    if (left ? p.added : p.removed) return null;
    return p.added || p.removed ? <mark key={i} class={left ? 'went' : 'came'}>{p.value}</mark> : <span key={i}>{p.value}</span>;
  })}</>
);

const OPS = { ' ': ['same', ''], '+': ['came', 'Nyt: '], '-': ['went', 'Væk: '] } as const;
function Lines({ hunk }: { hunk: Hunk }) {
  const lines = hunk.lines.map(readable).filter((l) => l !== undefined);
  return (
    <div class="hunk">
      {lines.map((l, i) => (
        <p key={i} class={`line ${OPS[l.op][0]}`}>
          <span class="op" aria-hidden="true">{l.op}</span>
          {OPS[l.op][1] && <span class="sr-only">{OPS[l.op][1]}</span>}
          <span class="line-text">{l.parts.map((p, j) => (p.changed ? <mark key={j}>{p.text}</mark> : <span key={j}>{p.text}</span>))}</span>
        </p>
      ))}
    </div>
  );
}

export const Hunks = ({ file }: { file: FileDiff }) => (
  <div class="diff" data-testid="diff" tabIndex={0} role="region" aria-label={`Forskelle i ${file.title || file.file}`}>
    {file.hunks.length === 0 && <p class="empty">Ingen forskel i teksten.</p>}
    {file.hunks.map((h, i) => <Lines key={i} hunk={h} />)}
  </div>
);
