/**
 * POST → GET → PUT → GET → PATCH → DELETE → GET over HTTP, as far as a pair of transformations offers them. An
 * operation that the pair refuses by its own `skipOperations` must be refused, and nothing else may be.
 */
import { isDeepStrictEqual } from 'node:util';

import type { Body, Got } from './started-tenant.ts';

export type Type = 'Users' | 'Groups';

/** A call below the system's base address. */
export type Send = (method: string, path: string, body?: unknown) => Promise<Got>;

export interface Trip {
  readonly system: string;
  readonly type: Type;
  /** What was called, with the status of each answer. */
  readonly operations: string;
  readonly result: 'works' | 'works as far as offered' | 'fails';
  readonly reason: string;
}

export interface Journey {
  readonly system: string;
  readonly type: Type;
  /** Operations of the transformation language that the pair refuses by `skipOperations`. */
  readonly skipped?: readonly string[];
  readonly send: Send;
  /** What a caller creates, and what it changes it into. */
  readonly body: object;
  readonly change: object;
  /** The id of one that is there, for a pair that does not offer to create. */
  readonly presentId?: string;
  readonly patch?: object;
}

class Wrong extends Error {}

export async function travel(journey: Journey): Promise<Trip> {
  const { system, type, skipped = [] } = journey;
  const steps: string[] = [];
  const refused: string[] = [];
  const log = new Log(journey.send, skipped, steps, refused);
  try {
    await play(journey, log);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { system, type, operations: steps.join(' '), result: 'fails', reason: error.message };
  }
  const offered = refused.length === 0;
  return {
    system,
    type,
    operations: steps.join(' '),
    result: offered ? 'works' : 'works as far as offered',
    reason: offered ? '' : `${refused.join(', ')} not offered by the pair`,
  };
}

async function play({ type, body, change, presentId, patch }: Journey, log: Log): Promise<void> {
  const created = await log.step('POST', '', 201, body, 'create');
  const id = created?.body.id ?? presentId;
  if (id === undefined) throw new Wrong('the answer has no id');
  const path = `/${encodeURIComponent(id)}`;
  const read = await log.step('GET', path, 200);
  if (created) expectSame(read?.body, created.body, 'GET does not show what POST answered');
  const replaced = await log.step('PUT', path, 200, { ...body, id, ...change }, 'update');
  const again = await log.step('GET', path, 200);
  if (replaced) {
    expectSame(again?.body, replaced.body, 'GET does not show what PUT answered');
    if (replaced.body.id !== id) throw new Wrong('PUT changed the id');
    expectChange(type, read?.body ?? {}, again?.body ?? {});
  }
  if (patch) {
    await log.step('PATCH', path, 204, patch);
    const patched = await log.step('GET', path, 200);
    // A member that was shown after POST has to be shown after it was added again.
    if (membersIn(read) > 0 && membersIn(patched) === 0) throw new Wrong('the patch of members is lost');
  }
  const deleted = await log.step('DELETE', path, 204, undefined, 'delete');
  if (deleted) await log.step('GET', path, 404);
}

class Log {
  readonly #send: Send;
  readonly #skipped: readonly string[];
  readonly #steps: string[];
  readonly #refused: string[];

  constructor(send: Send, skipped: readonly string[], steps: string[], refused: string[]) {
    this.#send = send;
    this.#skipped = skipped;
    this.#steps = steps;
    this.#refused = refused;
  }

  /** Undefined where the pair does not offer the operation and the call was refused. */
  async step(
    method: string,
    path: string,
    status: number,
    body?: unknown,
    operation = '',
  ): Promise<Got | undefined> {
    const got = await this.#send(method, path, body);
    this.#steps.push(`${method} ${got.status}`);
    const isOffered = !this.#skipped.includes(operation);
    if (!isOffered) this.#refused.push(method);
    const expected = isOffered ? status : 400;
    if (got.status !== expected) throw new Wrong(got.body.detail ?? `${method}: not ${expected}`);
    return isOffered ? got : undefined;
  }
}

function membersIn(got: Got | undefined): number {
  return got?.body.members?.length ?? 0;
}

function expectSame(left: Body | undefined, right: Body, what: string): void {
  if (!isDeepStrictEqual(left, right)) throw new Wrong(what);
}

/** What the pair shows of a change has to be the change; a pair may show neither of these. */
function expectChange(type: Type, before: Body, after: Body): void {
  const family = ({ name }: Body) => Reflect.get(Object(name), 'familyName');
  if (type === 'Users' && family(before) !== undefined && family(after) !== '大阪')
    throw new Wrong('the change of name.familyName is lost');
  if (type === 'Groups' && (after.members?.length ?? 0) > 0)
    throw new Wrong('the members are not taken away');
}

const columns = ['system', 'type', 'operations', 'result', 'reason'] as const;

export function tableOf(trips: readonly Trip[]): string {
  const rows = [columns.map(String), ...trips.map((trip) => columns.map((column) => trip[column]))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
