/** Calls over time as an inline SVG of stacked bars. Every colour has its word in the legend, every bar its figures. */
import type { Class } from '../audit/survey.ts';
import type { Interval } from '../audit/time-series.ts';
import { escape, numberText } from './audit-report-text.ts';

/** From the bottom up. */
export const classes: readonly (readonly [Class, string])[] = [
  ['answered', 'answered'],
  ['refused', 'refused'],
  ['failed', 'failed'],
  ['unknown', 'unknown'],
];

const width = 960;
const height = 240;
const margin = { top: 10, right: 8, bottom: 28, left: 56 };
const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };

export function chart(intervals: readonly Interval<Class>[], stepMs: number): string {
  if (intervals.length === 0) return '<p class="none">No calls in this period.</p>';
  const totals = intervals.map(({ counts }) => classes.reduce((total, [name]) => total + counts[name], 0));
  const top = niceTop(Math.max(...totals));
  const room = plot.width / intervals.length;
  // A single bar over the whole width would look like a box.
  const barWidth = Math.max(1, Math.min(room * 0.8, 40));
  const bars = intervals.map((interval, at) => {
    const x = margin.left + at * room + (room - barWidth) / 2;
    return bar(interval, x, barWidth, top, stepMs);
  });
  const label = `Calls per ${stepText(stepMs)}, from ${timeText(intervals[0]?.at ?? 0, 0)}`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">
${gridLines(top)}
${bars.join('\n')}
${timeLabels(intervals, room, stepMs)}
</svg>
<p class="legend">${classes.map(([name, title]) => `<span><i class="${name}"></i>${title}</span>`).join(' ')} <span class="step">calls per ${stepText(stepMs)}, UTC</span></p>`;
}

function bar(
  { at, counts }: Interval<Class>,
  x: number,
  barWidth: number,
  top: number,
  stepMs: number,
): string {
  let y = margin.top + plot.height;
  const parts = classes.flatMap(([name]) => {
    if (counts[name] === 0) return [];
    // Also one failure among a million calls must be seen.
    const size = Math.max(2, (counts[name] / top) * plot.height);
    y -= size;
    return `<rect class="${name}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${barWidth.toFixed(1)}" height="${size.toFixed(1)}"/>`;
  });
  const figures = classes
    .filter(([name]) => counts[name] > 0)
    .map(([name, title]) => `${numberText(counts[name])} ${title}`);
  return `<g><title>${timeText(at, stepMs)}: ${figures.join(', ') || 'none'}</title>${parts.join('')}</g>`;
}

function gridLines(top: number): string {
  return [0, 0.5, 1]
    .map((share) => {
      const y = margin.top + plot.height * (1 - share);
      const line = `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}"/>`;
      return `${line}<text x="${margin.left - 8}" y="${y + 4}" text-anchor="end">${numberText(top * share)}</text>`;
    })
    .join('\n');
}

const labels = 6;

function timeLabels(intervals: readonly Interval<Class>[], room: number, stepMs: number): string {
  const every = Math.max(1, Math.ceil(intervals.length / labels));
  return intervals
    .filter((_, at) => at % every === 0)
    .map(({ at }, index) => {
      const x = margin.left + (index * every + 0.5) * room;
      return `<text x="${x.toFixed(1)}" y="${height - 8}" text-anchor="middle">${timeText(at, stepMs)}</text>`;
    })
    .join('\n');
}

/** So that the bars fill most of the height and the middle line has a whole number. */
function niceTop(most: number): number {
  if (most <= 20) return Math.max(2, Math.ceil(most / 2) * 2);
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const factor = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8].find((each) => each * magnitude >= most) ?? 10;
  return factor * magnitude;
}

const day = 86_400_000;

function timeText(at: number, stepMs: number): string {
  const text = new Date(at).toISOString();
  return stepMs >= day ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

function stepText(stepMs: number): string {
  const minutes = stepMs / 60_000;
  if (minutes < 60) return minutes === 1 ? 'minute' : `${minutes} minutes`;
  if (minutes < 1440) return minutes === 60 ? 'hour' : `${minutes / 60} hours`;
  return minutes === 1440 ? 'day' : `${minutes / 1440} days`;
}
