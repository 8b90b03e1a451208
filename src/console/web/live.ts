/** The overview as it changes: one reading to begin with, then the server's events once a second. */
import { useEffect, useState } from 'react';

import { endpoints, type Overview } from '../api-types.ts';
import { apiBase, get, type Refusal } from './api.ts';
import { refusalOf } from './fetched.ts';

export interface Live {
  readonly overview?: Overview;
  readonly connected: boolean;
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
    ask();
    const events = new EventSource(`${apiBase}${endpoints.live.path}`);
    events.addEventListener('overview', ({ data }: MessageEvent<string>) =>
      setLive({ overview: JSON.parse(data) as Overview, connected: true }),
    );
    // A question whose answer is that the session is over leads to the log-on page.
    events.addEventListener('end', () => {
      events.close();
      ask();
    });
    events.addEventListener('error', () => setLive((former) => ({ ...former, connected: false })));
    return () => events.close();
  }, []);
  return live;
}
