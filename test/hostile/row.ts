/**
 * The acceptance list of hostile and faulty situations as data: a row has the number that it has in the list, and cases
 * that are played against a running gateway. What is expected and what was seen have one form, so that they are
 * compared, and printed side by side, as they are.
 */
import type { TrailRecord } from '../support/gateway.ts';
import type { RawAnswer } from '../support/raw.ts';
import type { Siege } from '../support/siege.ts';
import type { Received } from '../support/upstream.ts';
import type { Scene } from './scene.ts';

export interface Outcome {
  /** Each answer as its status and SCIM type; `alert` where TLS was refused, `none` where the connection just ended. */
  readonly answers: string;
  /** What the gateway does with the connection behind its last answer. */
  readonly connection: 'kept' | 'closed';
  /** The methods of what reached the tenant, in order. */
  readonly tenant: string;
  /** The events of the trail that tell of it. */
  readonly trail: string;
  /** What else is true of it. */
  readonly besides: readonly string[];
}

/** All that a statement about a case can be judged by. */
export interface Seen {
  readonly answers: readonly RawAnswer[];
  readonly received: readonly Received[];
  readonly records: readonly TrailRecord[];
  readonly ms: number;
  /** What the play itself found. */
  readonly found: ReadonlySet<string>;
}

export interface Case<S extends Siege = Siege> {
  /** What is sent, or what happens, in words. */
  readonly sent: string;
  /** A gateway of its own, where the case needs another than its stage has, or would leave it unfit for the others. */
  readonly open?: () => Promise<S>;
  readonly play: (scene: Scene<S>) => Promise<void>;
  readonly expected: Omit<Outcome, 'besides'>;
  /** Statements that must hold besides, by their words. */
  readonly besides?: Readonly<Record<string, (seen: Seen) => boolean>>;
}

export interface Row<S extends Siege = Siege> {
  /** Its number in the list; a name where others made the list. */
  readonly row: number | string;
  readonly situation: string;
  readonly cases: readonly Case<S>[];
  /** Where the list says otherwise: what it says, and why the gateway does as it does. */
  readonly differs?: string;
}

/** A gateway with a certain configuration, and the rows that can share it. */
export interface Stage<S extends Siege = Siege> {
  readonly title: string;
  readonly open: () => Promise<S>;
  /** Asserts after all rows that the gateway lives and serves. */
  readonly serves?: (siege: S) => Promise<void>;
  readonly rows: readonly Row<S>[];
}

type Expected = Case['expected'];

/** A refusal of which nothing goes up. */
export function refused(answers: string, trail = 'request.rejected'): Expected {
  return { answers, connection: 'kept', tenant: '–', trail };
}

export function closed(expected: Expected): Expected {
  return { ...expected, connection: 'closed' };
}

/** The gateway knows before there is a request, so that the trail counts it. */
export function malformed(answers = '400', trail = 'proto.malformed'): Expected {
  return closed(refused(answers, trail));
}

export function served(answers = '200', tenant = 'GET', trail = 'request.outcome'): Expected {
  return { answers, connection: 'kept', tenant, trail };
}

/** One line of the table. */
export function describeOutcome({ answers, connection, tenant, trail, besides }: Outcome): string {
  const end = connection === 'closed' ? ', closed' : '';
  const said = besides.length > 0 ? ` · ${besides.join(', ')}` : '';
  return `${answers}${end} · tenant ${tenant} · ${trail}${said}`;
}
