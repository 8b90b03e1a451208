/** How calls ended: the names in their order, and the mix of them as one bar with its figures. */
import type { ReactNode } from 'react';

import type { Outcomes } from '../api/overview.ts';
import { useWords } from './words.tsx';

export const outcomeNames = [
  'answered',
  'refused',
  'failed',
  'unknown',
] as const satisfies readonly (keyof Outcomes)[];

export const sumOf = ({ answered, refused, failed, unknown }: Outcomes): number =>
  answered + refused + failed + unknown;

/** Colours alone tell nothing to some readers: failures are hatched, and every colour has its word beside it. */
export function Patterns(): ReactNode {
  return (
    <div className="patterns" aria-hidden="true">
      <svg width="0" height="0">
        <defs>
          <pattern
            id="hatched"
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="6" height="6" className="fill-failed" />
            <rect width="2" height="6" className="fill-paper" opacity="0.45" />
          </pattern>
          <pattern id="dotted" width="5" height="5" patternUnits="userSpaceOnUse">
            <rect width="5" height="5" className="fill-unknown" />
            <circle cx="2.5" cy="2.5" r="1.1" className="fill-paper" opacity="0.7" />
          </pattern>
        </defs>
      </svg>
    </div>
  );
}

export const paintOf = (name: keyof Outcomes): string =>
  name === 'failed' ? 'url(#hatched)' : name === 'unknown' ? 'url(#dotted)' : `var(--gh-${name})`;

export function Swatch({ name }: { readonly name: keyof Outcomes | 'other' }): ReactNode {
  return (
    <svg width="12" height="12" aria-hidden="true" className="swatch">
      <rect width="12" height="12" rx="2" fill={name === 'other' ? 'var(--gh-other)' : paintOf(name)} />
    </svg>
  );
}

export function MixBar({
  outcomes,
  height = 12,
}: {
  readonly outcomes: Outcomes;
  readonly height?: number;
}): ReactNode {
  const { say, format } = useWords();
  const total = sumOf(outcomes);
  const label =
    total === 0
      ? say('none')
      : outcomeNames
          .filter((name) => outcomes[name] > 0)
          .map((name) => `${say(`outcome.${name}`)} ${format.count(outcomes[name])}`)
          .join(', ');
  let left = 0;
  return (
    <svg className="mix" width="100%" height={height} role="img" aria-label={label}>
      <title>{label}</title>
      <rect width="100%" height={height} rx="3" className="fill-track" />
      {outcomeNames.map((name) => {
        const share = total === 0 ? 0 : (outcomes[name] / total) * 100;
        const x = left;
        left += share;
        return (
          share > 0 && (
            <rect
              key={name}
              x={`${x}%`}
              width={`${Math.max(share, 0.6)}%`}
              height={height}
              fill={paintOf(name)}
            />
          )
        );
      })}
    </svg>
  );
}

export function MixTable({ outcomes }: { readonly outcomes: Outcomes }): ReactNode {
  const { say, format } = useWords();
  const total = sumOf(outcomes);
  return (
    <table className="figures">
      <thead className="unseen">
        <tr>
          <th scope="col">{say('outcome')}</th>
          <th scope="col">{say('calls')}</th>
          <th scope="col">{say('share')}</th>
        </tr>
      </thead>
      <tbody>
        {outcomeNames.map((name) => (
          <tr key={name}>
            <th scope="row">
              <Swatch name={name} /> {say(`outcome.${name}`)}
            </th>
            <td>{format.count(outcomes[name])}</td>
            <td className="quiet">{total === 0 ? '–' : format.share(outcomes[name] / total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
