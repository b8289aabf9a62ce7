// Tables that one sorts by their heads.

import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable, type Row } from '@tanstack/preact-table';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { Icon } from '../../shared/ui/parts';

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const collator = new Intl.Collator('da', { numeric: true });

/** What a column is sorted by: numbers with the largest first, words as a Danish dictionary has them. */
export interface Column<R> { id: string; of: (r: R) => number | string }
export interface Order { is: (id: string) => 'asc' | 'desc' | false; turn: (id: string) => void }

/** The rows in the order that somebody chose, else as they came. Both arguments stay the same object while nothing changes. */
export function useSorted<R extends object>(rows: readonly R[], columns: readonly Column<R>[]): { sorted: R[]; order: Order } {
  const data = useMemo(() => [...rows], [rows]);
  const defined = useMemo(() => columns.map(({ id, of }) => ({
    id, accessorFn: of,
    sortFn: (a: Row<typeof features, R>, b: Row<typeof features, R>): number => {
      const [x, y] = [of(a.original), of(b.original)];
      return typeof x === 'number' && typeof y === 'number' ? x - y : collator.compare(String(x), String(y));
    },
  })), [columns]);
  const table = useTable({ features, data, columns: defined });
  return {
    sorted: table.getRowModel().rows.map((r) => r.original),
    order: { is: (id) => table.getColumn(id)?.getIsSorted() ?? false, turn: (id) => table.getColumn(id)?.toggleSorting() },
  };
}

const SAID = { asc: 'ascending', desc: 'descending' } as const;
/** The head of a column: a button that sorts by it, the other way round, and not at all. */
export function Head({ id, order, num, children }: { id: string; order: Order; num?: boolean; children: ComponentChildren }) {
  const on = order.is(id);
  return (
    <th scope="col" class={num ? 'num' : ''} aria-sort={on ? SAID[on] : undefined}>
      <button type="button" class="sort" data-testid={`sort-${id}`} onClick={() => order.turn(id)}>{children}<Icon name={on ? (on === 'desc' ? 'sortDown' : 'sortUp') : 'sortNone'} /></button>
    </th>
  );
}
