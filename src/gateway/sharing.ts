/**
 * What replicas share in Redis. Each kind has a connection of its own, so that large replies never stand in another's way;
 * whether Redis helps is told in log and trail, never to a caller. Replicas with another key share nothing with us.
 */
import { log } from '../log.ts';
import { ConfigFaults } from './config-faults.ts';
import type { Config } from './config.ts';
import { Kinship } from './kinship.ts';
import type { Note } from './own-trail.ts';
import { openRedis } from './redis.ts';

interface Place {
  readonly redis: ReturnType<typeof openRedis>['redis'];
  readonly budgetMs: number;
}

/** What is opened on a connection. */
interface Connection extends Place {
  readonly onState: (state: { readonly state: 'on' | 'off'; readonly reason?: string }) => void;
}

interface Kind {
  /** As the log names it. */
  readonly what: string;
  /** The events of the trail when Redis begins and stops to be used for it. */
  readonly on: string;
  readonly off: string;
}

const strangers = {
  path: 'audit.keyFile',
  problem: 'is not the one of the replicas that use this Redis, so they would not see what this one writes',
  remedy:
    'copy their file here before the first start, or give this gateway a Redis of its own; ' +
    'a key that nobody uses any more is forgotten after 15 s',
};

/** @param key the same on all replicas; throws `ConfigFaults` where others are at work with another one */
export async function openSharing(
  { cache, replicas }: Pick<Config, 'cache' | 'replicas'>,
  key: Buffer,
  note: Note,
): Promise<Sharing> {
  using opening = new DisposableStack();
  const sharing = opening.use(new Sharing(cache.store === 'memory' ? undefined : cache.redis, note));
  if (replicas > 1 && !(await sharing.meet(key))) throw new ConfigFaults('this gateway', [strangers]);
  opening.move();
  return sharing;
}

/** Disposed, it closes all that was opened. */
export class Sharing implements Disposable {
  readonly #settings: Config['cache']['redis'];
  readonly #note: Note;
  readonly #opened = new DisposableStack();
  readonly #shared: Place['redis'][] = [];

  constructor(settings: Config['cache']['redis'], note: Note) {
    this.#settings = settings;
    this.#note = note;
  }

  /** Whether those that are there have this key; it is asked again and again, and strangers end all sharing. */
  async meet(key: Buffer): Promise<boolean> {
    const place = this.#connect();
    if (!place) return true;
    const onChange = (isKin: boolean): void => {
      log.error('replicas with another key are at this Redis', { state: isKin ? 'gone' : 'there' });
      this.#note(isKin ? 'sharing.resumed' : 'sharing.refused');
      // Without a connection each part does what it does while Redis is away.
      for (const redis of this.#shared)
        if (isKin) void redis.connect().catch(() => undefined);
        else redis.disconnect();
    };
    return this.#opened.use(new Kinship({ redis: place.redis, key, onChange })).meet();
  }

  /** Undefined for a gateway that keeps all in its own memory. */
  connect(): Place | undefined {
    const place = this.#connect();
    if (place) this.#shared.push(place.redis);
    return place;
  }

  /** A part that is told when Redis begins and stops to be used for it. */
  open<Part extends Disposable>(
    { what, on, off }: Kind,
    create: (connection: Connection) => Part,
  ): Part | undefined {
    const place = this.connect();
    if (!place) return undefined;
    const onState: Connection['onState'] = ({ state, reason }) => {
      log.warn(`${what} changed its state`, { state, reason });
      this.#note(state === 'on' ? on : off, { state, reason });
    };
    return this.#opened.use(create({ ...place, onState }));
  }

  #connect(): Place | undefined {
    if (!this.#settings) return undefined;
    const { budget: budgetMs, ...where } = this.#settings;
    return { redis: this.#opened.use(openRedis(where)).redis, budgetMs };
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
