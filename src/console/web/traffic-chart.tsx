/** Calls over the last minutes, stacked by outcome, with what went up to tenants as a line. */
import { useState, type KeyboardEvent, type ReactNode } from 'react';

import type { TrafficStep } from '../api/overview.ts';
import { outcomeNames, paintOf, sumOf, Swatch } from './outcomes.tsx';
import { instantsBetween, ticksTo } from './scale.ts';
import { ValueAxis } from './value-axis.tsx';
import { useWidth } from './width.ts';
import { useWords } from './words.tsx';

const height = 220;
const margin = { top: 8, right: 4, bottom: 22, left: 40 };
const inner = height - margin.top - margin.bottom;

export function TrafficChart({ steps }: { readonly steps: readonly TrafficStep[] }): ReactNode {
  const { say, format } = useWords();
  const [box, width] = useWidth<HTMLDivElement>();
  const [chosen, choose] = useState<number>();
  const across = Math.max(width - margin.left - margin.right, 0);
  const ticks = ticksTo(Math.max(...steps.map((step) => Math.max(sumOf(step), step.up)), 4), 4);
  const top = ticks.at(-1) ?? 1;
  const y = (value: number): number => margin.top + inner - (value / top) * inner;
  const band = steps.length === 0 ? 0 : across / steps.length;
  const x = (index: number): number => margin.left + index * band;
  const from = Date.parse(steps[0]?.at ?? '');
  const to = Date.parse(steps.at(-1)?.at ?? '');
  const total = steps.reduce((sum, step) => sum + sumOf(step), 0);
  const move = ({ key }: KeyboardEvent): void => {
    const by = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    if (by !== 0) choose(Math.min(Math.max((chosen ?? steps.length) + by, 0), steps.length - 1));
    if (key === 'Escape') choose(undefined);
  };
  const step = chosen === undefined ? undefined : steps[chosen];

  return (
    <figure className="chart">
      <div
        ref={box}
        className="chart-area"
        // What the arrows choose is told below, so a reader without a pointer gets every value.
        role="application"
        tabIndex={0}
        aria-label={say('traffic.label', { count: format.count(total) })}
        onKeyDown={move}
        onBlur={() => choose(undefined)}
        onPointerLeave={() => choose(undefined)}
        onPointerMove={({ clientX, currentTarget }) => {
          const index = Math.floor(
            (clientX - currentTarget.getBoundingClientRect().left - margin.left) / Math.max(band, 1),
          );
          choose(index >= 0 && index < steps.length ? index : undefined);
        }}
      >
        <svg width={width} height={height} aria-hidden="true">
          <ValueAxis ticks={ticks} y={y} left={margin.left} right={width - margin.right} />
          {Number.isFinite(from) &&
            instantsBetween(from, to, Math.max(2, Math.floor(across / 90))).map((at) => (
              <text key={at} x={x((at - from) / 10_000)} y={height - 5} className="tick middle">
                {format.minute(at)}
              </text>
            ))}
          {chosen !== undefined && (
            <rect x={x(chosen)} y={margin.top} width={band} height={inner} className="fill-chosen" />
          )}
          {steps.map((one, index) => {
            let sum = 0;
            return outcomeNames.map((name) => {
              const value = one[name];
              sum += value;
              return (
                value > 0 && (
                  <rect
                    key={`${one.at} ${name}`}
                    x={x(index) + Math.min(band * 0.12, 1.5)}
                    width={Math.max(band - Math.min(band * 0.24, 3), 1)}
                    y={y(sum)}
                    height={(value / top) * inner}
                    fill={paintOf(name)}
                  />
                )
              );
            });
          })}
          <polyline
            className="line-up"
            points={steps.map(({ up }, index) => `${x(index) + band / 2},${y(up)}`).join(' ')}
          />
        </svg>
        {step && chosen !== undefined && (
          <div
            className="tip"
            style={{ left: Math.min(x(chosen) + band + 8, Math.max(width - 190, 0)), top: margin.top }}
          >
            <strong>{format.time(step.at)}</strong>
            {outcomeNames.map((name) => (
              <span key={name}>
                <Swatch name={name} /> {say(`outcome.${name}`)} <b>{format.count(step[name])}</b>
              </span>
            ))}
            <span>
              <i className="dash" /> {say('traffic.up')} <b>{format.count(step.up)}</b>
            </span>
            <span>
              {say('traffic.hits')} <b>{format.count(step.hits)}</b>
            </span>
          </div>
        )}
      </div>
      <div className="unseen" role="status">
        {step &&
          `${format.time(step.at)}: ${outcomeNames.map((name) => `${say(`outcome.${name}`)} ${step[name]}`).join(', ')}, ${say('traffic.up')} ${step.up}`}
      </div>
      <figcaption className="legend">
        {outcomeNames.map((name) => (
          <span key={name}>
            <Swatch name={name} /> {say(`outcome.${name}`)}
          </span>
        ))}
        <span>
          <i className="dash" /> {say('traffic.up')}
        </span>
      </figcaption>
    </figure>
  );
}
