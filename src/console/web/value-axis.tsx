/** The lines of a chart's values, and the figures beside them. */
import type { ReactNode } from 'react';

import { useWords } from './words.tsx';

interface ValueAxisProps {
  readonly ticks: readonly number[];
  /** Where a value stands, in pixels from above. */
  readonly y: (value: number) => number;
  /** Where the lines begin and end. */
  readonly left: number;
  readonly right: number;
}

export function ValueAxis({ ticks, y, left, right }: ValueAxisProps): ReactNode {
  const { format } = useWords();
  return ticks.map((tick) => (
    <g key={tick}>
      <line x1={left} x2={right} y1={y(tick)} y2={y(tick)} className="grid-line" />
      <text x={left - 8} y={y(tick) + 4} className="tick end">
        {format.count(tick)}
      </text>
    </g>
  ));
}
