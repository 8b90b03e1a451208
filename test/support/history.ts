/**
 * Holds three logs of the same writes against each other: what callers saw, what the trail says, what the tenant did. A write
 * of which the trail says `unknown` may have been carried out or not; everything else that it says must be the truth.
 */
import type { TrailRecord } from './gateway.ts';

/** One call of a caller, under the name that it sent as `X-Request-Id`. */
export interface Attempt {
  readonly name: string;
  /** What is to be written; attempts at the same are repeats of each other. */
  readonly operation: string;
  /** Undefined when the caller left before it was answered. */
  readonly status: number | undefined;
  readonly id: string | undefined;
}

/** A request that came to the tenant, with the gateway's own request id. */
export interface Arrived {
  readonly requestId: string;
  readonly method: string;
}

/** A create that the tenant has carried out. */
export interface Created {
  readonly requestId: string;
  readonly operation: string;
  readonly id: string;
}

export interface History {
  readonly attempts: readonly Attempt[];
  readonly trail: readonly TrailRecord[];
  readonly arrived: readonly Arrived[];
  readonly created: readonly Created[];
}

/** What the logs disagree on, in words; empty when they agree. */
export function disagreements(history: History): string[] {
  return [
    ...upstreamFaults(history),
    ...createFaults(history),
    ...history.attempts.flatMap(attemptFaults(history)),
  ];
}

/** Every call that went up has its intent, and every intent its outcome. */
function upstreamFaults({ trail, arrived }: History): string[] {
  const intents = trail.filter(({ event }) => event === 'upstream.intent');
  const closed = new Set(
    trail.filter(({ event }) => event === 'upstream.outcome').map((record) => record['intent']),
  );
  const open = intents.filter((record) => !closed.has(record['seq']));
  const intended = countBy(intents, (record) => `${record.req} ${methodOf(record)}`);
  const seen = countBy(arrived, ({ requestId, method }) => `${requestId} ${method}`);
  return [
    ...open.map(({ req }) => `${req}: an intent has no outcome`),
    ...[...seen]
      .filter(([call, times]) => times > (intended.get(call) ?? 0))
      .map(([call]) => `${call}: the tenant got more than was intended`),
  ];
}

/** Nothing is created twice, and no write of one request is sent twice. */
function createFaults({ created, arrived }: History): string[] {
  const writes = countBy(
    arrived.filter(({ method }) => method !== 'GET'),
    ({ requestId }) => requestId,
  );
  const creates = countBy(created, ({ operation }) => operation);
  return [
    ...[...writes].filter(([, times]) => times > 1).map(([request]) => `${request}: was sent more than once`),
    ...[...creates].filter(([, times]) => times > 1).map(([operation]) => `${operation}: was created twice`),
  ];
}

function attemptFaults({ trail, created }: History): (attempt: Attempt) => string[] {
  const byName = Map.groupBy(
    trail.filter(({ event }) => event.startsWith('request.')),
    callerNameOf,
  );
  const truths = Map.groupBy(created, ({ operation }) => operation);
  return ({ name, operation, status, id }) => {
    const records = byName.get(name) ?? [];
    const [record] = records;
    if (!record || records.length > 1) return [`${name}: has ${records.length} records`];
    const [truth] = truths.get(operation) ?? [];
    const { result, http } = record.outcome ?? { result: 'none' };
    const isIt = (holds: boolean, words: string): string[] => (holds ? [] : [`${name}: ${words}`]);
    return [
      ...isIt(status === undefined || http === status, `the trail says ${http}, its caller saw ${status}`),
      ...isIt((status === 504) <= (result === 'unknown'), `504 is ${result} in the trail`),
      ...isIt(result !== 'success' || truth !== undefined, 'is a success that the tenant does not know'),
      ...isIt(result === 'success' || result === 'unknown', `is told as ${result}, status ${http}`),
      ...isIt(status !== 201 || id === truth?.id, `names ${id}, the tenant ${truth?.id}`),
    ];
  };
}

function callerNameOf(record: TrailRecord): string {
  return String((record['corr'] as { readonly callerId?: string } | undefined)?.callerId);
}

function methodOf({ upstream }: TrailRecord): string {
  return String((upstream as { readonly method?: string } | undefined)?.method);
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
