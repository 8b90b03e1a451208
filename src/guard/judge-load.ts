/** What a load is worth beside the last one that was whole. Pure. */
export type LoadVerdict = 'first' | 'whole' | 'smaller' | 'empty';

export interface LoadSize {
  /** How many different resources it had. */
  readonly count: number;
}

/**
 * `smaller` and `empty` need an operator's release before they take the last one's place, in a report or in a snapshot.
 * @param share by how many per cent it may be smaller
 */
export function judgeLoad(last: LoadSize | undefined, now: LoadSize, share = 10): LoadVerdict {
  if (!last) return 'first';
  if (now.count === 0 && last.count > 0) return 'empty';
  return now.count < last.count * (1 - share / 100) ? 'smaller' : 'whole';
}

export function isWorse(verdict: LoadVerdict): verdict is 'smaller' | 'empty' {
  return verdict === 'smaller' || verdict === 'empty';
}
