/**
 * Turns the records of one call into the steps of the line, in the order in which they were taken: what happened, why,
 * and how long it took. Instants are told only where the trail has them; nothing is guessed.
 */
import type { CallRecords } from '../audit/calls.ts';
import type { Entry } from '../audit/entry.ts';
import { intentEvent, unknownEvent } from '../audit/recover.ts';
import type { Kind, Wait } from '../scim/error.ts';
import { reasons, waitReasons } from './explain-reasons.ts';

export interface Step {
  /** When it was over, in milliseconds since the call came; undefined where the trail does not say. */
  readonly atMs?: number | undefined;
  /** How long it took, where that is known by itself. */
  readonly ms?: number | undefined;
  readonly step: string;
  readonly found: string;
}

const cacheWords: Readonly<Record<string, string>> = {
  hit: 'remembered: the tenant was not asked',
  miss: 'not remembered, or no longer fresh: the tenant was asked',
  collapsed: 'somebody asked the same at that moment, and both got the one answer',
  stale: 'older than its time, but within what the system allows',
  snapshot: 'out of the snapshot of the whole collection',
  bypass: 'not asked: this caller gets the tenant’s own word here',
  off: 'off for this system',
};

const afterWords: Readonly<Record<string, string>> = {
  busy: 'again, because the tenant had said 429 and carried nothing out',
  silence: 'again, because a kept connection was lost before a first byte',
  token: 'again, with a new token',
};

export function stepsOf(records: CallRecords): Step[] {
  const request = records.find(({ event }) => isRequest(event));
  const begunAt = request && monoOf(request) - (request.number('ms') ?? 0);
  const at = (entry: Entry): number | undefined =>
    begunAt === undefined ? undefined : tenth(monoOf(entry) - begunAt);
  return [
    ...(request ? beforeTenant(request) : []),
    ...records.flatMap((entry) => atTenant(entry, records, at)),
    ...(request ? [answer(request)] : []),
  ];
}

/** It closes a call, with whatever became of it. */
export function isRequest(event: string): boolean {
  return /^(?:request\.(?!withheld)|authn\.(?:failure|throttled)|authz\.|token\.)/.test(event);
}

const monoOf = (entry: Entry): number => entry.number('mono') ?? 0;
const tenth = (ms: number): number => Math.round(ms * 10) / 10;

function beforeTenant(request: Entry): Step[] {
  const step = (name: string): number | undefined => request.number('steps', name);
  const { actor, op, decision, cache } = {
    actor: request.text('actor', 'name'),
    op: request.object('op'),
    decision: request.text('decision'),
    cache: request.text('cache', 'result'),
  };
  const target = [request.text('target', 'method'), request.text('target', 'path')].join(' ');
  return [
    {
      atMs: 0,
      step: 'received',
      found: `${target} from ${request.text('src', 'ip') ?? 'an unknown address'}`,
    },
    actor === undefined
      ? { step: 'log-on', found: 'nobody was recognised' }
      : { atMs: step('identified'), step: 'log-on', found: `${actor}, by ${request.text('actor', 'auth')}` },
    ...(op ? [{ step: 'asks', found: operationOf(request) }] : []),
    ...(request.list('repairs').length === 0
      ? []
      : [{ step: 'put right', found: `${request.list('repairs').join(', ')}, by the caller’s profile` }]),
    ...(decision === undefined
      ? []
      : [{ atMs: step('authorised'), step: 'permission', found: permissionOf(decision) }]),
    ...(request.number('body', 'bytes') === undefined
      ? []
      : [{ atMs: step('received'), step: 'body', found: `${request.number('body', 'bytes')} bytes, sound` }]),
    ...(cache === undefined ? [] : [{ step: 'cache', found: cacheOf(request, cache) }]),
  ];
}

