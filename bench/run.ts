/** One run of the bench: what was found, where, and of which sources. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

import type { Verdict } from './acceptance.ts';
import type { Comparison } from './cached-reads.ts';
import type { Memory } from './memory.ts';
import type { WayName } from './way.ts';
import type { Costs, Sizes } from './workloads.ts';

export interface Run {
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly sizes: Sizes;
  readonly costs: readonly Costs[];
  readonly cached?: Comparison;
  readonly memory: readonly Memory[];
  /** What the machine lacks for a way that was asked for. */
  readonly missing: Readonly<Partial<Record<WayName, string>>>;
  readonly verdicts: readonly Verdict[];
}

export function describeMachine(): string {
  const load = loadavg()[0]?.toFixed(1);
  return `${availableParallelism()} cores of ${cpus()[0]?.model}, load ${load} at the start`;
}

/** Of the sources, with a mark when they differ from it. */
export function describeCommit(): string {
  const git = (...words: string[]): string =>
    spawnSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'unknown';
  return git('status', '--porcelain', '--', '../src', '../bench') === '' ? commit : `${commit} with changes`;
}
