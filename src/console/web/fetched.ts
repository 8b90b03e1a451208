/** What the server said to a question of a page, while it is asked, and why it said nothing. */
import { useCallback, useEffect, useState } from 'react';

import { isSomebodyThere } from './activity.ts';
import { get, Refusal } from './api.ts';

export interface Fetched<T> {
  readonly value?: T;
  readonly refusal?: Refusal;
  readonly busy: boolean;
  readonly again: () => void;
}

/** The former value stays until the next one is there, so that nothing jumps. Without a path nothing is asked. */
export function useFetched<T>(path: string | undefined, everyMs?: number): Fetched<T> {
  const [state, setState] = useState<Omit<Fetched<T>, 'again'>>({ busy: path !== undefined });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return setState({ busy: false });
    const left = new AbortController();
    setState((former) => ({ ...former, busy: true }));
    get<T>(path, left.signal).then(
      (value) => setState({ value, busy: false }),
      (error: unknown) => {
        if (!left.signal.aborted)
          setState((former) => ({ ...former, refusal: refusalOf(error), busy: false }));
      },
    );
    const next = (): void => {
      if (isSomebodyThere()) setTurn(turn + 1);
    };
    const timer = everyMs === undefined ? undefined : setInterval(next, everyMs);
    return () => {
      left.abort();
      clearInterval(timer);
    };
  }, [path, turn, everyMs]);
  const again = useCallback(() => setTurn((former) => former + 1), []);
  return { ...state, again };
}

export function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal ? error : away();
}

export function away(): Refusal {
  return new Refusal(0, { error: 'away', detail: '' });
}
