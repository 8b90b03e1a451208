/**
 * Faults on demand: what networks, load balancers and tired tenants do to a call, ordered by a test, a
 * rehearsal or an administrator on the same machine. The order says which calls are hit, and how often.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { scimContentType } from '../scim/message.ts';
import type { Answer, Ask } from './answer.ts';
import { Refusal, refusalBody } from './refusal.ts';

const milliseconds = z.number().int().min(0).max(3_600_000);

const faultShape = z.discriminatedUnion('kind', [
  /** The answer comes late; `after` means that the work was done before the wait. */
  z.strictObject({
    kind: z.literal('latency'),
    ms: milliseconds,
    when: z.enum(['before', 'after']).default('before'),
  }),
  /** The call is swallowed: nothing is done, nothing is ever answered. */
  z.strictObject({ kind: z.literal('black-hole') }),
  z.strictObject({ kind: z.literal('reset-before') }),
  /** The work is done, but the caller never learns it. */
  z.strictObject({ kind: z.literal('reset-after') }),
  z.strictObject({ kind: z.literal('truncate'), bytes: z.number().int().min(0).default(40) }),
  /** Nothing is done; the answer has this status and a SCIM error body. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.union([z.literal(429), z.literal(500), z.literal(502), z.literal(503), z.literal(504)]),
    retryAfter: z.number().int().min(0).exactOptional(),
    /** The detail quotes a backend, as when the status is not the tenant's own. */
    ofBackend: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('expired-token') }),
  z.strictObject({
    kind: z.literal('trickle'),
    bytes: z.number().int().min(1).default(16),
    everyMs: milliseconds.default(100),
  }),
  /** A page for people where JSON is due, as load balancers and log-on redirects send it. */
  z.strictObject({ kind: z.literal('html'), status: z.number().int().min(200).max(599).default(200) }),
]);

/** What happens between the tenant and the backend, where IPS itself repeats calls. */
const backendFaultShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('backend-status'), status: z.number().int().min(400).max(599) }),
  /** `done` means that the backend did the work and only its answer got lost. */
  z.strictObject({ kind: z.literal('backend-timeout'), done: z.boolean().default(false) }),
]);

export const faultOrderShape = z.strictObject({
  fault: z.discriminatedUnion('kind', [...faultShape.options, ...backendFaultShape.options]),
  /** How many calls are hit; all until cleared when absent. */
  times: z.number().int().min(1).exactOptional(),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).exactOptional(),
  /** Only paths that contain this; a call to a backend has the path `/<system>/<type>` and no method. */
  path: z.string().exactOptional(),
});

export type Fault = z.infer<typeof faultShape>;
export type BackendFault = z.infer<typeof backendFaultShape>;
export type FaultOrder = z.input<typeof faultOrderShape>;

export class Faults {
  #orders: { readonly order: z.infer<typeof faultOrderShape>; left: number }[] = [];

  /** Replaces what was ordered before. */
  order(orders: readonly FaultOrder[]): void {
    this.#orders = orders
      .map((order) => faultOrderShape.parse(order))
      .map((order) => ({ order, left: order.times ?? Infinity }));
  }

  get pending(): readonly FaultOrder[] {
    const pending = this.#orders.filter(({ left }) => left > 0);
    return pending.map(({ order, left }) => {
      const { fault, method, path } = order;
      return {
        fault,
        ...(method && { method }),
        ...(path !== undefined && { path }),
        ...(left < Infinity && { times: left }),
      };
    });
  }

  /** The fault that hits this call, the first order first. */
  take(ask: Ask): Fault | undefined {
    return this.#hit(`/${ask.segments.join('/')}`, ask.method, isOfCaller);
  }

  /** The fault that hits the tenant's next call to a backend. */
  takeOfBackend(systemId: string, type: string): BackendFault | undefined {
    return this.#hit(`/${systemId}/${type}`, undefined, isOfBackend);
  }

  #hit<T extends AnyFault>(path: string, method: string | undefined, is: (fault: AnyFault) => fault is T) {
    for (const pending of this.#orders) {
      const { order, left } = pending;
      const meant = (order.method ?? method) === method && path.includes(order.path ?? '');
      if (left === 0 || !meant || !is(order.fault)) continue;
      pending.left--;
      return order.fault;
    }
    return undefined;
  }
}

type AnyFault = Fault | BackendFault;

function isOfBackend(fault: AnyFault): fault is BackendFault {
  return fault.kind === 'backend-status' || fault.kind === 'backend-timeout';
}

function isOfCaller(fault: AnyFault): fault is Fault {
  return !isOfBackend(fault);
}

/** A fault may be longer than the tenant's life; it must not prolong it. */
const unheld = { ref: false };

/** Answers a call under a fault; `work` is what the tenant would have done. */
export async function suffer(fault: Fault, work: () => Promise<Answer>): Promise<Answer> {
  switch (fault.kind) {
    case 'latency': {
      if (fault.when === 'before') await sleep(fault.ms, undefined, unheld);
      const answer = await work();
      if (fault.when === 'after') await sleep(fault.ms, undefined, unheld);
      return answer;
    }
    case 'black-hole':
      return { ...refused(503, 'swallowed'), delivery: { kind: 'never' } };
    case 'reset-before':
      return { ...refused(503, 'reset'), delivery: { kind: 'reset' } };
    case 'reset-after':
      return { ...(await work()), delivery: { kind: 'reset' } };
    case 'truncate':
      return { ...(await work()), delivery: { kind: 'cut', bytes: fault.bytes } };
    case 'trickle':
      return { ...(await work()), delivery: fault };
    case 'expired-token':
      return refused(401, 'Authentication failed.', {
        'www-authenticate': 'Bearer realm="Identity Provisioning", error="invalid_token"',
      });
    case 'html':
      return { status: fault.status, headers: { 'content-type': 'text/html;charset=UTF-8' }, body: page };
    default:
      return storm(fault);
  }
}

const page = '<!DOCTYPE html><html><head><title>Identity</title></head><body><h1>Log on</h1></body></html>';

function storm({ status, retryAfter, ofBackend }: Fault & { kind: 'status' }): Answer {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  const url = 'https://backend.example.com/scim/v2';
  const quoted = `HTTP operation failed invoking ${url} with statusCode: ${status} and response: {}`;
  return refused(
    status,
    ofBackend ? `Failed to process entity. ${quoted}` : 'The service is not available.',
    headers,
  );
}

function refused(status: number, detail: string, headers: Record<string, string> = {}): Answer {
  const body = refusalBody(new Refusal(status, detail), 'number');
  return { status, headers: { 'content-type': scimContentType, ...headers }, body };
}
