// Who gets an answer: everybody, the municipalities of a region, or one.

import type { Knowledge, Layer } from '../core/api';
import { regionName } from '../core/words';
import { me } from '../working';
import { Field } from './bits';

/** Where this editor may write, the widest first, with its name. */
export function writable(k: Knowledge): [Layer, string][] {
  const { everywhere = false, regions = [] } = me.value ?? {};
  return [
    ...(everywhere ? [['shared', 'Alle kommuner'] as [Layer, string]] : []),
    ...regions.map((r): [Layer, string] => [r, `Kun ${regionName(r)}`]),
    ...k.municipalities.filter((m) => m.writable).map((m): [Layer, string] => [m.code, `Kun ${m.name}`]),
  ];
}

/** The layer that an editor most likely means: the municipality one looks at, else everybody, else one municipality. */
export const usual = (k: Knowledge, town: string): Layer => {
  const all = writable(k).map(([l]) => l);
  return [town, 'shared'].find((l) => all.includes(l)) ?? k.municipalities.find((m) => m.writable)?.code ?? '';
};

interface Props { label: string; layers: readonly [Layer, string][]; value: Layer; onChange: (layer: Layer) => void; test?: string }
export const LayerSelect = ({ label, layers, value, onChange, test }: Props) => (
  <Field label={label}>{(p) => <select {...p} class="form-select" value={value} data-testid={test} onChange={(e) => onChange(e.currentTarget.value)}>{layers.map(([l, title]) => <option key={l} value={l}>{title}</option>)}</select>}</Field>
);
