/**
 * Names of writes and of what they write, as keyed MACs: they leave the process, and a bare hash of a body or an id could be
 * guessed. Two writes have one name exactly when one is the repeat of the other.
 */
import { createHmac } from 'node:crypto';

import type { Headers, Reply } from '../scim/call.ts';
import { readExactly } from '../scim/exact-json.ts';
import { folded } from '../scim/folded.ts';
import type { Operation } from '../scim/operation.ts';
import { createdBy } from './created.ts';
import { keyOfCreated, pathOf } from './look.ts';

/** A write as far as it can be told from another. */
export interface NamedWrite {
  readonly caller: string;
  readonly method: string;
  readonly operation: Operation;
  readonly headers: Headers;
  readonly body: Buffer | undefined;
  /** Where the tenant has the system: an id that is given to another system names other resources. */
  readonly origin: string;
  /** What the caller calls it itself, by `Idempotency-Key`. */
  readonly key: string | undefined;
}

export interface WriteNames {
  readonly write: string;
  /** Of all that is sent, for a key that is used for something else. */
  readonly fingerprint: string;
  /** What the write may change, as far as that is known before its answer. */
  readonly resources: readonly string[];
}

export class RepeatNames {
  readonly #key: Buffer;

  /** @param key the same on all replicas */
  constructor(key: Buffer) {
    this.#key = key;
  }

  of(write: NamedWrite): WriteNames {
    const { caller, method, operation, headers, body, origin, key } = write;
    const { tenant, system, path, query } = operation;
    const place = [tenant, system, origin];
    const conditions = [headers['if-match'] ?? '', headers['if-none-match'] ?? ''];
    const content = createHmac('sha256', this.#key)
      .update(body ?? '')
      .digest('base64url');
    const fingerprint = this.#mac(
      'sent',
      caller,
      ...place,
      method,
      path,
      query.canonical,
      ...conditions,
      content,
    );
    return {
      write: key === undefined ? fingerprint : this.#mac('key', caller, ...place, key),
      fingerprint,
      resources: [operation, ...operation.parts].flatMap((part) => this.#resources(place, part, body)),
    };
  }

  /** The resource that a create has made. */
  created({ operation, origin }: NamedWrite, reply: Reply): string[] {
    const { kind, tenant, system, resourceType } = operation;
    const ids = kind === 'create' ? createdBy(operation, reply) : [];
    return ids.map((id) => this.#resource([tenant, system, origin], pathOf(resourceType, id)));
  }

  #resources(place: readonly string[], part: Operation, body: Buffer | undefined): string[] {
    if (part.kind !== 'create') return [this.#resource(place, part.path)];
    const key = body && keyOfCreated(readExactly(body), part.resourceType);
    return key ? [this.#resource(place, `${part.path} ${key.name.toLowerCase()} ${key.value}`)] : [];
  }

  #resource(place: readonly string[], path: string): string {
    return this.#mac('resource', ...place, folded(path));
  }

  #mac(...parts: readonly string[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url');
  }
}
