/**
 * What replicas share in Redis beside the cache. Each kind has a connection of its own, so that large replies never stand in
 * its way; whether Redis helps is told in log and trail, never to a caller.
 */
import { log } from '../log.ts';
import type { Config } from './config.ts';
import type { Note } from './own-trail.ts';
import { openRedis } from './redis.ts';

/** What is opened on a connection. */
interface Connection {
  readonly redis: ReturnType<typeof openRedis>['redis'];
  readonly budgetMs: number;
  readonly onState: (state: { readonly state: 'on' | 'off'; readonly reason?: string }) => void;
}

interface Kind {
  /** As the log names it. */
  readonly what: string;
  /** The events of the trail when Redis begins and stops to be used for it. */
  readonly on: string;
  readonly off: string;
}

/** Disposed, it closes all that was opened. */
export class Sharing implements Disposable {
  readonly #settings: Config['cache']['redis'];
  readonly #note: Note;
  readonly #opened = new DisposableStack();

  constructor({ cache }: Pick<Config, 'cache'>, note: Note) {
    this.#settings = cache.store === 'memory' ? undefined : cache.redis;
    this.#note = note;
  }

  /** Undefined for a gateway that keeps all in its own memory. */
  open<Part extends Disposable>(
    { what, on, off }: Kind,
    create: (connection: Connection) => Part,
  ): Part | undefined {
    if (!this.#settings) return undefined;
    const { budget: budgetMs, ...place } = this.#settings;
    const { redis } = this.#opened.use(openRedis(place));
    const onState: Connection['onState'] = ({ state, reason }) => {
      log.warn(`${what} changed its state`, { state, reason });
      this.#note(state === 'on' ? on : off, { state, reason });
    };
    return this.#opened.use(create({ redis, budgetMs, onState }));
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
