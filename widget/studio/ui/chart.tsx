// One picture: how many are answered, and how many of them wrongly, as the threshold falls.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { top, type Standing } from '../core/thresholds';

const HEIGHT = 320;
const EDGE = { top: 14, right: 18, bottom: 46, left: 52 };
const number = new Intl.NumberFormat('da-DK', { maximumFractionDigits: 1 });

/** The width that there is, in pixels: letters keep their size on a phone. */
function useWidth() {
  const at = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!at.current) return undefined;
    const seen = new ResizeObserver(([e]) => setWidth(Math.floor(e?.contentRect.width ?? 0)));
    seen.observe(at.current);
    return () => seen.disconnect();
  }, []);
  return { at, width };
}

interface Props { curve: readonly Standing[]; now: Standing; chosen: Standing; budget: number; told: string; /** What `now` is called. */ held: string }
export function Chart({ curve, now, chosen, budget, told, held }: Props) {
  const { at, width } = useWidth();
  const id = useId();
  const inner = { width: Math.max(60, width - EDGE.left - EDGE.right), height: HEIGHT - EDGE.top - EDGE.bottom };
  const x = scaleLinear([0, 100], [0, inner.width]);
  const y = scaleLinear([0, top(budget, [now, chosen])], [inner.height, 0]);
  const across = (s: Standing): number => x(s.answered.percent);
  const path = line<Standing>().x(across).y((s) => y(s.wrong.percent))([...curve]) ?? '';
  const band = area<Standing>().x(across).y0((s) => y(s.wrong.low)).y1((s) => y(s.wrong.high))([...curve]) ?? '';
  const moved = chosen.threshold !== now.threshold;
  const mark = (s: Standing, kind: string, words: string) => (
    <g class={kind} transform={`translate(${across(s)},${y(s.wrong.percent)})`}>
      <circle r={kind === 'now' ? 7 : 6} /><text y={-13} text-anchor={s.answered.percent > 75 ? 'end' : 'middle'}>{words}</text>
    </g>
  );
  return (
    <figure class="chart" ref={at}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={told} data-testid="curve">
          <clipPath id={id}><rect width={inner.width} height={inner.height} /></clipPath>
          <g transform={`translate(${EDGE.left},${EDGE.top})`}>
            {y.ticks(5).map((t) => <g key={t} class="tick" transform={`translate(0,${y(t)})`}><line x2={inner.width} /><text x={-8} dy="0.32em" text-anchor="end">{number.format(t)} %</text></g>)}
            {x.ticks(width < 500 ? 3 : 6).map((t) => <g key={t} class="tick" transform={`translate(${x(t)},${inner.height})`}><text y={20} text-anchor="middle">{t} %</text></g>)}
            <g clip-path={`url(#${id})`}>
              <path class="band" d={band} />
              <path class="curve" d={path} />
            </g>
            <g class="budget" transform={`translate(0,${y(budget)})`}><line x2={inner.width} /><text x={6} y={-6}>Fejlbudget</text></g>
            {mark(now, 'now', held)}
            {moved && mark(chosen, 'chosen', 'Valgt')}
            <text class="axis" x={inner.width / 2} y={inner.height + 40} text-anchor="middle">Får et svar</text>
            <text class="axis" transform={`translate(${-EDGE.left + 12},${inner.height / 2}) rotate(-90)`} text-anchor="middle">Forkert svar</text>
          </g>
        </svg>
      )}
      <figcaption class="quiet-text">{told} Det farvede bånd er usikkerheden.</figcaption>
    </figure>
  );
}
