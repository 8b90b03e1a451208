/** A request to the tenant and its answer as plain values; sockets stay in wire.ts. */
import { schemas, scimContentType } from '../scim/message.ts';
import { Refusal } from './refusal.ts';
import { isObject, type Resource } from './resource.ts';

export interface Ask {
  readonly method: string;
  /** Decoded, without empty ones: concatenated destinations bring doubled slashes (facts: IPS 7). */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The peer's address. */
  readonly from: string;
  /** SHA-256 fingerprint of the certificate that the peer proved to own. */
  readonly certificate?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** How the bytes go out, when a fault was ordered; at once and whole otherwise. */
  readonly delivery?: Delivery;
}

export type Delivery =
  | { readonly kind: 'never' }
  | { readonly kind: 'reset' }
  /** The length of the whole is announced, but only so many bytes follow. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'trickle'; readonly bytes: number; readonly everyMs: number };

export function scimAnswer(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': scimContentType, ...headers }, body: JSON.stringify(body) };
}

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export const nothing: Answer = { status: 204, headers: {}, body: '' };

export function listResponse(
  startIndex: number,
  itemsPerPage: number,
  totalResults: number,
  resources: readonly Resource[],
): Answer {
  return scimAnswer(200, {
    schemas: [schemas.listResponse],
    startIndex,
    itemsPerPage,
    totalResults,
    Resources: resources,
  });
}

export function readJson(ask: Ask): Resource {
  let body: unknown;
  try {
    body = JSON.parse(ask.body.toString('utf8'));
  } catch (cause) {
    throw new Refusal(400, 'The body is not JSON.', { scimType: 'invalidSyntax', cause });
  }
  if (!isObject(body)) throw new Refusal(400, 'The body is not an object.', { scimType: 'invalidSyntax' });
  return body;
}

export function methodNotAllowed(...allow: readonly string[]): Refusal {
  return new Refusal(405, 'The method is not supported here.', { headers: { allow: allow.join(', ') } });
}