function operationOf(request: Entry): string {
  const { kind, resourceType, system, tenant } = {
    kind: request.text('op', 'kind'),
    resourceType: request.text('op', 'resourceType'),
    system: request.text('op', 'system'),
    tenant: request.text('op', 'tenant'),
  };
  return [kind, resourceType, system && `of system ${system}`, tenant && `at tenant ${tenant}`]
    .filter(Boolean)
    .join(' ');
}

const permissionOf = (decision: string): string =>
  decision === 'none' ? 'none allows it' : `allowed by ${decision}`;

function cacheOf(request: Entry, result: string): string {
  // What was not there has no age.
  const age = result === 'miss' ? undefined : request.number('cache', 'ageMs');
  const words = cacheWords[result] ?? result;
  return `${result}${age === undefined ? '' : `, ${(age / 1000).toFixed(1)} s old`}: ${words}`;
}

function atTenant(entry: Entry, records: CallRecords, at: (entry: Entry) => number | undefined): Step[] {
  if (entry.event === intentEvent) return goingUp(entry, at(entry));
  const intent = records.find(({ event, seq }) => event === intentEvent && seq === entry.number('intent'));
  if (!intent) return [];
  if (entry.event === unknownEvent)
    return [{ step: 'tenant', found: 'the gateway ended in the middle: nobody knows the outcome' }];
  if (entry.event !== 'upstream.outcome') return [];
  return [{ atMs: at(entry), ms: entry.number('upstream', 'ms'), step: 'tenant', found: tenantOf(entry) }];
}

function goingUp(intent: Entry, atMs: number | undefined): Step[] {
  const waited = intent.number('upstream', 'waitedMs');
  const after = intent.text('upstream', 'after');
  const purpose = intent.text('upstream', 'purpose');
  const why = after === undefined ? '' : ` ${afterWords[after] ?? after};`;
  const extra = purpose === undefined || purpose === 'call' ? '' : ` (${purpose})`;
  const host = intent.text('upstream', 'host') ?? 'the tenant';
  return [
    ...(waited === undefined
      ? []
      : [
          {
            ms: waited,
            step: 'turn',
            found: waited < 1 ? 'at once' : 'waited for the quota of the tenant, or for those before it',
          },
        ]),
    { atMs, step: 'up', found: `${why} the intent is on disk, then to ${host}${extra}`.trim() },
  ];
}

function tenantOf(outcome: Entry): string {
  const status = outcome.number('upstream', 'status');
  const result = outcome.text('outcome', 'result');
  const code = outcome.text('outcome', 'code');
  const error = outcome.text('outcome', 'error');
  if (status !== undefined) {
    const id = outcome.text('upstream', 'requestId');
    const verdict = error === undefined ? '' : `: ${error}`;
    return `answered ${status}${verdict}${id === undefined ? '' : `, its own id ${id}`}`;
  }
  const timedOut =
    code === 'TimeoutError' ? 'no answer before the deadline' : `no answer (${code ?? 'lost'})`;
  return result === 'unknown' ? `${timedOut}; it may have been carried out` : timedOut;
}

function answer(request: Entry): Step {
  const status = request.number('outcome', 'http');
  const error = request.text('outcome', 'error');
  const ms = request.number('ms');
  const why = error === undefined ? '' : `, ${error}${meaningOf(error, request.text('outcome', 'why'))}`;
  const left = request.object('outcome')?.['delivered'] === false ? '; the caller had gone' : '';
  return { atMs: ms, ms, step: 'answered', found: `${status ?? 'nothing'}${why}${left}` };
}

/** For a kind that this version knows, and a cause that the record names. */
function meaningOf(error: string, why = ''): string {
  if (!Object.hasOwn(reasons, error)) return '';
  const wait = Object.hasOwn(waitReasons, why) ? waitReasons[why as Wait] : undefined;
  const hold = why.startsWith('hold ') ? `; it is ${why}` : '';
  return `: ${wait ?? reasons[error as Kind]}${hold} (docs/errors.md)`;
}
