// A table that one sorts by its heads.

import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Icon } from './parts';

export interface Column<R> { key: string; title: string; of: (r: R) => number | string; cell?: (r: R) => ComponentChildren; num?: boolean; down?: boolean; plain?: boolean }
interface TableProps<R> { id: string; caption: string; rows: R[]; columns: Column<R>[]; name: (r: R) => string; first: string; hurts?: (r: R) => boolean; test: string; hurt?: (r: R) => number }

const collator = new Intl.Collator('da');

/** A table that can be sorted by any column. Unless somebody chose otherwise, what hurts most is on top. */
export function Sortable<R>({ id, caption, rows, columns, name, first, hurts, hurt, test }: TableProps<R>) {
  const [by, setBy] = useState<{ key: string; down: boolean } | undefined>(undefined);
  const column = columns.find((c) => c.key === by?.key);
  const sorted = rows.toSorted((a, b) => {
    if (by?.key === 'name') return collator.compare(name(a), name(b)) * (by.down ? -1 : 1);
    if (!by || !column) return (hurt ? hurt(b) - hurt(a) : 0) || collator.compare(name(a), name(b));
    const [x, y] = [column.of(a), column.of(b)];
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : collator.compare(String(x), String(y));
    return (by.down ? -order : order) || collator.compare(name(a), name(b));
  });
  const head = (key: string, title: string, down: boolean, num = false, plain = false) => {
    if (plain) return <th key={key} scope="col">{title}</th>;
    const on = by?.key === key;
    return (
      <th key={key} scope="col" class={num ? 'num' : ''} aria-sort={on ? (by.down ? 'descending' : 'ascending') : undefined}>
        <button type="button" class="sort" onClick={() => setBy(on ? (by.down === down ? { key, down: !down } : undefined) : { key, down })}>
          {title}<Icon name={on ? (by.down ? 'sortDown' : 'sortUp') : 'sortNone'} />
        </button>
      </th>
    );
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="table dense" id={id} data-testid={test}>
        <caption class="sr-only">{caption}</caption>
        <thead><tr>{head('name', first, false)}{columns.map((c) => head(c.key, c.title, c.down ?? c.num ?? false, c.num, c.plain))}</tr></thead>
        <tbody>
          {sorted.map((r, i) => (
            <tr key={`${name(r)} ${i}`} class={hurts?.(r) ? 'hurts' : ''}>
              <th scope="row">{name(r)}</th>
              {columns.map((c) => {
                const shown = c.cell ? c.cell(r) : c.of(r);
                return <td key={c.key} data-label={c.title} class={c.num ? `num ${shown === 0 ? 'zero' : ''}` : ''}>{shown}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
