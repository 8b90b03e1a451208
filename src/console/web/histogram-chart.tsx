/**
 * Records over time, and a brush to choose a part of it: by dragging, or by its two handles with the arrow keys and Enter.
 */
import { useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';

import type { Histogram } from '../api/trail.ts';
import type { Format } from './format.ts';
import { outcomeNames, paintOf, sumOf, Swatch } from './outcomes.tsx';
import { instantsBetween, ticksTo } from './scale.ts';
import { ValueAxis } from './value-axis.tsx';
import { useWidth } from './width.ts';
import { useWords } from './words.tsx';

const height = 116;
const margin = { top: 6, right: 8, bottom: 20, left: 48 };
const inner = height - margin.top - margin.bottom;

interface HistogramChartProps {
  readonly histogram: Histogram;
  readonly brush: (from: string, to: string) => void;
}

/** First and last bar that are chosen. */
type Range = readonly [number, number];

export function HistogramChart({ histogram, brush }: HistogramChartProps): ReactNode {
  const { say, format } = useWords();
  const [box, width] = useWidth<HTMLDivElement>();
  const [range, setRange] = useState<Range>();
  const [anchor, setAnchor] = useState<number>();
  const [hovered, hover] = useState<number>();
  const { bars, stepMs } = histogram;
  const from = Date.parse(histogram.from);
  const lastBar = Math.max(bars.length - 1, 0);
  const across = Math.max(width - margin.left - margin.right, 0);
  const band = across / Math.max(bars.length, 1);
  const ticks = ticksTo(Math.max(...bars.map((bar) => sumOf(bar) + bar.other), 1), 3);
  const top = ticks.at(-1) ?? 1;
  const y = (value: number): number => margin.top + inner - (value / top) * inner;
  const x = (index: number): number => margin.left + index * band;
  const startOf = (index: number): number => from + index * stepMs;
  const clamp = (index: number): number => Math.min(Math.max(index, 0), lastBar);
  const barAt = ({ clientX, currentTarget }: PointerEvent): number =>
    clamp(
      Math.floor((clientX - currentTarget.getBoundingClientRect().left - margin.left) / Math.max(band, 0.01)),
    );

  const apply = ([first, last]: Range): void => {
    setRange(undefined);
    const end = Math.min(startOf(last + 1) - 1, Date.parse(histogram.to));
    brush(new Date(startOf(first)).toISOString(), new Date(end).toISOString());
  };
  const [first, last] = range ?? [0, lastBar];
  const handle = (end: 'from' | 'to') => (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[
      event.key
    ];
    if (by !== undefined) {
      if (end === 'from') setRange([Math.min(clamp(first + by), last), last]);
      else setRange([first, Math.max(clamp(last + by), first)]);
    } else if (event.key === 'Enter') apply([first, last]);
    else if (event.key === 'Escape') setRange(undefined);
    else return;
    event.preventDefault();
  };
  const bar = hovered === undefined ? undefined : bars[hovered];

  return (
    <figure className="chart histogram">
      <div
        ref={box}
        className="chart-area"
        role="group"
        aria-label={say('histogram.label', {
          count: format.count(histogram.total),
          from: format.moment(histogram.from),
          to: format.moment(histogram.to),
        })}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = barAt(event);
          setAnchor(at);
          setRange([at, at]);
        }}
        onPointerMove={(event) => {
          const at = barAt(event);
          hover(at);
          if (anchor !== undefined) setRange([Math.min(anchor, at), Math.max(anchor, at)]);
        }}
        onPointerLeave={() => hover(undefined)}
        onPointerCancel={() => {
          setAnchor(undefined);
          setRange(undefined);
        }}
        onPointerUp={() => {
          if (anchor === undefined || !range) return;
          setAnchor(undefined);
          apply(range);
        }}
      >
        <svg width={width} height={height}>
          <g aria-hidden="true">
            <ValueAxis ticks={ticks} y={y} left={margin.left} right={width - margin.right} />
            {instantsBetween(from, Date.parse(histogram.to), Math.max(2, Math.floor(across / 130))).map(
              (at) => (
                <text key={at} x={x((at - from) / stepMs)} y={height - 4} className="tick middle">
                  {tickText(at, histogram.to, from, format)}
                </text>
              ),
            )}
            {bars.map((one, index) => {
              let sum = 0;
              return ([...outcomeNames, 'other'] as const).map((name) => {
                const value = one[name];
                sum += value;
                return (
                  value > 0 && (
                    <rect
                      key={`${one.at} ${name}`}
                      x={x(index) + band * 0.08}
                      width={Math.max(band * 0.84, 0.8)}
                      y={Math.min(y(sum), margin.top + inner - 1)}
                      height={Math.max((value / top) * inner, 1)}
                      fill={name === 'other' ? 'var(--gh-other)' : paintOf(name)}
                    />
                  )
                );
              });
            })}
            {range && (
              <>
                <rect
                  x={margin.left}
                  y={margin.top}
                  width={x(first) - margin.left}
                  height={inner}
                  className="veil"
                />
                <rect
                  x={x(last + 1)}
                  y={margin.top}
                  width={Math.max(width - margin.right - x(last + 1), 0)}
                  height={inner}
                  className="veil"
                />
              </>
            )}
          </g>
          {(['from', 'to'] as const).map((end) => (
            <rect
              key={end}
              role="slider"
              tabIndex={0}
              aria-label={say(`histogram.${end}`)}
              aria-valuemin={0}
              aria-valuemax={lastBar}
              aria-valuenow={end === 'from' ? first : last}
              aria-valuetext={format.moment(end === 'from' ? startOf(first) : startOf(last + 1))}
              className={`handle ${range ? 'shown' : ''}`}
              x={(end === 'from' ? x(first) : x(last + 1)) - 3}
              y={margin.top}
              width={6}
              height={inner}
              rx={2}
              onKeyDown={handle(end)}
            />
          ))}
        </svg>
        {bar && hovered !== undefined && anchor === undefined && (
          <div
            className="tip"
            style={{ left: Math.min(x(hovered) + band + 8, Math.max(width - 190, 0)), top: 0 }}
          >
            <strong>{format.moment(bar.at)}</strong>
            {([...outcomeNames, 'other'] as const)
              .filter((name) => bar[name] > 0)
              .map((name) => (
                <span key={name}>
                  <Swatch name={name} /> {say(`outcome.${name}`)} <b>{format.count(bar[name])}</b>
                </span>
              ))}
          </div>
        )}
      </div>
      <figcaption className="quiet small end">
        {say('histogram.span', {
          from: format.moment(histogram.from),
          to: format.moment(histogram.to),
          span: format.span(stepMs),
        })}
      </figcaption>
    </figure>
  );
}

function tickText(at: number, to: string, from: number, format: Format): string {
  const span = Date.parse(to) - from;
  if (span > 172_800_000) return format.day(at);
  return span < 300_000 ? format.time(at) : format.minute(at);
}
