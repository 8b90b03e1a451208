/**
 * The rehearsal's own interface, not SAP's: faults are ordered, shown and cleared by JSON on `/rehearsal/faults`,
 * jobs are started and watched on `/rehearsal/jobs`. Only peers on the same machine are answered, because it asks for
 * no credential.
 */
import { z } from 'zod';

import { jsonAnswer, methodNotAllowed, nothing, type Answer, type Ask } from './answer.ts';
import { faultOrderShape, type Faults } from './faults.ts';
import { jobTypes, statistics, type Job, type JobType, type Trigger } from './job.ts';
import { Refusal } from './refusal.ts';

const ordersShape = z.array(faultOrderShape).max(100);
const jobShape = z.strictObject({
  type: z.enum(jobTypes),
  source: z.string(),
  /** As its schedule would start it, and not an administrator. */
  scheduled: z.boolean().default(false),
});
const loopback = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

export interface RehearsalParts {
  readonly faults: Faults;
  /** Begins a job; undefined when there is no such source system. */
  readonly startJob: (type: JobType, source: string, trigger: Trigger) => Job | undefined;
  readonly job: (id: string) => Job | undefined;
}

export class RehearsalApi {
  readonly #parts: RehearsalParts;

  constructor(parts: RehearsalParts) {
    this.#parts = parts;
  }

  async answer(ask: Ask, below: readonly string[]): Promise<Answer> {
    const [what, id, ...more] = below;
    if (!loopback.test(ask.from) || more.length > 0) throw noEndpoint();
    if (what === 'faults' && id === undefined) return this.#faults(ask);
    if (what === 'jobs') return id === undefined ? this.#start(ask) : this.#show(ask, id);
    throw noEndpoint();
  }

  #faults(ask: Ask): Answer {
    const { faults } = this.#parts;
    if (ask.method === 'GET') return jsonAnswer(200, faults.pending);
    if (ask.method === 'DELETE') {
      faults.order([]);
      return nothing;
    }
    if (ask.method !== 'PUT') throw methodNotAllowed('GET', 'PUT', 'DELETE');
    faults.order(readAs(ordersShape, ask));
    return jsonAnswer(200, faults.pending);
  }

  #start(ask: Ask): Answer {
    if (ask.method !== 'POST') throw methodNotAllowed('POST');
    const { type, source, scheduled } = readAs(jobShape, ask);
    const job = this.#parts.startJob(type, source, scheduled ? 'REPEAT' : 'IMMEDIATE');
    if (!job) throw new Refusal(404, 'There is no such source system.');
    return jsonAnswer(202, stateOf(job));
  }

  #show(ask: Ask, id: string): Answer {
    if (ask.method !== 'GET') throw methodNotAllowed('GET');
    const job = this.#parts.job(id);
    if (!job) throw new Refusal(404, 'There is no such job.');
    return jsonAnswer(200, stateOf(job));
  }
}

function stateOf(job: Job) {
  const { id, type, status, readMode, trigger, error } = job;
  return {
    id,
    type,
    status,
    readMode,
    trigger,
    ...(error !== undefined && { error }),
    statistics: statistics(job),
  };
}

function noEndpoint(): Refusal {
  return new Refusal(404, 'There is no such endpoint.');
}

function readAs<Shape extends z.ZodType>(shape: Shape, { headers, body }: Ask): z.output<Shape> {
  // A page in the administrator's browser can send a form here, but not JSON without asking first.
  if (!headers['content-type']?.startsWith('application/json'))
    throw new Refusal(415, 'Only application/json is understood here.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new Refusal(400, 'The body is not JSON.', { cause });
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw new Refusal(400, z.prettifyError(parsed.error));
  return parsed.data;
}
