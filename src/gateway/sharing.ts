/**
 * What replicas share in Redis. Each kind has a connection of its own, so that large replies never stand in another's way;
 * whether Redis helps is told in log and trail, never to a caller. With replicas of another key nothing is shared whose names
 * are made with it.
 */
import { log } from '../log.ts';
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
  /** Its names in Redis are those of the configuration. */
  readonly isKeyless?: true;
}

const strangers =
  'the replicas that use this Redis have another audit.keyFile, so none would see what the other writes: only the quota is shared; ' +
  'copy their file here before the first start, or use another Redis';

/** @param key the same on all replicas */
export async function openSharing(
  { cache, replicas }: Pick<Config, 'cache' | 'replicas'>,
  key: Buffer,
  note: Note,
): Promise<Sharing> {
  using opening = new DisposableStack();
  const sharing = opening.use(new Sharing(cache.store === 'memory' ? undefined : cache.redis, note));
  if (replicas > 1) await sharing.meet(key);
  opening.move();
  return sharing;
}

/** Disposed, it closes all that was opened. */
export class Sharing implements Disposable {
  readonly #settings: Config['cache']['redis'];
  readonly #note: Note;
  readonly #opened = new DisposableStack();
  readonly #shared: Place['redis'][] = [];
  #isApart = false;

  constructor(settings: Config['cache']['redis'], note: Note) {
    this.#settings = settings;
    this.#note = note;
  }

  /** Looks whose key the replicas have that are there, now and from time to time. */
  async meet(key: Buffer): Promise<void> {
    const place = this.#connect();
    if (!place) return;
    const kinship = new Kinship({ redis: place.redis, key, onChange: (isKin) => this.#part(!isKin) });
    await this.#opened.use(kinship).meet();
  }

  /** Undefined for a gateway that keeps all in its own memory. */
  connect(): Place | undefined {
    const place = this.#connect();
    if (!place) return undefined;
    this.#shared.push(place.redis);
    if (this.#isApart) place.redis.disconnect();
    return place;
  }

  /** A part that is told when Redis begins and stops to be used for it. */
  open<Part extends Disposable>(
    { what, on, off, isKeyless }: Kind,
    create: (connection: Connection) => Part,
  ): Part | undefined {
    const place = isKeyless ? this.#connect() : this.connect();
    if (!place) return undefined;
    const onState: Connection['onState'] = ({ state, reason }) => {
      log.warn(`${what} changed its state`, { state, reason });
      this.#note(state === 'on' ? on : off, { state, reason });
    };
    return this.#opened.use(create({ ...place, onState }));
  }

  /** Without a connection each part does what it does while Redis is away. */
  #part(isApart: boolean): void {
    this.#isApart = isApart;
    this.#note(isApart ? 'sharing.refused' : 'sharing.resumed');
    if (isApart) log.error(strangers);
    for (const redis of this.#shared) {
      if (isApart) redis.disconnect();
      else redis.connect().catch(() => undefined); // its user is told by the connection itself
    }
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
