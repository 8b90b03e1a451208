/** A record as the console's tables and its detail page show it; what it does not say is absent. */
import type { Entry } from '../../audit/entry.ts';
import { factsOf, weightOf } from '../../audit/record-facts.ts';
import type { PhysicalCall, RecordRow, TraceStep } from '../api/record.ts';
import { endOf } from './shape.ts';

export function rowOf(entry: Entry): RecordRow {
  const facts = factsOf(entry);
  const { caller, address, system, tenant, resource, status, result, error, cache, ms, request } = facts;
  const operation = entry.text('op', 'kind') === undefined ? undefined : facts.operation;
  return {
    id: entry.id,
    at: entry.ts,
    instance: entry.instance,
    event: entry.event,
    ...given({ caller, address, system, tenant, operation, resource, status, result, outcome: endOf(entry) }),
    ...given({ error, cache, ms, request }),
    weight: weightOf(entry, facts),
  };
}

type Given<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without the members that are undefined. */
export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** Intents with their outcomes; the two stand in records of their own. */
export function physicalCallsOf(call: readonly Entry[]): PhysicalCall[] {
  const outcomes = new Map(
    call
      .filter(({ event }) => event === 'upstream.outcome' || event === 'request.outcome_unknown')
      .map((entry) => [entry.number('intent'), entry]),
  );
  return call
    .filter(({ event }) => event === 'upstream.intent')
    .map((intent) => {
      const outcome = outcomes.get(intent.seq);
      return {
        intent: intent.id,
        attempt: intent.number('upstream', 'attempt') ?? 1,
        ...given({
          outcome: outcome?.id,
          tenant: intent.text('upstream', 'tenant'),
          system: intent.text('upstream', 'system'),
          method: intent.text('upstream', 'method'),
          path: intent.text('upstream', 'path'),
          waitedMs: intent.number('upstream', 'waitedMs'),
          status: outcome?.number('upstream', 'status'),
          result: outcome?.text('outcome', 'result'),
          ms: outcome?.number('upstream', 'ms'),
          tenantRequestId: outcome?.text('upstream', 'requestId'),
        }),
      };
    });
}

/** The steps of the line (ARCHITECTURE.md) that the records of a call speak of. */
export function traceOf(call: readonly Entry[]): TraceStep[] {
  const end = call.findLast((entry) => endOf(entry) !== undefined);
  const told = end ?? call.find((entry) => entry.object('actor') !== undefined);
  if (!told || told.text('req') === undefined) return [];
  const ms = end?.number('ms');
  const refused = end?.text('outcome', 'result') === 'denied';
  const received = ms === undefined ? undefined : new Date(Date.parse(told.ts) - ms).toISOString();
  const steps: (TraceStep | undefined)[] = [
    step('received', received, { ...pick(told, 'src', ['ip']), ...pick(told, 'target', ['method', 'path']) }),
    step('identified', undefined, pick(told, 'actor', ['name', 'auth', 'credential', 'claimed'])),
    step('asked', undefined, pick(told, 'op', ['api', 'kind', 'system', 'tenant', 'resourceType', 'id'])),
    step('authorised', undefined, facts({ permission: told.text('decision') })),
    step('cache', undefined, pick(told, 'cache', ['result', 'ageMs'])),
    ...call.flatMap(upwards),
    end &&
      step(
        'answered',
        end.ts,
        facts({
          ...pick(end, 'outcome', ['http', 'result', 'error']),
          ms: end.number('ms'),
          bytes: end.number('bytesOut'),
        }),
      ),
  ];
  const found = steps.filter((each) => each !== undefined);
  // A refusal is the end of the step before the answer: what the line asks next was not asked any more.
  return found.map((each, at) => (refused && at === found.length - 2 ? { ...each, state: 'ended' } : each));
}

function upwards(entry: Entry): (TraceStep | undefined)[] {
  if (entry.event === 'upstream.intent') {
    const waited = entry.number('upstream', 'waitedMs');
    const attempt = entry.number('upstream', 'attempt');
    return [
      step('turn', undefined, facts({ waitedMs: waited })),
      step('intent', entry.ts, facts({ record: entry.id, attempt })),
    ];
  }
  if (entry.event !== 'upstream.outcome') return [];
  const outcome = {
    ...pick(entry, 'upstream', ['status', 'ms', 'requestId']),
    ...pick(entry, 'outcome', ['result', 'code']),
  };
  return [
    step('tenant', entry.ts, outcome, entry.text('outcome', 'result') === 'unknown' ? 'unknown' : 'passed'),
  ];
}

type Facts = TraceStep['facts'];

/** Undefined when nothing is known of it. */
function step(
  name: TraceStep['step'],
  at: string | undefined,
  known: Facts,
  state: TraceStep['state'] = 'passed',
) {
  if (at === undefined && Object.keys(known).length === 0) return undefined;
  return { step: name, ...given({ at }), state, facts: known };
}

function facts(known: Readonly<Record<string, unknown>>): Facts {
  const shown = Object.entries(known).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  return Object.fromEntries(shown) as Facts;
}

function pick(entry: Entry, member: string, names: readonly string[]): Facts {
  const found = entry.object(member) ?? {};
  return facts(Object.fromEntries(names.map((name) => [name, found[name]])));
}
