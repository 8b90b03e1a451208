/** The figures that are looked at first. */
import type { ReactNode } from 'react';

import type { Overview } from '../api/overview.ts';
import { sumOf } from './outcomes.tsx';
import { useWords } from './words.tsx';

export function Tiles({
  overview: { traffic, cache, latency, running, tenants, audit },
}: {
  readonly overview: Overview;
}): ReactNode {
  const { say, format } = useWords();
  const lastMinute = traffic.slice(-6);
  const calls = lastMinute.reduce((sum, step) => sum + sumOf(step), 0);
  const queued = tenants.reduce((sum, tenant) => sum + tenant.queued, 0);
  const wait = Math.max(0, ...tenants.map((tenant) => tenant.predictedWaitMs));
  return (
    <div className="tiles all">
      <Tile
        name={say('tile.calls')}
        value={format.count(calls)}
        note={say('tile.running', { count: format.count(running) })}
      />
      <Tile
        name={say('tile.hits')}
        value={cache.hitShare === undefined ? '–' : format.share(cache.hitShare)}
        note={
          cache.used
            ? say('tile.hits.note', { hits: format.count(cache.hits), reads: format.count(cache.reads) })
            : say('tile.hits.off')
        }
      />
      <Tile
        name={say('tile.latency')}
        value={latency ? format.span(latency.p90) : '–'}
        note={
          latency
            ? say('tile.latency.note', { p50: format.span(latency.p50), p99: format.span(latency.p99) })
            : say('tile.latency.none')
        }
      />
      <Tile
        name={say('tile.queue')}
        value={format.count(queued)}
        note={queued === 0 ? say('tile.queue.none') : say('tile.queue.wait', { span: format.span(wait) })}
      />
      <Tile
        name={say('tile.audit')}
        value={audit.checkpoint ? format.count(audit.checkpoint.size) : '–'}
        note={
          audit.checkpoint
            ? say('tile.audit.note', { time: format.time(audit.checkpoint.at) })
            : say('tile.audit.none')
        }
        state={audit.ready ? undefined : 'bad'}
      />
    </div>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly state?: 'bad' | undefined;
}

function Tile({ name, value, note, state }: TileProps): ReactNode {
  return (
    <div className={`tile ${state ?? ''}`} role="group" aria-label={name}>
      <div className="tile-name">{name}</div>
      <div className="tile-value">{value}</div>
      <div className="quiet tile-note">{note}</div>
    </div>
  );
}
