/** The records that a search found, page after page, as far as a reader has scrolled. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { RecordRow } from '../api/record.ts';
import type { RecordPage } from '../api/trail.ts';
import { get, type Refusal } from './api.ts';
import { refusalOf } from './fetched.ts';

export interface Records {
  readonly rows: readonly RecordRow[];
  readonly total?: number;
  readonly more: boolean;
  readonly busy: boolean;
  readonly refusal?: Refusal;
  readonly pages: readonly RecordPage[];
  readonly loadMore: () => void;
}

const pageSize = 200;

interface State {
  readonly pages: readonly RecordPage[];
  readonly busy: boolean;
  readonly refusal?: Refusal;
}

/** @param turn another number asks anew */
export function useRecords(parameters: string, order: 'newest' | 'oldest', turn: number): Records {
  const [state, setState] = useState<State>({ pages: [], busy: true });
  const asking = useRef<AbortController>(undefined);

  const ask = useCallback(
    (before: readonly RecordPage[]) => {
      asking.current?.abort();
      const left = new AbortController();
      asking.current = left;
      const asked = new URLSearchParams(parameters);
      asked.set('limit', String(pageSize));
      asked.set('order', order);
      const cursor = before.at(-1)?.next;
      if (cursor !== undefined) asked.set('cursor', cursor);
      setState((former) => ({ pages: before.length === 0 ? former.pages : before, busy: true }));
      get<RecordPage>(`${endpoints.records.path}?${asked}`, left.signal).then(
        (page) => setState({ pages: [...before, page], busy: false }),
        (error: unknown) => {
          if (!left.signal.aborted) setState({ pages: before, busy: false, refusal: refusalOf(error) });
        },
      );
    },
    [parameters, order],
  );
  useEffect(() => {
    ask([]);
    return () => asking.current?.abort();
  }, [ask, turn]);

  const { pages, busy, refusal } = state;
  const rows = useMemo(() => pages.flatMap(({ records }) => records), [pages]);
  const more = pages.at(-1)?.next !== undefined;
  return {
    rows,
    total: pages[0]?.total,
    more,
    busy,
    refusal,
    pages,
    loadMore: () => {
      if (more && !busy && !refusal) ask(pages);
    },
  };
}
