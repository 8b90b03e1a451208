/** Records of a trail that says something of everything somebody can look for. */
import { Redactor } from '../../src/audit/redact.ts';
import type { WrittenRecord, WrittenSegment } from '../audit/written-trail.ts';

const redactor = new Redactor({ period: '2026q4', secret: Buffer.alloc(32, 7) });
export const person = (at: number): string => redactor.pseudonym('id', `person-${at}`);
const start = Date.parse('2026-11-21T08:00:00Z');
const callers = ['idm', 'iag', 'help-desk'];
const kinds = ['list', 'get', 'patch', 'delete'];

/** Deterministic, and uneven enough that no two criteria mean the same records. */
export function recordAt(at: number): WrittenRecord {
  const ts = new Date(start + at * 7919).toISOString();
  const kind = kinds[at % kinds.length] ?? 'get';
  const request = `req-${Math.floor(at / 3)}`;
  const op = {
    api: 'proxy',
    kind,
    effect: at % 4 < 2 ? 'read' : 'write',
    tenant: 'acme',
    system: `system-${Math.floor(at / 3) % 3}`,
    resourceType: at % 5 === 0 ? 'Groups' : 'Users',
    id: person(at % 11),
  };
  const call = { req: request, actor: { name: callers[at % 7] }, src: { ip: `192.0.2.${at % 13}` }, op };
  if (at % 3 === 0)
    return { ts, event: 'upstream.intent', ...call, upstream: { tenant: 'acme', system: op.system } };
  if (at % 3 === 1)
    return {
      ts,
      event: 'upstream.outcome',
      req: request,
      intent: at,
      upstream: { status: at % 2 ? 200 : 404, requestId: `t-${at}` },
    };
  const http = at % 8 === 0 ? 403 : at % 10 === 0 ? 502 : 200;
  const result = http === 403 ? 'denied' : http === 502 ? 'failure' : 'success';
  return {
    ts,
    event: http === 403 ? 'authz.denied' : 'request.outcome',
    ...call,
    outcome: { http, result, ...(http !== 200 && { error: http === 403 ? 'forbidden' : 'upstream-broke' }) },
    ms: at % 50,
  };
}

export function segmentsOf(first: number, counts: readonly number[]): WrittenSegment[] {
  let at = first;
  return counts.map((count, index) => {
    const records = Array.from({ length: count }, () => recordAt((at += 2)));
    return { records, ...(index < counts.length - 1 && { reason: 'rotated' }) };
  });
}
