/**
 * The book that replicas share, without scripts: counters and sorted sets, in one round trip for each step. All of a
 * system has one hash tag, so that a Cluster keeps it by one clock. Every key ends by itself, and names nobody.
 */
import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import {
  spanMs,
  type Addition,
  type Beginning,
  type Book,
  type Copy,
  type Known,
  type Moment,
  type Place,
  type Settlement,
} from './updates-book.ts';

/** Apart from the prefixes of the others. */
const prefix = 'gu1:';
/** No copy and no addition lives longer, the longest write included. */
const lifetimeMs = 45 * 60_000;
/** Read at once; a caller with more copies at work is told of the oldest. */
const mostRead = 500;
/** Each write brings one addition and takes away as many as this that are over. */
const mostRemoved = 50;

export class RedisBook implements Book, Disposable {
  readonly circuit: RedisCircuit;

  constructor(options: Omit<RedisCircuitOptions, 'probeKey'>) {
    this.circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
  }

  async look(system: string, group: string | undefined): Promise<Moment | undefined> {
    const keys = [keyOf(system, 'clock'), keyOf(system, 'generation', group ?? '')];
    const replies = await this.circuit.ask((pipeline) => pipeline.mget(keys));
    const [[clock, generation] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && { clock: Number(clock ?? 0), generation: Number(generation ?? 0) };
  }

  async tell({ system, group, caller }: Place, copy: Copy, known: Known | undefined): Promise<void> {
    const copies = keyOf(system, 'copies', group, caller);
    await this.circuit.ask((pipeline, now) => {
      pipeline
        .zadd(copies, copy.clock, `${now + spanMs}|${copy.id}`)
        .zremrangebyrank(copies, 0, -mostRead - 1)
        .pexpire(copies, spanMs);
      return known ? keep(pipeline, system, group, known) : pipeline;
    });
  }

  async begin({ system, group, caller }: Place): Promise<Beginning | undefined> {
    const copies = keyOf(system, 'copies', group, caller);
    const additions = keyOf(system, 'additions', group);
    const replies = await this.circuit.ask((pipeline, now) =>
      advance(pipeline, system, group, now)
        .mget(keyOf(system, 'known', group))
        .zrangebyscore(copies, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, mostRead)
        .zrangebyscore(additions, '+inf', '+inf', 'LIMIT', 0, mostRead),
    );
    if (!replies) return undefined;
    const { now, values } = replies;
    const [, , clock, generation, , , [known], flat, running] = values as [
      unknown,
      unknown,
      number,
      number,
      unknown,
      unknown,
      [string | null],
      string[],
      string[],
    ];
    return {
      clock,
      generation,
      known: known === null ? undefined : knownIn(known),
      copies: copiesIn(flat, now),
      isShared: running.some((entry) => isCurrent(entry, now)),
    };
  }

  async enter(
    { system, group }: Place,
    addition: Addition,
    since: number,
    forMs: number,
  ): Promise<Addition[] | undefined> {
    const additions = keyOf(system, 'additions', group);
    const replies = await this.circuit.ask((pipeline, now) =>
      pipeline
        .zrangebyscore(additions, `(${since}`, '+inf', 'WITHSCORES', 'LIMIT', 0, mostRead)
        .zadd(additions, '+inf', textOf(addition, now + forMs))
        .pexpire(additions, lifetimeMs),
    );
    const [flat = []] = (replies?.values ?? []) as [string[]?];
    return replies && additionsIn(flat, replies.now);
  }

  async end(
    { system, group }: Place,
    since: number,
  ): Promise<(Moment & { readonly others: Addition[] }) | undefined> {
    const additions = keyOf(system, 'additions', group);
    const replies = await this.circuit.ask((pipeline, now) =>
      advance(pipeline, system, group, now).zrangebyscore(
        additions,
        `(${since}`,
        '+inf',
        'WITHSCORES',
        'LIMIT',
        0,
        mostRead,
      ),
    );
    if (!replies) return undefined;
    const [, , clock, generation, , , flat] = replies.values as [
      unknown,
      unknown,
      number,
      number,
      unknown,
      unknown,
      string[],
    ];
    return { clock, generation, others: additionsIn(flat, replies.now) };
  }

  async settle(
    { system, group, caller }: Place,
    { entered, addition, copy, known }: Settlement,
  ): Promise<void> {
    const additions = keyOf(system, 'additions', group);
    const copies = keyOf(system, 'copies', group, caller);
    const found = await this.circuit.ask((pipeline) =>
      pipeline
        .zrangebyscore(additions, '+inf', '+inf', 'LIMIT', 0, mostRead)
        .zrangebyscore(additions, '-inf', '+inf', 'LIMIT', 0, mostRemoved)
        .zrangebyscore(copies, copy?.clock ?? 0, copy?.clock ?? 0, 'LIMIT', 0, mostRead),
    );
    if (!found) return;
    const [running, oldest, sameClock] = found.values as [string[], string[], string[]];
    const isGone = (entry: string): boolean => idOf(entry) === entered.id || !isCurrent(entry, found.now);
    const gone = [...running, ...oldest].filter(isGone);
    const used = copy ? sameClock.filter((entry) => idOf(entry) === copy.id) : [];
    await this.circuit.ask((pipeline, now) => {
      if (addition) pipeline.zadd(additions, addition.clock, textOf(addition, now + spanMs));
      if (gone.length > 0) pipeline.zrem(additions, ...gone);
      if (used.length > 0) pipeline.zrem(copies, ...used);
      return known ? keep(pipeline, system, group, known) : pipeline;
    });
  }

  [Symbol.dispose](): void {
    this.circuit[Symbol.dispose]();
  }
}

type Pipeline = Parameters<Parameters<RedisCircuit['ask']>[0]>[0];

export function keyOf(system: string, ...names: readonly string[]): string {
  return `${prefix}{${system}}:${names.join(':')}`;
}

/** Six replies. A counter that is not there begins at the time of day, so it is ahead of the one that was lost. */
function advance(pipeline: Pipeline, system: string, group: string, now: number): Pipeline {
  const [clock, generation] = [keyOf(system, 'clock'), keyOf(system, 'generation', group)];
  return pipeline
    .set(clock, now, 'PX', lifetimeMs, 'NX')
    .set(generation, now, 'PX', lifetimeMs, 'NX')
    .incrby(clock, 1)
    .incrby(generation, 1)
    .pexpire(clock, lifetimeMs)
    .pexpire(generation, lifetimeMs);
}

function keep(pipeline: Pipeline, system: string, group: string, known: Known): Pipeline {
  const text = `${known.generation}|${known.members.join('')}`;
  return pipeline.set(keyOf(system, 'known', group), text, 'PX', spanMs);
}

function knownIn(text: string): Known {
  const [generation = '', members = ''] = text.split('|');
  return { generation: Number(generation), members: digestsIn(members) };
}

/** `<until>|<id>|<caller>|<members>` */
function textOf({ id, caller, members }: Addition, until: number): string {
  return `${until}|${id}|${caller}|${members.join('')}`;
}

function additionsIn(flat: readonly string[], now: number): Addition[] {
  return pairsOf(flat).flatMap(([entry, clock]) => {
    const [, id = '', caller = '', members = ''] = entry.split('|');
    return isCurrent(entry, now) ? [{ id, caller, members: digestsIn(members), clock }] : [];
  });
}

function copiesIn(flat: readonly string[], now: number): Copy[] {
  return pairsOf(flat).flatMap(([entry, clock]) =>
    isCurrent(entry, now) ? [{ id: idOf(entry), clock }] : [],
  );
}

function pairsOf(flat: readonly string[]): [string, number][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[2 * at] ?? '',
    flat[2 * at + 1] === 'inf' ? Infinity : Number(flat[2 * at + 1]),
  ]);
}

const idOf = (entry: string): string => entry.split('|', 2)[1] ?? '';
const isCurrent = (entry: string, now: number): boolean => Number(entry.split('|', 1)[0]) > now;

function digestsIn(text: string): string[] {
  return text.match(/.{11}/g) ?? [];
}
