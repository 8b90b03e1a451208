/** The overview as it changes: one reading to begin with, then the server's events once a second. */
import { useEffect, useState } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { Overview } from '../api/overview.ts';
import { isSomebodyThere } from './activity.ts';
import { apiBase, get, type Refusal } from './api.ts';
import { away, refusalOf } from './fetched.ts';

const againMs = 5000;

export interface Live {
  readonly overview?: Overview;
  readonly connected: boolean;
  /** Why what is shown is not what is the case. */
  readonly refusal?: Refusal;
}

export function useLive(): Live {
  const [live, setLive] = useState<Live>({ connected: false });
  useEffect(() => {
    const ask = (): void =>
      void get<Overview>(endpoints.overview.path).then(
        (overview) => setLive(({ connected }) => ({ overview, connected })),
        (error: unknown) => setLive((former) => ({ ...former, refusal: refusalOf(error) })),
      );
    let events: EventSource;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const connect = (): void => {
      events = new EventSource(`${apiBase}${endpoints.live.path}`);
      events.addEventListener('overview', ({ data }: MessageEvent<string>) =>
        setLive({ overview: JSON.parse(data) as Overview, connected: true }),
      );
      // A question whose answer is that the session is over leads to the log-on page.
      events.addEventListener('end', () => {
        events.close();
        ask();
      });
      events.addEventListener('error', () => {
        setLive((former) => ({ ...former, connected: false, refusal: away() }));
        // The browser tries again by itself, unless it was refused.
        if (events.readyState === EventSource.CLOSED) timer = setTimeout(again, againMs);
      });
    };
    const again = (): void => {
      if (isSomebodyThere()) ask();
      connect();
    };
    ask();
    connect();
    return () => {
      clearTimeout(timer);
      events.close();
    };
  }, []);
  return live;
}
