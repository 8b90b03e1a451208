/**
 * One case on the stage: it calls from an address that no other case calls from, so that its records, and what the
 * gateway holds against it, are told from those of the others. What reached the tenant is judged here for every case.
 */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';

import type { TrailRecord } from '../support/gateway.ts';
import { RawConnection, request, type RawAnswer, type RawOptions } from '../support/raw.ts';
import { assertRefusal, type Siege } from '../support/siege.ts';
import type { Received } from '../support/upstream.ts';
import { fieldsUp } from './fields-up.ts';
import type { Case, Outcome, Seen } from './row.ts';

let scenes = 0;

export class Scene<S extends Siege = Siege> {
  readonly siege: S;
  readonly source: string;
  /** The path of a user that no other case asks for. */
  readonly path: string;
  readonly answers: (RawAnswer | 'alert' | 'none')[] = [];
  /** Statements that the play found to be true. */
  readonly found = new Set<string>();
  connection: Outcome['connection'] = 'kept';
  readonly #alreadyThere: number;
  readonly #begunAt = performance.now();

  constructor(siege: S) {
    this.siege = siege;
    this.#alreadyThere = siege.upstream.received.length;
    scenes += 1;
    this.source = `127.${1 + Math.floor(scenes / 256)}.${scenes % 256}.1`;
    this.path = `/Users/${scenes}`;
  }

  /** Request line, Host, log-on and further fields of a request below the system's base. */
  head(method: string, path: string, ...fields: readonly string[]): string[] {
    return [...this.siege.head(method, path), ...fields];
  }

  open(options: RawOptions = {}): Promise<RawConnection> {
    return RawConnection.open(this.siege.gateway.authority, { localAddress: this.source, ...options });
  }

  /** Sends the bytes on a connection of their own and takes what comes back. */
  async send(bytes: string | Buffer): Promise<RawAnswer | undefined> {
    using connection = await this.open();
    connection.send(bytes);
    return await this.take(connection);
  }

  /** A request with a body of JSON or none. */
  call(
    method: string,
    path: string,
    body?: unknown,
    ...fields: readonly string[]
  ): Promise<RawAnswer | undefined> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const media = ['Content-Type: application/scim+json', `Content-Length: ${Buffer.byteLength(text)}`];
    return this.send(request(this.head(method, path, ...(text ? media : []), ...fields), text));
  }

  /** The same over TLS, with another client's certificate, name or version. */
  async sendTls(options: ConnectionOptions, bytes: string): Promise<RawAnswer | undefined> {
    try {
      using connection = await RawConnection.openTls(this.siege.gateway.authority, {
        localAddress: this.source,
        ...options,
      });
      connection.send(bytes);
      return await this.take(connection);
    } catch (error) {
      this.#end(error);
      return undefined;
    }
  }

  /** The answer, with interim ones before it; where it announces the end also what comes until then. */
  async take(connection: RawConnection): Promise<RawAnswer | undefined> {
    let answer: RawAnswer;
    try {
      do {
        answer = await connection.answer();
        this.answers.push(answer);
      } while (answer.status < 200);
    } catch (error) {
      this.#end(error);
      return undefined;
    }
    if (answer.headers['connection'] !== 'close') return answer;
    await connection.closed();
    this.connection = 'closed';
    while (connection.unread) this.answers.push(await connection.answer());
    return answer;
  }

  /** What has reached the tenant since the scene began. */
  get received(): readonly Received[] {
    return this.siege.upstream.received.slice(this.#alreadyThere);
  }

  /** To be called when the play is over; what the trail says of it is known later. */
  finish(): (records: readonly TrailRecord[]) => Seen & { readonly outcome: Omit<Outcome, 'besides'> } {
    const { received, connection, found } = this;
    const ms = performance.now() - this.#begunAt;
    const answers = this.answers.filter((answer) => typeof answer === 'object');
    for (const each of received) assertOurs(each, this.siege);
    for (const answer of answers) assertFormed(answer);
    const tenant = received.map(({ method }) => method).join(', ') || '–';
    return (all) => {
      const records = this.#recordsOf(answers, all);
      const trail = [...new Set(records.map(({ event }) => event))].join(', ') || 'none';
      const outcome = { answers: this.answers.map(describe).join(', '), connection, tenant, trail };
      return { answers, received, records, ms, found, outcome };
    };
  }

  /** Its requests' own records, and what the trail counts of its network. */
  #recordsOf(answers: readonly RawAnswer[], all: readonly TrailRecord[]): TrailRecord[] {
    const network = this.source.replace(/\.1$/, '.0/24');
    const ids = new Set(answers.flatMap(({ headers }) => headers['x-request-id'] ?? []));
    return all.filter(({ req, event, facts, src }) => {
      // What goes up, and who is let in, is told beside the request's own record.
      if (event.startsWith('upstream.') || event === 'authn.success') return false;
      const isMine = (req !== undefined && ids.has(req)) || facts?.network === network;
      return isMine || (src as { ip?: string } | undefined)?.ip === this.source;
    });
  }

  #end(error: unknown): void {
    const fault = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
    this.answers.push(code.startsWith('ERR_SSL') ? 'alert' : 'none');
    this.connection = 'closed';
  }
}

/** Plays the case and gives what will be known of it when the trail can be read. */
export async function play<S extends Siege>(
  siege: S,
  { play }: Case<S>,
): Promise<ReturnType<Scene<S>['finish']>> {
  const { upstream } = siege;
  const { answer } = upstream;
  const scene = new Scene(siege);
  try {
    await play(scene);
  } finally {
    upstream.answer = answer;
  }
  return scene.finish();
}

function describe(answer: RawAnswer | string): string {
  if (typeof answer === 'string') return answer;
  const { scimType }: { scimType?: string } = answer.status < 400 ? {} : JSON.parse(answer.body);
  return scimType === undefined ? String(answer.status) : `${answer.status} ${scimType}`;
}

/** Nothing of a caller's that is not named above is ever seen up there, its credential least of all. */
function assertOurs({ headers, rawHeaders, url }: Received, { gateway }: Siege): void {
  const strange = Object.keys(headers).filter((name) => name !== 'authorization' && !fieldsUp.has(name));
  assert.deepEqual(strange, [], 'the tenant sees only fields that it may see');
  assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/);
  const secret = gateway.logOn().slice('Basic '.length);
  assert.ok(!rawHeaders.some((text) => text.includes(secret)), 'the caller’s credential stays here');
  assert.match(url, /^\/ipsproxy\/service\/api\/v1\/scim\/[^/]+(?:\/[A-Z.]|$)/, 'the path is below a system');
}

/** A refusal is a SCIM error with all that every answer has. */
function assertFormed(answer: RawAnswer): void {
  if (answer.status < 400) return;
  const { scimType }: { scimType?: string } = JSON.parse(answer.body);
  assertRefusal(answer, answer.status, scimType);
}
